"""Ids of messages in the product's form (reference 4.10): who it is about, and what no other message has. Pure."""

from __future__ import annotations

import base64
import secrets

SENT, RECEIVED = 0x80, 0x00
OWN_BYTES = {SENT: 9, RECEIVED: 10}
_ODD = 0x80  # in the number's length: its last half byte is filled up


def new(wa_id: str, direction: int = SENT) -> str:
    """The id of a message that is sent to, or was received from, a WhatsApp id. Raises ValueError for what is none."""
    if not (wa_id.isascii() and wa_id.isdigit()):
        raise ValueError(f"{wa_id!r} is no WhatsApp id: digits only")
    own = secrets.token_bytes(OWN_BYTES[direction])
    raw = bytes((direction, 0x11)) + _number(wa_id) + bytes((0x02, len(own))) + own
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def own_part(message_id: str) -> str:
    """The bytes of a sent message's id that no other message has, in hexadecimal digits."""
    raw = base64.urlsafe_b64decode(message_id + "=" * (-len(message_id) % 4))
    return raw[-OWN_BYTES[SENT] :].hex().upper()


def _number(wa_id: str) -> bytes:
    """The number's length in bytes, then two digits a byte."""
    odd = len(wa_id) % 2
    digits = bytes.fromhex(wa_id + "f" * odd)
    return bytes((len(digits) | _ODD * odd,)) + digits
