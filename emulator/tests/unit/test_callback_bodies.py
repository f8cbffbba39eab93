"""What statuses say by version (reference 4.8, 4.10), and that the schema of the tests knows it."""

from __future__ import annotations

import msgspec
import pytest
from ansible_collections.waent.fleet.tests.support import callback_schema

from waemu import appsettings
from waemu.core.callback_bodies import are_priced, error_item, status_body

SWITCH = "webhook_payload_conversation_pricingmodel_disabled"


@pytest.mark.parametrize(
    ("version", "off", "priced"),
    [
        ((2, 33, 4), False, False),
        ((2, 35, 4), False, False),
        ((2, 37, 1), False, True),
        ((2, 37, 1), True, False),
        ((2, 39, 1), True, True),
        ((2, 63, 0), False, True),
    ],
)
def test_from_which_version_on_statuses_are_priced(version: tuple[int, ...], off: bool, priced: bool) -> None:
    assert are_priced(version, {**appsettings.DEFAULTS, SWITCH: off}) == priced


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed", "deleted"])
@pytest.mark.parametrize("priced", [True, False])
def test_statuses(status: str, priced: bool) -> None:
    errors = [error_item(470, "x")] if status == "failed" else []
    body = status_body("m1", "4917000001", status, 1_700_000_000, errors, priced=priced)
    callback_schema.read(msgspec.json.encode(body))
    [item] = body["statuses"]
    assert ("conversation" in item, "pricing" in item) == (priced and status in ("sent", "delivered"),) * 2


def test_a_conversation_lasts_to_the_end_of_its_day() -> None:
    def one(wa_id: str, at: int) -> dict[str, object]:
        found = status_body("m1", wa_id, "sent", at, priced=True)["statuses"][0]["conversation"]
        assert found["expiration_timestamp"] > at
        return dict(found)

    assert one("49170", 86400) == one("49170", 2 * 86400 - 1)
    assert one("49170", 86400)["id"] != one("49170", 2 * 86400)["id"]
    assert one("49170", 86400)["id"] != one("49171", 86400)["id"]


MESSAGE = {"from": "49170", "id": "x", "timestamp": "1", "type": "text", "text": {"body": "Hi"}}
CONTACT = {"profile": {"name": "Anna"}, "wa_id": "49170"}
STATUS = {"id": "x", "recipient_id": "49170", "status": "sent", "timestamp": "1"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"statuses": []},
        {"colour": "red"},
        {"statuses": [{**STATUS, "colour": "red"}]},
        {"statuses": [{**STATUS, "timestamp": 1}]},
        {"statuses": [{**STATUS, "status": "lost"}]},
        {"statuses": [{**STATUS, "errors": [{"code": 470, "title": "x"}]}]},
        {"statuses": [{**STATUS, "status": "read", "pricing": {"pricing_model": "CBP", "billable": True}}]},
        {"messages": [MESSAGE]},
        {"contacts": [CONTACT]},
        {"contacts": [CONTACT], "messages": [{**MESSAGE, "type": "image"}]},
        {"contacts": [CONTACT], "messages": [MESSAGE], "statuses": [STATUS]},
        {"errors": [{"code": 1, "title": "x"}]},
    ],
)
def test_what_is_no_callback_is_found(body: object) -> None:
    with pytest.raises(ValueError):
        callback_schema.read(msgspec.json.encode(body))


@pytest.mark.parametrize(
    "body",
    [
        {"contacts": [CONTACT], "messages": [MESSAGE]},
        {"errors": [{"code": 501, "title": "x"}], "contacts": [CONTACT], "messages": [MESSAGE]},
        {"services": [{"message": {"gc": {"messages_deleted": 3, "status": "complete"}}}]},
        {"errors": [{"code": 1000, "title": "x"}]},
    ],
)
def test_callbacks(body: object) -> None:
    callback_schema.read(msgspec.json.encode(body))
