"""What only the primary master (or a single instance) may do for the API: account, shards, settings (reference 3.1).

Everywhere else these answer 1017.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from typing import Any

from waemu.core.certificate import BadCertificate, Certificate, parse
from waemu.core.node import Node
from waemu.core.sender import not_instantiated
from waemu.shards import ALLOWED_COUNTS
from waemu.store import cluster, config
from waemu.store.cluster import LeaseLost
from waemu.store.config import Account
from waemu.web.passwords import hash_password, matches
from waemu.wire import (
    CoreError,
    Done,
    PinRequest,
    RegistrationReply,
    RegistrationRequest,
    SettingsReply,
    ShardsRequest,
    VerifyRequest,
)

CODE_LIFE = 600.0  # real seconds a registration code is good for
APP_EXPIRED = "App expired. Please upgrade to the latest version."
log = logging.getLogger("waemu.requests")


class Requests:
    """Bound to one node; is_primary tells whether it may answer now."""

    def __init__(self, node: Node, is_primary: Callable[[], bool]) -> None:
        self._node, self._is_primary = node, is_primary
        self._refusals = node.env.faults.set_shards_403

    async def request_code(self, request: RegistrationRequest) -> RegistrationReply:
        """POST /account (4.3). Raises CoreError 1005, 1008, 1009, 1017."""
        account = await self._account()
        certificate = _certificate(request.cert, request.cc + request.phone_number)
        _check_pin(account, request.pin)
        same = (account.cc, account.phone_number) == (request.cc, request.phone_number)
        if account.registered and same and account.condition == "ok":
            return RegistrationReply(201, account.vname or certificate.vname)
        code = self._node.env.registration_code
        await self._node.db(
            config.request_code(
                self._node.engine,
                request.cc,
                request.phone_number,
                certificate.vname,
                _digest(code),
                CODE_LIFE,
            )
        )
        log.info("registration code requested by %s for +%s %s", request.method, request.cc, request.phone_number)
        return RegistrationReply(202, certificate.vname)

    async def verify(self, request: VerifyRequest) -> Done:
        """POST /account/verify (4.3). Raises CoreError 1009, 1017."""
        account = await self._account()
        right = account.code_hash is not None and hmac.compare_digest(account.code_hash, _digest(request.code))
        if not right or account.code_left <= 0:
            raise CoreError(1009, "Parameter 'code' is wrong or expired")
        number = (account.pending_cc, account.pending_phone_number)
        other = account.registered and (account.cc, account.phone_number) != number
        await self._node.db(config.register(self._node.engine, secrets.randbelow(2**14) + 1, secrets.token_hex(16)))
        log.info("Registered +%s %s", *number)
        if other:
            await self._primary_write(cluster.restart_all)
        await self._tell_all()
        return Done()

    async def set_shards(self, request: ShardsRequest) -> Done:
        """POST /account/shards (4.3). Raises CoreError 1005 (403), 1009, 1014, 1017."""
        account = await self._account()
        if not self._node.env.multiconnect:
            raise CoreError(1014, "WA_APP_MULTICONNECT is off: a single instance has one shard")
        if self._refusals > 0:
            self._refusals -= 1
            raise CoreError(1014, "Server is temporarily unavailable. Please retry", http_status=403)
        if not account.registered:
            raise not_instantiated()
        if (account.cc, account.phone_number) != (request.cc, request.phone_number):
            raise CoreError(1005, "Parameters 'cc' and 'phone_number' are not the registered number")
        if request.shards not in ALLOWED_COUNTS:
            raise CoreError(1009, f"Parameter 'shards' must be one of {', '.join(map(str, ALLOWED_COUNTS))}")
        _check_pin(account, request.pin)
        if request.cert is not None:
            _certificate(request.cert, request.cc + request.phone_number)
            await self._node.db(config.certified(self._node.engine))
        await self._primary_write(lambda engine, me: cluster.set_shards(engine, me, request.shards))
        log.info("Shards set to %d: all coreapps restart", request.shards)
        await self._tell_all()
        return Done()

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
        return SettingsReply(await self._node.db(config.read_settings(self._node.engine)))

    async def change_settings(self, change: dict[str, Any]) -> SettingsReply:
        """PATCH /settings/application; the web has checked names and types."""
        await self._allowed()
        settings = await self._node.db(config.change_settings(self._node.engine, change))
        await self._tell_all()
        return SettingsReply(settings)

    async def reset_settings(self) -> SettingsReply:
        """DELETE /settings/application."""
        await self._allowed()
        settings = await self._node.db(config.reset_settings(self._node.engine))
        await self._tell_all()
        return SettingsReply(settings)

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

    async def _tell_all(self) -> None:
        """Everybody reads the database now, this node first of all."""
        self._node.changed.set()
        await self._node.tell((await self._node.nodes()).values())


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _certificate(text: str, phone_number: str) -> Certificate:
    try:
        certificate = parse(text)
    except BadCertificate as error:
        raise CoreError(1005, f"Certificate error: {error}") from error
    if certificate.expired(dt.datetime.now(dt.UTC).date()):
        raise CoreError(1005, "Certificate error: the certificate has expired")
    if not certificate.fits(phone_number):
        raise CoreError(1005, "Certificate error: the certificate is for another number")
    return certificate


def _check_pin(account: Account, pin: str | None) -> None:
    """With two-step verification on, account and shards need the PIN (4.3)."""
    if account.pin_hash is None:
        return
    if pin is None:
        raise CoreError(1008, "Parameter 'pin' is required: two-step verification is on")
    if not matches(pin, account.pin_hash):
        raise CoreError(1005, "Parameter 'pin' is wrong")
