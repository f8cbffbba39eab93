"""The way of an outgoing message through its owner: persisted, answered, then handed to WhatsApp (reference 4.7)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waemu.core.acceptance import LONGEST_QUEUE, Acceptance
from waemu.core.callback_bodies import error_item, status_body
from waemu.core.callback_queue import CallbackQueue
from waemu.core.connection import Connection
from waemu.core.gateway_link import LinkDown
from waemu.core.medialinks import MediaLinks, NotFetched, links_of
from waemu.core.message_writer import RETRY, AcceptedWriter, SentMarker
from waemu.core.node import Node
from waemu.protocol.nodes import MessageAccepted, MessageRequest
from waemu.shards import shard_of
from waemu.store import messages
from waemu.store.callbacks import Callback
from waemu.store.engine import DB_ERRORS
from waemu.store.messages import Message

BATCH = 100
LONGEST_WAIT = 86400.0  # 5.2: product seconds; a message that waited longer fails with 408
log = logging.getLogger("waemu.sender")


class Sender:
    """Takes messages while the node owns their shard. A message that was accepted is in the database until sent."""

    def __init__(self, node: Node, connection: Connection, callbacks: CallbackQueue, media_dir: Path) -> None:
        self._node, self._connection, self._callbacks = node, connection, callbacks
        self._waiting: deque[Message] = deque()
        self._known: set[str] = set()  # ids in _waiting or on their way
        self._work = asyncio.Event()
        self._acceptance = Acceptance(node, connection, callbacks, media_dir)
        self._writer = AcceptedWriter(node)
        self._marker = SentMarker(node, callbacks, self._marked)
        self._links = MediaLinks(node)
        self._fetching: set[asyncio.Task[None]] = set()

    async def accept(self, request: MessageRequest) -> MessageAccepted:
        """Persist, then answer. Raises CoreError 1005, 1013, 1014, 1016, 1018, 1021, 1026, 1031, 2000-2062.

        The database's own errors become 1023.
        """
        shard = shard_of(request.wa_id, self._node.shards)
        self._acceptance.check_shard(shard, waiting=len(self._waiting))
        self._acceptance.check_recipient(request)
        message = Message(request.id, request.wa_id, shard, request.type, request.body)
        self._known.add(message.id)
        try:
            await self._writer.write(message)
        except BaseException:
            self._known.discard(message.id)
            raise
        if shard in self._connection.shards:
            self._known.add(message.id)  # forgotten, where the shard was taken away and returned meanwhile
            self._take(message)
        else:  # taken away meanwhile: the new owner finds it in the database
            self._known.discard(message.id)
        return MessageAccepted(message.id)

    def _take(self, message: Message) -> None:
        """Let a message wait for its turn, once the media it names by link are there."""
        if any(links_of(message.body)):
            task = asyncio.create_task(self._fetch(message))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)
            return
        self._waiting.append(message)
        self._work.set()

    async def _fetch(self, message: Message) -> None:
        while True:
            try:
                await self._links.fetch(message)
                break
            except NotFetched as error:
                why = error_item(400, f"Media of the message could not be downloaded: {error}")
                if await self._failed(message, why):
                    return
            except DB_ERRORS as error:
                log.error("Could not read the media providers: %s", error)
            await self._node.clock.sleep(RETRY)
        self._waiting.append(message)
        self._work.set()

    async def _failed(self, message: Message, why: dict[str, Any]) -> bool:
        """Report that a message is not sent; False when that could not be written down."""
        try:
            await self._fail([(message, why)])
        except DB_ERRORS as error:
            log.error("Could not keep that message %s failed: %s", message.id, error)
            return False
        self._known.discard(message.id)
        return True

    async def recover(self) -> None:
        """Take over what the shards' owners before, or this one, accepted and did not get sent."""
        shards = self._node.kept_shards(self._connection.shards)
        late: list[tuple[Message, dict[str, Any]]] = []
        last: Message | None = None
        while True:
            # To the end of them: the oldest may all be known, where the database is slow to hear that they are sent.
            some = await self._node.db(messages.queued(self._node.engine, shards, after=last))
            late += self._take_over(some)
            if len(some) < messages.QUEUED_BATCH or len(self._waiting) >= LONGEST_QUEUE:
                break
            last = some[-1]
        self._work.set()
        if late:
            await self._fail(late)

    def _take_over(self, queued: Sequence[Message]) -> list[tuple[Message, dict[str, Any]]]:
        """Send these too, as far as they are not known; returns those that come too late, and why."""
        late = []
        for message in queued:
            if message.id in self._known:
                continue
            problem = too_late(message, self._node.clock.product(message.age))
            if problem is None:
                self._known.add(message.id)
                self._take(message)
            else:
                late.append((message, problem))
        return late

    async def _fail(self, late: Sequence[tuple[Message, dict[str, Any]]]) -> None:
        """These are not sent any more; a callback reports for each of them why."""
        now, calls = int(time.time()), []
        if self._callbacks.wants_status("failed"):
            calls = [
                Callback("status_change", message.shard, status_body(message.id, message.wa_id, "failed", now, [why]))
                for message, why in late
            ]
        ids = [message.id for message, _why in late]
        log.warning("%d messages are not sent: %s", len(ids), late[0][1]["details"])
        write = self._callbacks.to_write(calls)
        node = self._node
        await node.db(messages.receive(node.engine, node.me.node_key, reached={"failed": ids}, calls=write))
        self._callbacks.queued(calls)

    def forget(self) -> None:
        """The shards are another node's now; what waits is in the database for it."""
        for task in self._fetching:
            task.cancel()
        self._waiting.clear()
        self._known = set(self._marker.unmarked)  # sent already, whoever owns them now

    def _marked(self, ids: Sequence[str]) -> None:
        """The database knows that these are sent."""
        self._known.difference_update(ids)

    async def run(self) -> None:
        """Send what waits, as long as the connection is up, and mark in the database what was sent."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send())
                group.create_task(self._marker.run())
        finally:
            for task in self._fetching:
                task.cancel()
            await self._links.close()

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
            self._waiting.extendleft(message for message in reversed(batch) if message.id in self._known)
            await self._connection.lost()
            return
        self._marker.sent(batch)


def too_late(message: Message, waited: float) -> dict[str, Any] | None:
    """Why a message that waited so many product seconds is not sent any more (5.2), None when it is. Pure."""
    ttl = message.body.get("ttl")
    if ttl is not None and waited > int(ttl):
        return error_item(410, f"Not sent within its ttl of {ttl} s")
    if waited > LONGEST_WAIT:
        return error_item(408, "Not sent for more than a day")
    return None
