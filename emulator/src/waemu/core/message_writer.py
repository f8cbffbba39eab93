"""What is written of messages on their way out, many at a time: accepted, and sent."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import time
from collections.abc import Callable, Sequence

from waemu.core.callback_bodies import status_body
from waemu.core.callback_queue import CallbackQueue
from waemu.core.node import Node
from waemu.store import messages
from waemu.store.callbacks import Callback
from waemu.store.engine import DB_ERRORS
from waemu.store.messages import Message

MARK_EVERY = 0.25  # real seconds between writing down what was sent
MARK_BATCH = 500  # messages in one transaction, which has to be over before the database counts as away
RETRY = 1.0  # product seconds after a failure
log = logging.getLogger("waemu.sender")


class AcceptedWriter:
    """Writes messages down before they are answered."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._to_write: list[tuple[Message, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, message: Message) -> None:
        """Write a message; those that come while others are being written share the next transaction."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_write.append((message, written))
        if self._writing is None or self._writing.done():
            # For many messages, so under no single one's request id.
            self._writing = asyncio.create_task(self._write_all(), context=contextvars.Context())
        await written

    async def _write_all(self) -> None:
        while self._to_write:
            batch, self._to_write = self._to_write, []
            try:
                new = [message for message, _written in batch]
                await self._node.db(messages.queue(self._node.engine, self._node.me.node_key, new))
            except Exception as error:  # whatever it is, it is raised where the message came from
                for _message, written in batch:
                    if not written.done():
                        written.set_exception(error)
                continue
            for _message, written in batch:
                if not written.done():
                    written.set_result(None)


class SentMarker:
    """Marks messages as sent, and queues the callbacks that say so."""

    def __init__(self, node: Node, callbacks: CallbackQueue, on_marked: Callable[[Sequence[str]], None]) -> None:
        """on_marked: gets the ids of those that the database knows as sent."""
        self._node, self._callbacks, self._on_marked = node, callbacks, on_marked
        self.unmarked: dict[str, Message] = {}  # sent, and still queued in the database

    def sent(self, batch: Sequence[Message]) -> None:
        """WhatsApp has these."""
        self.unmarked.update((message.id, message) for message in batch)

    async def run(self) -> None:
        """Many at a time. One that is not marked before its owner dies is sent again, which does no harm (same id).

        Fewer at a time after a failure: where the database is slow, the same many would be too many again.
        """
        most = MARK_BATCH
        while True:
            await asyncio.sleep(MARK_EVERY if len(self.unmarked) < most else 0)
            batch = list(itertools.islice(self.unmarked.values(), most))
            if not batch:
                continue
            calls = self._calls(batch)
            try:
                sent = messages.sent(self._node.engine, [one.id for one in batch], self._callbacks.to_write(calls))
                await self._node.db(sent)
            except DB_ERRORS as error:
                log.error("Could not mark %d messages as sent: %s", len(batch), error)
                most = max(len(batch) // 2, 1)
                await self._node.clock.sleep(RETRY)
                continue
            most = min(2 * most, MARK_BATCH)
            self._callbacks.queued(calls)
            for message in batch:
                del self.unmarked[message.id]
            self._on_marked([message.id for message in batch])

    def _calls(self, batch: Sequence[Message]) -> list[Callback]:
        """The callbacks that say C(sent), where somebody wants them (4.4)."""
        if not self._callbacks.wants_status("sent"):
            return []
        now, priced = int(time.time()), self._callbacks.priced
        return [
            Callback("status_change", message.shard, status_body(message.id, message.wa_id, "sent", now, priced=priced))
            for message in batch
        ]
