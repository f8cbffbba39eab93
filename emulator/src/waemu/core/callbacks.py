"""Callbacks on their way from a coreapp to the webhook (reference 4.4 and 4.8).

They are rows of callbackStore while callback_persist is on, so that neither a restart nor a fail-over loses one:
the owner of a shard delivers the rows of that shard. With it off they are in this process alone.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from waemu import codes
from waemu.core.backoff import Backoff
from waemu.core.connection import Connection
from waemu.core.node import Node
from waemu.core.webhook import NotDelivered, Webhook
from waemu.protocol.nodes import CallbackCount
from waemu.store import callbacks, certificates, counts
from waemu.store.callbacks import SERVICE_SHARD, Callback
from waemu.store.engine import DB_ERRORS

BATCH = 100  # rows read at a time
COUNT_AGE = 1.0  # real seconds the size of the queue is good for
STRIKE_OFF_EVERY = 0.1  # real seconds between removing what was delivered, whatever came together meanwhile
SHORTEST_DELAY = 0.05  # real seconds between two attempts, also where the settings ask for none
log = logging.getLogger("waemu.callbacks")


def delay_ms(attempts: int, step: int, longest: int) -> int:
    """Milliseconds until the next attempt after so many failed ones: a step more each time (4.4), up to a limit."""
    return min(attempts * step, longest)


def error_item(code: int, details: str) -> dict[str, Any]:
    """One entry of a callback's errors (5.2)."""
    return {"code": code, "title": codes.message_title(code), "details": details}


def status_body(message_id: str, wa_id: str, status: str, at: int, errors: Sequence[Mapping[str, Any]] = ()) -> Any:
    """The body of a status callback (4.8). at: UNIX seconds, which callbacks carry as text."""
    item: dict[str, Any] = {"id": message_id, "recipient_id": wa_id, "status": status, "timestamp": str(at)}
    if errors:
        item["errors"] = list(errors)
    return {"statuses": [item]}


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


