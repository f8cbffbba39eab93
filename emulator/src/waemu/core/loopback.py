"""The built-in stand-in for WhatsApp, for clusters without a gateway: a loopback that accepts everything."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Sequence

import msgspec

from waemu.clock import Clock
from waemu.core.gateway_link import LinkDown, MediaGone, dial_up
from waemu.protocol.gateway import DELIVERED, LARGEST_BATCH, READ, Directory, Event, Inbound, Receipt, Status
from waemu.store.messages import Message
from waemu.whatsapp.delivery import DELIVERED_AFTER, READ_AFTER, upload
from waemu.whatsapp.users import Users


class Loopback:
    """Stands for WhatsApp inside the node: takes the product's time to connect, then accepts every message.

    Every user gets every message a second later and reads it two seconds after that. All of it is forgotten when
    the process ends.
    """

    def __init__(self, clock: Clock, directory: Directory | None = None, users: Users | None = None) -> None:
        """directory: what the core heeds before it takes a message. users: who cannot be reached after that."""
        self._clock = clock
        self.directory = directory or Directory()
        self._users = users or Users()
        self.backlog = 0
        self._up = False
        self._events: list[Event] = []
        self._taken: list[Event] = []  # returned by receive and not acknowledged
        self._receipts: list[tuple[float, int, Status, Sequence[Message]]] = []  # a heap by product time
        self._count = itertools.count()
        self._media: dict[str, bytes] = {}
        self._timer: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._down = asyncio.Event()
        self.allowed: Callable[[], bool] = lambda: True

    async def connect(self, shards: frozenset[int]) -> None:  # noqa: ARG002 - the loopback serves any shard
        """Always works."""
        await dial_up(self._clock)
        self._up = True
        self._down.clear()
        self._news.set()

    async def until_down(self) -> LinkDown:
        """Only disconnect ends it."""
        await self._down.wait()
        return LinkDown("disconnected")

    async def disconnect(self) -> None:
        """At once."""
        self._up = False
        self._down.set()
        self._news.set()

    async def send(self, messages: Sequence[Message]) -> None:
        """Accepted, as long as it is connected."""
        if not self._up or not self.allowed():
            raise LinkDown("not connected")
        now = self._clock.now()
        arrived = [message for message in messages if not self._failed(message, now)]
        for after, status in ((DELIVERED_AFTER, DELIVERED), (READ_AFTER, READ)):
            heapq.heappush(self._receipts, (now + after, next(self._count), status, arrived))
        if self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(self._send_receipts())

    def _failed(self, message: Message, now: float) -> bool:
        why = self._users.failure(message.wa_id, message.type, now)
        if why is not None:
            self._events.append(Receipt(message.id, message.wa_id, "failed", int(time.time()), (why,)))
            self._news.set()
        return why is not None

    async def _send_receipts(self) -> None:
        """Turn what is due into events until nothing is left to come."""
        while self._receipts:
            await self._clock.sleep(max(self._receipts[0][0] - self._clock.now(), 0.0))
            _at, _count, status, messages = heapq.heappop(self._receipts)
            now = int(time.time())
            self._events.extend(Receipt(message.id, message.wa_id, status, now) for message in messages)
            self._news.set()

    def inject(self, events: Sequence[Event]) -> None:
        """Let WhatsApp have these for this node. Raises LinkDown while it is not connected, ValueError."""
        if not self._up:
            raise LinkDown("not connected")
        for event in events:
            self._events.append(self._keep_media(event) if isinstance(event, Inbound) else event)
        self._news.set()

    def _keep_media(self, event: Inbound) -> Inbound:
        body, content = upload(event.body)
        if content is not None:
            self._media[body["id"]] = content
        return msgspec.structs.replace(event, body=body)

    async def receive(self) -> Sequence[Event]:
        """What there is and was not acknowledged yet."""
        while self._up and not self._events and not self._taken:
            self._news.clear()
            await self._news.wait()
        if not self._up:
            raise LinkDown("not connected")
        if not self._taken:
            self._taken, self._events = self._events[:LARGEST_BATCH], self._events[LARGEST_BATCH:]
        return tuple(self._taken)

    async def acknowledge(self, events: Sequence[Event]) -> None:
        """Forget what receive returned last."""
        assert len(events) == len(self._taken)
        self._taken = []

    async def mark_read(self, message_id: str) -> None:
        """Nobody reads it."""

    async def download(self, media_id: str) -> bytes:
        """What came with an injected message."""
        try:
            return self._media[media_id]
        except KeyError:
            raise MediaGone(media_id) from None
