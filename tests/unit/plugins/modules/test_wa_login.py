# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_login through main() against a real HTTPS server."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.action.wa_login import ActionModule
from ansible_collections.waent.fleet.plugins.modules import wa_login
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, META, run_module

LOGIN, LOGOUT = "/v1/users/login", "/v1/users/logout"
PASSWORD = "Canary-Admin-1"
GOOD = {"users": [{"token": "new-token-77", "expires_after": "2026-09-14 15:29:26+00:00"}], "meta": META}
KEYS = {"changed", "token", "expires_after", "username", "password_changed"}


def passwords(api):
    """User and password of every login, and the new password that came with it."""
    found = []
    for call in api.calls:
        if call.path == LOGIN:
            pair = base64.b64decode(call.authorization.split()[1]).decode()
            found.append((pair, (call.body or {}).get("new_password")))
    return found


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module without a token."""

    def call(**args):
        options = dict(access, password=PASSWORD)
        options.pop("api_token")
        options.update(args)
        result = run_module(wa_login, capfd, **{k: v for k, v in options.items() if v is not None})
        assert PASSWORD not in json.dumps(result)
        assert set(result) >= KEYS
        return result

    return call


def test_log_in(api, run):
    api.on("POST", LOGIN, GOOD)
    assert run() == {
        "changed": False,
        "token": "new-token-77",
        "expires_after": "2026-09-14 15:29:26+00:00",
        "username": "admin",
        "password_changed": False,
    }
    assert passwords(api) == [("admin:" + PASSWORD, None)]


def test_a_session_that_is_kept_asks_nobody(monkeypatch):
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp, task_vars: {"token": "new-token-77"})

    def token(**args):
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args=args)
        return action.run(None, {})["token"]

    assert token(api_token="of-before", keep_session=True) == "of-before"
    assert token(api_token="of-before", keep_session="yes", state="present") == "of-before"
    for otherwise in (
        {"keep_session": True},
        {"api_token": "of-before"},
        {"api_token": "of-before", "state": "absent"},
    ):
        assert token(**otherwise) == "new-token-77"
    assert token(api_token="of-before", keep_session=True, state="absent") == "new-token-77"
    assert token(api_token="", keep_session=True) == "new-token-77"


def test_first_log_in_sets_the_password(api, run):
    api.on("POST", LOGIN, None, status=401).on("POST", LOGIN, GOOD)
    result = run()
    assert result["changed"] and result["password_changed"] and result["token"] == "new-token-77"
    assert passwords(api) == [("admin:" + PASSWORD, None), ("admin:secret", PASSWORD)]


def test_first_log_in_in_check_mode_sets_nothing(api, run):
    api.on("POST", LOGIN, None, status=401).refuse("POST", LOGIN, 1024, "Password Change Required", status=401)
    result = run(check=True)
    assert result["changed"] and result["token"] is None
    assert passwords(api) == [("admin:" + PASSWORD, None), ("admin:secret", None)]


def test_later_log_in_in_check_mode_has_a_token(api, run):
    api.on("POST", LOGIN, GOOD)
    result = run(check=True)
    assert not result["changed"] and result["token"] == "new-token-77"


@pytest.mark.parametrize("check", [True, False])
def test_wrong_password(api, run, check):
    api.on("POST", LOGIN, None, status=401)
    result = run(check=check)
    assert result["failed"] and result["failure"]["code"] == "API_AUTH"
    assert "was not accepted" in result["msg"]
    assert len(api.calls) == 2


def test_other_first_password(api, run):
    api.on("POST", LOGIN, None, status=401).on("POST", LOGIN, GOOD)
    result = run(initial_password="Other-first-1")
    assert result["changed"]
    assert passwords(api)[1] == ("admin:Other-first-1", PASSWORD)
    assert "Other-first-1" not in json.dumps(result)


def test_other_users_have_no_first_password(api, run):
    api.on("POST", LOGIN, None, status=401)
    assert run(username="sender")["failure"]["code"] == "API_AUTH"
    assert passwords(api) == [("sender:" + PASSWORD, None)]


def test_lost_answer_of_the_change_is_resolved_by_logging_in(api, run):
    api.on("POST", LOGIN, None, status=401).on("POST", LOGIN, DROP).on("POST", LOGIN, GOOD)
    result = run()
    assert result["changed"] and result["token"] == "new-token-77"
    assert passwords(api)[2] == ("admin:" + PASSWORD, None)


def test_weak_password_is_refused_before_any_call(api, run):
    result = run(password="canaryweak")
    assert result["failure"]["code"] == "PASSWORD_POLICY"
    assert result["msg"].startswith("The password lacks a digit and an upper-case letter and a special character")
    assert api.calls == [] and "canaryweak" not in json.dumps(result)


def test_waits_for_a_web_application_that_starts(api, run, clock):
    api.refuse("POST", LOGIN, 1011, "Service not ready", status=503)
    result = run(wait_timeout=60)
    assert result["failure"]["code"] == "API_1011"
    assert 60 <= clock.now <= 62
    api.on("POST", LOGIN, GOOD)
    assert run(wait_timeout=60)["token"] == "new-token-77"


def test_answer_without_token(api, run):
    api.on("POST", LOGIN, {"users": [], "meta": META})
    result = run()
    assert result["failure"]["code"] == "API_UNEXPECTED_REPLY" and "has no token" in result["msg"]


def test_password_is_required(capfd, access, monkeypatch):
    monkeypatch.delenv("WA_ADMIN_PASSWORD", raising=False)
    result = run_module(wa_login, capfd, **access)
    assert result["failed"] and result["msg"] == "state is present but all of the following are missing: password"


def test_password_from_the_environment(api, run, monkeypatch):
    monkeypatch.setenv("WA_ADMIN_PASSWORD", PASSWORD)
    api.on("POST", LOGIN, GOOD)
    assert run(password=None)["token"] == "new-token-77"


def test_log_out(api, run, access):
    api.on("POST", LOGOUT, {"meta": META}).on("POST", LOGOUT, None, status=401)
    assert run(state="absent", api_token=access["api_token"])["changed"] is True
    assert run(state="absent", api_token=access["api_token"])["changed"] is False
    assert api.calls[0].authorization == "Bearer canary-token-9f"


@pytest.mark.parametrize("status, changed", [(200, True), (401, False)])
def test_log_out_in_check_mode_only_reads(api, run, access, status, changed):
    api.on("GET", "/v1/health", {"health": {}}, status=status)
    assert run(state="absent", api_token=access["api_token"], check=True)["changed"] is changed
    assert api.writes == []


def test_plain_http_is_refused(run):
    result = run(api_url=["http://wa-1:9090"])
    assert result["failure"]["code"] == "API_URL_INVALID" and "write https://wa-1:9090" in result["msg"]


def test_self_signed_certificate(run):
    result = run(ca_path=None)
    assert result["failure"]["code"] == "API_TLS" and "ca_path" in result["msg"]
