"""The way of an outgoing message through its owner: persisted, answered, then handed to WhatsApp (reference 4.7)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from waemu import codes
from waemu.core.connection import Connection
from waemu.core.gateway_link import LinkDown
from waemu.core.node import Node
from waemu.shards import shard_of
from waemu.store import messages
from waemu.store.engine import DB_ERRORS
from waemu.store.messages import Message
from waemu.wire import CoreError, MessageAccepted, MessageRequest

BATCH = 100
MARK_EVERY = 0.25  # real seconds between writing down what was sent
RETRY = 1.0  # product seconds after a failure
log = logging.getLogger("waemu.sender")


class Sender:
    """Takes messages while the node owns their shard. A message that was accepted is in the database until sent."""

    def __init__(self, node: Node, connection: Connection) -> None:
        self._node, self._connection = node, connection
        self._waiting: deque[Message] = deque()
        self._known: set[str] = set()  # ids in _waiting or on their way
        self._work = asyncio.Event()
        self._to_keep: list[tuple[Message, asyncio.Future[None]]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._to_mark: list[Message] = []  # sent, and still queued in the database

    async def accept(self, request: MessageRequest) -> MessageAccepted:
        """Persist, then answer. Raises CoreError 1005, 1018, or 1023 through the database's own errors."""
        shard = shard_of(request.wa_id, self._node.shards)
        self._check(shard)
        message = Message(request.id, request.wa_id, shard, request.type, request.body)
        self._known.add(message.id)
        try:
            await self._keep(message)
        except BaseException:
            self._known.discard(message.id)
            raise
        if shard in self._connection.shards:
            self._waiting.append(message)
            self._work.set()
        else:  # taken away meanwhile: the new owner finds it in the database
            self._known.discard(message.id)
        return MessageAccepted(message.id)

    async def _keep(self, message: Message) -> None:
        """Write a message; those that come while others are being written share the next transaction."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_keep.append((message, kept))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_all())
        await kept

    async def _keep_all(self) -> None:
        while self._to_keep:
            batch, self._to_keep = self._to_keep, []
            try:
                new = [message for message, _kept in batch]
                await self._node.db(messages.queue(self._node.engine, self._node.me.node_key, new))
            except Exception as error:  # whatever it is, it is raised where the message came from
                for _message, kept in batch:
                    if not kept.done():
                        kept.set_exception(error)
                continue
            for _message, kept in batch:
                if not kept.done():
                    kept.set_result(None)

    def _check(self, shard: int) -> None:
        if self._node.expired:
            raise CoreError(1005, "App expired. Please upgrade to the latest version.")
        account = self._node.account
        if account is not None and account.condition == "banned" and not self._node.may_connect:
            raise CoreError(1031, "The account is temporarily banned")
        if shard not in self._connection.shards or not self._connection.is_up:
            raise CoreError(1018, f"This coreapp does not serve shard {shard}")

    async def recover(self) -> None:
        """Take over what the shards' owners before, or this one, accepted and did not get sent."""
        for shard in sorted(self._connection.shards):
            for message in await self._node.db(messages.queued(self._node.engine, shard)):
                if message.id not in self._known:
                    self._known.add(message.id)
                    self._waiting.append(message)
        self._work.set()

    async def collect(self) -> int:
        """Delete the messages of this node's shards that are done with; returns how many."""
        shards = sorted(self._connection.shards)
        return sum([await self._node.db(messages.collect(self._node.engine, shard)) for shard in shards])

    def forget(self) -> None:
        """The shards are another node's now; what waits is in the database for it."""
        self._waiting.clear()
        self._known.clear()

    async def run(self) -> None:
        """Send what waits, as long as the connection is up, and mark in the database what was sent."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            group.create_task(self._mark())

    async def _send(self) -> None:
        while True:
            await self._connection.until(lambda: self._connection.is_up)
            await self._work.wait()
            self._work.clear()
            while self._waiting and self._connection.is_up:
                await self._send_batch()

    async def _send_batch(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        try:
            await self._connection.link.send(batch)
        except LinkDown as error:
            log.warning("Connection lost with %d messages on their way: %s", len(batch), error)
            self._waiting.extendleft(reversed(batch))
            await self._connection.lost()
            return
        self._to_mark.extend(batch)

    async def _mark(self) -> None:
        """Many at a time. One that is not marked before its owner dies is sent again, which does no harm (same id)."""
        while True:
            await asyncio.sleep(MARK_EVERY)
            batch, self._to_mark = self._to_mark, []
            ids = [message.id for message in batch]
            try:
                await self._node.db(messages.advance(self._node.engine, ids, "sent"))
            except DB_ERRORS as error:
                log.error("Could not mark %d messages as sent: %s", len(ids), error)
                self._to_mark = batch + self._to_mark
                await self._node.clock.sleep(RETRY)
                continue
            self._known.difference_update(ids)


def not_instantiated() -> CoreError:
    """What a coreapp answers before it can do anything (3.5)."""
    return CoreError(1011, codes.NOT_INSTANTIATED)
