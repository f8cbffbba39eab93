"""Who calls: Basic, Bearer and Apikey credentials, and what each may do (reference 4.1)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import typing as t
from datetime import UTC, datetime

from waemu.clock import TOKEN_LIFE
from waemu.store.users import Standing
from waemu.web import tokens
from waemu.web.access import Access, Caller
from waemu.web.errors import ApiError, Code

ROLE_ADMIN: t.Final = "ROLE_ADMIN"
ROLE_USER: t.Final = "ROLE_USER"

STANDING_CACHE_SECONDS: t.Final = 1.0
"""How long another webapp's logout or password change may stay unseen here; as long as the shard map's cache."""

_CACHE_SIZE: t.Final = 4096
_REALM: t.Final = 'realm="WhatsApp Business API"'


Standings = t.Callable[[str, str], t.Awaitable[Standing | None]]
"""The standing of a user's token, by user name and token id; None when there is no such user."""


class Authenticator:
    """Checks credentials. The clock is passed in: C(now) for expiry, C(monotonic) for the cache."""

    def __init__(
        self,
        *,
        standings: Standings,
        jwt_key: str,
        api_key: str | None,
        now: t.Callable[[], datetime],
        monotonic: t.Callable[[], float],
    ) -> None:
        self._standings = standings
        self._jwt_key = jwt_key
        self._api_key = api_key
        self._now = now
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Standing | None]] = {}
        self._asking: dict[str, asyncio.Future[Standing | None]] = {}
        self._read: dict[str, tokens.Claims] = {}  # by token, of those whose signature was good

    def issue(self, username: str, epoch: int) -> tuple[str, str]:
        """A new token of a user, and the text of C(expires_after)."""
        token, expires = tokens.issue(
            username, key=self._jwt_key, epoch=epoch, now=self._now(), life_seconds=TOKEN_LIFE
        )
        return token, tokens.expires_text(expires)

    async def caller(self, header: str | None, access: Access) -> Caller | None:
        """Who a request is from. Raises ApiError 401 without valid credentials, 403/1005 when the role is too low."""
        if access in (Access.OPEN, Access.BASIC):
            return None
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "apikey" and access is Access.PROBE:
            return self._by_api_key(value.strip())
        if scheme.lower() != "bearer":
            raise unauthorized("A bearer token is required")
        found = await self._by_token(value.strip())
        if access is Access.ADMIN and found.role != ROLE_ADMIN:
            raise ApiError(Code.ACCESS_DENIED, "This call needs the role ROLE_ADMIN")
        return found

    def forget(self, random: str) -> None:
        """Look a token up again at its next use: it was revoked here."""
        self._known.pop(random, None)

    def forget_all(self) -> None:
        """Look every token up again: a user changed here."""
        self._known.clear()

    def _by_api_key(self, value: str) -> Caller:
        given = value.encode("utf-8", "surrogateescape")
        if self._api_key is None or not hmac.compare_digest(given, self._api_key.encode()):
            raise unauthorized("The API key is not valid")
        return Caller(username="", role=ROLE_USER, claims=None)

    async def _by_token(self, value: str) -> Caller:
        try:
            claims = self._claims(value)
        except tokens.InvalidToken as error:
            raise unauthorized(str(error)) from None
        standing = await self._standing(claims)
        if standing is None or standing.revoked or not claims.fits(standing.epoch):
            raise unauthorized("The token has been revoked")
        return Caller(username=claims.username, role=standing.role, claims=claims)

    def _claims(self, value: str) -> tokens.Claims:
        """The claims of a token; its signature is checked once. Raises InvalidToken."""
        known = self._read.get(value)
        if known is not None and known.expires > self._now():
            return known
        claims = tokens.read(value, key=self._jwt_key, now=self._now())
        if len(self._read) >= _CACHE_SIZE:
            self._read.clear()
        self._read[value] = claims
        return claims

    async def _standing(self, claims: tokens.Claims) -> Standing | None:
        now = self._monotonic()
        cached = self._known.get(claims.random)
        if cached and now - cached[0] < STANDING_CACHE_SECONDS:
            return cached[1]
        if claims.random not in self._asking:  # calls that come meanwhile wait for the same answer
            asking = asyncio.ensure_future(self._standings(claims.username, claims.random))
            asking.add_done_callback(lambda _done: self._asking.pop(claims.random, None))
            self._asking[claims.random] = asking
        standing = await asyncio.shield(self._asking[claims.random])
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[claims.random] = (now, standing)
        return standing


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


def parse_basic(header: str | None) -> tuple[str, str]:
    """User name and password of an C(Authorization: Basic) header. Raises ApiError 401 when it is none."""
    scheme, _, value = (header or "").partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError("no colon")
    except ValueError:
        raise login_refused("User name and password are required") from None
    return name, password


def login_refused(details: str) -> ApiError:
    """401 without a body (reference 4.10): no user name, or a wrong password. C(details) are for the reader alone."""
    headers = {"WWW-Authenticate": f"Basic {_REALM}"}
    return ApiError(Code.ACCESS_DENIED, details, status=401, headers=headers, empty=True)


def unauthorized(details: str) -> ApiError:
    """401 with code 1005 (reference 4.1: no, invalid or expired token)."""
    return ApiError(Code.ACCESS_DENIED, details, status=401, headers={"WWW-Authenticate": f"Bearer {_REALM}"})