class Callbacks:
    """The queue of one coreapp and the workers that empty it while the coreapp is connected."""

    def __init__(self, node: Node, connection: Connection) -> None:
        self._node, self._connection = node, connection
        self._memory = Memory()
        self._ready: asyncio.Queue[Callback] = asyncio.Queue()
        self._held: set[int] = set()  # rows read and not finished
        self._done: deque[int] = deque()
        self._wake, self._finished = asyncio.Event(), asyncio.Event()
        self._size, self._counted_at = 0, float("-inf")
        self._counting: asyncio.Task[None] | None = None
        self._requests: Counter[tuple[str, str]] = Counter()
        self._milliseconds: Counter[tuple[str, str]] = Counter()
        self._failing = False

    # -- what others ask ---------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where callbacks go now; empty means nowhere."""
        return str(self._node.settings["webhooks"]["url"])

    @property
    def persist(self) -> bool:
        """Whether callbacks are written down, as this boot was told."""
        return bool(self._node.at_boot("callback_persist"))

    @property
    def full(self) -> bool:
        """Whether the limit is reached (3.8); looked up anew in the background when the answer is old."""
        if time.monotonic() - self._counted_at > COUNT_AGE and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count())
        return self._size + len(self._memory) >= self._node.env.callback_limit

    def wants_status(self, status: str) -> bool:
        """Whether a status of a message is called back; nobody is told of any while there is no URL."""
        if not self.url:
            return False
        settings = self._node.settings
        if status == "sent" and settings["sent_status"]:
            return True
        return bool(settings["webhooks"]["message"].get(status, True))

    def to_write(self, items: Sequence[Callback]) -> Sequence[Callback]:
        """Those the caller's transaction has to hold; after it, tell queued about all of them."""
        return items if self.persist else ()

    def queued(self, items: Sequence[Callback]) -> None:
        """These were made: written down by the caller, or from now on in memory."""
        if not self.persist:
            for item in items:
                self._memory.put(item, time.monotonic())
        if items:
            self.look()

    async def report(self, body: dict[str, Any]) -> None:
        """Queue what a clean-up service has done. Always written down: a standby has to leave it to an owner."""
        if self.url:
            await self._node.db(callbacks.queue(self._node.engine, [Callback("service", SERVICE_SHARD, body)]))
            self.look()

    def look(self) -> None:
        """There may be something to do: a callback, or other settings."""
        self._wake.set()

    def counts(self) -> list[CallbackCount]:
        """What this boot tried to deliver, for the statistics (8)."""
        return [
            CallbackCount(kind, result, number, self._milliseconds[kind, result])
            for (kind, result), number in sorted(self._requests.items())
        ]

    # -- delivering --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver until cancelled. What needs a restart of the coreapps is read here, once (4.4, 4.6)."""
        await self._node.read_once.wait()
        node, concurrency = self._node, int(self._node.at_boot("webhooks.max_concurrent_requests"))
        webhook = Webhook(node.clock, await self._read_ca(), concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed())
                group.create_task(self._strike_off())
                for _ in range(concurrency):
                    group.create_task(self._work(webhook))
        finally:
            await webhook.close()

    async def _read_ca(self) -> str | None:
        backoff = Backoff()
        while True:
            try:
                return await self._node.db(certificates.read(self._node.engine, certificates.WEBHOOKS))
            except DB_ERRORS as error:
                log.error("Could not read the CA of the webhook: %s", error)
                await self._node.clock.sleep(backoff.next())

    async def _feed(self) -> None:
        """Hand out what is due, while there is a URL and this node is connected."""
        backoff = Backoff()
        while True:
            await self._connection.until(lambda: self._connection.is_up)
            self._wake.clear()
            wait: float | None = None
            if self.url:
                try:
                    wait = await self._hand_out()
                    backoff.reset()
                except DB_ERRORS as error:
                    log.error("Could not read the callbacks: %s", error)
                    wait = self._node.clock.scaled(backoff.next())
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _hand_out(self) -> float | None:
        """Give the workers what is due; returns real seconds until there is more, None when somebody will tell."""
        if self._ready.qsize() >= BATCH // 2:
            return None
        unwritten = self._memory.take(time.monotonic(), BATCH)
        for item in unwritten:
            self._ready.put_nowait(item)
        shards = self._node.kept_shards(self._connection.shards)
        held = frozenset(self._held)  # what is finished while the rows are read may still be among them
        rows = await self._node.db(callbacks.due(self._node.engine, shards, BATCH + len(held)))
        for row in rows:
            if row.id not in held and row.id not in self._held:
                self._held.add(row.id)
                self._ready.put_nowait(row)
        if rows or unwritten:
            return None
        return await self._until_next(shards)

    async def _until_next(self, shards: list[int]) -> float | None:
        waits = [await self._node.db(callbacks.next_due(self._node.engine, shards))]
        due = self._memory.next_due()
        waits.append(None if due is None else due - time.monotonic())
        known = [max(wait, SHORTEST_DELAY) for wait in waits if wait is not None]
        return min(known) if known else None

    async def _work(self, webhook: Webhook) -> None:
        while True:
            item = await self._ready.get()
            await self._connection.until(lambda: self._connection.is_up)
            url = self.url
            if not url or (item.id > 0 and item.shard not in self._node.kept_shards(self._connection.shards)):
                self._give_back(item)
                continue
            started = time.monotonic()
            try:
                await webhook.post(url, item.body)
            except NotDelivered as error:
                self._note(item.kind, "failure", started)
                await self._put_off(item, error)
            else:
                self._note(item.kind, "success", started)
                self._delivered(item)

    def _give_back(self, item: Callback) -> None:
        """The URL or the shard is gone: rows stay for whoever has them next, the rest stays here."""
        if item.id < 0:
            self._memory.put(item, time.monotonic())
        self._held.discard(item.id)

    def _delivered(self, item: Callback) -> None:
        if self._failing:
            self._failing = False
            log.info("Callbacks are delivered again")
        if item.id > 0:
            self._done.append(item.id)
            self._finished.set()
        else:
            self.look()

    async def _put_off(self, item: Callback, error: NotDelivered) -> None:
        settings, attempts = self._node.settings, item.attempts + 1
        delay = delay_ms(attempts, settings["callback_backoff_delay_ms"], settings["max_callback_backoff_delay_ms"])
        real = max(self._node.clock.scaled(delay / 1000), SHORTEST_DELAY)
        if not self._failing:
            self._failing = True
            log.warning("Callback failed: %s; next try in %d ms", error, delay)
        if item.id < 0:
            self._memory.put(replace(item, attempts=attempts), time.monotonic() + real)
        else:
            try:
                await self._node.db(callbacks.put_off(self._node.engine, item.id, attempts, real))
            except DB_ERRORS as db_error:
                log.error("Could not put a callback off: %s", db_error)
                await asyncio.sleep(real)
        self._held.discard(item.id)
        self.look()

    async def _strike_off(self) -> None:
        """Remove what was delivered, as many rows at a time as have come together."""
        backoff = Backoff()
        while True:
            await self._finished.wait()
            await asyncio.sleep(STRIKE_OFF_EVERY)
            self._finished.clear()
            ids = [self._done.popleft() for _ in range(len(self._done))]
            while ids:
                try:
                    await self._node.db(callbacks.delivered(self._node.engine, ids))
                    break
                except DB_ERRORS as error:
                    log.error("Could not strike off %d callbacks: %s", len(ids), error)
                    await self._node.clock.sleep(backoff.next())
            self._held.difference_update(ids)
            self.look()

    async def _count(self) -> None:
        try:
            self._size = await self._node.db(counts.callbacks(self._node.engine))
        except DB_ERRORS as error:
            log.debug("Could not count the callbacks: %s", error)
        self._counted_at = time.monotonic()

    def _note(self, kind: str, result: str, started: float) -> None:
        self._requests[kind, result] += 1
        self._milliseconds[kind, result] += round((time.monotonic() - started) * 1000)
