"""What becomes of messages on WhatsApp's side: when a user has them, and media that a user sends."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

DELIVERED_AFTER, READ_AFTER = 1.0, 3.0  # product seconds from accepted to the receipts of a user who is there


def upload(body: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """A user sends media: C(data) (base64) leaves the message's body, an id and a digest come in its place.

    A body without C(data) stays as it is. Raises ValueError when it is not base64.
    """
    if "data" not in body:
        return dict(body), None
    try:
        content = base64.b64decode(body["data"], validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("data is not base64") from error
    kept = {name: value for name, value in body.items() if name != "data"}
    given = {"mime_type": "application/octet-stream", **kept}
    return {"id": str(uuid.uuid4()), "sha256": hashlib.sha256(content).hexdigest(), **given}, content
