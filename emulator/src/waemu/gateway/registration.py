"""WhatsApp's answers to registration and set-shards (reference 4.3)."""

from __future__ import annotations

import datetime as dt
import logging

from aiohttp import web

from waemu.gateway.bodies import answer, read
from waemu.gateway.state import Gateway
from waemu.protocol.gateway import LOGGED_OFF, CodeCheck, CodeRequest, CodeResult, ShardsCheck, ShardsResult
from waemu.protocol.nodes import CoreError
from waemu.whatsapp import certificate
from waemu.whatsapp.attempts import Attempts

log = logging.getLogger("waemu.gateway")


class Registration:
    """HTTP calls of masters and single instances."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._attempts = Attempts(gateway.clock.now)

    async def send_code(self, request: web.Request) -> web.Response:
        """A number wants a code."""
        body = await read(request, CodeRequest)
        try:
            self._attempts.another(body.number)
        except CoreError as error:
            return web.Response(status=error.http_status, body=error.body(), content_type="application/json")
        self._gateway.accounts.send_code(body.number, body.method, self._gateway.clock.now())
        log.info("registration code sent to +%s by %s", body.number, body.method)
        return answer({})

    async def verify(self, request: web.Request) -> web.Response:
        """A number comes with its code; the keys of whoever was registered before are void then."""
        check = await read(request, CodeCheck)
        former = [link for link in self._gateway.links.of(check.number) if link.hello.identity != check.identity]
        right = self._gateway.accounts.verify(
            check.number, check.code, check.identity, self._gateway.clock.now(), former_is_live=bool(former)
        )
        if right and self._gateway.accounts.evict_each_other(check.number):
            nodes = [link.hello.node for link in former]
            await self._gateway.links.ban(check.number, "two installations throw each other out", nodes)
        elif right:
            await self._gateway.links.evict(check.number, LOGGED_OFF, but=check.identity)
        return answer(CodeResult(right))

    async def set_shards(self, request: web.Request) -> web.Response:
        """A primary master changes the shard count."""
        check = await read(request, ShardsCheck)
        result = await self.check_shards(check)
        log.info("set-shards of +%s: %s", check.number, result.outcome)
        return answer(result)

    async def check_shards(self, check: ShardsCheck) -> ShardsResult:
        """What WhatsApp makes of set-shards: the certificate's rules (4.3), unless a fault is asked for."""
        fault = self._gateway.faults.take(check.number)
        banned = self._gateway.accounts.banned_for(check.number, self._gateway.clock.now())
        if banned > 0:
            result = certificate.Result(certificate.BANNED, "the account is temporarily banned")
        elif fault.set_shards:
            result = certificate.as_if(fault.set_shards)
        else:
            result = certificate.check(check.cert, check.number, check.registered_age, dt.datetime.now(dt.UTC).date())
        account = self._gateway.accounts.account(check.number)
        if result.outcome == certificate.BANNED and banned <= 0:
            await self._gateway.links.ban(check.number, "expired certificate", [])
            banned = self._gateway.accounts.banned_for(check.number, self._gateway.clock.now())
        elif result.outcome in (certificate.LOGGED_OFF, certificate.DISCONNECTED):
            account.out = result.outcome
            await self._gateway.links.evict(check.number, result.outcome)
        elif result.outcome == certificate.OK:
            account.out = ""
        return ShardsResult(result.outcome, result.details, self._gateway.clock.scaled(banned), fault.crash)
