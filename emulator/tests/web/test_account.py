"""Registration and the shard count (reference 4.3)."""

from __future__ import annotations

import pytest

from tests.web.conftest import Api, Cluster, running, web_env
from tests.web.standin import StandIn
from tests.web.test_users import code
from waemu.environment import DbEnv

NUMBER = {"cc": "1", "phone_number": "5550100"}
REQUEST = {**NUMBER, "method": "sms", "cert": "Q2VydA=="}


@pytest.fixture
async def master(nodes: Cluster) -> StandIn:
    """A primary master."""
    node = await nodes.add("wa-master-1", "master")
    await nodes.primary("wa-master-1")
    return node


@pytest.mark.parametrize("status", [201, 202])
async def test_request_code(api: Api, master: StandIn, status: int) -> None:
    master.replies["POST /account"] = {"http_status": status, "vname": "Farm & Co"}
    answered, body = await api.call("POST", "/v1/account", {**REQUEST, "pin": "123456"})
    assert (answered, body["account"]) == (status, [{"vname": "Farm & Co"}])
    assert master.asked == [("POST /account", {**REQUEST, "pin": "123456"})]


@pytest.mark.parametrize(
    ("change", "expected", "named"),
    [
        ({"cc": None}, 1009, "cc"),
        ({"cc": "+1"}, 1009, "cc"),
        ({"phone_number": "555-0100"}, 1009, "phone_number"),
        ({"method": "pigeon"}, 1009, "method"),
        ({"cert": ""}, 1009, "cert"),
        ({"pin": "12345"}, 1009, "pin"),
        ({"pin": 123456}, 1009, "pin"),
        ({"color": "red"}, 1010, "color"),
    ],
)
async def test_bad_requests_reach_nobody(
    api: Api, master: StandIn, change: dict[str, object], expected: int, named: str
) -> None:
    status, body = await api.call("POST", "/v1/account", {**REQUEST, **change})
    assert (status, code(body)) == (400, expected)
    assert f"'{named}'" in body["errors"][0]["details"]
    assert master.asked == []


@pytest.mark.parametrize("absent", ["cc", "phone_number", "method", "cert"])
@pytest.mark.usefixtures("master")
async def test_required_parameters(api: Api, absent: str) -> None:
    body = {name: value for name, value in REQUEST.items() if name != absent}
    status, answer = await api.call("POST", "/v1/account", body)
    assert (status, code(answer)) == (400, 1008)
    assert f"'{absent}'" in answer["errors"][0]["details"]


async def test_verify(api: Api, master: StandIn) -> None:
    master.replies["POST /account/verify"] = {"ok": True}
    status, body = await api.call("POST", "/v1/account/verify", {"code": "123456"})
    assert (status, list(body)) == (201, ["meta"])
    assert master.asked == [("POST /account/verify", {"code": "123456"})]


async def test_read_shards(api: Api, nodes: Cluster) -> None:
    assert (await api.call("GET", "/v1/account/shards"))[1]["account"] == {"shards": 1}
    await nodes.shards(8)
    status, body = await api.call("GET", "/v1/account/shards/")
    assert (status, body["account"]) == (200, {"shards": 8})


@pytest.mark.parametrize("desired", [1, 32, "4"])
async def test_set_shards(api: Api, master: StandIn, desired: object) -> None:
    master.replies["POST /account/shards"] = {"ok": True}
    status, body = await api.call("POST", "/v1/account/shards", {**NUMBER, "shards": desired, "cert": "Q2VydA=="})
    assert (status, list(body)) == (201, ["meta"])
    assert master.asked[0][1]["shards"] == int(str(desired))


@pytest.mark.parametrize("desired", [0, 3, 64, -1, "x", 2.0, None, True])
async def test_only_powers_of_two_up_to_32(api: Api, master: StandIn, desired: object) -> None:
    status, body = await api.call("POST", "/v1/account/shards", {**NUMBER, "shards": desired})
    assert (status, code(body)) == (400, 1009)
    assert master.asked == []


@pytest.mark.parametrize(("version", "expected"), [("v2.19.4", 201), ("v2.43.1", 201), ("v2.45.1", 400)])
async def test_the_certificate_is_required_since_2_45(
    api: Api, clean: DbEnv, master: StandIn, version: str, expected: int
) -> None:
    master.replies["POST /account/shards"] = {"ok": True}
    async with running(web_env(clean, version=version), api.webapp.media_dir) as other:
        other.token = api.token
        status, body = await other.call("POST", "/v1/account/shards", {**NUMBER, "shards": 2})
    assert status == expected
    assert body["meta"]["version"] == version
    if expected == 400:
        assert code(body) == 1008
