"""Results of a long benchmark that is run in stretches: each call goes on where the one before stopped."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache"


class Results:
    """A list of results that is in its file, .cache/NAME.json, after each one."""

    def __init__(self, name: str, restart: bool) -> None:
        self.path = CACHE / "{0}.json".format(name)
        if restart:
            self.path.unlink(missing_ok=True)
        self.all = self._read()

    def _read(self) -> list[dict[str, t.Any]]:
        found: list[dict[str, t.Any]] = json.loads(self.path.read_text()) if self.path.exists() else []
        return found

    def add(self, result: dict[str, t.Any]) -> None:
        """Keep one more, beside those that another process has added."""
        self.all = [*self._read(), result]
        CACHE.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(self.all, indent=1))
