"""The connection to WhatsApp. Built in: a loopback that accepts everything, for clusters without a gateway."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from waemu.clock import CONNECT_MAX, CONNECT_MIN, Clock
from waemu.store.messages import Message


class LinkDown(Exception):
    """The connection is not there (any more); nothing was sent for sure."""


class GatewayLink(Protocol):
    """One node's connection for the shards it holds."""

    async def connect(self, shards: frozenset[int]) -> None:
        """Connect for these shards; returns when connected. Raises LinkDown."""

    async def disconnect(self) -> None:
        """Drop the connection; no error when there is none."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand messages over; returns when WhatsApp has them. Repeating a message does no harm. Raises LinkDown."""


class Loopback:
    """Stands for WhatsApp inside the node: takes the product's time to connect, then accepts every message."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._up = False

    async def connect(self, shards: frozenset[int]) -> None:  # noqa: ARG002 - the loopback serves any shard
        """3-5 s, as after a promotion (3.6)."""
        await self._clock.sleep(random.uniform(CONNECT_MIN, CONNECT_MAX))
        self._up = True

    async def disconnect(self) -> None:
        """At once."""
        self._up = False

    async def send(self, messages: Sequence[Message]) -> None:  # noqa: ARG002 - nobody looks at them
        """Accepted, as long as it is connected."""
        if not self._up:
            raise LinkDown("not connected")
