"""What the gateway's ledger has of the messages of one run, read again and again beside the run."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import Any

from waemu.probe.api import Gateway, ProbeError

LEDGER_EVERY = 0.5  # seconds between readings of the ledger
MARK = "probe "  # the text of every message begins with it


class LedgerReader:
    """Of one run. Its messages say C(probe TOKEN), where every token begins with the run's id."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._position = 0
        self.seen: dict[str, list[dict[str, Any]]] = defaultdict(list)  # entries by token
        self.ids: set[str] = set()  # of all entries

    def start_at(self, position: int) -> None:
        """What was there before the run is of no interest."""
        self._position = position

    async def run(self, gateway: Gateway) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(ProbeError):  # the last reading, after the run, has to work
                await self.read(gateway)
            await asyncio.sleep(LEDGER_EVERY)

    async def read(self, gateway: Gateway) -> None:
        """Take in everything that is new. Raises ProbeError."""
        while True:
            entries = await gateway.get("/ledger", after=self._position)
            for entry in entries:
                self._position = entry["seq"]
                text = str(entry["body"].get("text", {}).get("body", ""))
                if text.startswith(MARK + self._run_id):
                    self.seen[text.removeprefix(MARK)].append(entry)
                    self.ids.add(entry["id"])
            if not entries:
                return
