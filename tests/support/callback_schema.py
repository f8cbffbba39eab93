# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a callback may hold (docs/product.md 4.8, 4.10): every webhook of the tests reads with this what it receives."""

from __future__ import annotations

import typing as t

import msgspec

Digits = t.Annotated[str, msgspec.Meta(pattern=r"^[0-9]+$")]
Text = t.Annotated[str, msgspec.Meta(min_length=1)]


class _Closed(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Fields that are not here are not known."""


class Error(_Closed):
    """Why something failed."""

    code: t.Annotated[int, msgspec.Meta(ge=400, le=2999)]
    title: Text
    details: str = ""
    href: str = ""


class Profile(_Closed):
    """Of who has written."""

    name: str


class Contact(_Closed):
    """Who has written."""

    profile: Profile
    wa_id: Digits


class Origin(_Closed):
    """Who began a conversation."""

    type: t.Literal["business_initiated", "user_initiated", "referral_conversion"]


class Conversation(_Closed):
    """What a message is counted as part of."""

    id: Text
    expiration_timestamp: int
    origin: Origin


class Pricing(_Closed):
    """What a message costs."""

    pricing_model: Text
    billable: bool
    category: t.Literal["business_initiated", "user_initiated", "referral_conversion"]


class Status(_Closed):
    """What became of a message."""

    id: Text
    recipient_id: Digits
    status: t.Literal["sent", "delivered", "read", "failed", "deleted"]
    timestamp: Digits
    conversation: Conversation | None = None
    pricing: Pricing | None = None
    errors: list[Error] = []


class Gc(_Closed):
    """What a cleanup has done."""

    status: t.Literal["complete", "failed"]
    messages_deleted: int | None = None
    items_deleted: int | None = None
    node: Text | None = None


class Cleanup(_Closed):
    """Of messages, or of media."""

    gc: Gc


class Service(_Closed):
    """The end of a cleanup."""

    message: Cleanup | None = None
    media: Cleanup | None = None


class Message(msgspec.Struct):
    """A message of a user; the field that is named like its type holds it."""

    sender: Digits = msgspec.field(name="from")
    id: Text
    timestamp: Digits
    type: Text


class Callback(_Closed):
    """One POST."""

    contacts: list[Contact] = []
    messages: list[Message] = []
    statuses: list[Status] = []
    errors: list[Error] = []
    services: list[Service] = []


_decode = msgspec.json.Decoder(Callback).decode


def read(raw: bytes) -> Callback:
    """A callback. Raises msgspec.ValidationError, or ValueError, for what is none."""
    found = _decode(raw)
    kinds = [name for name in ("messages", "statuses", "services") if getattr(found, name)]
    if len(kinds) > 1 or not (kinds or found.errors):
        raise ValueError(f"a callback of {' and '.join(kinds) or 'nothing'}")
    if bool(found.contacts) != bool(found.messages):
        raise ValueError("contacts come with messages")
    for status in found.statuses:
        priced = status.status in ("sent", "delivered")
        if (status.conversation or status.pricing) and not priced:
            raise ValueError(f"status {status.status} with conversation or pricing")
        if bool(status.errors) and status.status != "failed":
            raise ValueError(f"status {status.status} with errors")
    bodies = msgspec.json.decode(raw).get("messages", ())
    for message in bodies:
        if message["type"] not in message:
            raise ValueError(f"a message of type {message['type']} without {message['type']}")
    return found
