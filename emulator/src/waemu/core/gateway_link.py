"""The connection to WhatsApp. Built in: a loopback that accepts everything, for clusters without a gateway."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec

from waemu.clock import CONNECT_MAX, CONNECT_MIN, Clock
from waemu.store.messages import Message


class LinkDown(Exception):
    """The connection is not there (any more); nothing was sent for sure."""


class Refused(LinkDown):
    """WhatsApp does not want this installation: banned, logged_off or disconnected.

    seconds: real ones, for a ban. identity: digest of the registration it is about.
    """

    def __init__(self, reason: str, seconds: float, identity: str) -> None:
        super().__init__(f"the account is {reason}")
        self.reason, self.seconds, self.identity = reason, seconds, identity


class Receipt(msgspec.Struct, frozen=True, tag_field="event", tag="receipt"):
    """What became of a message that was sent. at: UNIX seconds. errors: as in callbacks, codes of reference 5.2."""

    message_id: str
    wa_id: str
    status: Literal["delivered", "read", "failed", "deleted"]
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


async def dial_up(clock: Clock) -> None:
    """The product's time to connect: 3-5 s, as after a promotion (3.6)."""
    await clock.sleep(random.uniform(CONNECT_MIN, CONNECT_MAX))


class Loopback:
    """Stands for WhatsApp inside the node: takes the product's time to connect, then accepts every message."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._up = False
        self._events: list[Event] = []
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

    async def send(self, messages: Sequence[Message]) -> None:  # noqa: ARG002 - nobody looks at them
        """Accepted, as long as it is connected."""
        if not self._up or not self.allowed():
            raise LinkDown("not connected")

    def inject(self, events: Sequence[Event]) -> None:
        """Let WhatsApp have these for this node. Raises LinkDown while it is not connected."""
        if not self._up:
            raise LinkDown("not connected")
        self._events.extend(events)
        self._news.set()

    async def receive(self) -> Sequence[Event]:
        """What was injected and not acknowledged yet."""
        while self._up and not self._events:
            self._news.clear()
            await self._news.wait()
        if not self._up:
            raise LinkDown("not connected")
        return tuple(self._events)

    async def acknowledge(self, events: Sequence[Event]) -> None:
        """Forget them."""
        self._events = [event for event in self._events if event not in events]
