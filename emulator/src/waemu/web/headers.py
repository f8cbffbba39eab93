"""The headers of every answer (reference 4.10)."""

from __future__ import annotations

import typing as t

import aiohttp.web_response
from aiohttp import web as aiohttp_web

from waemu import messageids, requestid
from waemu.requestid import Trace

SERVER: t.Final = "Server"
INTERNAL: t.Final = "X-Internal-Request-IDS"
NOT_KEPT: t.Final = "no-cache, private"

# What is no HTTP at all is answered without the application; the name of the web framework is no one's business there.
aiohttp.web_response.SERVER_SOFTWARE = SERVER  # type: ignore[attr-defined]


def add_headers(response: aiohttp_web.StreamResponse, trace: Trace) -> None:
    """What every answer has, and what it has besides where a master or coreapp took part."""
    response.headers["Server"] = SERVER
    response.headers["Cache-Control"] = NOT_KEPT
    response.headers[requestid.HEADER] = trace.id
    if trace.reached_node:
        message = f"|{messageids.own_part(trace.message)}" if trace.message else ""
        response.headers[INTERNAL] = trace.id + message
