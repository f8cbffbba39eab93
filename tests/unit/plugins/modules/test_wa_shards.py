# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_shards through main() against a real HTTPS server that plays a cluster."""

from __future__ import annotations

import base64
import functools
import json
import time
from types import SimpleNamespace

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_shards
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, META, run_module

PATH = "/v1/account/shards"
CERT = base64.b64encode(b"canary certificate").decode()
KEYS = {"changed", "before", "after", "downtime", "answer_lost", "problems", "waited_seconds"}


class Server:
    """A cluster that restarts for C(restart) seconds of the manual clock when its shards are set."""

    def __init__(self, api, clock, shards=1, coreapps=5, version="v2.41.2", restart=45.0):
        self.clock, self.shards, self.coreapps, self.restart = clock, shards, coreapps, restart
        self.version = version
        self.serving_from = -1.0
        self.forbidden = 0
        self.posts = []
        self.lose = None
        self.dead = ()
        api.on("GET", PATH, lambda _call: (200, {"account": {"shards": self.shards}, "meta": META}))
        api.on("GET", "/v1/health", lambda _call: (200, self.health()))
        api.on("GET", "/v1/support", lambda _call: (200, self.support()))
        api.on("POST", PATH, self.post)

    def post(self, call):
        self.posts.append(call.body)
        if self.forbidden:
            self.forbidden -= 1
            error = {"code": 1014, "title": "Internal error", "details": "temporarily unavailable"}
            return 403, {"errors": [error], "meta": META}
        if self.lose != "before":
            self.shards = call.body["shards"]
            self.serving_from = self.clock.now + self.restart
        return (200, DROP) if self.lose else (201, {"meta": META})

    def nodes(self):
        """Key to (role, gateway status, shards)."""
        up = self.clock.now >= self.serving_from
        many = self.shards > 1
        yield "a:wa-master-1", ("primary_master", up and many, [[-1, -1]] if up and many else [])
        yield "b:wa-master-1", ("secondary_master", False, [])
        for number in range(self.coreapps):
            owned = [[number, number]] if up and number < self.shards else []
            if owned and not many:
                owned.insert(0, [-1, -1])
            yield "h{0}:wa-coreapp-1".format(number), ("coreapp", bool(owned), owned)

    def health(self):
        entries = {
            name: {"role": role, "gateway_status": "connected" if on else "disconnected"}
            for name, (role, on, _owned) in self.nodes()
        }
        error = {"code": 1014, "title": "Internal error", "details": "unable to reach"}
        entries.update({name: {"errors": [error]} for name in self.dead})
        return {"health": entries, "meta": {"version": self.version}}

    def support(self):
        entries = {name: {"role": role, "shards": owned} for name, (role, _on, owned) in self.nodes()}
        keys = {"identity_timestamp": int(time.time()) - 86400, "registration_id": 3}
        return {"support": dict(entries, debug_info="15550100", e2e=keys)}


@pytest.fixture
def run(capfd, access, clock):
    """Runs the module."""
    module = SimpleNamespace(main=functools.partial(wa_shards.main, clock=clock, sleep=clock.sleep))

    def call(shards, **args):
        options = dict(access, shards=shards, cc="1", phone_number="5550100", cert=CERT, pin="918273")
        options.update(args)
        result = run_module(module, capfd, **{k: v for k, v in options.items() if v is not None})
        assert set(result) >= KEYS
        assert CERT not in json.dumps(result) and "918273" not in json.dumps(result)
        return result

    return call


def test_increase_check_real_again(api, clock, run):
    server = Server(api, clock, shards=1)
    checked = run(4, check=True, diff=True)
    assert (checked["changed"], checked["before"], checked["after"]) == (True, 1, 4)
    assert checked["diff"] == {"before": {"shards": 1}, "after": {"shards": 4}}
    assert api.writes == [] and clock.slept == []

    real = run(4, diff=True, delay=5)
    assert (real["changed"], real["before"], real["after"], real["answer_lost"]) == (True, 1, 4, False)
    assert [shard["shard"] for shard in real["downtime"]] == [0, 1, 2, 3]
    assert all(shard["recovered"] and 45 <= shard["seconds"] <= 50 for shard in real["downtime"])
    assert 45 <= real["waited_seconds"] <= 50
    assert server.posts == [{"cc": "1", "phone_number": "5550100", "shards": 4, "pin": "918273", "cert": CERT}]

    again = run(4, diff=True)
    assert (again["changed"], again["before"], again["after"], again["downtime"]) == (False, 4, 4, [])
    assert again["diff"]["before"] == again["diff"]["after"] and len(server.posts) == 1


