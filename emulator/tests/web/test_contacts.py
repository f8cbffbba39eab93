"""Contacts: checks, cache, identity, block (reference 4.7)."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.web.conftest import Api, Cluster, running, web_env
from tests.web.standin import StandIn
from tests.web.test_users import code
from waemu.environment import DbEnv
from waemu.schema import tables
from waemu.store.engine import in_seconds


@pytest.fixture
async def owner(nodes: Cluster) -> StandIn:
    """The owner of the only shard: numbers that start with + or 4 are WhatsApp users."""

    def check(body: dict[str, t.Any]) -> dict[str, t.Any]:
        found = [
            {"input": text, "status": "valid", "wa_id": re.sub("[^0-9]", "", text)}
            if text[0] in "+4"
            else {"input": text, "status": "invalid"}
            for text in body["contacts"]
        ]
        return {"contacts": found}

    node = await nodes.add("wa-coreapp-1")
    node.replies["POST /contacts"] = check
    await nodes.own("wa-coreapp-1", 0)
    return node


async def check(api: Api, *inputs: str, **more: t.Any) -> list[dict[str, t.Any]]:
    """Check contacts."""
    status, body = await api.call("POST", "/v1/contacts", {"contacts": list(inputs), **more})
    assert status == 200, body
    return t.cast("list[dict[str, t.Any]]", body["contacts"])


VALID = {"input": "+49170", "status": "valid", "wa_id": "49170"}
INVALID = {"input": "x", "status": "invalid"}


async def test_who_waits_gets_results_in_order(api: Api, owner: StandIn) -> None:
    assert await check(api, "x", "+49170", "x", blocking="wait") == [INVALID, VALID, INVALID]
    assert owner.asked[0][1]["contacts"] == ["x", "+49170"]


async def test_who_does_not_wait_gets_them_later(api: Api, owner: StandIn) -> None:
    assert await check(api, "+49170", "x") == [
        {"input": "+49170", "status": "processing"},
        {"input": "x", "status": "processing"},
    ]
    await api.webapp.finish()
    assert await check(api, "+49170", "x") == [VALID, INVALID]
    assert len(owner.asked) == 1


async def test_results_are_cached_for_seven_days(api: Api, nodes: Cluster, owner: StandIn) -> None:
    await check(api, "+49170", blocking="wait")
    for days, asked in ((6.9, 1), (7.1, 2)):
        async with nodes.engine.begin() as connection:
            await connection.execute(tables.contacts.update().values(checked_at=in_seconds(-days * 86400)))
        assert await check(api, "+49170", blocking="wait") == [VALID]
        assert len(owner.asked) == asked
    await check(api, "+49170", blocking="wait", force_check=True)
    assert len(owner.asked) == 3


@pytest.mark.usefixtures("owner")
async def test_no_form_of_a_number_makes_another_one_unknown(api: Api) -> None:
    forms = ("+49170", "49170", "+49 1-7-0", "+49170")
    for form in forms:
        await check(api, form, blocking="wait", force_check=True)
        assert (await api.call("GET", "/v1/contacts/49170/identity"))[0] == 200
    expected = [{"input": form, "status": "valid", "wa_id": "49170"} for form in forms]
    assert await check(api, *forms) == expected  # nobody has to wait for what is known under another form


async def test_since_2_43_everybody_is_valid(api: Api, clean: DbEnv, nodes: Cluster) -> None:
    async with running(web_env(clean, version="v2.43.1"), api.webapp.media_dir) as newer:
        newer.token = api.token
        assert await check(newer, "+49 170") == [{"input": "+49 170", "status": "valid", "wa_id": "49170"}]
        for method, blocked in (("POST", True), ("DELETE", False)):
            assert (await newer.call(method, "/v1/contacts/49170/block"))[0] == 200
            async with nodes.engine.connect() as connection:
                assert [bool(row.blocked) for row in await connection.execute(tables.contacts.select())] == [blocked]
        assert (await newer.call("POST", "/v1/contacts/49171/block"))[0] == 404


async def test_before_2_43_nobody_is_blocked(api: Api) -> None:
    status, body = await api.call("POST", "/v1/contacts/49170/block")
    assert (status, code(body)) == (404, 1006)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 1008),
        ({"contacts": []}, 1009),
        ({"contacts": [""]}, 1009),
        ({"contacts": [1]}, 1009),
        ({"contacts": ["\u0000"]}, 1009),
        ({"contacts": ["+1"], "blocking": "maybe"}, 1009),
        ({"contacts": ["+1"], "users": []}, 1010),
    ],
)
async def test_bad_checks(api: Api, body: dict[str, t.Any], expected: int) -> None:
    status, answer = await api.call("POST", "/v1/contacts", body)
    assert (status, code(answer)) == (400, expected)


async def test_a_check_needs_an_owner(api: Api) -> None:
    status, body = await api.call("POST", "/v1/contacts", {"contacts": ["+1"], "blocking": "wait"})
    assert (status, code(body)) == (503, 1018)


@pytest.mark.usefixtures("owner")
async def test_identity(api: Api) -> None:
    path = "/v1/contacts/49170/identity"
    assert (await api.call("GET", path))[0] == 404
    await check(api, "+49170", blocking="wait")
    identity = (await api.call("GET", path))[1]["identity"]
    assert identity["acknowledged"] is False
    status, body = await api.call("PUT", path, {"hash": "other"})
    assert (status, code(body)) == (400, 1028)
    assert (await api.call("PUT", path, {"hash": identity["hash"]}))[0] == 200
    again = (await api.call("GET", path))[1]["identity"]
    assert again == {**identity, "acknowledged": True}
