"""The connections of nodes, one WebSocket each: who they are, what they send, what they are sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import msgspec
from aiohttp import WSMsgType, web

from waemu.gateway.links import Link
from waemu.gateway.receipts import Receipts
from waemu.gateway.state import Gateway
from waemu.protocol import gateway as protocol
from waemu.protocol.gateway import Accepted, Events, Hello, Ping, Pong, Send, Welcome
from waemu.shards import shard_of

HELLO_SECONDS = 10.0  # real seconds a new connection has to say who it is
LARGEST_FRAME = 16 * 1024 * 1024
log = logging.getLogger("waemu.gateway")


class Connections:
    """Serves them for one gateway."""

    def __init__(self, gateway: Gateway, receipts: Receipts) -> None:
        self._gateway, self._receipts = gateway, receipts

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, until it ends."""
        gateway = self._gateway
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

        link = Link(hello, write, shut, gateway.clock)
        # Frames are read while the link is being admitted: it may be the one whose life is in question next.
        reader = asyncio.create_task(self._read(socket, link))
        helpers: list[asyncio.Task[None]] = []
        try:
            if await gateway.links.admit(link):
                news = gateway.listen(link)
                waiting = gateway.mailbox(hello.number).waiting(link.shards, hello.count)
                await link.write(Welcome(gateway.users(hello.number).directory(hello.version), waiting))
                helpers = [asyncio.create_task(self._keep(link)), asyncio.create_task(self._send_events(link, news))]
                await reader
        finally:
            for task in (reader, *helpers):
                task.cancel()
            if link.id in gateway.links.open:
                log.info("%s: connection for shards %s ended", hello.node, sorted(link.shards))
            gateway.forget(link)
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
        elif isinstance(frame, Send) and link.id in self._gateway.links.open and link.is_open:
            await self._accept(link, frame)
        elif isinstance(frame, protocol.Handled):
            self._gateway.mailbox(link.hello.number).handled(link.id, frame.batch)
            self._gateway.wake_link(link)
        elif isinstance(frame, protocol.Seen):
            self._gateway.seen.add((link.hello.number, frame.message_id))

    async def _accept(self, link: Link, frame: Send) -> None:
        hello, now = link.hello, time.time()
        new = [
            message
            for message in frame.messages
            if self._gateway.ledger.accept(
                hello.number, message, shard_of(message.wa_id, hello.count), hello.node, hello.instance, now
            )
        ]
        await link.write(Accepted(frame.batch))
        self._receipts.accepted(hello.number, new)

    async def _keep(self, link: Link) -> None:
        """Ask for signs of life; a link that gives none is closed."""
        limit = max(protocol.SILENT_AFTER, self._gateway.clock.product(protocol.SILENT_FLOOR))
        while link.is_open:
            await self._gateway.clock.sleep(protocol.PING_PERIOD)
            if self._gateway.clock.now() - link.heard_at > limit:
                await link.close(protocol.SILENT)
                return
            await link.write(Ping())

    async def _send_events(self, link: Link, news: asyncio.Event) -> None:
        """Send events, one batch at a time, as long as the node handles them."""
        mailbox = self._gateway.mailbox(link.hello.number)
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
