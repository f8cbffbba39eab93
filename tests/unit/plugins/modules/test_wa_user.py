# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_user through main() against a real HTTPS server."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_user
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, META, WRITES, run_module

USERS, LOGIN, LOGOUT = "/v1/users", "/v1/users/login", "/v1/users/logout"
PASSWORD = "Canary-Sender-1"
KEYS = {"changed", "username", "role", "action"}
NOT_FOUND = {"errors": [{"code": 1006, "title": "Resource not found"}]}


class Server:
    """Users that can be created, changed and deleted."""

    def __init__(self, api, name="sender", users=None):
        self.users = dict(users or {})
        path = USERS + "/" + name
        self.name = name
        api.on("GET", path, self.read)
        api.on("POST", USERS, self.create)
        api.on("PUT", path, self.change)
        api.on("DELETE", path, self.delete)
        api.on("POST", LOGIN, self.login)
        api.on("POST", LOGOUT, {"meta": META})

    def read(self, _call):
        if self.name not in self.users:
            return 404, NOT_FOUND
        return 200, {"users": [{"username": self.name, "ROLES": "ROLE_USER"}], "meta": META}

    def create(self, call):
        self.users[call.body["username"]] = call.body["password"]
        return 201, {"users": [{"username": call.body["username"]}]}

    def change(self, call):
        self.users[self.name] = call.body["password"]
        return 200, {"users": [{"username": self.name}]}

    def delete(self, _call):
        del self.users[self.name]
        return 200, {"users": [{"username": self.name}]}

    def login(self, call):
        name, _colon, password = base64.b64decode(call.authorization.split()[1]).decode().partition(":")
        if self.users.get(name) != password:
            return 401, None
        return 200, {"users": [{"token": "short-lived"}]}


