"""The side that tests talk to: ledger, connections, bans, codes, inbound messages, faults. No authentication."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from aiohttp import web

from waemu import codes
from waemu.gateway.accounts import BAN_SECONDS
from waemu.gateway.bodies import answer, read
from waemu.gateway.faults import Fault
from waemu.gateway.state import Gateway
from waemu.protocol.gateway import Receipt, Status, Template
from waemu.whatsapp.users import Failure

PAGE = 5000  # ledger entries in one answer at most


class BanRequest(msgspec.Struct):
    """POST /bans: ban a number for product seconds."""

    number: str
    seconds: float = BAN_SECONDS
    reason: str = "asked for"


class CutRequest(msgspec.Struct):
    """POST /cuts: close a node's connections and refuse new ones for product seconds."""

    node: str
    seconds: float = 0.0


class InboundRequest(msgspec.Struct):
    """POST /inbound: a user writes to a number."""

    number: str
    wa_id: str
    body: dict[str, Any]
    type: str = "text"
    name: str = "Somebody"


class ReceiptRequest(msgspec.Struct):
    """POST /receipts: what became of a message, beside what becomes of it anyhow."""

    number: str
    id: str
    status: Status
    errors: list[int] = []


class UserRequest(msgspec.Struct):
    """POST /users: 1013: not on WhatsApp, 1026: too old a client, 0: a user like any other."""

    number: str
    wa_id: str
    problem: Literal[0, 1013, 1026]


class WindowRequest(msgspec.Struct):
    """POST /window: whether anything but a template fails (470) when a user has not written for 24 hours."""

    number: str
    on: bool


class FailureRequest(msgspec.Struct):
    """POST /failures: the next messages to a user fail with this code."""

    number: str
    wa_id: str
    code: int
    details: str = "asked for"
    times: int = 1


