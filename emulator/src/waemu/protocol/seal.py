"""WA_SECRET: what web and cores say to each other, encrypted (reference 2.4 and 6.1). The form is the emulator's own.

A sealed body is C(nonce, time, AES-GCM of the body); method, path and query are authenticated with it, and an answer
with the nonce of its request. The clocks of the hosts may differ by 10 s; within that time nothing is taken twice.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
import typing as t
from collections import deque
from collections.abc import Callable

WINDOW: t.Final = 10.0  # 2.4: real seconds, as it is about the clocks of hosts
SEALED_TYPE: t.Final = "application/octet-stream"
_NONCE: t.Final = 12
_HEAD: t.Final = _NONCE + 8


class BadSeal(Exception):
    """Not sealed with this secret, too old or too new, or seen before; the text is one sentence."""


class Seal:
    """Seals and opens with one secret. now: UNIX seconds of this host."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        from cryptography.exceptions import InvalidTag  # a node without a secret does not carry this in memory
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(hashlib.sha256(b"waemu wire 1 " + secret.encode()).digest())
        self._invalid = InvalidTag
        self._now = now
        self._seen: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def close(self, context: str, body: bytes) -> bytes:
        """Seal a body. context: what it belongs to, known to both sides."""
        nonce, at = os.urandom(_NONCE), struct.pack(">d", self._now())
        return nonce + at + self._cipher.encrypt(nonce, body, context.encode() + at)

    def open(self, context: str, sealed: bytes) -> bytes:
        """The body. Raises BadSeal."""
        nonce, at = sealed[:_NONCE], sealed[_NONCE:_HEAD]
        try:
            body = self._cipher.decrypt(nonce, sealed[_HEAD:], context.encode() + at)
        except (self._invalid, ValueError) as error:
            raise BadSeal("not encrypted with the same WA_SECRET") from error
        self._fresh(nonce, struct.unpack(">d", at)[0])
        return body

    def _fresh(self, nonce: bytes, at: float) -> None:
        now = self._now()
        while self._order and self._order[0][0] < now - 2 * WINDOW:
            self._seen.discard(self._order.popleft()[1])
        if abs(now - at) > WINDOW:
            raise BadSeal(f"the clocks of the hosts differ by more than {WINDOW:.0f} s")
        if nonce in self._seen:
            raise BadSeal("a repeated request")
        self._seen.add(nonce)
        self._order.append((now, nonce))


def nonce_of(sealed: bytes) -> str:
    """What an answer has to be sealed with: the nonce of its request."""
    return sealed[:_NONCE].hex()


def make(secret: str) -> Seal | None:
    """The seal of a secret, None when there is none."""
    return Seal(secret) if secret else None
