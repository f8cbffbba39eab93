"""The four listeners of a node (reference 2.2): messaging 6250, contacts 6251, control 6252, health 6253."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler as NextHandler
from aiohttp.typedefs import Middleware

from waemu import requestid
from waemu.core.coreapp import Coreapp
from waemu.core.gateway_link import LinkDown
from waemu.core.loopback import Loopback
from waemu.core.master import Master
from waemu.core.node import Node, not_instantiated
from waemu.core.primary_api import PrimaryApi
from waemu.environment import DEFAULT_PORTS
from waemu.protocol import seal
from waemu.protocol.gateway import Event
from waemu.protocol.nodes import (
    ContactsReply,
    ContactsRequest,
    CoreError,
    Done,
    GcReply,
    Heartbeat,
    HeartbeatReply,
    MessageRequest,
    MessageStatus,
    MissedHeartbeats,
    PinRequest,
    RegistrationRequest,
    ShardsRequest,
    StatsReply,
    VerifyRequest,
)
from waemu.protocol.seal import BadSeal, Seal
from waemu.store import media, messages
from waemu.store.engine import DB_ERRORS
from waemu.whatsapp.directory import checked

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[Any]]
LARGEST_BODY = 16 * 1024 * 1024
POLLED = ("/status", "/stats")  # by monitoring, every few seconds: that must not push everything else out of a log
log = logging.getLogger("waemu.server")


class Server:
    """Answers for one node: a coreapp, a master, or a single instance."""

    def __init__(self, node: Node, duty: Coreapp | Master, primary: PrimaryApi) -> None:
        self._node, self._duty, self._primary = node, duty, primary
        self._runners: list[web.AppRunner] = []
        self._seal = seal.make(node.env.secret)

    def apps(self) -> list[web.Application]:
        """What is served on the four container ports, in the order of DEFAULT_PORTS. No GET changes anything."""
        found = []
        for routes in self._routes():
            app = web.Application(client_max_size=LARGEST_BODY, middlewares=[following, unsealing(self._seal)])
            app.add_routes(routes)
            found.append(app)
        return found

    def _routes(self) -> tuple[list[web.RouteDef], ...]:
        primary = self._primary
        return (
            [
                _post("/messages", self._send),
                _route("PUT", "/messages/{id}", self._mark),
                _post("/media/{id}", self._fetch),
            ],
            [_post("/contacts", self._contacts)],
            [
                _route("GET", "/status", self._status),
                _route("GET", "/missed-heartbeats", self._missed_heartbeats),
                _post("/changed", self._changed),
                _post("/account", _with_body(RegistrationRequest, primary.request_code)),
                _post("/account/verify", _with_body(VerifyRequest, primary.verify)),
                _post("/account/shards", _with_body(ShardsRequest, primary.set_shards)),
                _post("/settings/account/two-step", _with_body(PinRequest, primary.set_pin)),
                _route("DELETE", "/settings/account/two-step", lambda _request: primary.remove_pin()),
                _route("GET", "/settings/application", lambda _request: primary.settings()),
                _route("PATCH", "/settings/application", _with_body(dict[str, Any], primary.change_settings)),
                _route("DELETE", "/settings/application", lambda _request: primary.reset_settings()),
                _post("/services/message/gc", self._gc),
                _route("GET", "/stats", self._stats),
                _post("/loopback", self._loopback),
            ],
            [_post("/heartbeat", _with_body(Heartbeat, self._heartbeat))],
        )

    async def start(self) -> None:
        """Listen on all four container ports. Raises OSError when one is taken."""
        for port, app in zip(DEFAULT_PORTS, self.apps(), strict=True):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            self._runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, self._node.env.listen_address, port).start()

    async def stop(self) -> None:
        """Close the listeners and what is open on them."""
        for runner in self._runners:
            await runner.cleanup()

    @property
    def _coreapp(self) -> Coreapp:
        if not isinstance(self._duty, Coreapp):
            raise CoreError(1018, "A master serves no messages")
        return self._duty

    async def _heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        return self._duty.heartbeat(heartbeat)

    async def _status(self, _request: web.Request) -> Any:
        return await self._duty.status()

    async def _missed_heartbeats(self, _request: web.Request) -> MissedHeartbeats:
        if not isinstance(self._duty, Master):
            raise CoreError(1017, "A coreapp sends no heartbeats")
        return self._duty.missed_heartbeats()

    async def _changed(self, _request: web.Request) -> Done:
        self._node.changed.set()
        return Done()

    async def _send(self, request: web.Request) -> Any:
        body = await _body(request, MessageRequest)
        await self._coreapp.serving()
        return await self._coreapp.sender.accept(body)

    async def _mark(self, request: web.Request) -> Done:
        status = await _body(request, MessageStatus)
        await self._coreapp.serving()
        if status.status != "read":
            raise CoreError(1009, "Parameter 'status' must be read")
        message_id = request.match_info["id"]
        if not await self._node.db(messages.mark_read(self._node.engine, message_id)):
            raise CoreError(1006, f"No incoming message {message_id}")
        try:
            await self._coreapp.connection.link.mark_read(message_id)
        except LinkDown as error:
            log.warning("The sender of %s does not hear that it was read: %s", message_id, error)
        return Done()

    async def _fetch(self, request: web.Request) -> Done:
        await self._coreapp.serving()
        media_id = request.match_info["id"]
        known = await self._node.db(media.use(self._node.engine, media_id))
        if known is None or not known.incoming:
            raise CoreError(1006, "No such received media")
        await self._coreapp.receiver.fetch_later(known.id)
        return Done()

    async def _contacts(self, request: web.Request) -> ContactsReply:
        body = await _body(request, ContactsRequest)
        await self._coreapp.serving()
        connection = self._coreapp.connection
        if not connection.is_up:
            raise CoreError(1018, "This coreapp is not connected")
        return ContactsReply([checked(contact, connection.link.directory) for contact in body.contacts])

    async def _stats(self, _request: web.Request) -> StatsReply:
        return StatsReply(self._coreapp.delivery.counts(), self._node.db_timing.counts())

    async def _loopback(self, request: web.Request) -> Done:
        """Tests let the loopback bring receipts and messages; a gateway has its own way (admin port)."""
        link = self._coreapp.connection.link
        if not isinstance(link, Loopback):
            raise CoreError(1006, "This node is connected to a gateway")
        try:
            link.inject(await _body(request, list[Event]))
        except LinkDown as error:
            raise CoreError(1018, str(error)) from error
        except ValueError as error:
            raise CoreError(1009, str(error)) from error
        return Done()

    async def _gc(self, _request: web.Request) -> GcReply:
        if not self._coreapp.ready:
            raise not_instantiated()
        self._coreapp.gc.request()
        return GcReply("processing")


@web.middleware
async def following(request: web.Request, handler: NextHandler) -> web.StreamResponse:
    """What is done for a request to the API is logged with its id, so that it can be followed through all nodes."""
    request_id = requestid.given(request.headers.get(requestid.HEADER))
    if request_id is None:
        return await handler(request)
    with requestid.following(request_id):
        started = time.monotonic()
        answer = await handler(request)
        level = logging.DEBUG if request.path in POLLED else logging.INFO
        milliseconds = (time.monotonic() - started) * 1000
        log.log(level, "%s %s %d %.0f ms", request.method, request.path, answer.status, milliseconds)
        return answer


OPENED: web.RequestKey[bytes] = web.RequestKey("opened", bytes)


def unsealing(with_seal: Seal | None) -> Middleware:
    """With WA_SECRET (2.4): opens what comes, seals what goes, and answers nobody who does not know the secret."""

    @web.middleware
    async def middleware(request: web.Request, handler: NextHandler) -> web.StreamResponse:
        if with_seal is None:
            return await handler(request)
        sealed = await request.read()
        try:
            request[OPENED] = with_seal.open(f"{request.method} {request.raw_path}", sealed)
        except BadSeal as error:
            log.warning("%s %s from %s refused: %s", request.method, request.path, request.remote, error)
            return _error(CoreError(1005, f"Refused by the core: {error}"))
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes | None)
        body = with_seal.close(seal.nonce_of(sealed), answer.body or b"")
        return _response(answer.status, body, seal.SEALED_TYPE)

    return middleware


async def _body(request: web.Request, struct: type[T]) -> T:
    content = request[OPENED] if OPENED in request else await request.read()
    return msgspec.json.decode(content, type=struct)


def _with_body(struct: type[T], call: Callable[[T], Awaitable[Any]]) -> Handler:
    async def handle(request: web.Request) -> Any:
        return await call(await _body(request, struct))

    return handle


def _post(path: str, handler: Handler) -> web.RouteDef:
    return _route("POST", path, handler)


def _route(method: str, path: str, handler: Handler) -> web.RouteDef:
    """A route whose handler returns a struct or raises CoreError; nothing else gets out."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return _response(200, msgspec.json.encode(await handler(request)))
        except CoreError as error:
            return _response(error.http_status, error.body())
        except msgspec.MsgspecError as error:
            return _error(CoreError(1025, str(error)))
        except DB_ERRORS as error:
            log.error("%s %s: %s", method, path, getattr(error, "orig", None) or error or type(error).__name__)
            return _error(CoreError(1023, "The database cannot be reached"))
        except Exception:
            log.exception("%s %s", method, path)
            return _error(CoreError(1000, "See the log of the node"))

    return web.route(method, path, answer)


def _error(error: CoreError) -> web.Response:
    return _response(error.http_status, error.body())


def _response(status: int, body: bytes, content_type: str = "application/json") -> web.Response:
    answer = web.Response(status=status, body=body, content_type=content_type)
    if status != 200:
        # Nodes that restart together can take over each other's addresses. Whoever meant another node would keep this
        # connection, and with it the refusals, for as long as it asks often enough; a new one looks the name up again.
        answer.force_close()
    return answer
