# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_account through main() against a real HTTPS server."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_account
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, META, run_module

ACCOUNT, VERIFY, HEALTH, SUPPORT = "/v1/account", "/v1/account/verify", "/v1/health", "/v1/support"
CERT, PIN, CODE = "Q2FuYXJ5Q2VydA==", "918273", "645123"
NOT_READY = {"errors": [{"code": 1011, "title": "Service not ready"}]}
UNREGISTERED = {
    "health": {
        "a:wa-master-1": {"gateway_status": "unregistered", "role": "primary_master"},
        "a:wa-coreapp-1": NOT_READY,
    }
}
REGISTERED = {
    "health": {
        "a:wa-master-1": {"gateway_status": "disconnected", "role": "primary_master"},
        "a:wa-coreapp-1": {"gateway_status": "connected", "role": "coreapp"},
    }
}
KEYS = {"changed", "status", "vname"}


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module for one number."""

    def call(**args):
        options = dict(access, cc="1", phone_number="5550100", cert=CERT, pin=PIN)
        options.update(args)
        result = run_module(wa_account, capfd, **{k: v for k, v in options.items() if v is not None})
        assert set(result) >= KEYS
        for secret in (CERT, PIN, CODE, access["api_token"]):
            assert secret not in json.dumps(result)
        return result

    return call


@pytest.fixture
def unregistered(api):
    """The API of a cluster without a number."""
    api.health = UNREGISTERED
    api.on("GET", HEALTH, lambda _call: (200, api.health))
    return api.on("GET", SUPPORT, {"support": {"debug_info": "unregistered"}})


def registers(api, path, shown=REGISTERED):
    """The next call of this path registers the number, and then health shows what is given."""

    def answer(_call):
        api.health = shown
        return 201, {"account": [{"vname": "Example"}], "meta": META}

    return api.on("POST", path, answer)


@pytest.fixture
def registered(api):
    """The API of a cluster with this number."""
    return api.on("GET", HEALTH, REGISTERED).on("GET", SUPPORT, {"support": {"debug_info": "15550100"}})


@pytest.mark.parametrize("args", [{}, {"code": CODE}, {"check": True}, {"request_code": False}])
def test_registered_number_is_left_alone(registered, run, args):
    result = run(**args)
    assert (result["changed"], result["status"]) == (False, "registered")
    assert registered.writes == []


def test_code_is_asked_for(unregistered, run):
    unregistered.on("POST", ACCOUNT, {"account": [{"vname": "Example"}], "meta": META}, status=202)
    result = run(diff=True)
    assert (result["changed"], result["status"], result["vname"]) == (True, "code_requested", "Example")
    assert result["diff"] == {"before": {"status": "not registered"}, "after": {"status": "code_requested"}}
    assert unregistered.calls[-1].body == {
        "cc": "1", "phone_number": "5550100", "method": "sms", "cert": CERT, "pin": PIN,
    }  # fmt: skip


def test_pin_is_left_out_where_there_is_none(unregistered, run, monkeypatch):
    monkeypatch.delenv("WA_PIN", raising=False)
    unregistered.on("POST", ACCOUNT, {"account": []}, status=202)
    assert run(pin=None, method="voice")["status"] == "code_requested"
    assert unregistered.calls[-1].body == {"cc": "1", "phone_number": "5550100", "method": "voice", "cert": CERT}


def test_answer_that_it_is_registered_already(unregistered, run):
    registers(unregistered, ACCOUNT)
    assert run()["status"] == "registered"


def test_code_is_verified(unregistered, run):
    registers(unregistered, VERIFY)
    result = run(code="645-123")
    assert (result["changed"], result["status"]) == (True, "registered")
    (verified,) = [call.body for call in unregistered.calls if call.what == ("POST", VERIFY)]
    assert verified == {"code": CODE}
    assert ("POST", ACCOUNT) not in unregistered.whats


def test_code_is_only_needed_where_none_shall_be_asked_for(unregistered, run):
    result = run(request_code=False)
    assert (result["changed"], result["status"]) == (False, "needs_code")
    assert unregistered.writes == []


@pytest.mark.parametrize("code, status", [(None, "needs_code"), (CODE, "registered")])
def test_check_mode_writes_nothing(unregistered, run, code, status):
    result = run(check=True, code=code)
    assert (result["changed"], result["status"]) == (True, status)
    assert unregistered.writes == []


@pytest.mark.parametrize(
    "code, status, details",
    [(1005, 403, "wrong code"), (1009, 400, "wrong code"), (1005, 403, ""), (1005, 403, "The code has expired")],
)
def test_wrong_code(unregistered, run, code, status, details):
    unregistered.refuse("POST", VERIFY, code, "Refused", details, status=status)
    result = run(code=CODE)
    assert result["failure"]["code"] == "CODE_REFUSED"
    assert result["msg"] == (
        "The registration code was not accepted: it is wrong or has expired. Run the playbook again with"
        " -e wa_registration_code=CODE, CODE being the one that was received, or with -e wa_registration_code= to"
        " have another one sent."
    )
    assert result["status"] == "unknown" and result["changed"] is False


@pytest.mark.parametrize(
    "details, failure",
    [
        ("App expired. Please upgrade to the latest version.", "API_1005"),
        ("Unknown error: biz_link_on_prem_reg_blocked", "REGISTRATION_BLOCKED"),
    ],
)
def test_refusals_that_are_not_about_the_code(unregistered, run, details, failure):
    unregistered.refuse("POST", VERIFY, 1005, "Access denied", details, status=403)
    result = run(code=CODE)
    assert result["failure"]["code"] == failure
    assert "registration code was not accepted" not in result["msg"]


def test_fixed_code_is_asked_for_where_it_is_refused(unregistered, run):
    registers(unregistered.refuse("POST", VERIFY, 1009, "Parameter value is not valid"), VERIFY)
    unregistered.on("POST", ACCOUNT, {"account": []}, status=202)
    result = run(code=CODE, fixed_code=True)
    assert (result["changed"], result["status"]) == (True, "registered")
    assert unregistered.writes == [("POST", VERIFY), ("POST", ACCOUNT), ("POST", VERIFY)]


def test_fixed_code_of_an_earlier_run_is_used_first(unregistered, run):
    registers(unregistered, VERIFY)
    assert run(code=CODE, fixed_code=True)["status"] == "registered"
    assert unregistered.writes == [("POST", VERIFY)]


def test_fixed_code_that_is_refused_twice(unregistered, run):
    unregistered.refuse("POST", VERIFY, 1009, "Parameter value is not valid", "wrong code")
    unregistered.on("POST", ACCOUNT, {"account": []}, status=202)
    result = run(code=CODE, fixed_code=True)
    assert result["failure"]["code"] == "CODE_REFUSED"
    assert result["msg"] == (
        "The registration code was not accepted: it is wrong or has expired. Another code was sent just now: run the"
        " playbook again with -e wa_registration_code=CODE, CODE being that one; those before are void."
    )


def test_fixed_code_that_is_refused_where_no_other_can_be_sent(unregistered, run):
    unregistered.refuse("POST", VERIFY, 1009, "Parameter value is not valid", "wrong code")
    unregistered.refuse("POST", ACCOUNT, 1015, "Too many requests", status=429)
    result = run(code=CODE, fixed_code=True)
    assert result["failure"]["code"] == "CODE_REFUSED"
    assert "not accepted" in result["msg"] and "cannot be sent yet" in result["msg"]
    assert "-e wa_registration_code=CODE" in result["msg"]


def test_fixed_code_is_not_needed_where_asking_registers(unregistered, run):
    unregistered.refuse("POST", VERIFY, 1009, "Parameter value is not valid")
    registers(unregistered, ACCOUNT)
    assert run(code=CODE, fixed_code=True)["status"] == "registered"
    assert unregistered.writes == [("POST", VERIFY), ("POST", ACCOUNT)]


def test_new_registrations_are_blocked(unregistered, run):
    details = "Unknown error: biz_link_on_prem_reg_blocked"
    unregistered.refuse("POST", ACCOUNT, 1005, "Access denied", details, status=403)
    result = run()
    assert result["failure"]["code"] == "REGISTRATION_BLOCKED"
    assert "blocked new registrations of the On-Premises API since 2024-07-01" in result["msg"]


def test_too_many_attempts(unregistered, run):
    unregistered.refuse("POST", ACCOUNT, 1015, "Too many requests", status=429)
    assert run()["failure"]["code"] == "API_1015"


def test_lost_answer_of_verify_is_resolved_by_reading(api, run):
    api.on("GET", HEALTH, UNREGISTERED).on("GET", HEALTH, REGISTERED)
    api.on("GET", SUPPORT, {"support": {"debug_info": "15550100"}})
    api.on("POST", VERIFY, DROP)
    result = run(code=CODE)
    assert (result["changed"], result["status"]) == (True, "registered")
    assert api.whats.count(("POST", VERIFY)) == 1


def test_lost_answer_that_changed_nothing(unregistered, run):
    unregistered.on("POST", VERIFY, DROP)
    assert run(code=CODE)["failure"]["code"] == "API_ANSWER_LOST"
    assert unregistered.whats.count(("POST", VERIFY)) == 1


LAGGING = {
    "health": {
        "a:wa-master-1": {"gateway_status": "disconnected", "role": "primary_master"},
        "b:wa-master-1": {"gateway_status": "unregistered", "role": "secondary_master"},
        "a:wa-coreapp-1": {"gateway_status": "connecting", "role": "coreapp"},
    }
}


@pytest.mark.parametrize("path, args", [(VERIFY, {"code": CODE}), (ACCOUNT, {})])
@pytest.mark.parametrize("shown", [UNREGISTERED, LAGGING, {"health": {"a:wa-master-1": NOT_READY}}])
def test_it_ends_when_every_webapp_shows_it(unregistered, start_api, run, clock, path, args, shown):
    """Any of them may be asked next."""
    registers(unregistered, path)
    other = start_api().on("GET", HEALTH, shown).on("GET", HEALTH, shown).on("GET", HEALTH, REGISTERED)
    result = run(api_url=[unregistered.url, other.url], **args)
    assert (result["changed"], result["status"]) == (True, "registered")
    assert len(clock.slept) == 2
    assert unregistered.writes == [("POST", path)]
    assert other.whats == [("GET", HEALTH)] * 3


def test_what_never_shows_it_is_named(unregistered, start_api, run, clock):
    registers(unregistered, VERIFY)
    other = start_api().on("GET", HEALTH, LAGGING)
    result = run(api_url=[unregistered.url, other.url], code=CODE, timeout=30)
    assert result["failed"] and 30 <= clock.now < 31
    assert (result["changed"], result["status"]) == (True, "registered")
    assert result["failure"]["code"] == "CLUSTER_NOT_HEALTHY"
    assert result["failure"]["details"]["codes"] == ["REGISTRATION_UNSEEN"]
    assert (
        "The number is registered, and {0} does not show it yet: unregistered is still shown for b:wa-master-1.".format(
            other.url
        )
        in result["msg"]
    )


def test_a_webapp_that_is_silent_is_not_waited_for(unregistered, start_api, run, clock):
    registers(unregistered, VERIFY)
    gone = start_api()
    gone.close()
    assert run(api_url=[unregistered.url, gone.url], code=CODE)["status"] == "registered"
    assert clock.slept == []


def test_webapps_that_are_all_silent_are_waited_for(unregistered, run, clock):
    """The one that has registered it is just being restarted, say."""
    registers(unregistered, VERIFY, shown=None)
    unregistered.on("GET", HEALTH, lambda _call: (200, unregistered.health or DROP))
    result = run(code=CODE, timeout=3)
    assert (result["changed"], result["status"]) == (True, "registered")
    assert result["failure"]["details"]["codes"] == ["API_UNREACHABLE"]
    assert clock.now >= 3


@pytest.mark.parametrize("args", [{"check": True, "code": CODE}, {"request_code": False}])
def test_where_nothing_is_registered_nothing_is_waited_for(unregistered, run, clock, args):
    run(**args)
    assert clock.slept == [] and unregistered.whats.count(("GET", HEALTH)) == 1


def test_other_number(api, run):
    api.on("GET", HEALTH, REGISTERED).on("GET", SUPPORT, {"support": {"debug_info": "49301234567"}})
    result = run()
    assert result["failure"]["code"] == "OTHER_NUMBER_REGISTERED"
    assert result["msg"] == (
        "The cluster is registered for the number that ends in 4567, and wa_cc with wa_phone_number ends in 0100; one"
        " cluster has one number. Set wa_cc and wa_phone_number to the registered number, or give the other number a"
        " database of its own with wa_db_name_prefix."
    )


def test_cluster_that_is_not_up(api, run):
    api.on("GET", HEALTH, {"health": {}}).on("GET", SUPPORT, {"support": {}})
    result = run()
    assert result["failure"]["code"] == "CLUSTER_NOT_READY"
    assert result["msg"].startswith("No node reports whether a number is registered (primary master: none;")


def test_single_instance(api, run):
    api.on("GET", HEALTH, {"health": {"errors": NOT_READY["errors"]}}).on("GET", SUPPORT, {"support": {}})
    api.on("POST", ACCOUNT, {"account": []}, status=202)
    assert run()["status"] == "code_requested"


@pytest.mark.parametrize(
    "args, code",
    [
        ({"cc": "+1"}, "PHONE_NUMBER_INVALID"),
        ({"phone_number": "555 0100"}, "PHONE_NUMBER_INVALID"),
        ({"pin": "12"}, "PIN_INVALID"),
    ],
)
def test_refused_before_any_call(api, run, args, code):
    assert run(**args)["failure"]["code"] == code
    assert api.calls == []


def test_code_that_is_none(unregistered, run):
    assert run(code="abc")["failure"]["code"] == "CODE_INVALID"
    assert unregistered.writes == []


def test_certificate_is_needed_to_ask_for_a_code(unregistered, run, monkeypatch):
    monkeypatch.delenv("WA_CERT", raising=False)
    result = run(cert=None)
    assert result["failure"]["code"] == "CERT_MISSING"
    assert result["msg"] == "wa_cert is not set; asking for a code needs the verified-name certificate."
    assert unregistered.writes == []
