"""What only the primary master (or a single instance) may do for the API: account, shards, settings (reference 3.1).

Everywhere else these answer 1017.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import secrets
from collections.abc import Callable
from typing import Any

from waemu import appsettings
from waemu.core import peers
from waemu.core.node import Node, not_instantiated
from waemu.core.registrar import Registrar
from waemu.passwords import hash_password, matches
from waemu.protocol.gateway import ShardsResult, digest
from waemu.protocol.nodes import (
    CoreError,
    Done,
    PinRequest,
    RegistrationReply,
    RegistrationRequest,
    SettingsReply,
    ShardsRequest,
    VerifyRequest,
)
from waemu.shards import ALLOWED_COUNTS
from waemu.store import cluster, config
from waemu.store.cluster import LeaseLost
from waemu.store.config import Account
from waemu.whatsapp import certificate
from waemu.whatsapp.certificate import BadCertificate, Certificate

KILLED = 137  # exit code of a process that was killed
CRASH_AFTER_ANSWER = 0.1  # real seconds, so that the answer is on its way
CODE_LIFE = 600.0  # real seconds a registration code is good for
OWN_ID = "wa_id"  # the setting that only shows something
BLOCKED = "Unknown error: biz_link_on_prem_reg_blocked"  # 4.3: what registration answers since 2024-07-01
APP_EXPIRED = "App expired. Please upgrade to the latest version."
log = logging.getLogger("waemu.requests")


class PrimaryApi:
    """Bound to one node; is_primary says whether it may answer now."""

    def __init__(self, node: Node, registrar: Registrar, is_primary: Callable[[], bool]) -> None:
        self._node, self._registrar, self._is_primary = node, registrar, is_primary

    async def request_code(self, request: RegistrationRequest) -> RegistrationReply:
        """POST /account (4.3). Raises CoreError 1005, 1008, 1009, 1015, 1017."""
        account = await self._account()
        named = _certificate(request.cert, request.cc + request.phone_number)
        _check_pin(account, request.pin)
        same = (account.cc, account.phone_number) == (request.cc, request.phone_number)
        if account.registered and same and account.sound:
            return RegistrationReply(201, account.vname or named.vname)
        if self._node.env.faults.registration_blocked:
            raise CoreError(1005, BLOCKED)
        kept = await self._registrar.send_code(request.cc + request.phone_number, request.method)
        await self._node.db(
            config.request_code(
                self._node.engine,
                request.cc,
                request.phone_number,
                named.vname,
                kept,
                CODE_LIFE,
            )
        )
        log.info("registration code requested by %s for +%s %s", request.method, request.cc, request.phone_number)
        return RegistrationReply(202, named.vname)

    async def verify(self, request: VerifyRequest) -> Done:
        """POST /account/verify (4.3). Raises CoreError 1005, 1017."""
        account = await self._account()
        number = (account.pending_cc, account.pending_phone_number)
        identity = secrets.token_hex(16)
        asked = account.code_hash is not None and account.code_left > 0
        whole = "".join(part or "" for part in number)
        if not asked or not await self._registrar.verify(whole, request.code, digest(identity), account):
            raise CoreError(1005, "The registration code is wrong or too old")
        other = account.registered and (account.cc, account.phone_number) != number
        await self._node.db(config.register(self._node.engine, secrets.randbelow(2**14) + 1, identity))
        log.info("Registered +%s %s", *number)
        if other:
            await self._primary_write(cluster.restart_all)
        await peers.notify_all(self._node)
        return Done()

    async def set_shards(self, request: ShardsRequest) -> Done:
        """POST /account/shards (4.3). Raises CoreError 1005 (403), 1009, 1014, 1017.

        The master can be made to crash before or after each change (ShardsResult.crash_at), for tests.
        """
        account = await self._account()
        if not self._node.env.multiconnect:
            raise CoreError(1014, "WA_APP_MULTICONNECT is off: a single instance has one shard")
        if account.registered and (account.cc, account.phone_number) != (request.cc, request.phone_number):
            raise CoreError(1005, "Parameters 'cc' and 'phone_number' are not the registered number")
        if request.shards not in ALLOWED_COUNTS:
            raise CoreError(1009, f"Parameter 'shards' must be one of {', '.join(map(str, ALLOWED_COUNTS))}")
        if not account.registered:
            return await self._shards_for_a_backup(request)
        _check_pin(account, request.pin)
        result = await self._checked_by_whatsapp(account, request)
        if request.cert is not None:
            _crash(result, "before_certificate")
            await self._node.db(config.certified(self._node.engine))
            _crash(result, "after_certificate")
        if result.outcome != account.condition:
            await self._node.db(config.set_condition(self._node.engine, result.outcome))
        _crash(result, "before_map")
        await self._primary_write(lambda engine, me: cluster.set_shards(engine, me, request.shards))
        _crash(result, "after_map")
        log.info("Shards set to %d: all coreapps restart", request.shards)
        _crash(result, "before_notify")
        await peers.notify_all(self._node)
        _crash(result, "after_notify")
        _crash(result, "before_answer")
        if result.crash_at == "after_answer":
            asyncio.get_running_loop().call_later(CRASH_AFTER_ANSWER, _die, result.crash_at)
        return Done()

    async def _shards_for_a_backup(self, request: ShardsRequest) -> Done:
        """Without a registration there is no connection, so WhatsApp is not asked (6.8: as many as the backup has)."""
        if request.cert is not None:
            _certificate(request.cert, request.cc + request.phone_number)
        await self._primary_write(lambda engine, me: cluster.set_shards(engine, me, request.shards))
        log.info("Shards set to %d before there is a registration: all coreapps restart", request.shards)
        await peers.notify_all(self._node)
        return Done()

    async def _checked_by_whatsapp(self, account: Account, request: ShardsRequest) -> ShardsResult:
        """What WhatsApp makes of it: ok or disconnected; raises CoreError 1014 (403) or 1005 otherwise."""
        age = self._node.clock.product(account.registered_age or 0.0)
        age += self._node.env.faults.registered_days * 86400.0
        result = await self._registrar.shards(request.cc + request.phone_number, request.cert, age)
        if result.outcome == certificate.REFUSED:
            raise CoreError(1014, result.details, http_status=403)
        if result.outcome in (certificate.BANNED, certificate.LOGGED_OFF):
            seconds = result.seconds if result.outcome == certificate.BANNED else 0.0
            await self._node.db(config.set_condition(self._node.engine, result.outcome, seconds))
            await peers.notify_all(self._node)
            raise CoreError(1005, result.details)
        return result

    async def set_pin(self, request: PinRequest) -> Done:
        """POST /settings/account/two-step (4.4)."""
        await self._account()
        await self._node.db(config.set_pin(self._node.engine, hash_password(request.pin)))
        return Done()

    async def remove_pin(self) -> Done:
        """DELETE /settings/account/two-step."""
        await self._account()
        await self._node.db(config.set_pin(self._node.engine, None))
        return Done()

    async def settings(self) -> SettingsReply:
        """GET /settings/application."""
        await self._allowed()
        return await self._shown(await self._node.db(config.read_settings(self._node.engine)))

    async def change_settings(self, change: dict[str, Any]) -> SettingsReply:
        """PATCH /settings/application; the web has checked names and types."""
        await self._allowed()
        change = {name: value for name, value in change.items() if name != OWN_ID}  # a backup holds it
        settings = await self._node.db(config.change_settings(self._node.engine, change))
        await peers.notify_all(self._node)
        return await self._shown(settings)

    async def reset_settings(self) -> SettingsReply:
        """DELETE /settings/application."""
        await self._allowed()
        settings = await self._node.db(config.reset_settings(self._node.engine))
        await peers.notify_all(self._node)
        return await self._shown(settings)

    async def _shown(self, settings: dict[str, Any]) -> SettingsReply:
        """With the client's own WhatsApp id, which nobody can change (4.4)."""
        account = await self._node.db(config.read_account(self._node.engine))
        own = f"{account.cc}{account.phone_number}" if account.registered else ""
        return SettingsReply({**appsettings.shown(settings, self._node.env.version), OWN_ID: own})

    async def _allowed(self) -> None:
        if not self._is_primary():
            raise CoreError(1017, "This node is not the primary master")
        if not self._node.schema_ready:
            raise not_instantiated()

    async def _account(self) -> Account:
        await self._allowed()
        if self._node.expired:
            raise CoreError(1005, APP_EXPIRED)
        return await self._node.db(config.read_account(self._node.engine))

    async def _primary_write(self, write: Callable[..., Any]) -> None:
        try:
            await self._node.db(write(self._node.engine, self._node.me))
        except LeaseLost as error:
            raise CoreError(1017, "This node is not the primary master any more") from error


def _crash(result: ShardsResult, step: str) -> None:
    if result.crash_at == step:
        _die(step)


def _die(step: str) -> None:
    """As a process dies that is killed: nothing is closed, nothing is said to anybody."""
    log.critical("Crash %s of set-shards, as asked for", step)
    os._exit(KILLED)  # process 1 of a container cannot be killed from inside


def _certificate(text: str, phone_number: str) -> Certificate:
    try:
        found = certificate.parse(text)
    except BadCertificate as error:
        raise CoreError(1005, f"Certificate error: {error}") from error
    if found.expired(dt.datetime.now(dt.UTC).date()):
        raise CoreError(1005, "Certificate error: the certificate has expired")
    if not found.fits(phone_number):
        raise CoreError(1005, "Certificate error: the certificate is for another number")
    return found


def _check_pin(account: Account, pin: str | None) -> None:
    """With two-step verification on, account and shards need the PIN (4.3)."""
    if account.pin_hash is None:
        return
    if pin is None:
        raise CoreError(1008, "Parameter 'pin' is required: two-step verification is on")
    if not matches(pin, account.pin_hash):
        raise CoreError(1005, "Parameter 'pin' is wrong")
