# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_settings through main() against a real HTTPS server."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_settings
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

PATH = "/v1/settings/application"
ACTUAL = {
    "heartbeat_interval": 5,
    "unhealthy_interval": 30,
    "callback_persist": True,
    "webhooks": {"url": "https://u:canary-hook@h/x", "max_concurrent_requests": 6},
    "media": {"auto_download": ["image", "audio"]},
}
DEFAULT = {
    "heartbeat_interval": 5,
    "unhealthy_interval": 30,
    "callback_persist": True,
    "webhooks": {"url": "", "max_concurrent_requests": 6},
    "media": {"auto_download": []},
}
KEYS = {"unknown", "changed", "changes", "restart_required", "settings", "problems"}


class Server:
    """Settings that a PATCH changes."""

    def __init__(self, api, take=True):
        self.now = copy.deepcopy(ACTUAL)
        self.take = take
        api.on("GET", PATH, lambda _call: (200, {"settings": {"application": self.now}, "meta": META}))
        api.on("PATCH", PATH, self.patch)
        api.on("DELETE", PATH, self.delete)

    def delete(self, _call):
        self.now = copy.deepcopy(DEFAULT)
        return 200, None

    def patch(self, call):
        if self.take:
            self.now.update(call.body)
        return 200, None


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module with these settings."""

    def call(settings, **args):
        result = run_module(wa_settings, capfd, settings=settings, **dict(access, **args))
        assert set(result) >= KEYS
        assert "canary-hook" not in str(result)
        return result

    return call


DESIRED = {"unhealthy_interval": 20, "heartbeat_interval": "5", "webhooks": {"max_concurrent_requests": 12}}


def test_check_real_again_and_diff(api, run):
    server = Server(api)
    diff = {
        "before": {"unhealthy_interval": 30, "webhooks.max_concurrent_requests": 6},
        "after": {"unhealthy_interval": 20, "webhooks.max_concurrent_requests": 12},
    }
    checked = run(DESIRED, check=True, diff=True)
    assert checked["changed"] and checked["diff"] == diff and api.writes == [] and server.now == ACTUAL

    real = run(DESIRED, diff=True)
    assert real["changed"] and real["diff"] == diff
    assert real["changes"] == checked["changes"]
    assert real["restart_required"] == ["webhooks.max_concurrent_requests"]
    assert real["settings"]["unhealthy_interval"] == 20
    patches = [call.body for call in api.calls if call.method == "PATCH"]
    assert patches == [
        {
            "unhealthy_interval": 20,
            "webhooks": {"url": "https://u:canary-hook@h/x", "max_concurrent_requests": 12},
        }
    ]

    again = run(DESIRED)
    assert not again["changed"] and again["changes"] == [] and again["restart_required"] == []
    assert len(api.writes) == 1


def test_order_of_a_list_says_nothing(api, run):
    Server(api)
    assert not run({"media": {"auto_download": ["audio", "image"]}})["changed"]


def test_secret_inside_of_an_address_is_hidden(api, run):
    Server(api)
    result = run({"webhooks": {"url": "https://u:canary-hook-2@other/x"}}, check=True, diff=True)
    assert result["diff"]["after"] == {"webhooks.url": "https://***@other/x"}


def test_all_refusals_at_once_before_any_call(api, run):
    result = run({"wa_id": "1", "webhooks": {"max_concurrent_requests": 7}})
    assert result["failure"]["code"] == "SETTINGS_INVALID"
    assert [problem["code"] for problem in result["problems"]] == ["SETTING_INVALID"] * 2
    assert "it is read-only" in result["msg"] and "6, 12, 18 or 24 is allowed" in result["msg"]
    assert api.calls == []


def test_setting_that_the_server_does_not_take(api, run):
    Server(api, take=False)
    result = run({"unhealthy_interval": 20})
    assert result["failure"]["code"] == "SETTINGS_NOT_TAKEN"
    assert result["failure"]["details"] == {"names": ["unhealthy_interval"]}


def test_setting_that_the_server_refuses(api, run):
    Server(api)
    api._script.pop(("PATCH", PATH))
    api.refuse("PATCH", PATH, 1010, "Parameter is not required", "nonsense")
    result = run({"nonsense": 1})
    assert result["failure"]["code"] == "API_1010" and result["failure"]["details"]["details"] == "nonsense"
    assert not result["changed"]


def test_no_primary_master(api, run, clock):
    api.refuse("GET", PATH, 1017, "Not Primary Master", status=503)
    result = run({"unhealthy_interval": 20})
    assert result["failure"]["code"] == "API_1017" and "There is no primary master at the moment" in result["msg"]
    assert len(api.calls) == 5


def test_wrong_token(api, run):
    api.on("GET", PATH, None, status=401)
    result = run({"unhealthy_interval": 20})
    assert result["failure"]["code"] == "API_AUTH"
    assert "canary-token-9f" not in str(result)


def test_answer_without_settings(api, run):
    api.on("GET", PATH, {"settings": {}})
    assert run({"unhealthy_interval": 20})["failure"]["code"] == "API_UNEXPECTED_REPLY"


def test_all_settings_back_to_the_defaults(api, run):
    server = Server(api)
    server.now.update(
        unhealthy_interval=20, webhooks={"url": "https://u:canary-hook@h/x", "max_concurrent_requests": 12}
    )
    before = copy.deepcopy(server.now)
    checked = run(None, state="reset", check=True, diff=True)
    assert checked["changed"] and server.now == before and api.writes == []
    predicted = {one["name"]: (one["before"], one["after"]) for one in checked["changes"]}
    assert predicted == {
        "unhealthy_interval": (20, 30), "webhooks.max_concurrent_requests": (12, 6),
        "webhooks.url": ("https://***@h/x", ""),
    }  # fmt: skip
    assert checked["unknown"] == ["media.auto_download"], "its default is documented nowhere for certain"

    real = run(None, state="reset", diff=True)
    assert server.now == DEFAULT and real["unknown"] == []
    assert {one["name"] for one in real["changes"]} == {*predicted, "media.auto_download"}
    assert real["diff"]["after"]["media.auto_download"] == []
    assert real["restart_required"] == ["webhooks.max_concurrent_requests"]
    assert [call.method for call in api.calls if call.method != "GET"] == ["DELETE"]
    again = run(None, state="reset")
    assert not again["changed"] and again["changes"] == []


def test_what_is_named_does_not_get_its_default(api, run):
    server = Server(api)
    expected = {"heartbeat_interval": 7, "webhooks": {"url": "https://hooks.example.com/wa"}}
    checked = run(expected, state="reset", check=True)
    assert {one["name"]: one["after"] for one in checked["changes"]} == {
        "heartbeat_interval": 7, "webhooks.url": "https://hooks.example.com/wa"
    }  # fmt: skip
    real = run(expected, state="reset")
    assert real["changed"] and [call.method for call in api.calls if call.method != "GET"] == ["DELETE", "PATCH"]
    assert server.now["heartbeat_interval"] == 7 and server.now["webhooks"]["url"] == "https://hooks.example.com/wa"
    assert server.now["webhooks"]["max_concurrent_requests"] == 6
    assert not run(expected, state="reset")["changed"]


def test_a_setting_that_cannot_be_meant_resets_nothing(api, run):
    Server(api)
    result = run({"heartbeat_interval": 0}, state="reset")
    assert result["failed"] and result["failure"]["code"] == "SETTINGS_INVALID" and api.writes == []
