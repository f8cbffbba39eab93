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
KEYS = {"changed", "changes", "restart_required", "settings", "problems"}


class Server:
    """Settings that a PATCH changes."""

    def __init__(self, api, take=True):
        self.now = copy.deepcopy(ACTUAL)
        self.take = take
        api.on("GET", PATH, lambda _call: (200, {"settings": {"application": self.now}, "meta": META}))
        api.on("PATCH", PATH, self.patch)

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
