# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_upgrade_plan: what was read goes in, the plan and its batches come out."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_result import answer
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

FIXED = {"code": "VERSION_DIFFERS", "message": "an upgrade is what fixes it"}
SHORT = {"heartbeat_interval": 1, "unhealthy_interval": 3}


def shown(node, **changes):
    """A node as wa_cluster_health shows it."""
    entry = {
        "name": node["key"], "kind": node["kind"], "role": node["kind"], "gateway_status": "disconnected",
        "shards": [], "errors": [], "alive": True,
    }  # fmt: skip
    return {**entry, **changes}


def situation(running=None, **options):
    """The smallest cluster: coreapp 1 owns the shard, master 1 is primary, everything runs and answers."""
    nodes = placed()
    if running is None:
        running = [node_container(node) for node in nodes]
    entries = [shown(node) for node in nodes if node["kind"] != "webapp"]
    for entry in entries:
        if entry["name"].endswith("coreapp-1"):
            entry.update(gateway_status="connected", shards=[-1, 0])
        if entry["kind"] == "master":
            entry.update(role="primary_master" if entry["name"].endswith("-1") else "secondary_master")
    health = {
        "cluster": {"form": "cluster", "shards": 1, "registered": True, "nodes": entries},
        "webapps": [{"url": "https://h1:9090", "answers": True, "version": "v2.19.4"}],
        "problems": [],
    }
    params = {
        "version": "2.19.7", "declared_version": "2.19.4", "strategy": "auto", "allow_no_ha": False, "shards": 1,
        "nodes": nodes, "leaving": [], "snapshot": "none", "observed": [observed(containers=running)],
        "health": health, "checks": [], "settings": {}, "settings_unread": "",
        "declared_settings": {}, "shortened_timers": SHORT, "shared_tokens": True, "first": 1, "remount": [],
        "plans_again": True,
    }  # fmt: skip
    return {**params, **options}


def rebuilt(*names):
    """The smallest cluster with containers whose environment is not the desired one."""
    other = {"environment_differs": ["WA_DB_CONNECTION_IDLE_TIMEOUT"]}
    return observed(containers=[node_container(node, **(other if node["name"] in names else {})) for node in placed()])


def codes(problems):
    return [problem.code for problem in problems]


def test_a_plan_with_its_batches():
    result, problems = answer(situation())
    assert problems == []
    assert result["strategy"] == "rolling"
    assert [(step["action"], step["nodes"]) for step in result["steps"]] == [
        ("replace", ["h1:wa-coreapp-2"]),
        ("switchover", ["h1:wa-coreapp-1"]),
        ("replace", ["h1:wa-coreapp-1"]),
        ("replace", ["h1:wa-master-2"]),
        ("replace", ["h1:wa-master-1"]),
        ("replace", ["h1:wa-webapp-1"]),
    ]
    assert [len(batch) for batch in result["batches"]] == [1] * 6
    names = [entry["name"] for batch in result["batches"] for entry in batch]
    assert len(set(names)) == len(names), "each entry is a host of its own for Ansible"
    over = result["batches"][1][0]
    assert (over["host"], over["node"]["name"], over["action"]) == ("h1", "wa-coreapp-1", "switchover")
    assert (over["expect"]["what"], over["expect"]["coreapps"]) == ("serving", 1)
    assert [node["key"] for node in over["expect"]["nodes"] if node["kind"] == "coreapp"] == ["h1:wa-coreapp-2"]
    assert over["expect"]["webapps"] == ["https://h1:9090"]
    assert result["downtime"]["0"] >= 10
    assert result["sentences"][0] == "From v2.19.4: 5 nodes to v2.19.7, rolling:"
    assert result["inventory_note"].startswith("Write wa_version: v2.19.7 into the inventory")


def test_the_intervals_are_lowered_from_the_first_owner_to_the_last():
    params = situation()
    two = {"wa-coreapp-1": [0], "wa-coreapp-2": [1], "wa-coreapp-3": []}
    spare = dict(params["nodes"][-1], name="wa-coreapp-3", key="h1:wa-coreapp-3", kind="coreapp")
    nodes = [node for node in params["nodes"] if node["kind"] != "coreapp"]
    nodes += [dict(spare, name=name, key="h1:" + name) for name in two]
    entries = [entry for entry in params["health"]["cluster"]["nodes"] if entry["kind"] != "coreapp"]
    entries += [shown(dict(spare, key="h1:" + name), shards=owned) for name, owned in two.items()]
    params["health"]["cluster"].update(shards=2, nodes=entries)
    hosts = [observed(containers=[node_container(node) for node in nodes])]
    result, problems = answer(dict(params, nodes=nodes, observed=hosts, shards=2))
    assert problems == []
    marks = [(batch[0]["action"], batch[0]["shortened"], batch[0]["restore"]) for batch in result["batches"]]
    assert marks[:6] == [
        ("replace", False, False),
        ("switchover", True, False),
        ("replace", True, False),
        ("switchover", True, True),
        ("replace", False, False),
        ("replace", False, False),
    ]


