"""JSON in and out of the gateway's HTTP calls."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from aiohttp import web

T = TypeVar("T")


async def read(request: web.Request, struct: type[T]) -> T:
    """The body of a request. Raises HTTPBadRequest with one sentence."""
    try:
        return msgspec.json.decode(await request.read(), type=struct)
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def answer(body: Any, status: int = 200) -> web.Response:
    """A body of plain data or structs."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