def test_a_node_that_was_dead_before_is_not_waited_for(api, clock, run):
    server = Server(api, clock, shards=1)
    server.dead = ("away:wa-coreapp-1",)
    result = run(4, delay=5)
    assert result["after"] == 4 and 45 <= result["waited_seconds"] <= 50


def test_decrease(api, clock, run):
    server = Server(api, clock, shards=4, restart=50.0)
    result = run(1, delay=10)
    assert (result["before"], result["after"]) == (4, 1) and server.shards == 1
    [shard] = result["downtime"]
    assert shard["shard"] == 0 and shard["recovered"] and 50 <= shard["seconds"] <= 60


def test_same_number_still_waits_for_a_restart_that_goes_on(api, clock, run):
    server = Server(api, clock, shards=2)
    server.serving_from = 30.0
    result = run(2, delay=10)
    assert not result["changed"] and 30 <= result["waited_seconds"] <= 40 and server.posts == []


def test_without_wait(api, clock, run):
    Server(api, clock)
    result = run(2, wait=False)
    assert result["changed"] and result["downtime"] == [] and clock.slept == []


def test_temporarily_unavailable_is_repeated(api, clock, run):
    server = Server(api, clock)
    server.forbidden = 3
    assert run(2)["changed"]
    assert len(server.posts) == 4 and clock.slept[:3] == [1.0, 2.0, 4.0]


def test_temporarily_unavailable_for_too_long(api, clock, run):
    server = Server(api, clock)
    server.forbidden = 9
    result = run(2, retries=2)
    assert result["failure"]["code"] == "API_1014" and result["failure"]["details"]["status"] == 403
    assert (result["changed"], result["after"]) == (False, 1) and len(server.posts) == 3


def test_forbidden_for_good_is_not_repeated(api, clock, run):
    server = Server(api, clock)
    api._script.pop(("POST", PATH))
    api.refuse("POST", PATH, 1005, "Access denied", "the client setup was logged off", status=403)
    result = run(2)
    assert result["failure"]["code"] == "API_1005" and api.whats.count(("POST", PATH)) == 1
    assert not result["changed"] and server.posts == []


def test_lost_answer_of_a_call_that_was_made(api, clock, run):
    server = Server(api, clock)
    server.lose = "after"
    result = run(2)
    assert (result["changed"], result["answer_lost"], result["after"]) == (True, True, 2)
    assert len(server.posts) == 1 and all(item["recovered"] for item in result["downtime"])


def test_lost_answer_of_a_call_that_was_not_made(api, clock, run):
    server = Server(api, clock)
    server.lose = "before"
    result = run(2)
    assert result["failure"]["code"] == "ANSWER_LOST"
    assert result["msg"].endswith("The number of shards still reads 1, so nothing was changed: run the playbook again.")
    assert (result["changed"], result["answer_lost"], result["after"]) == (False, True, 1)
    assert len(server.posts) == 1 and clock.now >= 15


def test_core_that_the_webapp_cannot_reach_is_a_lost_answer_too(api, clock, run):
    Server(api, clock)
    api._script.pop(("POST", PATH))
    api.refuse("POST", PATH, 1014, "Internal error", "Could not reach core at a:6252: timed out", status=500)
    result = run(2)
    assert result["failure"]["code"] == "ANSWER_LOST" and api.whats.count(("POST", PATH)) == 1


def test_restart_that_does_not_end(api, clock, run):
    Server(api, clock, restart=9999)
    result = run(2, timeout=60, delay=10)
    assert result["failure"]["code"] == "CLUSTER_NOT_HEALTHY"
    assert "TOO_FEW_CONNECTED" in result["failure"]["details"]["codes"]
    assert (result["changed"], result["after"]) == (True, 2)
    assert result["downtime"] == [{"shard": s, "seconds": 60.0, "recovered": False} for s in (0, 1)]


