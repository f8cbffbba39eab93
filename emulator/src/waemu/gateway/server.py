"""The side that nodes talk to: their long-lived connections, registration and set-shards."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from waemu.clock import Clock
from waemu.gateway.accounts import Accounts
from waemu.gateway.bodies import answer, read
from waemu.gateway.faults import Faults
from waemu.gateway.ledger import Ledger
from waemu.gateway.links import Link, Links
from waemu.gateway.mailbox import Mailbox
from waemu.protocol import gateway as protocol
from waemu.protocol.gateway import (
    DELIVERED,
    READ,
    Accepted,
    CodeCheck,
    CodeRequest,
    CodeVerdict,
    Event,
    Events,
    Hello,
    Inbound,
    Ping,
    Pong,
    Receipt,
    Send,
    ShardsCheck,
    ShardsVerdict,
    Status,
    Welcome,
)
from waemu.protocol.nodes import CoreError
from waemu.shards import shard_of
from waemu.whatsapp import certificate
from waemu.whatsapp.attempts import Attempts
from waemu.whatsapp.delivery import DELIVERED_AFTER, READ_AFTER, upload
from waemu.whatsapp.users import Users

HELLO_SECONDS = 10.0  # real seconds a new connection has to say who it is
MEDIA_KEPT = 14 * 86400.0  # 4.7: how long WhatsApp keeps media
RECEIPTS_EVERY, RECEIPTS_FLOOR = 1.0, 0.1  # product and real seconds between looks at what is due
LARGEST_FRAME = 16 * 1024 * 1024
log = logging.getLogger("waemu.gateway")


class Gateway:
    """All that the gateway knows, and what nodes may ask of it."""

    def __init__(self, clock: Clock, fixed_code: str = "") -> None:
        self.clock = clock
        self.accounts = Accounts(fixed_code)
        self.links = Links(self.accounts, clock)
        self.ledger, self.faults = Ledger(), Faults()
        self.mailboxes: dict[str, Mailbox] = {}
        self.media: dict[tuple[str, str], tuple[float, bytes]] = {}  # by number and id: when it came, and what
        self.seen: set[tuple[str, str]] = set()  # number and id of messages that the business has read
        self._users: dict[str, Users] = {}
        self._attempts = Attempts(clock.now)
        self._due: list[tuple[float, str, Status, list[protocol.Outgoing]]] = []  # receipts by product time
        self._news: dict[int, asyncio.Event] = {}  # by link: there may be events for it

    def app(self) -> web.Application:
        """The routes for nodes."""
        app = web.Application(client_max_size=LARGEST_FRAME)
        app.router.add_get(protocol.LINK_PATH, self._link)
        app.router.add_post(protocol.CODE_PATH, self._send_code)
        app.router.add_post(protocol.VERIFY_PATH, self._verify)
        app.router.add_post(protocol.SHARDS_PATH, self._shards)
        app.router.add_get(protocol.MEDIA_PATH + "/{number}/{id}", self._download)
        return app

    def mailbox(self, number: str) -> Mailbox:
        """What waits for a number."""
        return self.mailboxes.setdefault(number, Mailbox())

    def users(self, number: str) -> Users:
        """Who is there for a number."""
        return self._users.setdefault(number, Users())

    async def tell_directory(self, number: str) -> None:
        """Users or templates of a number have changed."""
        users = self.users(number)
        await asyncio.gather(
            *(link.write(protocol.Known(users.directory(link.hello.version))) for link in self.links.of(number))
        )

    def inbound(self, number: str, wa_id: str, name: str, kind: str, body: Mapping[str, Any]) -> str:
        """A user writes to a number; returns the message's id. Raises ValueError for media that are not base64."""
        kept, content = upload(body)
        if content is not None:
            self.media[number, kept["id"]] = (self.clock.now(), content)
        self.users(number).wrote(wa_id, self.clock.now())
        message_id = secrets.token_urlsafe(24)
        self.put(number, Inbound(message_id, wa_id, name, kind, kept, int(time.time())))
        return message_id

    async def _download(self, request: web.Request) -> web.Response:
        """Media of a user, for as long as WhatsApp keeps them."""
        key = request.match_info["number"], request.match_info["id"]
        came_at, content = self.media.get(key, (float("-inf"), b""))
        if self.clock.now() - came_at > MEDIA_KEPT:
            self.media.pop(key, None)
            return answer({}, 404)
        return web.Response(body=content)

    def put(self, number: str, *events: Event) -> None:
        """Tell a number's nodes."""
        for event in events:
            self.mailbox(number).put(event)
        self._wake(number)

    def _wake(self, number: str) -> None:
        for link in self.links.of(number):
            self._wake_link(link)

    def _wake_link(self, link: Link) -> None:
        if link.id in self._news:
            self._news[link.id].set()

    # -- registration and shards ---------------------------------------------------------------------------

    async def _send_code(self, request: web.Request) -> web.Response:
        wish = await read(request, CodeRequest)
        try:
            self._attempts.another(wish.number)
        except CoreError as error:
            return web.Response(status=error.http_status, body=error.body(), content_type="application/json")
        self.accounts.send_code(wish.number, wish.method, self.clock.now())
        log.info("registration code sent to +%s by %s", wish.number, wish.method)
        return answer({})

    async def _verify(self, request: web.Request) -> web.Response:
        check = await read(request, CodeCheck)
        former = [link for link in self.links.of(check.number) if link.hello.identity != check.identity]
        right = self.accounts.verify(
            check.number, check.code, check.identity, self.clock.now(), former_is_live=bool(former)
        )
        if right and self.accounts.evict_each_other(check.number):
            nodes = [link.hello.node for link in former]
            await self.links.ban(check.number, "two installations throw each other out", nodes)
        elif right:
            await self.links.throw_out(check.number, protocol.LOGGED_OFF, but=check.identity)
        return answer(CodeVerdict(right))

    async def _shards(self, request: web.Request) -> web.Response:
        check = await read(request, ShardsCheck)
        verdict = await self.judge(check)
        log.info("set-shards of +%s: %s", check.number, verdict.outcome)
        return answer(verdict)

    async def judge(self, check: ShardsCheck) -> ShardsVerdict:
        """What WhatsApp makes of set-shards: the certificate's rules (4.3), unless a fault is asked for."""
        fault = self.faults.take(check.number)
        banned = self.accounts.banned_for(check.number, self.clock.now())
        if banned > 0:
            verdict = certificate.Verdict(certificate.BANNED, "the account is temporarily banned")
        elif fault.set_shards:
            verdict = certificate.as_if(fault.set_shards)
        else:
            verdict = certificate.judge(check.cert, check.number, check.registered_age, dt.datetime.now(dt.UTC).date())
        account = self.accounts.account(check.number)
        if verdict.outcome == certificate.BANNED and banned <= 0:
            await self.links.ban(check.number, "expired certificate", [])
            banned = self.accounts.banned_for(check.number, self.clock.now())
        elif verdict.outcome in (certificate.LOGGED_OFF, certificate.DISCONNECTED):
            account.out = verdict.outcome
            await self.links.throw_out(check.number, verdict.outcome)
        elif verdict.outcome == certificate.OK:
            account.out = ""
        return ShardsVerdict(verdict.outcome, verdict.details, self.clock.scaled(banned), fault.crash)

    # -- connections ---------------------------------------------------------------------------------------

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=LARGEST_FRAME, compress=False)
        await socket.prepare(request)
        hello = await self._hello(socket)
        if hello is None:
            await socket.close()
            return socket

        async def write(frame: protocol.FromGateway) -> None:
            await socket.send_bytes(protocol.encode(frame))

        async def shut() -> None:
            # The frame with the reason may be all that the other end still reads: never wait for its answer.
            if request.transport is not None:
                request.transport.close()

        link = Link(hello, write, shut, self.clock)
        # Frames are read while the link is being admitted: it may be the one whose life is in question next.
        reader = asyncio.create_task(self._read(socket, link))
        helpers: list[asyncio.Task[None]] = []
        try:
            if await self.links.admit(link):
                self._news[link.id] = asyncio.Event()
                waiting = self.mailbox(hello.number).waiting(link.shards, hello.count)
                await link.write(Welcome(self.users(hello.number).directory(hello.version), waiting))
                helpers = [asyncio.create_task(self._keep(link)), asyncio.create_task(self._tell(link))]
                await reader
        finally:
            for task in (reader, *helpers):
                task.cancel()
            self._news.pop(link.id, None)
            if link.id in self.links.open:
                log.info("%s: connection for shards %s ended", hello.node, sorted(link.shards))
            self.links.gone(link)
            self.mailbox(hello.number).give_back(link.id)
            self._wake(hello.number)
        return socket

    async def _hello(self, socket: web.WebSocketResponse) -> Hello | None:
        with contextlib.suppress(TimeoutError, TypeError, msgspec.MsgspecError):
            frame = protocol.decode_from_node(await socket.receive_bytes(timeout=HELLO_SECONDS))
            if isinstance(frame, Hello) and frame.count > 0 and frame.shards:
                return frame
        log.warning("A connection that did not say hello was closed")
        return None

    async def _read(self, socket: web.WebSocketResponse, link: Link) -> None:
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                break
            frame = protocol.decode_from_node(message.data)
            link.heard(answers=isinstance(frame, Pong))
            await self._handle(link, frame)

    async def _handle(self, link: Link, frame: protocol.FromNode) -> None:
        if isinstance(frame, Ping):
            await link.write(Pong())
        elif isinstance(frame, Send) and link.id in self.links.open and link.is_open:
            await self._accept(link, frame)
        elif isinstance(frame, protocol.Handled):
            self.mailbox(link.hello.number).handled(link.id, frame.batch)
            self._wake_link(link)
        elif isinstance(frame, protocol.Seen):
            self.seen.add((link.hello.number, frame.message_id))

    async def _accept(self, link: Link, frame: Send) -> None:
        hello, now = link.hello, time.time()
        new = [
            message
            for message in frame.messages
            if self.ledger.accept(
                hello.number, message, shard_of(message.wa_id, hello.count), hello.node, hello.instance, now
            )
        ]
        await link.write(Accepted(frame.batch))
        arrived = [message for message in new if not self._failed(hello.number, message)]
        self._due.append((self.clock.now() + DELIVERED_AFTER, hello.number, DELIVERED, arrived))

    def _failed(self, number: str, message: protocol.Outgoing) -> bool:
        """Whether a message does not reach its user; its receipt says why."""
        why = self.users(number).failure(message.wa_id, message.type, self.clock.now())
        if why is None:
            return False
        entry, now = self.ledger.get(number, message.id), time.time()
        assert entry is not None
        entry.failed_at, entry.error = now, why["code"]
        self.put(number, Receipt(message.id, message.wa_id, "failed", int(now), (why,)))
        return True

    async def tell_receipts(self) -> None:
        """What becomes of messages: delivered, then read; a little later, for as long as this runs.

        One node after the other is told, all of them within the time between two looks: nodes on one machine that all
        hear of everything at the same moment would be busy with it at the same moment, and slow for everybody else.
        """
        while True:
            every = max(self.clock.scaled(RECEIPTS_EVERY), RECEIPTS_FLOOR)
            links = [link for number in self._put_due() for link in self.links.of(number)]
            for link in links:
                self._wake_link(link)
                await asyncio.sleep(every / len(links))
            if not links:
                await asyncio.sleep(every)

    def _put_due(self) -> set[str]:
        """Put the receipts whose time has come into the mailboxes; returns the numbers they are for."""
        due, self._due = self._due, []
        now, numbers = self.clock.now(), set()
        for at, number, status, messages in due:
            if at > now:
                self._due.append((at, number, status, messages))
                continue
            self._receipts(number, messages, status)
            numbers.add(number)
            if status == DELIVERED:
                self._due.append((at + READ_AFTER - DELIVERED_AFTER, number, READ, messages))
        return numbers

    def _receipts(self, number: str, messages: list[protocol.Outgoing], status: Status) -> None:
        now, mailbox = time.time(), self.mailbox(number)
        for message in messages:
            entry = self.ledger.get(number, message.id)
            assert entry is not None
            if status == DELIVERED:
                entry.delivered_at = now
            else:
                entry.read_at = now
            mailbox.put(Receipt(message.id, message.wa_id, status, int(now)))

    async def _keep(self, link: Link) -> None:
        """Ask for signs of life; a link that gives none is closed."""
        limit = max(protocol.SILENT_AFTER, self.clock.product(protocol.SILENT_FLOOR))
        while link.is_open:
            await self.clock.sleep(protocol.PING_PERIOD)
            if self.clock.now() - link.heard_at > limit:
                await link.close(protocol.SILENT)
                return
            await link.write(Ping())

    async def _tell(self, link: Link) -> None:
        """Send events, one batch at a time, as long as the node handles them."""
        mailbox, news = self.mailbox(link.hello.number), self._news[link.id]
        while True:
            link.batch += 1
            events = mailbox.take(link.id, link.shards, link.hello.count, link.batch)
            if events:
                await link.write(Events(link.batch, events))
                while mailbox.on_its_way(link.id, link.batch):
                    news.clear()
                    await news.wait()
                continue
            news.clear()
            await news.wait()
