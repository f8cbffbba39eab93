"""Certificates, two-step verification, backup and restore (reference 4.4, 4.6, 6.8)."""

from __future__ import annotations

import typing as t

import pytest

from tests.web.conftest import Api, Cluster
from tests.web.standin import StandIn
from tests.web.test_tls import issue
from tests.web.test_users import code
from waemu.schema import tables
from waemu.store.engine import utc_now
from waemu.web import backup
from waemu.web.errors import ApiError

EXTERNAL = "/v1/certificates/external"
WEBHOOKS = "/v1/certificates/webhooks/ca"
TWO_STEP = "/v1/settings/account/two-step"
PLAIN = {"Content-Type": "text/plain"}


@pytest.fixture
async def master(nodes: Cluster) -> StandIn:
    """A primary master that agrees to everything."""
    node = await nodes.add("wa-master-1", "master")
    await nodes.primary("wa-master-1")
    node.replies.update(
        {
            "GET /settings/application": {"application": {"heartbeat_interval": 7}},
            "PATCH /settings/application": {"application": {}},
            "POST /settings/account/two-step": {"ok": True},
            "DELETE /settings/account/two-step": {"ok": True},
        }
    )
    return node


async def test_external_chain(api: Api) -> None:
    root = issue("root")
    intermediate = issue("intermediate", root)
    leaf = issue("leaf", intermediate)
    chain = leaf.key_pem + leaf.pem + intermediate.pem
    response = await api.request("POST", EXTERNAL, data=chain, headers=PLAIN)
    assert (response.status, await response.text()) == (200, "null")
    response = await api.request("GET", EXTERNAL + "/ca")
    assert (response.status, response.content_type) == (200, "text/plain")
    assert await response.text() == intermediate.pem


async def test_a_broken_chain_is_taken_but_not_nonsense(api: Api) -> None:
    leaf = issue("leaf")
    assert (await api.request("POST", EXTERNAL, data=leaf.key_pem, headers=PLAIN)).status == 200
    for text in ("", "nonsense", leaf.pem, "x" * 70_000, "\x00"):
        status, body = await api.call("POST", EXTERNAL, data=text.encode(), headers=PLAIN)
        assert (status, code(body)) == (400, 1009)


async def test_webhook_ca(api: Api) -> None:
    status, body = await api.call("GET", WEBHOOKS)
    assert (status, code(body)) == (404, 1006)
    pem = issue("hooks").pem
    status, body = await api.call("POST", WEBHOOKS, data=pem, headers=PLAIN)
    assert (status, list(body)) == (200, ["meta"])
    assert await api.call("GET", WEBHOOKS) == (200, pem.encode())
    assert (await api.call("DELETE", WEBHOOKS))[0] == 200
    assert (await api.call("GET", WEBHOOKS))[0] == 404
    status, body = await api.call("POST", WEBHOOKS, data=issue("x").key_pem, headers=PLAIN)
    assert (status, code(body)) == (400, 1009)


async def test_two_step(api: Api, master: StandIn) -> None:
    assert (await api.call("POST", TWO_STEP, {"pin": "123456"}))[0] == 200
    assert (await api.call("DELETE", TWO_STEP))[0] == 200
    assert master.asked == [
        ("POST /settings/account/two-step", {"pin": "123456"}),
        ("DELETE /settings/account/two-step", None),
    ]
    for pin in ("12345", "1234567", "abcdef", 123456):
        status, body = await api.call("POST", TWO_STEP, {"pin": pin})
        assert (status, code(body)) == (400, 1009)


async def _registered(nodes: Cluster, **values: t.Any) -> None:
    async with nodes.engine.begin() as connection:
        change = {"state": "registered", "cc": "1", "phone_number": "5550100", "vname": "Shop", "identity": "key-1"}
        await connection.execute(
            tables.account.update().values(**change, registered_at=utc_now(), registration_id=77, **values)
        )


async def _account(nodes: Cluster) -> t.Any:
    async with nodes.engine.connect() as connection:
        return (await connection.execute(tables.account.select())).one()


async def _forget(nodes: Cluster) -> None:
    async with nodes.engine.begin() as connection:
        blank = dict.fromkeys(("cc", "phone_number", "vname", "identity", "registered_at", "registration_id"))
        await connection.execute(tables.account.update().values(state="unregistered", **blank))


async def test_backup_and_restore(api: Api, nodes: Cluster, master: StandIn) -> None:
    await _registered(nodes)
    before = await _account(nodes)
    status, body = await api.call("POST", "/v1/settings/backup", {"password": "p"})
    assert status == 200
    data = body["settings"]["data"]
    assert "5550100" not in data
    await _forget(nodes)
    status, body = await api.call("POST", "/v1/settings/restore", {"password": "wrong", "data": data})
    assert (status, code(body)) == (400, 1009)
    assert (await _account(nodes)).state == "unregistered"
    status, body = await api.call("POST", "/v1/settings/restore", {"password": "p", "data": data})
    assert (status, list(body)) == (200, ["meta"])
    assert await _account(nodes) == before
    assert master.asked[-1] == ("PATCH /settings/application", {"heartbeat_interval": 7})


async def test_only_a_registered_client_is_backed_up(api: Api, master: StandIn) -> None:
    status, body = await api.call("POST", "/v1/settings/backup", {"password": "p"})
    assert (status, code(body)) == (400, 1025)
    master.replies["GET /settings/application"] = 1017
    status, body = await api.call("POST", "/v1/settings/backup", {"password": "p"})
    assert (status, code(body)) == (503, 1017)


@pytest.mark.usefixtures("master")
async def test_a_registered_client_is_restored_and_each_restore_is_another_one(api: Api, nodes: Cluster) -> None:
    await _registered(nodes)
    before = await _account(nodes)
    data = (await api.call("POST", "/v1/settings/backup", {"password": "p"}))[1]["settings"]["data"]
    conditions = set()
    for _ in range(2):
        status, body = await api.call("POST", "/v1/settings/restore", {"password": "p", "data": data})
        assert (status, list(body)) == (200, ["meta"])
        after = await _account(nodes)
        assert (after.identity, after.state) == (before.identity, "registered")
        conditions.add(after.condition)
    assert len(conditions) == 2
    assert "ok" not in conditions


@pytest.mark.usefixtures("master")
async def test_a_restore_wants_as_many_shards(api: Api, nodes: Cluster) -> None:
    await _registered(nodes)
    data = (await api.call("POST", "/v1/settings/backup", {"password": "p"}))[1]["settings"]["data"]
    request = {"password": "p", "data": data}
    await _forget(nodes)
    await nodes.shards(2)
    status, body = await api.call("POST", "/v1/settings/restore", request)
    assert (status, code(body)) == (400, 1025)
    assert "1 shards" in body["errors"][0]["details"]


@pytest.mark.parametrize("data", ["", "x", "AAAA", "é", backup.seal(b"{}", "q")[:-8] + "AAAAAAA="])
def test_what_is_no_backup(data: str) -> None:
    with pytest.raises(ApiError) as refused:
        backup.unseal(data, "q")
    assert refused.value.code == 1009
