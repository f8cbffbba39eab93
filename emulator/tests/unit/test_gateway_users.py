"""What the gateway knows of users: failures, the 24 hours, media, templates (reference 4.7, 5)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

from tests.unit.test_gateway import DIVISOR, NUMBER, World, message, world
from waemu.core.gateway_link import MediaGone
from waemu.core.remote_link import RemoteLink
from waemu.gateway.state import MEDIA_KEPT
from waemu.protocol.gateway import Inbound, Receipt
from waemu.whatsapp.users import WINDOW, Failure, Users

__all__ = ["world"]

USER = "15550001"
TEMPLATE = {"namespace": "shop", "name": "greeting", "language": "en", "body": "Hello {{1}}"}


async def outcome(node: RemoteLink, message_id: str) -> tuple[str, list[int]]:
    """What is reported first of a message, with the codes of its errors."""
    while True:
        events = await asyncio.wait_for(node.receive(), PATIENCE)
        await node.acknowledge(events)
        for event in events:
            if isinstance(event, Receipt) and event.message_id == message_id:
                return event.status, [error["code"] for error in event.errors]


async def test_failures_are_reported_once_each(world: World) -> None:
    node = world.node("a:a", count=1)
    await node.connect(frozenset({0}))
    await world.admin("POST", "/failures", {"number": NUMBER, "wa_id": USER, "code": 471, "times": 2})
    await node.send([message("1"), message("2"), message("3"), message("4", "15550002")])
    found = {}
    for message_id in ("1", "2"):
        entry = await world.admin("GET", f"/ledger/{NUMBER}/{message_id}")
        found[message_id] = (entry["error"], entry["failed_at"] is not None)
    assert found == {"1": (471, True), "2": (471, True)}
    assert await outcome(node, "3") == ("delivered", [])
    assert (await world.admin("GET", f"/ledger/{NUMBER}/4"))["error"] == 0


async def test_a_receipt_can_be_asked_for(world: World) -> None:
    node = world.node("a:a", count=1)
    await node.connect(frozenset({0}))
    await node.send([message("1")])
    assert await outcome(node, "1") == ("delivered", [])
    request_body = {"number": NUMBER, "id": "1", "status": "failed", "errors": [480]}
    await world.admin("POST", "/receipts", request_body)
    while (found := await outcome(node, "1")) == ("read", []):
        pass
    assert found == ("failed", [480])
    await world.admin("POST", "/receipts", {**request_body, "id": "2"}, status=404)
    await world.admin("POST", "/receipts", {**request_body, "status": "lost"}, status=400)


@pytest.mark.parametrize("version", ["v2.19.4", "v2.43.1"])
async def test_nodes_learn_of_users_and_templates_at_once(world: World, version: str) -> None:
    node = world.node("a:a", version=version)
    await world.admin("POST", "/users", {"number": NUMBER, "wa_id": USER, "problem": 1026})
    await node.connect(frozenset({0}))
    assert node.directory.users == {USER: 1026}
    await world.admin("POST", f"/templates/{NUMBER}", TEMPLATE)
    await world.admin("POST", "/users", {"number": NUMBER, "wa_id": USER, "problem": 1013})
    await world.admin("POST", "/users", {"number": NUMBER, "wa_id": "other", "problem": 7}, status=400)
    async with asyncio.timeout(PATIENCE):
        while node.directory.users == {USER: 1026}:
            await asyncio.sleep(0.01)
    assert node.directory.users == ({USER: 1013} if version == "v2.19.4" else {})
    assert [template.name for template in node.directory.templates] == ["greeting"]
    assert [one["name"] for one in await world.admin("GET", f"/templates/{NUMBER}")] == ["greeting"]
    assert await world.admin("DELETE", f"/templates/{NUMBER}") == {"removed": 1}


@pytest.mark.parametrize(
    ("kind", "problem", "expected"),
    [("text", 1013, 470), ("template", 1013, 1013), ("text", 1026, 1026), ("text", 0, None)],
)
def test_who_cannot_be_reached(kind: str, problem: int, expected: int | None) -> None:
    users = Users()
    users.change(USER, problem)
    found = users.failure(USER, kind, 0.0)
    assert (found and found["code"]) == expected


def test_the_24_hours_count_when_they_are_asked_for() -> None:
    users = Users()
    assert users.failure(USER, "text", 0.0) is None
    users.window = True
    assert users.failure(USER, "text", 0.0)["code"] == 470  # type: ignore[index]
    assert users.failure(USER, "template", 0.0) is None
    users.wrote(USER, 10.0)
    assert users.failure(USER, "text", 10.0 + WINDOW) is None
    assert users.failure(USER, "text", 11.0 + WINDOW)["code"] == 470  # type: ignore[index]


def test_a_failure_of_one_user_is_not_that_of_another() -> None:
    users = Users()
    users.failures.append(Failure(USER, 472))
    assert users.failure("15550002", "text", 0.0) is None
    assert users.failure(USER, "template", 0.0)["code"] == 472  # type: ignore[index]
    assert users.failure(USER, "template", 0.0) is None


async def test_media_of_users_are_kept_for_a_while(world: World) -> None:
    node = world.node("a:a", count=1)
    await node.connect(frozenset({0}))
    content = b"a picture"
    body: dict[str, Any] = {"data": base64.b64encode(content).decode(), "mime_type": "image/png", "caption": "look"}
    request_body = {"number": NUMBER, "wa_id": USER, "type": "image", "body": body}
    await world.admin("POST", "/inbound", request_body)
    await world.admin("POST", "/inbound", {**request_body, "body": {"data": "not base64"}}, status=400)
    [event] = await asyncio.wait_for(node.receive(), PATIENCE)
    assert isinstance(event, Inbound)
    assert (event.body["sha256"], event.body["caption"]) == (hashlib.sha256(content).hexdigest(), "look")
    assert await node.download(event.body["id"]) == content
    key = NUMBER, event.body["id"]
    came_at, kept = world.gateway.media[key]
    world.gateway.media[key] = (came_at - MEDIA_KEPT - DIVISOR, kept)
    with pytest.raises(MediaGone):
        await node.download(event.body["id"])
    with pytest.raises(MediaGone):
        await node.download("never-there")