@pytest.mark.parametrize(
    ("options", "steps", "changes"),
    [
        ({}, 6, True),
        ({"version": "v2.19.4"}, 0, False),
        ({"version": "v2.19.4", "observed": [rebuilt("wa-coreapp-2")]}, 1, False),
        ({"version": "v2.19.4", "observed": [observed(containers=[])]}, 2, False),
    ],
)
def test_whether_a_version_changes_does_not_depend_on_whether_nodes_are_replaced(options, steps, changes):
    result, problems = answer(situation(**options))
    assert problems == []
    assert (len(result["steps"]), result["operation"] == "upgrade") == (steps, changes)


def test_equal_version_is_an_empty_plan():
    result, problems = answer(situation(version="v2.19.4"))
    assert (result["steps"], result["batches"], problems) == ([], [], [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"version": "new"}, ["VERSION_INVALID"]),
        ({"version": None}, ["VERSION_INVALID"]),
        ({"strategy": "fast"}, ["STRATEGY_INVALID"]),
        ({"version": "v2.19.3"}, ["DOWNGRADE"]),
        ({"checks": [{"problems": [FIXED, {"code": "DISK_LOW", "message": "y"}]}]}, ["DISK_LOW"]),
    ],
)
def test_what_is_refused(options, expected):
    result, problems = answer(situation(**options))
    assert codes(problems) == expected
    assert result["steps"] == []


def test_a_sick_cluster_is_refused_unless_dead_nodes_explain_it():
    sick = {"code": "TOO_FEW_CONNECTED", "message": "x", "kind": "wait", "host": None}
    params = situation()
    params["health"]["problems"] = [sick]
    assert codes(answer(params)[1]) == ["TOO_FEW_CONNECTED"]
    params["health"]["cluster"]["nodes"][-1]["errors"] = [{"code": 1014}]
    params["health"]["cluster"]["nodes"][-1]["alive"] = False
    assert answer(params)[1] == []
    params["health"]["problems"] = [{**sick, "code": "SHARD_TWO_OWNERS", "kind": "act"}]
    assert codes(answer(params)[1]) == ["SHARD_TWO_OWNERS"]


def test_a_node_that_only_the_cluster_knows_is_refused():
    params = situation()
    params["health"]["cluster"]["nodes"].append(shown({"key": "h9:wa-coreapp-1", "kind": "coreapp"}))
    assert codes(answer(params)[1]) == ["NODE_UNKNOWN"]
    params["leaving"] = [{"key": "h9:wa-coreapp-1"}]
    assert answer(params)[1] == [], "site.yml removes it afterwards"


def test_owners_that_were_not_read_are_not_guessed():
    params = situation()
    params["health"]["cluster"]["nodes"][-1]["shards"] = None
    assert codes(answer(params)[1]) == ["STATE_UNKNOWN"]


def test_without_any_webapp_to_ask_there_is_a_webapp_first():
    nodes = placed()
    running = [node_container(node) for node in nodes if node["kind"] != "webapp"]
    nothing = {"cluster": {"form": "unreadable", "nodes": []}, "webapps": [], "problems": []}
    result, problems = answer(situation(running=running, health=nothing))
    assert problems == []
    assert [(step["action"], step["predicted"]) for step in result["steps"]] == [("replace", False), ("replace", True)]
    assert [[entry["node"]["key"] for entry in batch] for batch in result["batches"]] == [["h1:wa-webapp-1"]]
    assert result["batches"][0][0]["expect"]["what"] == "answering"
    assert result["again"]
    # Where no other plan follows, as of site.yml, that is all.
    alone, problems = answer(situation(running=running, health=nothing, plans_again=False))
    assert ([step["nodes"] for step in alone["steps"]], alone["again"]) == ([["h1:wa-webapp-1"]], False)


