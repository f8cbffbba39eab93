"""All that the gateway knows of the numbers it serves, in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from waemu import messageids
from waemu.clock import Clock
from waemu.gateway.accounts import Accounts
from waemu.gateway.faults import Faults
from waemu.gateway.ledger import Ledger
from waemu.gateway.links import Link, Links
from waemu.gateway.mailbox import Mailbox
from waemu.protocol.gateway import Event, Inbound, Known
from waemu.whatsapp.delivery import upload
from waemu.whatsapp.users import Users

MEDIA_KEPT = 14 * 86400.0  # 4.7: product seconds that WhatsApp keeps media


class Gateway:
    """What nodes and tests find here, and how news get to the nodes of a number."""

    def __init__(self, clock: Clock, fixed_code: str = "") -> None:
        self.clock = clock
        self.accounts = Accounts(fixed_code)
        self.links = Links(self.accounts, clock)
        self.ledger, self.faults = Ledger(), Faults()
        self.mailboxes: dict[str, Mailbox] = {}
        self.media: dict[tuple[str, str], tuple[float, bytes]] = {}  # by number and id: when it came, and what
        self.seen: set[tuple[str, str]] = set()  # number and id of messages that the business has read
        self._users: dict[str, Users] = {}
        self._news: dict[int, asyncio.Event] = {}  # by link: there may be events for it

    def mailbox(self, number: str) -> Mailbox:
        """What waits for a number."""
        return self.mailboxes.setdefault(number, Mailbox())

    def users(self, number: str) -> Users:
        """Who is there for a number."""
        return self._users.setdefault(number, Users())

    async def publish_directory(self, number: str) -> None:
        """Users or templates of a number have changed."""
        users = self.users(number)
        await asyncio.gather(
            *(link.write(Known(users.directory(link.hello.version))) for link in self.links.of(number))
        )

    def inbound(self, number: str, wa_id: str, name: str, kind: str, body: Mapping[str, Any]) -> str:
        """A user writes to a number; returns the message's id. Raises ValueError for no WhatsApp id, or no base64."""
        kept, content = upload(body)
        if content is not None:
            self.media[number, kept["id"]] = (self.clock.now(), content)
        self.users(number).wrote(wa_id, self.clock.now())
        message_id = messageids.new(wa_id, messageids.RECEIVED)
        self.put(number, Inbound(message_id, wa_id, name, kind, kept, int(time.time())))
        return message_id

    def download(self, number: str, media_id: str) -> bytes | None:
        """Media of a user, for as long as WhatsApp keeps them; None after that."""
        key = number, media_id
        came_at, content = self.media.get(key, (float("-inf"), b""))
        if self.clock.now() - came_at > MEDIA_KEPT:
            self.media.pop(key, None)
            return None
        return content

    # -- news for nodes ------------------------------------------------------------------------------------

    def put(self, number: str, *events: Event) -> None:
        """News for a number's nodes."""
        for event in events:
            self.mailbox(number).put(event)
        self.wake(number)

    def wake(self, number: str) -> None:
        """There may be events for the nodes of a number."""
        for link in self.links.of(number):
            self.wake_link(link)

    def wake_link(self, link: Link) -> None:
        """There may be events for one connection."""
        if link.id in self._news:
            self._news[link.id].set()

    def listen(self, link: Link) -> asyncio.Event:
        """From now on this is set whenever there may be events for a connection."""
        return self._news.setdefault(link.id, asyncio.Event())

    def forget(self, link: Link) -> None:
        """A connection has ended: what was on its way goes to whoever comes next."""
        number = link.hello.number
        self._news.pop(link.id, None)
        self.links.remove(link)
        self.mailbox(number).requeue(link.id)
        self.wake(number)
