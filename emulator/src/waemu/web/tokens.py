"""Bearer tokens: JWT, HS256, seven days (reference 4.1, 4.10, key: 2.4). Pure: the time is passed in."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import typing as t
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt

# The product takes a key of any length; that it is short is the user's own business and no news for every request.
warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)

_ALGORITHM: t.Final = "HS256"
RANDOM: t.Final = "wa:rand"
_REQUIRED: t.Final = ["user", "iat", "exp", RANDOM]
_HALF: t.Final = 8  # bytes
_RANDOM_FORM: t.Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Claims:
    """Who a token speaks for. C(random) is like no other token's."""

    username: str
    random: str
    expires: datetime

    def fits(self, epoch: int) -> bool:
        """Whether this is the user's token epoch at login: a later user of that name has another one."""
        return hmac.compare_digest(self.random[2 * _HALF :], _second_half(self.random[: 2 * _HALF], epoch))


class InvalidToken(Exception):
    """A token that is broken, expired or signed with another key; the text says which, for the client to read."""


def random_key() -> str:
    """A signing key for a webapp that was given none: its tokens are good on this container only."""
    return secrets.token_urlsafe(48)


def issue(username: str, *, key: str, epoch: int, now: datetime, life_seconds: float) -> tuple[str, datetime]:
    """A token, and when it expires (UTC, whole seconds)."""
    expires = datetime.fromtimestamp(int(now.timestamp() + life_seconds), UTC)
    first = secrets.token_hex(_HALF)
    payload = {
        "user": username,
        "iat": int(now.timestamp()),
        "exp": int(expires.timestamp()),
        RANDOM: first + _second_half(first, epoch),
    }
    return jwt.encode(payload, key, algorithm=_ALGORITHM), expires


def read(token: str, *, key: str, now: datetime) -> Claims:
    """The claims of a token. Raises InvalidToken when it was not signed with this key, is expired or incomplete."""
    try:
        payload = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        claims = Claims(
            username=payload["user"],
            random=payload[RANDOM],
            expires=datetime.fromtimestamp(int(payload["exp"]), UTC),
        )
        if not (isinstance(claims.username, str) and _RANDOM_FORM.fullmatch(claims.random)):
            raise ValueError(RANDOM)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise InvalidToken("The token is not valid") from None
    if claims.expires <= now:
        raise InvalidToken("The token has expired")
    return claims


def _second_half(first: str, epoch: int) -> str:
    """The product's tokens have no claim for the epoch, so it is mixed into what looks random; the key signs it all."""
    return hashlib.blake2b(f"{first} {epoch}".encode(), digest_size=_HALF).hexdigest()


def expires_text(moment: datetime) -> str:
    """C(2021-09-14 15:29:26+00:00): the form of C(expires_after) in reference 4.1."""
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
