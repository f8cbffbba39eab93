"""A stand-in for one node: answers over a real port what a test has it answer, and remembers its requests."""

from __future__ import annotations

import asyncio
import secrets
import typing as t

from aiohttp import web

from waemu import codes
from waemu.protocol.nodes import Endpoints


class StandIn:
    """Answers every call on one port. C(replies) maps C(METHOD /path) to a result, or to an error code."""

    def __init__(self, key: str, role: str) -> None:
        self.key = key
        self.instance = secrets.token_hex(8)
        self.role = role
        self.replies: dict[str, t.Any] = {}
        self.seconds = 0.0  # how long it thinks
        self.asked: list[tuple[str, t.Any]] = []
        self.endpoints = Endpoints("127.0.0.1")
        self._runner: web.AppRunner | None = None

    @classmethod
    async def start(cls, key: str, role: str) -> StandIn:
        """Listen on a free port."""
        node = cls(key, role)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", node._answer)
        node._runner = web.AppRunner(app, access_log=None)
        await node._runner.setup()
        site = web.TCPSite(node._runner, "127.0.0.1", 0)
        await site.start()
        port = node._runner.addresses[0][1]
        node.endpoints = Endpoints("127.0.0.1", port, port, port, port)
        return node

    async def stop(self) -> None:
        """Stop listening, as a killed node does."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def status(self, role: str, gateway: str, shards: list[list[int]] | None = None, socket: str = "DN") -> None:
        """What the node says of itself."""
        self.replies["GET /status"] = {
            "node_key": self.key,
            "instance_id": self.instance,
            "role": role,
            "gateway_status": gateway,
            "shards": shards or [],
            "socket_conn": socket,
            "version": "v2.19.4",
        }

    async def _answer(self, request: web.Request) -> web.Response:
        name = f"{request.method} {request.path}"
        body = await request.json() if request.can_read_body else None
        self.asked.append((name, body))
        await asyncio.sleep(self.seconds)
        reply = self.replies.get(name, 1011)
        if callable(reply):
            reply = reply(body)
        if isinstance(reply, int):
            error = {"code": reply, "title": codes.title(reply), "details": codes.NOT_INSTANTIATED}
            return web.json_response({"errors": [error]}, status=codes.status(reply))
        return web.json_response(reply)
