"""The connection to the gateway, the container that stands for WhatsApp's servers in tests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence

import aiohttp
import msgspec

from waemu.clock import Clock
from waemu.core.gateway_link import LinkDown, MediaGone, Refused, dial_up
from waemu.protocol import gateway as protocol
from waemu.protocol.gateway import Closed, Directory, Event, Events, Handled, Hello, Outgoing, Ping, Pong, Send, Welcome
from waemu.store.messages import Message

ANSWER_SECONDS = 10.0  # product seconds for the gateway to take a connection or a batch
ANSWER_FLOOR = 5.0  # real seconds
CLOSE_SECONDS = 0.5  # real seconds for saying good-bye, in the background


class RemoteLink:
    """One WebSocket while connected. hello: who this node is now."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        hello: Callable[[frozenset[int]], Hello],
    ) -> None:
        self._session, self._url, self._clock = session, url + protocol.LINK_PATH, clock
        self._media_url = url + protocol.MEDIA_PATH
        self._number = ""
        self.directory = Directory()
        self.backlog = 0
        self._hello = hello
        self.allowed: Callable[[], bool] = lambda: True
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._down: asyncio.Future[LinkDown] | None = None
        self._batches = itertools.count(1)
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._events: Events | None = None  # the gateway sends the next ones when these are acknowledged
        self._news = asyncio.Event()
        self._heard_at = 0.0
        self._closing: set[asyncio.Task[bool]] = set()
        self._answer_time = max(clock.scaled(ANSWER_SECONDS), ANSWER_FLOOR)

    async def connect(self, shards: frozenset[int]) -> None:
        """Connect for these shards. Raises LinkDown, Refused."""
        await self.disconnect()
        await dial_up(self._clock)
        hello = self._hello(shards)
        socket = await self._open()
        try:
            if not self.allowed():  # it was paused, or starved, while it dialled
                raise LinkDown("this node may not serve any more")
            welcome = await self._introduce(socket, hello)
        except BaseException:
            self._hang_up(socket)
            raise
        self.directory, self.backlog = welcome.directory, welcome.waiting
        self._socket, self._number = socket, hello.number
        self._down = asyncio.get_running_loop().create_future()
        self._heard_at = self._clock.now()
        self._tasks = [asyncio.create_task(self._read(socket, hello)), asyncio.create_task(self._keep(socket))]

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        timeout = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=CLOSE_SECONDS)
        try:
            async with asyncio.timeout(self._answer_time):
                return await self._session.ws_connect(self._url, timeout=timeout, max_msg_size=0, compress=0)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LinkDown(f"no gateway at {self._url}: {error or type(error).__name__}") from error

    async def _introduce(self, socket: aiohttp.ClientWebSocketResponse, hello: Hello) -> Welcome:
        try:
            async with asyncio.timeout(self._answer_time):
                await socket.send_bytes(protocol.encode(hello))
                frame = protocol.decode_from_gateway(await socket.receive_bytes())
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError, msgspec.MsgspecError) as error:
            raise LinkDown(f"the gateway does not answer: {error or type(error).__name__}") from error
        if isinstance(frame, Closed):
            raise _closed(frame, hello)
        if not isinstance(frame, Welcome):
            raise LinkDown("the gateway does not take the connection")
        return frame

    async def until_down(self) -> LinkDown:
        """Wait until the connection is gone."""
        return LinkDown("not connected") if self._down is None else await asyncio.shield(self._down)

    async def disconnect(self) -> None:
        """Drop the connection now; the good-bye goes on in the background."""
        self._end(LinkDown("disconnected"))

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand messages over and wait until they are in the ledger. Raises LinkDown."""
        if not self.allowed():
            self._end(LinkDown("this node may not serve any more"))
        if self._socket is None:
            raise LinkDown("not connected")
        batch = next(self._batches)
        answer = self._answers[batch] = asyncio.get_running_loop().create_future()
        outgoing = [Outgoing(message.id, message.wa_id, message.type, message.body) for message in messages]
        try:
            await self._socket.send_bytes(protocol.encode(Send(batch, outgoing)))
            async with asyncio.timeout(self._answer_time):
                await answer
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LinkDown(f"the gateway did not take a batch: {error or type(error).__name__}") from error
        finally:
            self._answers.pop(batch, None)

    async def receive(self) -> Sequence[Event]:
        """Wait for events. Raises LinkDown."""
        while self._socket is not None and self._events is None:
            self._news.clear()
            await self._news.wait()
        if self._socket is None or self._events is None:
            raise LinkDown("not connected")
        return self._events.events

    async def acknowledge(self, events: Sequence[Event]) -> None:
        """The gateway may forget what receive returned last. Raises LinkDown."""
        frame, socket = self._events, self._socket
        if not self.allowed():
            self._end(LinkDown("this node may not serve any more"))
        if frame is None or socket is None or socket is not self._socket or frame.events is not events:
            raise LinkDown("the connection these events came over is gone")
        self._events, self.backlog = None, max(self.backlog - len(events), 0)
        try:
            await socket.send_bytes(protocol.encode(Handled(frame.batch)))
        except (aiohttp.ClientError, OSError) as error:
            raise LinkDown(str(error)) from error

    async def mark_read(self, message_id: str) -> None:
        """Send the user a read receipt. Raises LinkDown."""
        if self._socket is None:
            raise LinkDown("not connected")
        try:
            await self._socket.send_bytes(protocol.encode(protocol.Seen(message_id)))
        except (aiohttp.ClientError, OSError) as error:
            raise LinkDown(str(error)) from error

    async def download(self, media_id: str) -> bytes:
        """What a user sent. Raises LinkDown, MediaGone."""
        try:
            async with self._session.get(f"{self._media_url}/{self._number}/{media_id}") as answer:
                content = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LinkDown(f"no media from the gateway: {error or type(error).__name__}") from error
        if answer.status != 200:
            raise MediaGone(media_id)
        return content

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, hello: Hello) -> None:
        why: LinkDown = LinkDown("the gateway closed the connection")
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                self._heard_at = self._clock.now()
                frame = protocol.decode_from_gateway(message.data)
                if isinstance(frame, Closed):
                    why = _closed(frame, hello)
                    break
                if not self.allowed():
                    why = LinkDown("this node may not serve any more")
                    break
                await self._handle(socket, frame)
        self._end(why)

    async def _handle(self, socket: aiohttp.ClientWebSocketResponse, frame: protocol.FromGateway) -> None:
        if isinstance(frame, Ping):
            await socket.send_bytes(protocol.encode(Pong()))
        elif isinstance(frame, protocol.Accepted):
            answer = self._answers.get(frame.batch)
            if answer is not None and not answer.done():
                answer.set_result(None)
        elif isinstance(frame, Events):
            self._events = frame
            self._news.set()
        elif isinstance(frame, protocol.Known):
            self.directory = frame.directory

    async def _keep(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Notice a network that swallows everything."""
        limit = max(protocol.SILENT_AFTER, self._clock.product(protocol.SILENT_FLOOR))
        while self._clock.now() - self._heard_at <= limit:
            await self._clock.sleep(protocol.PING_PERIOD)
            if self.allowed():
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await socket.send_bytes(protocol.encode(Ping()))
        self._end(LinkDown("the gateway is silent"))

    def _end(self, why: LinkDown) -> None:
        """Be disconnected; safe to call at any time, also from the tasks that it ends."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        me = asyncio.current_task()
        for task in self._tasks:
            if task is not me:
                task.cancel()
        self._tasks, self._events = [], None
        self._news.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(why)
        if self._down is not None and not self._down.done():
            self._down.set_result(why)
        self._hang_up(socket)

    def _hang_up(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        task = asyncio.create_task(socket.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _closed(frame: Closed, hello: Hello) -> LinkDown:
    if frame.reason in protocol.LASTING:
        return Refused(frame.reason, frame.seconds, hello.identity)
    return LinkDown(f"the gateway closed the connection: {frame.reason}")