@pytest.mark.parametrize(
    "shards, server, args, codes",
    [
        (3, {}, {}, ["SHARDS_INVALID"]),
        (8, {}, {}, ["TOO_FEW_COREAPPS"]),
        (4, {"coreapps": 4}, {}, ["NO_SPARE"]),
        (2, {"version": "v2.45.1"}, {"cert": None}, ["CERT_REQUIRED"]),
        (2, {}, {"cert": None, "registered_at": "2024-01-31"}, ["CERT_REQUIRED"]),
        (2, {"version": "v2.19.4"}, {"registered_at": "2024-01-31T10:00:00Z"}, ["WOULD_DISCONNECT"]),
        (2, {}, {"cert": "not base64"}, ["CERT_NOT_BASE64"]),
        (2, {}, {"cert": base64.b64encode(b'{"expires": "2020-01-01"}').decode()}, ["CERT_EXPIRED"]),
        (2, {}, {"phone_number": "5550199"}, ["OTHER_NUMBER_REGISTERED"]),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_refusals(api, clock, run, monkeypatch, shards, server, args, codes, check):
    monkeypatch.delenv("WA_CERT", raising=False)
    Server(api, clock, **server)
    result = run(shards, check=check, **args)
    assert result["failure"]["code"] == "SHARDS_REFUSED" and result["failure"]["details"]["codes"] == codes
    assert [problem["code"] for problem in result["problems"]] == codes
    assert "nothing was changed" in result["msg"] and not result["changed"]
    assert api.writes == []


@pytest.mark.parametrize(
    "args, code",
    [
        ({"pin": "12"}, "PIN_INVALID"),
        ({"cc": "+1"}, "PHONE_NUMBER_INVALID"),
        ({"registered_at": "yesterday"}, "REGISTERED_AT_INVALID"),
    ],
)
def test_refused_before_any_request(api, run, args, code):
    assert run(2, **args)["failure"]["code"] == code
    assert api.calls == []


def test_no_spare_can_be_allowed(api, clock, run):
    Server(api, clock, coreapps=4)
    assert run(4, allow_no_spare=True)["after"] == 4


def test_old_version_is_not_sent_the_certificate(api, clock, run):
    server = Server(api, clock, version="v2.19.4")
    run(2)
    assert "cert" not in server.posts[0]


def test_user_without_rights(api, run):
    api.refuse("GET", PATH, 1005, "Access denied", status=403)
    result = run(2)
    assert result["failure"]["code"] == "API_1005" and result["before"] is None


def test_number_that_cannot_be_read(api, run):
    api.on("GET", PATH, {"account": {"shards": "many"}})
    assert run(2)["failure"]["code"] == "API_UNEXPECTED_REPLY"


class Unregistered(Server):
    """Without a number; coreapps answer as they do before there is one."""

    def health(self):
        error = {"code": 1011, "title": "Service not ready", "details": "Wacore is not instantiated."}
        found = {}
        for name, (role, _on, _owned) in self.nodes():
            shown = {"errors": [error]} if role == "coreapp" else {"role": role, "gateway_status": "unregistered"}
            found[name] = shown
        return {"health": found, "meta": {"version": self.version}}

    def support(self):
        return {"support": {"debug_info": "unregistered", "multi_connect": True}}


def test_for_a_backup_shards_are_set_without_a_number(api, clock, run):
    server = Unregistered(api, clock, coreapps=3)
    assert run(2)["failure"]["details"]["codes"] == ["NOT_REGISTERED"] and server.posts == []
    assert run(4, for_backup=True)["failure"]["details"]["codes"] == ["TOO_FEW_COREAPPS"] and server.posts == []
    result = run(2, for_backup=True)
    assert (result["changed"], result["before"], result["after"], result["downtime"]) == (True, 1, 2, [])
    assert server.posts[0]["shards"] == 2
    again = run(2, for_backup=True, wait=False)
    assert not again["changed"] and len(server.posts) == 1


def test_for_a_backup_a_new_version_still_needs_the_certificate(api, clock, run):
    server = Unregistered(api, clock, coreapps=3, version="v2.45.1")
    assert run(2, for_backup=True, cert=None)["failure"]["details"]["codes"] == ["CERT_REQUIRED"]
    assert server.posts == []
