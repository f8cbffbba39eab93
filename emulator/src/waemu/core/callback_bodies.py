"""What callbacks say, as the business gets it (reference 4.8 and 5.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from waemu import codes


def error_item(code: int, details: str) -> dict[str, Any]:
    """One entry of a callback's errors (5.2)."""
    return {"code": code, "title": codes.message_title(code), "details": details}


def status_body(message_id: str, wa_id: str, status: str, at: int, errors: Sequence[Mapping[str, Any]] = ()) -> Any:
    """The body of a status callback (4.8). at: UNIX seconds, which callbacks carry as text."""
    item: dict[str, Any] = {"id": message_id, "recipient_id": wa_id, "status": status, "timestamp": str(at)}
    if errors:
        item["errors"] = list(errors)
    return {"statuses": [item]}
