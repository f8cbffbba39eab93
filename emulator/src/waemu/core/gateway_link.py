"""The connection to WhatsApp. Built in: a loopback that accepts everything, for clusters without a gateway."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import heapq
import itertools
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from waemu.clock import CONNECT_MAX, CONNECT_MIN, Clock
from waemu.directory import Directory
from waemu.gateway.users import Users
from waemu.store.messages import Message

DELIVERED_AFTER, READ_AFTER = 1.0, 3.0  # product seconds from accepted to the receipts of a user who is there
LARGEST_BATCH = 200  # events at a time
Status = Literal["delivered", "read", "failed", "deleted"]
DELIVERED: Status = "delivered"
READ: Status = "read"


class LinkDown(Exception):
    """The connection is not there (any more); nothing was sent for sure."""


class Refused(LinkDown):
    """WhatsApp does not want this installation: banned, logged_off or disconnected.

    seconds: real ones, for a ban. identity: digest of the registration it is about.
    """

    def __init__(self, reason: str, seconds: float, identity: str) -> None:
        super().__init__(f"the account is {reason}")
        self.reason, self.seconds, self.identity = reason, seconds, identity


class MediaGone(Exception):
    """WhatsApp does not have these media (any more)."""


class Receipt(msgspec.Struct, frozen=True, tag_field="event", tag="receipt"):
    """What became of a message that was sent. at: UNIX seconds. errors: as in callbacks, codes of reference 5.2."""

    message_id: str
    wa_id: str
    status: Status
    at: int
    errors: tuple[dict[str, Any], ...] = ()


class Inbound(msgspec.Struct, frozen=True, tag_field="event", tag="inbound"):
    """A message from somebody (wa_id, with a profile name). body: the object named like its type. at: UNIX seconds."""

    id: str
    wa_id: str
    name: str
    type: str
    body: dict[str, Any]
    at: int


Event = Receipt | Inbound


class GatewayLink(Protocol):
    """One node's connection for the shards it holds."""

    allowed: Callable[[], bool]
    """Whether this node may still serve; asked before anything that shows it alive to the other end."""

    @property
    def directory(self) -> Directory:
        """What WhatsApp knows of users and templates that a core has to heed."""

    @property
    def backlog(self) -> int:
        """How much of what had waited when it connected is still to come."""

    async def connect(self, shards: frozenset[int]) -> None:
        """Connect for these shards; returns when connected. Raises LinkDown."""

    async def until_down(self) -> LinkDown:
        """Wait until the connection is gone, and tell why."""

    async def disconnect(self) -> None:
        """Drop the connection; no error when there is none."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand messages over; returns when WhatsApp has them. Repeating a message does no harm. Raises LinkDown."""

    async def receive(self) -> Sequence[Event]:
        """Wait for what WhatsApp has for the shards of this connection. Raises LinkDown.

        What is not acknowledged comes again, over this connection or over the next owner's.
        """

    async def acknowledge(self, events: Sequence[Event]) -> None:
        """These are kept now: WhatsApp need not deliver them again. Raises LinkDown."""

    async def mark_read(self, message_id: str) -> None:
        """The business has read a received message. Raises LinkDown."""

    async def download(self, media_id: str) -> bytes:
        """The content of received media. Raises LinkDown, MediaGone."""


async def dial_up(clock: Clock) -> None:
    """The product's time to connect: 3-5 s, as after a promotion (3.6)."""
    await clock.sleep(random.uniform(CONNECT_MIN, CONNECT_MAX))


def upload(body: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """A user sends media: C(data) (base64) leaves the message's body, an id and a digest come in its place.

    A body without C(data) stays as it is. Raises ValueError when it is not base64.
    """
    if "data" not in body:
        return dict(body), None
    try:
        content = base64.b64decode(body["data"], validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("data is not base64") from error
    kept = {name: value for name, value in body.items() if name != "data"}
    given = {"mime_type": "application/octet-stream", **kept}
    return {"id": str(uuid.uuid4()), "sha256": hashlib.sha256(content).hexdigest(), **given}, content


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
            self._timer = asyncio.create_task(self._tell_receipts())

    def _failed(self, message: Message, now: float) -> bool:
        why = self._users.failure(message.wa_id, message.type, now)
        if why is not None:
            self._events.append(Receipt(message.id, message.wa_id, "failed", int(time.time()), (why,)))
            self._news.set()
        return why is not None

    async def _tell_receipts(self) -> None:
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
        """Nobody looks at it."""

    async def download(self, media_id: str) -> bytes:
        """What came with an injected message."""
        try:
            return self._media[media_id]
        except KeyError:
            raise MediaGone(media_id) from None
