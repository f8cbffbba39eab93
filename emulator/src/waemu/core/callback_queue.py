"""Callbacks that wait for the webhook (reference 4.4 and 4.8).

They are rows of callbackStore while callback_persist is on, so that neither a restart nor a failover loses one: the
owner of a shard delivers the rows of that shard (callback_delivery.py). With it off they are in this process alone.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from waemu.core.callback_bodies import are_priced
from waemu.core.node import Node
from waemu.store import callbacks, counts
from waemu.store.callbacks import SERVICE_SHARD, Callback
from waemu.store.engine import DB_ERRORS

COUNT_AGE = 1.0  # real seconds the size of the queue is good for
log = logging.getLogger("waemu.callbacks")


class Memory:
    """Callbacks that nobody writes down, each with the monotonic second it is due; ids are negative."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callback]] = []
        self._ids = itertools.count(-1, -1)

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, item: Callback, due: float) -> None:
        """Keep one."""
        heapq.heappush(self._heap, (due, next(self._ids), item))

    def take(self, now: float, most: int) -> list[Callback]:
        """Take out those that are due."""
        found: list[Callback] = []
        while self._heap and self._heap[0][0] <= now and len(found) < most:
            _due, number, item = heapq.heappop(self._heap)
            found.append(replace(item, id=number))
        return found

    def next_due(self) -> float | None:
        """The monotonic second of the next one, None without any."""
        return self._heap[0][0] if self._heap else None


class CallbackQueue:
    """The queue of one coreapp, for those who have something to report to the business."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.memory = Memory()
        self.changed = asyncio.Event()  # there may be something to deliver
        self._size, self._counted_at = 0, float("-inf")
        self._counting: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where callbacks go now; empty means nowhere."""
        return str(self._node.settings["webhooks"]["url"])

    @property
    def persist(self) -> bool:
        """Whether callbacks are written down, as this boot was configured."""
        return bool(self._node.at_boot("callback_persist"))

    @property
    def priced(self) -> bool:
        """Whether statuses say what a message costs."""
        return are_priced(self._node.env.version, self._node.settings)

    @property
    def full(self) -> bool:
        """Whether the limit is reached (3.8); looked up again in the background when the answer is old."""
        if time.monotonic() - self._counted_at > COUNT_AGE and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count())
        return self._size + len(self.memory) >= self._node.env.callback_limit

    def wants_status(self, status: str) -> bool:
        """Whether a status of a message is called back; nobody hears of any while there is no URL."""
        if not self.url:
            return False
        settings = self._node.settings
        if status == "sent" and settings["sent_status"]:
            return True
        return bool(settings["webhooks"]["message"].get(status, True))

    def to_write(self, items: Sequence[Callback]) -> Sequence[Callback]:
        """Those the caller's transaction has to hold; after it, notify queued of all of them."""
        return items if self.persist else ()

    def queued(self, items: Sequence[Callback]) -> None:
        """These were made: written down by the caller, or from now on in memory."""
        if not self.persist:
            for item in items:
                self.memory.put(item, time.monotonic())
        if items:
            self.wake()

    async def report(self, body: dict[str, Any]) -> None:
        """Queue what a cleanup service has done. Always written down: a standby has to leave it to an owner."""
        if self.url:
            await self._node.db(callbacks.queue(self._node.engine, [Callback("service", SERVICE_SHARD, body)]))
            self.wake()

    def wake(self) -> None:
        """There may be something to do: a callback, or other settings."""
        self.changed.set()

    async def _count(self) -> None:
        try:
            self._size = await self._node.db(counts.callbacks(self._node.engine))
        except DB_ERRORS as error:
            log.debug("Could not count the callbacks: %s", error)
        self._counted_at = time.monotonic()