def changes(api):
    """Calls that change something; logging in and out to compare a password is none."""
    return [what for what in api.whats if what[0] in WRITES and what[1] not in (LOGIN, LOGOUT)]


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module for one user."""

    def call(**args):
        options = dict(access, username="sender", password=PASSWORD)
        options.update(args)
        result = run_module(wa_user, capfd, **{k: v for k, v in options.items() if v is not None})
        assert set(result) >= KEYS
        assert PASSWORD not in json.dumps(result)
        return result

    return call


def test_create_check_real_again(api, run):
    server = Server(api)
    checked = run(check=True, diff=True)
    assert (checked["changed"], checked["action"], server.users) == (True, "created", {})
    assert checked["diff"] == {
        "before": {}, "after": {"username": "sender", "role": None, "password": "new (not shown)"},
    }  # fmt: skip
    real = run(diff=True)
    assert (real["changed"], real["role"], server.users) == (True, "ROLE_USER", {"sender": PASSWORD})
    again = run(diff=True)
    assert (again["changed"], again["action"]) == (False, "none")
    assert again["diff"]["before"] == again["diff"]["after"]
    assert changes(api) == [("POST", USERS)]


def test_password_is_changed_where_it_differs(api, run):
    server = Server(api, users={"sender": "Former-Canary-2"})
    assert run(check=True)["action"] == "password changed"
    assert server.users == {"sender": "Former-Canary-2"}
    real = run(diff=True)
    assert real["action"] == "password changed" and server.users == {"sender": PASSWORD}
    assert real["diff"]["after"]["password"] == "new (not shown)"
    assert not run()["changed"]
    assert changes(api) == [("PUT", USERS + "/sender")]


def test_the_comparison_logs_out_again(api, run):
    Server(api, users={"sender": PASSWORD})
    run()
    assert api.calls[-1].what == ("POST", LOGOUT) and api.calls[-1].authorization == "Bearer short-lived"


def test_password_on_create_only(api, run):
    Server(api, users={"sender": "Former-Canary-2"})
    assert not run(update_password="on_create")["changed"]
    assert api.writes == []


def test_delete_check_real_again(api, run):
    server = Server(api, users={"sender": "x"})
    checked = run(state="absent", password=None, check=True, diff=True)
    assert (checked["changed"], checked["action"]) == (True, "deleted") and server.users
    assert checked["diff"]["after"] == {}
    assert run(state="absent", password=None)["changed"] and server.users == {}
    assert not run(state="absent", password=None)["changed"]
    assert changes(api) == [("DELETE", USERS + "/sender")]


def test_lost_answer_of_create_is_resolved_by_reading(api, run):
    api.on("GET", USERS + "/sender", NOT_FOUND, status=404)
    api.on("GET", USERS + "/sender", {"users": [{"username": "sender", "ROLES": "ROLE_USER"}]})
    api.on("POST", USERS, DROP)
    result = run()
    assert result["changed"] and result["role"] == "ROLE_USER"
    assert changes(api) == [("POST", USERS)]


def test_lost_answer_that_created_nothing(api, run):
    api.on("GET", USERS + "/sender", NOT_FOUND, status=404).on("POST", USERS, DROP)
    result = run()
    assert result["failure"]["code"] == "API_ANSWER_LOST" and not result["changed"]


@pytest.mark.parametrize(
    "args, code, message",
    [
        ({"username": "abc"}, "USERNAME_INVALID", "username is 'abc', which has 3 characters; allowed are 4 to 32."),
        ({"password": "Short1!"}, "PASSWORD_POLICY", "The password lacks 8 to 64 characters."),
        (
            {"username": "admin", "state": "absent"},
            "ADMIN_CANNOT_BE_DELETED",
            "username is 'admin'; that user cannot be deleted.",
        ),
    ],
)
def test_refused_before_any_call(api, run, args, code, message):
    result = run(**args)
    assert (result["failure"]["code"], result["msg"]) == (code, message)
    assert api.calls == []


def test_name_is_quoted_in_the_path(api, run):
    Server(api, name="a%2Fb%3Fc")
    assert run(username="a/b?c", state="absent", password=None)["changed"] is False


def test_role_too_low(api, run):
    api.refuse("GET", USERS + "/sender", 1005, "Access denied", status=403)
    result = run()
    assert result["failure"]["code"] == "API_1005" and "need admin" in result["msg"]


def test_admin_changes_its_own_password_with_the_former_one(api, run):
    server = Server(api, name="admin", users={"admin": "Former-Canary-2"})
    own = {"username": "admin", "former_password": "Former-Canary-2", "api_token": None}
    checked = run(check=True, diff=True, **own)
    assert (checked["changed"], server.users) == (True, {"admin": "Former-Canary-2"})
    real = run(diff=True, **own)
    assert real["action"] == "password changed" and server.users == {"admin": PASSWORD}
    assert real["diff"] == checked["diff"] and "Former-Canary-2" not in json.dumps(real)
    again = run(**own)
    assert not again["changed"] and again["exists"]
    assert changes(api) == [("PUT", USERS + "/admin")]
    logins, logouts = (len([what for what in api.whats if what[1] == path]) for path in (LOGIN, LOGOUT))
    assert logouts == logins - 2, "each login that succeeded was ended; two were refused"


def test_neither_password_is_accepted(api, run):
    Server(api, name="admin", users={"admin": "Another-Canary-3"})
    result = run(username="admin", former_password="Former-Canary-2", api_token=None)
    assert result["failure"]["code"] == "FORMER_PASSWORD_REFUSED" and changes(api) == []
    assert "Canary" not in result["msg"]


def test_a_server_that_keeps_the_former_password(api, run):
    Server(api, name="admin", users={"admin": "Former-Canary-2"})
    api._script["PUT", USERS + "/admin"].clear()
    api.on("PUT", USERS + "/admin", {"users": [{"username": "admin"}]})
    result = run(username="admin", former_password="Former-Canary-2", api_token=None)
    assert result["failure"]["code"] == "PASSWORD_NOT_TAKEN"


def test_nobody_else_may_change_its_own_password(api, run):
    result = run(former_password="Former-Canary-2")
    assert result["failure"]["code"] == "FORMER_PASSWORD_OF_OTHERS" and api.calls == []


def test_query_reads_and_no_more(api, run):
    server = Server(api)
    absent = run(state="query", password=None)
    assert (absent["exists"], absent["role"], absent["changed"]) == (False, None, False)
    server.users["sender"] = "x"
    there = run(state="query", password=None, diff=True)
    assert (there["exists"], there["role"], there["changed"]) == (True, "ROLE_USER", False)
    assert there["diff"]["before"] == there["diff"]["after"]
    assert {call.method for call in api.calls} == {"GET"}