class Admin:
    """Answers for one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def app(self) -> web.Application:
        """The routes for tests."""
        app = web.Application()
        for method, path, handler in (
            ("GET", "/", self._state),
            ("GET", "/connections", self._connections),
            ("GET", "/ledger", self._ledger),
            ("GET", "/ledger/{number}/{id}", self._entry),
            ("GET", "/numbers/{number}", self._number),
            ("GET", "/bans", self._bans),
            ("POST", "/bans", self._ban),
            ("DELETE", "/bans/{number}", self._lift),
            ("POST", "/cuts", self._cut),
            ("POST", "/inbound", self._inbound),
            ("GET", "/inbound/{number}/{id}", self._inbound_state),
            ("POST", "/receipts", self._receipt),
            ("POST", "/users", self._user),
            ("POST", "/window", self._window),
            ("POST", "/failures", self._failure),
            ("GET", "/templates/{number}", self._templates),
            ("POST", "/templates/{number}", self._template),
            ("DELETE", "/templates/{number}", self._no_templates),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._fault),
            ("DELETE", "/faults", self._no_faults),
        ):
            app.router.add_route(method, path, _handler(handler))
        return app

    async def _state(self, _request: web.Request) -> Any:
        gateway = self._gateway
        return {
            "connections": len(gateway.links.open),
            "ledger": len(gateway.ledger),
            "repeats": gateway.ledger.repeats,
            "bans": len(gateway.accounts.bans),
        }

    async def _connections(self, request: web.Request) -> Any:
        number = request.query.get("number", "")
        links = [link for link in self._gateway.links.open.values() if number in ("", link.hello.number)]
        return [
            {
                "number": link.hello.number,
                "node": link.hello.node,
                "instance": link.hello.instance,
                "shards": sorted(link.shards),
                "count": link.hello.count,
                "since": link.since,
            }
            for link in links
        ]

    async def _ledger(self, request: web.Request) -> Any:
        query = request.query
        after, limit = _number(query.get("after", "0")), min(_number(query.get("limit", str(PAGE))), PAGE)
        return self._gateway.ledger.after(after, limit, query.get("number", ""))

    async def _entry(self, request: web.Request) -> Any:
        entry = self._gateway.ledger.get(request.match_info["number"], request.match_info["id"])
        if entry is None:
            raise web.HTTPNotFound(text="That message never came")
        return entry

    async def _number(self, request: web.Request) -> Any:
        gateway, number = self._gateway, request.match_info["number"]
        account = gateway.accounts.account(number)
        return {
            "number": number,
            "code": account.code,
            "code_method": account.code_method,
            "registered": bool(account.identity),
            "out": account.out,
            "banned_for": gateway.accounts.banned_for(number, gateway.clock.now()),
            "waiting_events": len(gateway.mailbox(number)),
        }

    async def _bans(self, _request: web.Request) -> Any:
        now = self._gateway.clock.now()
        bans = self._gateway.accounts.bans
        return [{**dataclasses.asdict(ban), "left": max(ban.ends - now, 0.0)} for ban in bans]

    async def _ban(self, request: web.Request) -> Any:
        body = await read(request, BanRequest)
        await self._gateway.links.ban(body.number, body.reason, [], body.seconds)
        return {}

    async def _lift(self, request: web.Request) -> Any:
        gateway = self._gateway
        return {"lifted": gateway.accounts.lift(request.match_info["number"], gateway.clock.now())}

    async def _cut(self, request: web.Request) -> Any:
        body = await read(request, CutRequest)
        return {"closed": await self._gateway.links.cut(body.node, body.seconds)}

    async def _inbound(self, request: web.Request) -> Any:
        body = await read(request, InboundRequest)
        try:
            return {"id": self._gateway.inbound(body.number, body.wa_id, body.name, body.type, body.body)}
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    async def _receipt(self, request: web.Request) -> Any:
        body = await read(request, ReceiptRequest)
        entry = self._gateway.ledger.get(body.number, body.id)
        if entry is None:
            raise web.HTTPNotFound(text="That message never came")
        errors = tuple({"code": code, "title": codes.message_title(code)} for code in body.errors)
        self._gateway.put(body.number, Receipt(body.id, entry.wa_id, body.status, int(time.time()), errors))
        return {}

    async def _user(self, request: web.Request) -> Any:
        body = await read(request, UserRequest)
        self._gateway.users(body.number).change(body.wa_id, body.problem)
        await self._gateway.publish_directory(body.number)
        return {}

    async def _window(self, request: web.Request) -> Any:
        body = await read(request, WindowRequest)
        self._gateway.users(body.number).window = body.on
        return {}

    async def _failure(self, request: web.Request) -> Any:
        body = await read(request, FailureRequest)
        self._gateway.users(body.number).failures.append(Failure(body.wa_id, body.code, body.details, body.times))
        return {}

    async def _template(self, request: web.Request) -> Any:
        template = await read(request, Template)
        number = request.match_info["number"]
        self._gateway.users(number).templates[template.namespace, template.name, template.language] = template
        await self._gateway.publish_directory(number)
        return {}

    async def _templates(self, request: web.Request) -> Any:
        return list(self._gateway.users(request.match_info["number"]).templates.values())

    async def _no_templates(self, request: web.Request) -> Any:
        number = request.match_info["number"]
        removed = len(self._gateway.users(number).templates)
        self._gateway.users(number).templates.clear()
        await self._gateway.publish_directory(number)
        return {"removed": removed}

    async def _inbound_state(self, request: web.Request) -> Any:
        number, message_id = request.match_info["number"], request.match_info["id"]
        waits = self._gateway.mailbox(number).waits(message_id)
        return {"waiting": waits, "read": (number, message_id) in self._gateway.seen}

    async def _faults(self, _request: web.Request) -> Any:
        return self._gateway.faults.waiting

    async def _fault(self, request: web.Request) -> Any:
        fault = await read(request, Fault)
        problem = fault.problem()
        if problem:
            raise web.HTTPBadRequest(text=problem)
        self._gateway.faults.add(fault)
        return {}

    async def _no_faults(self, _request: web.Request) -> Any:
        removed = len(self._gateway.faults.waiting)
        self._gateway.faults.waiting.clear()
        return {"removed": removed}


def _number(text: str) -> int:
    if not text.isdecimal():
        raise web.HTTPBadRequest(text=f"{text!r} is not a whole number")
    return int(text)


def _handler(call: Callable[[web.Request], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return answer(await call(request))
        except web.HTTPException as error:
            return answer({"error": error.text}, error.status)

    return handle
