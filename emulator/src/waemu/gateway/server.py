"""The side that nodes talk to: their long-lived connections, registration and set-shards, media of users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from waemu.gateway.bodies import answer
from waemu.gateway.connections import LARGEST_FRAME, Connections
from waemu.gateway.receipts import Receipts
from waemu.gateway.registration import Registration
from waemu.gateway.state import Gateway
from waemu.protocol import gateway as protocol


def app(gateway: Gateway, receipts: Receipts) -> web.Application:
    """The routes for nodes."""
    found = web.Application(client_max_size=LARGEST_FRAME)
    registration = Registration(gateway)
    found.router.add_get(protocol.LINK_PATH, Connections(gateway, receipts).serve)
    found.router.add_post(protocol.CODE_PATH, registration.send_code)
    found.router.add_post(protocol.VERIFY_PATH, registration.verify)
    found.router.add_post(protocol.SHARDS_PATH, registration.set_shards)
    found.router.add_get(protocol.MEDIA_PATH + "/{number}/{id}", _download(gateway))
    return found


def _download(gateway: Gateway) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def download(request: web.Request) -> web.Response:
        content = gateway.download(request.match_info["number"], request.match_info["id"])
        return answer({}, 404) if content is None else web.Response(body=content)

    return download
