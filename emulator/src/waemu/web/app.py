"""The webapp's HTTP side: every endpoint behind the same checks, every outcome in the same envelope."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t
from dataclasses import replace

from aiohttp import web as aiohttp_web

from waemu import requestid
from waemu.protocol.nodes import CoreError
from waemu.store.engine import DB_ERRORS
from waemu.web import (
    account,
    backup,
    certificates,
    contacts,
    groups,
    health,
    media,
    messages,
    profile,
    providers,
    services,
    settings,
    stats,
    stickerpacks,
    twostep,
    users,
)
from waemu.web.access import Access
from waemu.web.bodies import decode
from waemu.web.endpoint import BodyKind, Call, Endpoint, Reply
from waemu.web.errors import ApiError, Code, reason
from waemu.web.headers import add_headers
from waemu.web.reply import Envelope
from waemu.web.webapp import Readiness, Webapp

log = logging.getLogger("waemu.web")

MOST_BODY_BYTES: t.Final = 4 * 1024 * 1024
"""Of a JSON or text body; media are streamed and have limits of their own."""

ENDPOINTS: t.Final[tuple[Endpoint, ...]] = tuple(
    endpoint
    for part in (
        users,
        account,
        settings,
        providers,
        backup,
        twostep,
        profile,
        health,
        stats,
        certificates,
        contacts,
        messages,
        media,
        services,
        stickerpacks,
        groups,
    )
    for endpoint in part.routes.all
)

DEADLINE: t.Final = 30.0
"""Product seconds, and at least as many real ones, for an answer: a database that hangs is 1023, not silence."""

Next = t.Callable[[aiohttp_web.Request], t.Awaitable[aiohttp_web.StreamResponse]]


def make_app(webapp: Webapp) -> aiohttp_web.Application:
    """The application: all endpoints, with and without trailing slash, and what needs no checks at all."""
    envelope = Envelope(str(webapp.env.version), webapp.env.error_statuses)
    app = aiohttp_web.Application(middlewares=[_guard(webapp, envelope)], client_max_size=MOST_BODY_BYTES)
    app.router.add_get("/", _root)
    app.router.add_get("/openapi.json", _openapi(webapp))
    for endpoint in endpoints_of(webapp):
        handle = _handler(webapp, envelope, endpoint)
        app.router.add_route(endpoint.method, endpoint.path, handle)
        app.router.add_route(endpoint.method, endpoint.path + "/", handle)
    return app


def endpoints_of(webapp: Webapp) -> list[Endpoint]:
    """The endpoints that this version of the client has."""
    return [endpoint for endpoint in ENDPOINTS if webapp.env.version >= endpoint.since]


async def _root(_request: aiohttp_web.Request) -> aiohttp_web.Response:
    """What load balancers probe: proves only that the web server runs."""
    return aiohttp_web.Response(text="<html><body>WhatsApp Business API</body></html>", content_type="text/html")


def _openapi(webapp: Webapp) -> Next:
    async def describe(_request: aiohttp_web.Request) -> aiohttp_web.Response:
        from waemu.web import openapi  # only who asks for the description pays for making it

        document = openapi.document(endpoints_of(webapp), version=str(webapp.env.version))
        return aiohttp_web.Response(body=document, content_type="application/json")

    return describe


def _guard(webapp: Webapp, envelope: Envelope) -> t.Any:
    """Request id, rate limit, errors to envelopes, log line: around everything, unknown paths included."""

    @aiohttp_web.middleware
    async def guard(request: aiohttp_web.Request, handler: Next) -> aiohttp_web.StreamResponse:
        with requestid.following(requestid.new()) as trace:
            started = time.monotonic()
            webapp.metrics.begin()
            response: aiohttp_web.StreamResponse | None = None
            try:
                response = await _answer(webapp, envelope, request, handler)
                add_headers(response, trace)
                return response
            finally:
                milliseconds = (time.monotonic() - started) * 1000
                status = response.status if response is not None else 499
                webapp.metrics.end(getattr(handler, "metric", request.method), status, milliseconds)
                log.info("%s %s %d %.0f ms", request.method, request.path, status, milliseconds)

    return guard


async def _answer(
    webapp: Webapp, envelope: Envelope, request: aiohttp_web.Request, handler: Next
) -> aiohttp_web.StreamResponse:
    try:
        if request.path != "/" and not webapp.limits.allows(request.path, webapp.clock.now()):
            raise ApiError(Code.TOO_MANY_REQUESTS, "Rate limit hit")
        if request.path != "/" and webapp.metrics.in_flight > webapp.env.most_concurrent:
            raise ApiError(Code.OVERLOADED, f"{webapp.env.most_concurrent} requests are being worked on", status=503)
        return await handler(request)
    except ApiError as error:
        return envelope.error(error)
    except CoreError as error:
        return envelope.core_error(error)
    except aiohttp_web.HTTPException as error:
        return envelope.error(_of_http(error))
    except DB_ERRORS as error:
        log.error("Database error: %s", reason(error))
        return envelope.error(ApiError(Code.DATABASE, "The database cannot be used at the moment"))
    except Exception:
        log.exception("Unexpected error")
        return envelope.error(ApiError(Code.GENERIC, "Unexpected error; see the log of the webapp", status=500))


def _handler(webapp: Webapp, envelope: Envelope, endpoint: Endpoint) -> Next:
    async def handle(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        _check_ready(webapp, endpoint)
        caller = await webapp.auth.caller(request.headers.get("Authorization"), endpoint.access)
        call: Call[t.Any] = Call(None, caller, request.match_info, request.query, request)
        return envelope.success(await _run(webapp, endpoint, call), deprecated=endpoint.deprecated)

    handle.metric = endpoint.metric  # type: ignore[attr-defined]
    return handle


async def _run(webapp: Webapp, endpoint: Endpoint, call: Call[t.Any]) -> Reply:
    if endpoint.body_kind is BodyKind.STREAM:
        return await endpoint.handler(webapp, call)  # an upload takes as long as the client's line needs
    async with asyncio.timeout(max(DEADLINE, webapp.clock.scaled(DEADLINE))):
        return await endpoint.handler(webapp, replace(call, body=await _body(endpoint, call.request)))


async def _body(endpoint: Endpoint, request: aiohttp_web.Request) -> t.Any:
    if endpoint.body_kind is BodyKind.NONE:
        return None
    raw = await request.read()
    if endpoint.body_kind is BodyKind.TEXT:
        return _text(raw)
    if endpoint.body_kind is BodyKind.OPTIONAL_JSON and not raw.strip():
        raw = b"{}"
    return decode(raw, endpoint.body)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ApiError(Code.INVALID_REQUEST, "The body is not text in UTF-8") from None


def _check_ready(webapp: Webapp, endpoint: Endpoint) -> None:
    """Before the schema is there nothing works; while it waits for an upgrade, what only reads nodes does."""
    if webapp.readiness is Readiness.READY:
        return
    reads_nodes = endpoint.before_ready or endpoint.access is Access.BASIC
    if webapp.readiness is Readiness.NO_SCHEMA or not reads_nodes:
        raise ApiError(Code.NOT_READY, webapp.readiness.value)


def _of_http(error: aiohttp_web.HTTPException) -> ApiError:
    """aiohttp's own refusals as errors of the API (reference 4.1: an unknown path is 404 with code 1006)."""
    if error.status == 404:
        return ApiError(Code.NOT_FOUND, "Unknown path")
    if error.status == 405:
        headers = {"Allow": error.headers.get("Allow", "")}
        return ApiError(Code.NOT_FOUND, "Unknown method for this path", status=405, headers=headers)
    if error.status == 413:
        return ApiError(Code.INVALID_REQUEST, "The body is too large", status=413)
    return ApiError(Code.INVALID_REQUEST, error.reason, status=error.status)
