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
        self.all: list[dict[str, t.Any]] = []
        if self.path.exists() and not restart:
            self.all = json.loads(self.path.read_text())

    def add(self, result: dict[str, t.Any]) -> None:
        """Keep one more."""
        self.all.append(result)
        CACHE.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(self.all, indent=1))
