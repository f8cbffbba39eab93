# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_media_providers through main() against a real HTTPS server."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_media_providers
from ansible_collections.waent.fleet.tests.support.scripted_api import META, WRITES, run_module

PATH = "/v1/settings/application/media/providers"
SHOP = {"name": "shop", "bearer": "canary-bearer-1"}
ARCHIVE = {"name": "archive", "username": "reader", "password": "canary-password-2"}
NOT_FOUND = {"errors": [{"code": 1006, "title": "Resource not found"}]}


class Server:
    """Providers that calls add, replace and delete."""

    def __init__(self, api, *, takes=True, shows=lambda provider: provider):
        self.now = {}
        self.takes = takes
        api.on("GET", PATH, lambda _call: (200, self.answer(shows)))
        api.on("POST", PATH, self.write)
        for name in ("shop", "archive", "foreign%20one"):
            api.on("DELETE", PATH + "/" + name, self.delete)

    def answer(self, shows):
        found = [shows(provider) for provider in self.now.values()]
        return {"settings": {"application": {"media": {"providers": found}}}, "meta": META}

    def write(self, call):
        if self.takes:
            self.now.update({provider["name"]: provider for provider in call.body})
        return 200, None

    def delete(self, call):
        name = call.path.rpartition("/")[2].replace("%20", " ")
        if name not in self.now:
            return 404, NOT_FOUND
        del self.now[name]
        return 200, {}


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module; no credential, given or found, is in its answer."""

    def call(**args):
        result = run_module(wa_media_providers, capfd, **dict(access, **args))
        assert "canary" not in json.dumps(result)
        return result

    return call


def test_add_check_real_again(api, run):
    server = Server(api)
    checked = run(providers=[SHOP, ARCHIVE], check=True, diff=True)
    assert checked["changed"] and server.now == {} and checked["providers"] == []
    assert checked["changes"] == [
        {"name": "archive", "action": "added"},
        {"name": "shop", "action": "added"},
    ]
    assert checked["diff"] == {
        "before": {},
        "after": {
            "archive": {"kind": "basic", "credentials": "new (not shown)"},
            "shop": {"kind": "bearer", "credentials": "new (not shown)"},
        },
    }
    real = run(providers=[SHOP, ARCHIVE], diff=True)
    assert real["changes"] == checked["changes"] and real["diff"] == checked["diff"]
    assert real["providers"] == ["archive", "shop"]
    assert server.now["archive"]["config"] == {"basic": {"username": "reader", "password": "canary-password-2"}}
    again = run(providers=[SHOP, ARCHIVE], diff=True)
    assert not again["changed"] and again["diff"] == {"before": {}, "after": {}}
    assert len([call for call in api.calls if call.method in WRITES]) == 1


def test_only_the_one_that_differs_is_sent(api, run):
    server = Server(api)
    run(providers=[SHOP, ARCHIVE])
    result = run(providers=[dict(SHOP, bearer="canary-bearer-9"), ARCHIVE], diff=True)
    assert result["changes"] == [{"name": "shop", "action": "replaced"}]
    assert result["diff"]["before"] == {"shop": {"kind": "bearer", "credentials": "as they are"}}
    assert [one["name"] for one in api.calls[-2].body] == ["shop"]
    assert server.now["shop"]["config"] == {"bearer": "canary-bearer-9"}


def test_delete_by_name_and_all_others(api, run):
    server = Server(api)
    server.now["foreign one"] = {"name": "foreign one", "type": "www", "config": {"bearer": "canary-of-others"}}
    run(providers=[SHOP, ARCHIVE])
    assert run(absent=["archive", "nobody"])["changes"] == [{"name": "archive", "action": "deleted"}]
    assert not run(absent=["archive", "nobody"])["changed"]
    checked = run(providers=[SHOP], exclusive=True, check=True)
    assert checked["changes"] == [{"name": "foreign one", "action": "deleted"}] and len(server.now) == 2
    assert run(providers=[SHOP], exclusive=True)["providers"] == ["shop"]
    assert not run(providers=[SHOP], exclusive=True)["changed"]


def test_nulls_in_the_answer_are_no_difference(api, run):
    def shows(provider):
        return dict(provider, config={"basic": None, "bearer": None, **provider["config"]})

    Server(api, shows=shows)
    run(providers=[SHOP, ARCHIVE])
    assert not run(providers=[SHOP, ARCHIVE])["changed"]


def test_credentials_that_are_not_shown_are_sent_again(api, run):
    Server(api, shows=lambda provider: {"name": provider["name"], "type": "www"})
    run(providers=[SHOP])
    result = run(providers=[SHOP], diff=True)
    assert result["changed"] and result["diff"]["before"]["shop"]["kind"] == "unknown"


def test_a_server_that_takes_nothing(api, run):
    Server(api, takes=False)
    result = run(providers=[SHOP])
    assert result["failure"]["code"] == "MEDIA_PROVIDERS_NOT_TAKEN" and not result["changed"]


def test_a_provider_that_is_gone_meanwhile(api, run):
    server = Server(api)
    server.now["shop"] = {"name": "shop", "type": "www", "config": {}}

    def gone(_call):
        server.now.clear()
        return 404, NOT_FOUND

    api._script["DELETE", PATH + "/shop"].clear()
    api.on("DELETE", PATH + "/shop", gone)
    assert run(absent=["shop"])["changed"]


def test_an_answer_of_another_shape(api, run):
    api.on("GET", PATH, {"settings": {}})
    assert run(providers=[SHOP])["failure"]["code"] == "API_UNEXPECTED_REPLY"


def test_what_cannot_be_meant_is_refused_before_any_call(api, run):
    result = run(providers=[dict(SHOP, password="canary-p"), {"name": "a/b"}, ARCHIVE, ARCHIVE], absent=["archive"])
    assert [problem["message"] for problem in result["problems"]] == [
        "Provider 'shop' has a bearer and a username or password; one of the two ways is allowed.",
        "providers has the name 'a/b'; allowed are 1 to 100 characters without / and control characters.",
        "Provider 'a/b' needs a bearer, or a username and a password.",
        "providers names 'archive' 2 times; each name is allowed once.",
        "'archive' is in providers and in absent; it can be in one of them.",
    ]
    assert result["failure"]["code"] == "MEDIA_PROVIDERS_INVALID" and api.calls == []
