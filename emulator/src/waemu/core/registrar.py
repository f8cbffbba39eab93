"""Who decides about registration codes and set-shards: the gateway, or without one this node itself (reference 4.3)."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from waemu.environment import NodeEnv
from waemu.protocol import gateway as protocol
from waemu.protocol.client import CoreClient
from waemu.protocol.gateway import CodeCheck, CodeRequest, CodeResult, ShardsCheck, ShardsResult, digest
from waemu.protocol.nodes import Done
from waemu.store.config import Account
from waemu.whatsapp import certificate
from waemu.whatsapp.attempts import Attempts


class Registrar(Protocol):
    """WhatsApp's side of registration. Numbers are with country code."""

    async def send_code(self, number: str, method: str) -> str:
        """Have a code sent; returns what to keep in order to check it. Raises CoreError."""

    async def verify(self, number: str, code: str, identity: str, account: Account) -> bool:
        """Whether the code is right; then the keys of this digest are the number's. Raises CoreError."""

    async def shards(self, number: str, cert: str | None, registered_age: float) -> ShardsResult:
        """What WhatsApp makes of set-shards; registered_age in product seconds. Raises CoreError."""


class OwnRegistrar:
    """Built in: one code for every number, the documented rules for certificates, faults from the environment."""

    def __init__(self, env: NodeEnv, now: Callable[[], float]) -> None:
        """now: product seconds."""
        self._code = env.registration_code
        self._attempts = Attempts(now)
        self._refusals = env.faults.set_shards_403

    async def send_code(self, number: str, method: str) -> str:  # noqa: ARG002 - every number gets the same
        """The digest of the code."""
        self._attempts.another(number)
        return digest(self._code)

    async def verify(self, number: str, code: str, identity: str, account: Account) -> bool:  # noqa: ARG002
        """Compare with what was kept."""
        return account.code_hash is not None and hmac.compare_digest(account.code_hash, digest(code))

    async def shards(self, number: str, cert: str | None, registered_age: float) -> ShardsResult:
        """The certificate's rules."""
        if self._refusals > 0:
            self._refusals -= 1
            return ShardsResult(*certificate.as_if("refused"))
        return ShardsResult(*certificate.check(cert, number, registered_age, dt.datetime.now(dt.UTC).date()))


class GatewayRegistrar:
    """Calls the gateway."""

    def __init__(self, client: CoreClient, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self._client, self._host, self._port = client, parts.hostname, parts.port

    async def send_code(self, number: str, method: str) -> str:
        """The gateway keeps the code; only it can check it."""
        await self._client.call(self._host, self._port, "POST", protocol.CODE_PATH, Done, CodeRequest(number, method))
        return ""

    async def verify(self, number: str, code: str, identity: str, account: Account) -> bool:  # noqa: ARG002
        """The gateway's answer."""
        check = CodeCheck(number, code, identity)
        return (await self._client.call(self._host, self._port, "POST", protocol.VERIFY_PATH, CodeResult, check)).right

    async def shards(self, number: str, cert: str | None, registered_age: float) -> ShardsResult:
        """The gateway's answer."""
        check = ShardsCheck(number, cert, registered_age)
        return await self._client.call(self._host, self._port, "POST", protocol.SHARDS_PATH, ShardsResult, check)
