"""Application settings (reference 4.4)."""

from __future__ import annotations

import typing as t

import pytest

from tests.web.conftest import Api, Cluster
from tests.web.standin import StandIn
from tests.web.test_users import code
from waemu.web.bodies import decode
from waemu.web.errors import ApiError
from waemu.web.settings import ApplicationSettings, desired_change

PATH = "/v1/settings/application"


@pytest.fixture
async def master(nodes: Cluster) -> StandIn:
    """A primary master that takes every change."""
    node = await nodes.add("wa-master-1", "master")
    await nodes.primary("wa-master-1")
    node.replies["PATCH /settings/application"] = {"application": {}}
    node.replies["DELETE /settings/application"] = {"application": {}}
    return node


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ({}, {}),
        ({"heartbeat_interval": 7}, {"heartbeat_interval": 7}),
        ({"heartbeat_interval": "7", "unhealthy_interval": "31"}, {"heartbeat_interval": 7, "unhealthy_interval": 31}),
        ({"callback_backoff_delay_ms": "3000"}, {"callback_backoff_delay_ms": 3000}),
        ({"webhooks": {"url": "https://example.test/hook"}}, {"webhooks": {"url": "https://example.test/hook"}}),
        ({"webhooks": {"url": ""}}, {"webhooks": {"url": ""}}),
        ({"webhooks": {"max_concurrent_requests": "24"}}, {"webhooks": {"max_concurrent_requests": 24}}),
        ({"media": {"auto_download": ["image", "voice"]}}, {"media": {"auto_download": ["image", "voice"]}}),
        ({"media": {"auto_download": []}}, {"media": {"auto_download": []}}),
        ({"db_garbagecollector_enable": False}, {"garbagecollector_enable": {"messages": False}}),
        ({"callback_persist": False, "on_call_pager": ""}, {"callback_persist": False, "on_call_pager": ""}),
    ],
)
async def test_only_what_was_sent_is_stored(
    api: Api, master: StandIn, body: dict[str, t.Any], stored: dict[str, t.Any]
) -> None:
    status, answer = await api.call("PATCH", PATH, body)
    assert (status, list(answer)) == (200, ["meta"])
    assert master.asked == [("PATCH /settings/application", stored)]


@pytest.mark.parametrize(
    ("body", "expected", "named"),
    [
        ({"heartbeat_interval": 0}, 1009, "heartbeat_interval"),
        ({"heartbeat_interval": "0"}, 1009, "heartbeat_interval"),
        ({"heartbeat_interval": 1.5}, 1009, "heartbeat_interval"),
        ({"heartbeat_interval": "5s"}, 1009, "heartbeat_interval"),
        ({"heartbeat_interval": "9999999999"}, 1009, "heartbeat_interval"),
        ({"callback_persist": "true"}, 1009, "callback_persist"),
        ({"webhooks": {"url": "http://example.test"}}, 1009, "webhooks.url"),
        ({"webhooks": {"max_concurrent_requests": 7}}, 1009, "webhooks.max_concurrent_requests"),
        ({"webhooks": {"message": {"read": "no"}}}, 1009, "webhooks.message.read"),
        ({"media": {"auto_download": ["gif"]}}, 1009, "media.auto_download[0]"),
        (
            {"db_garbagecollector_enable": True, "garbagecollector_enable": {"messages": True}},
            1010,
            "db_garbagecollector_enable",
        ),
    ],
)
async def test_bad_values_reach_nobody(
    api: Api, master: StandIn, body: dict[str, t.Any], expected: int, named: str
) -> None:
    status, answer = await api.call("PATCH", PATH, body)
    assert (status, code(answer)) == (400, expected)
    assert f"'{named}'" in answer["errors"][0]["details"]
    assert master.asked == []


@pytest.mark.parametrize("unknown", [{"wa_id": "1"}, {"nobody_knows": 1}, {"webhooks": {"uri": "https://x"}}])
async def test_unknown_settings_are_ignored(api: Api, master: StandIn, unknown: dict[str, t.Any]) -> None:
    assert (await api.call("PATCH", PATH, {"heartbeat_interval": 7, **unknown}))[0] == 200
    [(_, sent)] = master.asked
    assert {name: value for name, value in sent.items() if value} == {"heartbeat_interval": 7}


async def test_reset(api: Api, master: StandIn) -> None:
    status, answer = await api.call("DELETE", PATH)
    assert (status, list(answer)) == (200, ["meta"])
    assert [call for call, _ in master.asked] == ["DELETE /settings/application"]


def test_statuses_are_chosen_one_by_one_since_2_41_2() -> None:
    body = decode(b'{"webhooks": {"message": {"read": false}}}', ApplicationSettings)
    assert desired_change(body, (2, 41, 2)) == {"webhooks": {"message": {"read": False}}}
    assert desired_change(body, (2, 41, 1)) == {}
    body = decode(b'{"webhooks": {"url": "https://x", "message": {"read": false}}}', ApplicationSettings)
    assert desired_change(body, (2, 41, 1)) == {"webhooks": {"url": "https://x"}}


def test_pass_through_cannot_be_enabled_since_2_35() -> None:
    body = decode(b'{"pass_through": true}', ApplicationSettings)
    assert desired_change(body, (2, 33, 3)) == {"pass_through": True}
    with pytest.raises(ApiError) as refused:
        desired_change(body, (2, 35, 4))
    assert refused.value.code == 1009
    off = decode(b'{"pass_through": false}', ApplicationSettings)
    assert desired_change(off, (2, 63, 0)) == {"pass_through": False}
