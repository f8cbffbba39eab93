"""Callbacks on their way from a coreapp to the webhook (reference 4.4 and 4.8)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from dataclasses import replace

from waemu.core.backoff import Backoff
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.node import Node
from waemu.core.webhook import NotDelivered, Webhook
from waemu.protocol.nodes import CallbackCount
from waemu.store import callbacks, certificates
from waemu.store.callbacks import Callback
from waemu.store.engine import DB_ERRORS

BATCH = 100  # rows read at a time
REMOVE_EVERY = 0.1  # real seconds between removing what was delivered, whatever came together meanwhile
SHORTEST_DELAY = 0.05  # real seconds between two attempts, also where the settings ask for none
log = logging.getLogger("waemu.callbacks")


def delay_ms(attempts: int, step: int, longest: int) -> int:
    """Milliseconds until the next attempt after so many failed ones: a step more each time (4.4), up to a limit."""
    return min(attempts * step, longest)


class CallbackDelivery:
    """The workers that empty the queue of one coreapp while it is connected."""

    def __init__(self, node: Node, connection: Connection, queue: CallbackQueue) -> None:
        self._node, self._connection, self._queue = node, connection, queue
        self._ready: asyncio.Queue[Callback] = asyncio.Queue()
        self._held: set[int] = set()  # rows read and not finished
        self._done: deque[int] = deque()
        self._finished = asyncio.Event()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._milliseconds: Counter[tuple[str, str]] = Counter()
        self._failing = False

    def counts(self) -> list[CallbackCount]:
        """What this boot tried to deliver, for the statistics (8)."""
        return [
            CallbackCount(kind, result, number, self._milliseconds[kind, result])
            for (kind, result), number in sorted(self._requests.items())
        ]

    async def run(self) -> None:
        """Deliver until cancelled. What needs a restart of the coreapps is read here, once (4.4, 4.6)."""
        await self._node.read_once.wait()
        node, concurrency = self._node, int(self._node.at_boot("webhooks.max_concurrent_requests"))
        webhook = Webhook(node.clock, await self._read_ca(), concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed())
                group.create_task(self._remove_delivered())
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
            self._queue.changed.clear()
            wait: float | None = None
            if self._queue.url:
                try:
                    wait = await self._hand_out()
                    backoff.reset()
                except DB_ERRORS as error:
                    log.error("Could not read the callbacks: %s", error)
                    wait = self._node.clock.scaled(backoff.next())
            try:
                async with asyncio.timeout(wait):
                    await self._queue.changed.wait()
            except TimeoutError:
                continue

    async def _hand_out(self) -> float | None:
        """Give the workers what is due; returns real seconds until there is more, None when somebody will notify."""
        if self._ready.qsize() >= BATCH // 2:
            return None
        unwritten = self._queue.memory.take(time.monotonic(), BATCH)
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
        due = self._queue.memory.next_due()
        waits.append(None if due is None else due - time.monotonic())
        known = [max(wait, SHORTEST_DELAY) for wait in waits if wait is not None]
        return min(known) if known else None

    async def _work(self, webhook: Webhook) -> None:
        while True:
            item = await self._ready.get()
            await self._connection.until(lambda: self._connection.is_up)
            url = self._queue.url
            if not url or (item.id > 0 and item.shard not in self._node.kept_shards(self._connection.shards)):
                self._requeue(item)
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

    def _requeue(self, item: Callback) -> None:
        """The URL or the shard is gone: rows stay for whoever has them next, the rest stays here."""
        if item.id < 0:
            self._queue.memory.put(item, time.monotonic())
        self._held.discard(item.id)

    def _delivered(self, item: Callback) -> None:
        if self._failing:
            self._failing = False
            log.info("Callbacks are delivered again")
        if item.id > 0:
            self._done.append(item.id)
            self._finished.set()
        else:
            self._queue.wake()

    async def _put_off(self, item: Callback, error: NotDelivered) -> None:
        settings, attempts = self._node.settings, item.attempts + 1
        delay = delay_ms(attempts, settings["callback_backoff_delay_ms"], settings["max_callback_backoff_delay_ms"])
        real = max(self._node.clock.scaled(delay / 1000), SHORTEST_DELAY)
        if not self._failing:
            self._failing = True
            log.warning("Callback failed: %s; next try in %d ms", error, delay)
        if item.id < 0:
            self._queue.memory.put(replace(item, attempts=attempts), time.monotonic() + real)
        else:
            try:
                await self._node.db(callbacks.put_off(self._node.engine, item.id, attempts, real))
            except DB_ERRORS as db_error:
                log.error("Could not put a callback off: %s", db_error)
                await asyncio.sleep(real)
        self._held.discard(item.id)
        self._queue.wake()

    async def _remove_delivered(self) -> None:
        """Remove what was delivered, as many rows at a time as have come together."""
        backoff = Backoff()
        while True:
            await self._finished.wait()
            await asyncio.sleep(REMOVE_EVERY)
            self._finished.clear()
            ids = [self._done.popleft() for _ in range(len(self._done))]
            while ids:
                try:
                    await self._node.db(callbacks.delivered(self._node.engine, ids))
                    break
                except DB_ERRORS as error:
                    log.error("Could not remove %d callbacks: %s", len(ids), error)
                    await self._node.clock.sleep(backoff.next())
            self._held.difference_update(ids)
            self._queue.wake()

    def _note(self, kind: str, result: str, started: float) -> None:
        self._requests[kind, result] += 1
        self._milliseconds[kind, result] += round((time.monotonic() - started) * 1000)
