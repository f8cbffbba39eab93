"""Fields that nobody knows: which endpoints take and ignore them, which refuse them with 1010 (reference 4.10).

One table, by version; docs/product.md says how well it is known.
"""

from __future__ import annotations

import pytest

from waemu import versions
from waemu.web.app import ENDPOINTS
from waemu.web.bodies import decode
from waemu.web.endpoint import BodyKind, Endpoint
from waemu.web.errors import ApiError
from waemu.web.messagebody import check

FIRST, LAST = versions.parse("v2.19.4"), versions.parse("v2.63.0")
TAKEN = {
    # endpoint: the versions that take and ignore unknown fields, from and to; all others refuse them
    "POST /v1/users/login": (FIRST, LAST),
    "POST /v1/messages": (FIRST, LAST),
    "PATCH /v1/settings/application": (FIRST, LAST),
}
WITH_BODY = [e for e in ENDPOINTS if e.body_kind in (BodyKind.JSON, BodyKind.OPTIONAL_JSON)]


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _refusal(endpoint: Endpoint, raw: bytes) -> int | None:
    """The code that a body is refused with."""
    try:
        decode(raw, endpoint.body)
    except ApiError as error:
        return error.code
    return None


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=_name)
def test_unknown_fields(endpoint: Endpoint) -> None:
    raw = b'{"nobody_knows": 1}'
    if "media/providers" in endpoint.path:
        raw = b"[" + raw + b"]"
    assert (_refusal(endpoint, raw) == 1010) == (_name(endpoint) not in TAKEN)


def test_the_table_names_end_points() -> None:
    assert set(TAKEN) <= {_name(endpoint) for endpoint in WITH_BODY}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"to": "4917000001", "text": {"body": "x", "nobody_knows": 1}}',
        b'{"to": "4917000001", "type": "image", "image": {"id": "x", "nobody_knows": {}}, "nobody_knows": []}',
        b'{"to": "4917000001", "type": "contacts", "contacts": [{"name": {"formatted_name": "x"}, "nobody_knows": 1}]}',
    ],
)
def test_they_are_taken_in_every_depth(raw: bytes) -> None:
    [endpoint] = [e for e in WITH_BODY if _name(e) == "POST /v1/messages"]
    check(decode(raw, endpoint.body))
