# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_two_step through main() against a real HTTPS server."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_two_step
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, META, run_module

PATH = "/v1/settings/account/two-step"
PIN = "048151"
OK = {"meta": META}


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module; the PIN is never in its answer."""

    def call(**args):
        result = run_module(wa_two_step, capfd, **dict(access, **args))
        assert PIN not in json.dumps(result)
        assert not result.get("known_before")
        return result

    return call


@pytest.mark.parametrize(
    "args, call, action, after",
    [
        ({"pin": PIN}, ("POST", {"pin": PIN}), "PIN set", "on, PIN not shown"),
        ({"state": "absent"}, ("DELETE", None), "PIN removed", "off"),
    ],
)
def test_check_sends_nothing_and_each_run_says_that_it_sent(api, run, args, call, action, after):
    api.on(call[0], PATH, OK)
    checked = run(check=True, diff=True, **args)
    assert checked["changed"] and checked["action"] == action and api.calls == []
    assert checked["diff"] == {"before": {"two_step": "not known"}, "after": {"two_step": after}}
    for _time in range(2):
        real = run(diff=True, **args)
        assert real["changed"] and real["diff"] == checked["diff"]
    assert [(one.method, one.body) for one in api.calls] == [call, call]


def test_a_lost_answer_is_asked_for_again(api, run):
    api.on("POST", PATH, DROP).on("POST", PATH, OK)
    assert run(pin=PIN)["changed"]
    assert len(api.calls) == 2


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "123456\n"])
def test_what_is_no_pin_is_refused_before_any_call(api, run, pin):
    result = run(pin=pin)
    assert result["failed"] and api.calls == []
    if pin:
        assert (result["failure"]["code"], result["msg"]) == ("PIN_INVALID", "wa_pin has to be exactly 6 digits.")


def test_the_servers_refusal_says_what_and_shows_no_pin(api, run):
    api.refuse("POST", PATH, 1014, "Internal error", "no PIN " + PIN)
    result = run(pin=PIN)
    assert result["failed"] and not result["changed"] and result["failure"]["code"] == "API_1014"
