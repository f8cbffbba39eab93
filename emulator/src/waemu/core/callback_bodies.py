"""What callbacks say, as the business gets it (reference 4.8 and 5.2). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from waemu import codes

PRICED_SINCE = (2, 37)
SWITCH_UNTIL = (2, 39)  # 4.4: from then on the setting is deprecated
PRICED = ("sent", "delivered")
ORIGIN = "business_initiated"
PRICING = {"pricing_model": "CBP", "billable": True, "category": ORIGIN}
DAY = 86400  # seconds that a conversation lasts


def error_item(code: int, details: str) -> dict[str, Any]:
    """One entry of a callback's errors (5.2)."""
    return {"code": code, "title": codes.message_title(code), "details": details}


def are_priced(version: tuple[int, ...], settings: Mapping[str, Any]) -> bool:
    """Whether statuses say which conversation a message belongs to and what it costs (4.10)."""
    switched_off = settings["webhook_payload_conversation_pricingmodel_disabled"]
    return version >= PRICED_SINCE and not (switched_off and version < SWITCH_UNTIL)


def status_body(
    message_id: str,
    wa_id: str,
    status: str,
    at: int,
    errors: Sequence[Mapping[str, Any]] = (),
    *,
    priced: bool = False,
) -> Any:
    """The body of a status callback (4.8). at: UNIX seconds, which callbacks carry as text. priced: see are_priced."""
    item: dict[str, Any] = {"id": message_id, "recipient_id": wa_id, "status": status, "timestamp": str(at)}
    if priced and status in PRICED:
        item |= {"conversation": _conversation(wa_id, at), "pricing": PRICING}
    if errors:
        item["errors"] = list(errors)
    return {"statuses": [item]}


def _conversation(wa_id: str, at: int) -> dict[str, Any]:
    """One for each user and day (UTC): when a conversation begins is known to WhatsApp alone."""
    day = at // DAY
    name = hashlib.blake2b(f"{wa_id} {day}".encode(), digest_size=16).hexdigest()
    return {"id": name, "expiration_timestamp": (day + 1) * DAY, "origin": {"type": ORIGIN}}
