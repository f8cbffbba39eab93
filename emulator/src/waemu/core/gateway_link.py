"""The connection to WhatsApp as a core uses it. There are two: loopback.py, built in, and remote_link.py."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from waemu.clock import CONNECT_MAX, CONNECT_MIN, Clock
from waemu.protocol.gateway import Directory, Event
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


class MediaGone(Exception):
    """WhatsApp does not have these media (any more)."""


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
        """Wait until the connection is gone, and return why."""

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
