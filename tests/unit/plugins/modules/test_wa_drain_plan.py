# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_drain_plan: what was read goes in, the plan and its batches come out."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.drain_result import answer
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

KINDS = ["coreapp", "master", "webapp"]
URLS = ["https://h1:9090", "https://h2:9090"]


def shown(key, shards=(), role="coreapp", **changes):
    """A node as wa_cluster_health shows it."""
    return {
        "name": key, "kind": role.split("_")[-1], "role": role, "shards": list(shards), "errors": [], "alive": True,
        "gateway_status": "connected" if shards else "disconnected", **changes,
    }  # fmt: skip


USUAL = (
    shown("h1:wa-master-1", role="primary_master"), shown("h1:wa-master-2", role="secondary_master"),
    shown("h1:wa-coreapp-1", [-1, 0]), shown("h1:wa-coreapp-2"),
)  # fmt: skip


def situation(nodes=USUAL, drained=("h1",), state="running", **options):
    """The smallest cluster, all of it on h1, which is drained; h2 is empty."""
    there = placed()
    hosts = [{"name": name, "kinds": KINDS, "rack": "a", "drained": name in drained} for name in ("h1", "h2")]
    return {
        "shards": 1, "hosts": hosts, "survive": None, "allow_no_ha": False, "name_prefix": None,
        "running": [{key: node[key] for key in ("host", "kind", "index")} for node in there],
        "observed": [observed(containers=[node_container(node, state=state) for node in there]), observed("h2")],
        "health": {
            "cluster": {"form": "cluster", "shards": 1, "registered": True, "nodes": list(nodes)},
            "webapps": [{"url": URLS[0], "answers": True, "version": "v2.19.4"}],
            "problems": [],
        },
        "checks": [], "settings": {}, "settings_unread": "", "declared_settings": {},
        "shortened_timers": {"heartbeat_interval": 1, "unhealthy_interval": 3}, "shared_tokens": True, "first": 1,
        "to_declare": [], "database_hosts": [], "unread": {}, "begun": False, **options,
    }  # fmt: skip


def codes(problems):
    return [problem.code for problem in problems]


def test_a_plan_with_its_batches():
    result, problems = answer(situation())
    assert (problems, result["refusal"]) == ([], "")
    assert [(step["action"], *step["nodes"]) for step in result["steps"]] == [
        ("create", "h2:wa-coreapp-1", "h2:wa-coreapp-2", "h2:wa-master-1", "h2:wa-master-2", "h2:wa-webapp-1"),
        ("remove", "h1:wa-coreapp-2"),
        ("switchover", "h1:wa-coreapp-1"),
        ("remove", "h1:wa-coreapp-1"),
        ("remove", "h1:wa-master-2"),
        ("remove", "h1:wa-master-1"),
        ("remove", "h1:wa-webapp-1"),
    ]
    assert result["sentences"][:2] == [
        "h1 is emptied:",
        "1. Create 2 masters, 1 webapp and 2 coreapps: h2:wa-coreapp-1, h2:wa-coreapp-2, h2:wa-master-1,"
        " h2:wa-master-2, h2:wa-webapp-1; wait until each is there.",
    ]
    assert (result["operation"], result["target"], result["downtime"]) == ("drain", "h1", {"0": 10})


def test_every_gate_asks_for_what_is_left_at_the_webapps_that_are_left():
    batches = answer(situation())[0]["batches"]
    assert {entry["host"] for entry in batches[0]} == {"h2"}
    assert {entry["host"] for batch in batches[1:] for entry in batch} == {"h1"}
    gates = [batch[0]["expect"] for batch in batches]
    left = [(gate["masters"], gate["coreapps"], gate["webapps"]) for gate in gates]
    assert left == [
        (4, 4, URLS),
        (4, 3, URLS),
        (4, 2, URLS),
        (4, 2, URLS),
        (3, 2, URLS),
        (2, 2, URLS),
        (2, 2, URLS[1:]),
    ]
    assert [gate["what"] for gate in gates] == ["reporting"] + ["serving"] * 6
    assert [entry["restore"] for entry in (batch[0] for batch in batches)].index(True) == 2


