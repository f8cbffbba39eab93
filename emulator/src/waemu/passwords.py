"""API users' passwords: the policy (reference 4.2) and one-way hashes. Pure, but hashing takes tens of milliseconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import typing as t

DEFAULT_ADMIN: t.Final = "admin"
DEFAULT_PASSWORD: t.Final = "secret"
"""The account every installation starts with (reference 4.2); the policy below never lets it be set again."""

SHORTEST: t.Final = 8
LONGEST: t.Final = 64
SPECIAL: t.Final = frozenset("!\"#$%&\\'()*+,-./:;<=>?@[]^_{|}~`")

_COST: t.Final = 1 << 13
_BLOCK: t.Final = 8
_SALT_BYTES: t.Final = 16


def weakness(password: str) -> str | None:
    """What the password lacks, as the rest of a sentence; None when the policy is met."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"must have {SHORTEST} to {LONGEST} characters"
    needs = {
        "one digit": any(c in "0123456789" for c in password),
        "one upper-case letter": any(c.isupper() for c in password),
        "one lower-case letter": any(c.islower() for c in password),
        "one special character": any(c in SPECIAL for c in password),
    }
    absent = [name for name, met in needs.items() if not met]
    return f"must have at least {', '.join(absent)}" if absent else None


def hash_password(password: str) -> str:
    """C(scrypt$cost$salt$key), salt and key in base64."""
    salt = os.urandom(_SALT_BYTES)
    return f"scrypt${_COST}${_text(salt)}${_text(_derive(password, salt, _COST))}"


def matches(password: str, stored: str) -> bool:
    """Whether the password is the one behind a stored hash. A hash of an unknown form matches nothing."""
    try:
        scheme, cost, salt, key = stored.split("$")
        if scheme != "scrypt":
            return False
        derived = _derive(password, base64.b64decode(salt), int(cost))
        return hmac.compare_digest(derived, base64.b64decode(key))
    except ValueError:
        return False


def _derive(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=_BLOCK, p=1, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
