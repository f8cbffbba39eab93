"""Messages: what is let through to a coreapp, and what each broken rule answers (reference 4.7, 5.1)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from tests.web.conftest import Api, Cluster, running, web_env
from tests.web.standin import StandIn
from tests.web.test_users import code
from waemu import versions
from waemu.environment import DbEnv
from waemu.schema import tables
from waemu.store.engine import utc_now

LANGUAGE = {"policy": "deterministic", "code": "en"}
TEMPLATE = {"namespace": "ns", "name": "hello", "language": LANGUAGE}
SECTION = {"title": "one", "rows": [{"id": "1", "title": "row"}]}
BODY = {"text": "choose"}

GOOD: list[dict[str, t.Any]] = [
    {"text": {"body": "hello"}},
    {"type": "text", "recipient_type": "individual", "text": {"body": "x" * 4096}, "preview_url": True},
    {"type": "image", "image": {"id": "m1", "caption": "look"}},
    {"type": "audio", "audio": {"link": "https://example.test/a.ogg", "provider": {"name": "p"}}},
    {"type": "video", "video": {"link": "http://example.test/v.mp4"}},
    {"type": "document", "document": {"id": "m1", "filename": "a.pdf", "caption": "x"}},
    {"type": "sticker", "sticker": {"id": "m1"}},
    {"type": "location", "location": {"latitude": 1.5, "longitude": -2, "name": "here", "address": "x"}},
    {"type": "location", "location": {"latitude": "1.5", "longitude": "-2"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "A B"}, "phones": [{"phone": "1"}]}]},
    {"type": "template", "template": TEMPLATE},
    {
        "type": "template",
        "template": {
            **TEMPLATE,
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.test/i"}}]},
                {"type": "body", "parameters": [{"type": "text", "text": "x"}]},
                {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": []},
            ],
        },
    },
    {"type": "hsm", "hsm": {"namespace": "ns", "element_name": "x", "language": LANGUAGE, "localizable_params": []}},
    {
        "type": "interactive",
        "interactive": {"type": "list", "body": BODY, "action": {"button": "b", "sections": [SECTION]}},
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "text", "text": "h"},
            "body": BODY,
            "footer": {"text": "f"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "yes"}}] * 3},
        },
    },
    {
        "type": "interactive",
        "interactive": {"type": "product", "action": {"catalog_id": "1", "product_retailer_id": "2"}},
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "product_list",
            "body": BODY,
            "action": {"catalog_id": "1", "sections": [{"product_items": [{"product_retailer_id": "1"}]}]},
        },
    },
]


def interactive(**action: t.Any) -> dict[str, t.Any]:
    """A message with a list."""
    return {"type": "interactive", "interactive": {"type": "list", "body": BODY, "action": {"button": "b", **action}}}


BAD: list[tuple[dict[str, t.Any], int, str]] = [
    (interactive(sections=[{**SECTION, "title": "one\ntwo"}]), 2017, "interactive.action.sections[0].title"),
    (
        interactive(sections=[{"rows": [{"id": "1", "title": " "}]}]),
        2017,
        "interactive.action.sections[0].rows[0].title",
    ),
    (
        {
            "type": "template",
            "template": {
                **TEMPLATE,
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "a\nb"}]}],
            },
        },
        2006,
        "template.components[0].parameters[0].text",
    ),
    ({}, 1008, "text"),
    ({"text": {}}, 1008, "text.body"),
    ({"text": {"body": ""}}, 1009, "text.body"),
    ({"text": {"body": "x" * 4097}}, 1001, "text.body"),
    ({"text": {"body": "x"}, "recipient_type": "crowd"}, 1002, "recipient_type"),
    ({"text": {"body": "x"}, "recipient_type": "group"}, 1012, "to"),
    ({"text": {"body": "x"}, "to": "+49 170"}, 1009, "to"),
    ({"text": {"body": "x"}, "to": "1" * 21}, 1009, "to"),
    ({"text": {"body": "x"}, "to": 49170}, 1009, "to"),
    ({"text": {"body": "x"}, "to": ""}, 1009, "to"),
    ({"text": {"body": "x"}, "type": "smoke"}, 1009, "type"),
    ({"text": {"body": "x"}, "image": {"id": "1"}}, 1010, "image"),
    ({"type": "image", "text": {"body": "x"}}, 1008, "image"),
    ({"type": "image", "image": {}}, 1008, "image.id or image.link"),
    ({"type": "image", "image": {"id": "1", "link": "https://x"}}, 1010, "image.link"),
    ({"type": "image", "image": {"link": "ftp://x"}}, 1009, "image.link"),
    ({"type": "image", "image": {"id": "1", "filename": "x"}}, 1010, "image.filename"),
    ({"type": "audio", "audio": {"id": "1", "caption": "x"}}, 1010, "audio.caption"),
    ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 1009, "location.latitude"),
    ({"type": "location", "location": {"latitude": "north", "longitude": 0}}, 1009, "location.latitude"),
    ({"type": "location", "location": {"latitude": 1}}, 1008, "location.longitude"),
    ({"type": "contacts", "contacts": []}, 1009, "contacts"),
    ({"type": "contacts", "contacts": [{"name": {}}]}, 1008, "contacts[0].name.formatted_name"),
    ({"type": "template", "template": {**TEMPLATE, "namespace": ""}}, 2014, "template.namespace"),
    ({"type": "template", "template": {"namespace": "x", "name": "y"}}, 1008, "template.language"),
    (
        {"type": "template", "template": {**TEMPLATE, "language": {"policy": "x", "code": "en"}}},
        1009,
        "template.language.policy",
    ),
    (
        {"type": "template", "template": {**TEMPLATE, "components": [{"type": "button"}]}},
        1008,
        "template.components[0].sub_type",
    ),
    (
        {
            "type": "template",
            "template": {**TEMPLATE, "components": [{"type": "body", "parameters": [{"type": "text"}]}]},
        },
        1008,
        "template.components[0].parameters[0].text",
    ),
    (interactive(sections=[]), 2015, "interactive.action.sections"),
    (interactive(sections=[SECTION] * 11), 2015, "interactive.action.sections"),
    ({"type": "interactive", "interactive": {"type": "list", "action": {}}}, 1008, "interactive.body"),
    (
        {"type": "interactive", "interactive": {"type": "button", "body": BODY, "action": {}}},
        1009,
        "interactive.action.buttons",
    ),
    ({"type": "interactive", "interactive": {"type": "product", "action": {}}}, 1008, "interactive.action.catalog_id"),
]


@pytest.fixture
async def owner(nodes: Cluster) -> StandIn:
    """The owner of the only shard, which accepts everything."""
    node = await nodes.add("wa-coreapp-1")
    node.replies["POST /messages"] = lambda body: {"id": body["id"]}
    times = {"created_at": utc_now(), "last_used_at": utc_now()}
    await nodes.insert(tables.media, id="m1", mime="image/png", size=1, path="", **times)
    await nodes.own("wa-coreapp-1", 0)
    return node


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message.get("type", "text"))
async def test_good_messages(api: Api, owner: StandIn, message: dict[str, t.Any]) -> None:
    status, body = await api.call("POST", "/v1/messages", {"to": "491700000", **message})
    assert status == 201, body
    [(_, sent)] = owner.asked
    kind = message.get("type", "text")
    assert sent["type"] == kind
    assert sent["body"][kind] == message[kind]


@pytest.mark.parametrize(("message", "expected", "named"), BAD)
async def test_bad_messages_reach_nobody(
    api: Api, owner: StandIn, message: dict[str, t.Any], expected: int, named: str
) -> None:
    status, body = await api.call("POST", "/v1/messages", {"to": "491700000", **message})
    assert code(body) == expected, body
    assert status == (404 if expected == 1012 else 400)
    assert f"'{named}'" in body["errors"][0]["details"]
    assert owner.asked == []


@pytest.mark.usefixtures("owner")
async def test_too_many_rows(api: Api) -> None:
    rows = [{"id": str(i), "title": "x"} for i in range(11)]
    status, body = await api.call("POST", "/v1/messages", {"to": "1", **interactive(sections=[{"rows": rows}])})
    assert (status, code(body), body["errors"][0]["title"]) == (400, 2016, "Invalid number of rows")


@pytest.mark.usefixtures("owner")
async def test_ids_differ(api: Api) -> None:
    answers = [await api.call("POST", "/v1/messages", {"to": "1", "text": {"body": "x"}}) for _ in range(20)]
    assert len({body["messages"][0]["id"] for _, body in answers}) == 20


@pytest.mark.usefixtures("nodes")
async def test_unknown_media_reach_nobody(api: Api, owner: StandIn) -> None:
    status, body = await api.call("POST", "/v1/messages", {"to": "1", "type": "image", "image": {"id": "m2"}})
    assert (status, code(body)) == (404, 1006)
    assert owner.asked == []


async def test_without_the_volume_only_media_messages_fail(api: Api, owner: StandIn) -> None:
    api.webapp.media_dir = api.webapp.media_dir / "gone"
    status, body = await api.call("POST", "/v1/messages", {"to": "1", "type": "image", "image": {"id": "m1"}})
    assert (status, code(body)) == (500, 1014)
    assert owner.asked == []
    assert (await api.call("POST", "/v1/messages", {"to": "1", "text": {"body": "x"}}))[0] == 201


async def test_before_2_39_contacts_can_be_required(api: Api, clean: DbEnv, owner: StandIn, nodes: Cluster) -> None:
    env, wa_id = web_env(clean, version="v2.37.2", contacts_required=True), "4917000001"
    message: dict[str, t.Any] = {"to": wa_id, "text": {"body": "x"}}
    async with running(env, api.webapp.media_dir) as other:
        other.token = api.token
        status, body = await other.call("POST", "/v1/messages", message)
        assert (status, code(body), owner.asked) == (404, 1006, [])
        checked = {"input": f"+{wa_id}", "status": "valid", "wa_id": wa_id}
        owner.replies["POST /contacts"] = {"contacts": [checked]}
        await other.call("POST", "/v1/contacts", {"contacts": [f"+{wa_id}"], "blocking": "wait"})
        assert (await other.call("POST", "/v1/messages", message))[0] == 201
        message["to"] = "4917000002"
        assert (await other.call("POST", "/v1/messages", message))[0] == 404
        await incoming(nodes, owner, message["to"])
        assert (await other.call("POST", "/v1/messages", message))[0] == 201
    async with running(replace(env, version=versions.parse("v2.39.1")), api.webapp.media_dir) as other:
        other.token = api.token
        assert (await other.call("POST", "/v1/messages", {**message, "to": "4917000003"}))[0] == 201


async def incoming(nodes: Cluster, owner: StandIn, wa_id: str) -> None:
    """Message in-1 from a user."""
    await nodes.insert(
        tables.messages,
        id="in-1",
        direction="in",
        wa_id=wa_id,
        shard=0,
        type="text",
        body={},
        status="delivered",
        node_key=owner.key,
        created_at=utc_now(),
    )


async def test_mark_read(api: Api, owner: StandIn, nodes: Cluster) -> None:
    owner.replies["PUT /messages/in-1"] = {"ok": True}
    await incoming(nodes, owner, "1")
    status, body = await api.call("PUT", "/v1/messages/in-1", {"status": "read"})
    assert (status, list(body)) == (200, ["meta"])
    assert owner.asked == [("PUT /messages/in-1", {"status": "read"})]
    status, body = await api.call("PUT", "/v1/messages/in-2", {"status": "read"})
    assert (status, code(body)) == (404, 1006)
    status, body = await api.call("PUT", "/v1/messages/in-1", {"status": "delivered"})
    assert (status, code(body)) == (400, 1009)