def test_an_empty_host_is_said_to_be_empty():
    result, problems = answer(situation(running=[], nodes=[]))
    assert (result["steps"], problems) == ([], [])
    assert result["sentences"] == ["h1 is drained and has no node of the cluster: nothing to do."]


def test_without_a_drained_host_nothing_is_done():
    assert answer(situation(drained=()))[0]["sentences"] == ["No host is drained: nothing to do."]


def test_a_host_that_only_the_command_drains_has_to_be_declared():
    note = answer(situation(to_declare=["h1"]))[0]["inventory_note"]
    assert note.startswith("Write wa_drained: true for h1 into the inventory, or take it out of it")
    assert answer(situation())[0]["inventory_note"] == ""


def test_a_database_that_stays_is_warned_about_where_its_host_is_drained():
    warned = answer(situation(database_hosts=["h1", "db"]))[0]["sentences"]
    assert [line for line in warned if "DATABASE_STAYS" in line] == [warned[0]]
    assert "h1" in warned[0]
    assert "DATABASE_STAYS" not in str(answer(situation(database_hosts=["h2"]))[0]["sentences"])


def test_nodes_that_came_back_dead_are_removed_and_never_started():
    alive = [shown(node["name"].replace("h1", "h2"), node["shards"], node["role"]) for node in USUAL]
    params = situation(alive, state="exited")
    there = placed("h2")
    params["running"] += [{key: node[key] for key in ("host", "kind", "index")} for node in there]
    params["observed"][1] = observed("h2", containers=[node_container(node) for node in there])
    params["health"]["webapps"] = [{"url": URLS[1], "answers": True, "version": "v2.19.4"}]
    result, problems = answer(params)
    assert problems == []
    (step,) = result["steps"]
    assert (step["action"], len(step["nodes"]), step["downtime"]) == ("remove", 5, {})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"health": {}}, "STATE_UNKNOWN"),
        ({"nodes": [*USUAL[:2], {**USUAL[2], "shards": None}, USUAL[3]]}, "STATE_UNKNOWN"),
        ({"nodes": [*USUAL, shown("h9:wa-coreapp-1")]}, "NODE_UNKNOWN"),
        ({"drained": ("h1", "h2")}, "WA_KIND_NOWHERE"),
        ({"survive": {"hosts": 1}}, "WA_SURVIVE_IMPOSSIBLE"),
        ({"unread": {"h1": "timed out"}}, "HOST_NOT_READ"),
        ({"settings_unread": "No master."}, "SETTINGS_UNREAD"),
        ({"checks": [{"problems": [{"code": "PORT_TAKEN", "message": "It is taken.", "host": "h2"}]}]}, "PORT_TAKEN"),
    ],
)  # fmt: skip
def test_what_forbids_to_begin(options, expected):
    result, problems = answer(situation(**options))
    assert set(codes(problems)) == {expected}
    assert (result["steps"], result["batches"]) == ([], [])
    assert result["refusal"].startswith("Nothing was changed.\n[" + expected)


def test_another_host_that_was_not_read_is_a_matter_of_the_checks():
    assert answer(situation(unread={"h2": "timed out"}))[1] == []


def test_a_sick_cluster_is_not_drained():
    params = situation()
    params["health"]["problems"] = [
        {"code": "SHARD_TWO_OWNERS", "message": "Shard 0 has more than one owner.", "host": None, "kind": "act"}
    ]
    assert codes(answer(params)[1]) == ["SHARD_TWO_OWNERS"]


def test_a_coreapp_that_may_own_a_shard_unseen_is_not_taken_away():
    silent = shown("h1:wa-coreapp-1", alive=False, gateway_status=None, errors=[{"code": 1014}])
    assert "OWNER_UNCERTAIN" in codes(answer(situation([*USUAL[:2], silent, USUAL[3]]))[1])


def test_a_run_that_has_changed_something_does_not_say_otherwise():
    assert answer(situation(health={}, begun=True))[0]["refusal"].startswith("[STATE_UNKNOWN]")


def test_as_a_module():
    result = run_module_process("wa_drain_plan", **situation(health={}))
    assert result["failure"]["code"] == "WA_DRAIN_REFUSED"
    assert run_module_process("wa_drain_plan", **situation())["steps"]