@pytest.mark.parametrize("cores", [*RUNNING, "exited"])
def test_between_lines_nobody_has_to_be_asked(cores):
    """A webapp of the new line would wait for the schema for ever, and what runs unseen has to stop before that."""
    nodes = placed()
    running = [node_container(node, state="exited" if node["kind"] == "webapp" else cores) for node in nodes]
    nothing = {"cluster": {}, "webapps": [], "problems": []}
    result, problems = answer(situation(running=running, health=nothing, version="v2.21.3"))
    assert problems == []
    stops = ["stop", "stop"] if cores in RUNNING else []
    assert [step["action"] for step in result["steps"]] == [
        "snapshot", *stops, "schema_upgrade", "replace", "replace", "replace"
    ]  # fmt: skip
    stopped = {key for step in result["steps"] if step["action"] == "stop" for key in step["nodes"]}
    assert stopped == {node["key"] for node in nodes if stops and node["kind"] != "webapp"}
    assert ("NO_CLEANUP" in result["sentences"][0]) == (cores in RUNNING) and not result["again"]


def test_nodes_known_to_differ_are_replaced_in_the_same_order():
    result, _problems = answer(situation(version="v2.19.4", observed=[rebuilt("wa-coreapp-1", "wa-coreapp-2")]))
    assert [step["action"] for step in result["steps"]] == ["replace", "switchover", "replace"]


@pytest.mark.parametrize(
    ("state", "owned_elsewhere", "expected"),
    [("running", False, ["OWNER_UNCERTAIN"]), ("exited", False, []), ("running", True, [])],
)
def test_what_may_own_a_shard_is_not_taken_for_dead(state, owned_elsewhere, expected):
    nodes = placed()
    running = [node_container(node, state=state if node["name"] == "wa-coreapp-1" else "running") for node in nodes]
    params = situation(running=running)
    for entry in params["health"]["cluster"]["nodes"]:
        if entry["name"] == "h1:wa-coreapp-1":
            entry.update(errors=[{"code": 1014}], gateway_status=None, shards=None, alive=False)
        elif entry["kind"] == "coreapp" and owned_elsewhere:
            entry.update(gateway_status="connected", shards=[-1, 0])
    assert codes(answer(params)[1]) == expected


def test_gates_ask_only_webapps_that_take_the_same_token():
    """With another JWT key a webapp refuses the token of one that has not been recreated yet."""
    base = situation()
    first = next(node for node in base["nodes"] if node["kind"] == "webapp")
    second = {**first, "index": 2, "name": "wa-webapp-2", "key": "h1:wa-webapp-2", "ports": [9091]}
    nodes = [*base["nodes"], second]
    old = {"environment_differs": ["WA_WEB_JWT_CRYPTO_KEY"]}
    running = [node_container(node, **(old if node["kind"] == "webapp" else {})) for node in nodes]
    urls = ["https://h1:9090", "https://h1:9091"]
    health = {**base["health"], "webapps": [{"url": url, "answers": True, "version": "v2.19.4"} for url in urls]}
    options = {"version": "2.19.4", "nodes": nodes, "observed": [observed(containers=running)], "health": health}
    result, problems = answer({**base, **options})
    assert problems == []
    assert [step["nodes"] for step in result["steps"]] == [["h1:wa-webapp-1"], ["h1:wa-webapp-2"]]
    assert [batch[0]["expect"]["webapps"] for batch in result["batches"]] == [urls[:1], urls]


def test_another_node_secret_is_no_matter_of_one_node_after_the_other():
    base = situation()
    other = {"environment_differs": ["WA_SECRET"]}
    running = [node_container(node, **(other if node["kind"] == "master" else {})) for node in base["nodes"]]
    result, problems = answer({**base, "observed": [observed(containers=running)]})
    assert (codes(problems), result["batches"]) == (["NODE_SECRET_DIFFERS"], [])
    assert "WA_SECRET of wa-master-1, wa-master-2 is not" in problems[0].message


def test_timers_that_were_not_read_forbid_a_switchover_and_nothing_else():
    result, problems = answer(situation(settings_unread="No answer."))
    assert (codes(problems), result["batches"]) == (["SETTINGS_UNREAD"], [])
    assert codes(answer(situation(settings_unread="No answer.", declared_settings=SHORT))[1]) == []
    assert (
        codes(answer(situation(settings_unread="No answer.", observed=[rebuilt("wa-coreapp-2")], version="2.19.4"))[1])
        == []
    )
