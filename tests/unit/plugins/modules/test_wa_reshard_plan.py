# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_reshard_plan: what was read goes in, the plan and its batches come out."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard_result import answer
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

SHORT = {"heartbeat_interval": 1, "unhealthy_interval": 3}
HOST = {"name": "h1", "address": "h1", "kinds": ["coreapp", "master", "webapp"]}
URL = "https://h1:9090"


def shown(number, shards=(), **changes):
    """A coreapp as wa_cluster_health shows it."""
    return {
        "name": "h1:wa-coreapp-{0}".format(number), "kind": "coreapp", "role": "coreapp", "shards": list(shards),
        "errors": [], "alive": True, "gateway_status": "connected" if shards else "disconnected", **changes,
    }  # fmt: skip


def master(number):
    role = "primary_master" if number == 1 else "secondary_master"
    return {**shown(number), "name": "h1:wa-master-{0}".format(number), "kind": "master", "role": role}


USUAL = (shown(1, [-1, 0]), shown(2))


def situation(shards="2", coreapps=USUAL, now=1, running=None, **options):
    """The smallest cluster, of which coreapp 1 owns the shard, on the way to C(shards)."""
    nodes = placed()
    if running is None:
        running = [node_container(node) for node in nodes]
    return {
        "shards": shards, "hosts": [HOST], "survive": None, "allow_no_ha": False, "name_prefix": None,
        "running": [{key: node[key] for key in ("host", "kind", "index")} for node in nodes],
        "observed": [observed(containers=running)],
        "health": {
            "cluster": {
                "form": "cluster", "shards": now, "registered": True, "nodes": [master(1), master(2), *coreapps],
            },
            "webapps": [{"url": URL, "answers": True, "version": "v2.19.4"}],
            "problems": [],
        },
        "checks": [], "settings": {}, "settings_unread": "",
        "declared_settings": {}, "declared_shards": None, "shortened_timers": SHORT, "shared_tokens": True,
        "first": 1, **options,
    }  # fmt: skip


def codes(problems):
    return [problem.code for problem in problems]


def actions(result):
    return [(step["action"], step["nodes"]) for step in result["steps"]]


def test_a_plan_with_its_batches():
    result, problems = answer(situation())
    assert problems == []
    assert result["refusal"] == ""
    assert actions(result) == [("create", ["h1:wa-coreapp-3"]), ("set_shards", [])]
    assert result["downtime"] == {"0": 60}
    assert result["sentences"][0] == "From 1 to 2 shards:"
    (created,), (call,) = result["batches"]
    assert (created["host"], created["node"]["name"], created["node"]["ports"]) == (
        "h1",
        "wa-coreapp-3",
        list(range(6266, 6270)),
    )
    assert (created["expect"]["what"], created["expect"]["coreapps"], created["expect"]["shards"]) == (
        "reporting",
        3,
        1,
    )
    assert (call["node"], call["expect"]["what"], call["expect"]["shards"]) == (None, "serving", 2)
    assert call["expect"]["webapps"] == [URL]
    assert result["again"] is False
    assert result["desired"]["counts"] == {"coreapp": 3}


def unled(*kinds):
    """With these kinds stopped: nobody shows the settings then."""
    params = situation(settings_unread="no master answers")
    gone = {"alive": False, "role": None, "gateway_status": None, "shards": None, "errors": [{"code": 1014}]}
    cluster = params["health"]["cluster"]
    cluster["nodes"] = [{**node, **(gone if node["kind"] in kinds else {})} for node in cluster["nodes"]]
    return params


def test_without_a_primary_nobody_gives_out_the_shards_so_that_masters_come_first():
    result, problems = answer(unled("master"))
    assert problems == []
    assert actions(result) == [
        ("start", ["h1:wa-master-1", "h1:wa-master-2"]), ("create", ["h1:wa-coreapp-3"]), ("set_shards", []),
    ]  # fmt: skip
    one_left = unled()
    one_left["health"]["cluster"]["nodes"][1]["alive"] = False
    assert actions(answer(one_left)[0])[0] == ("create", ["h1:wa-coreapp-3"]), "one is enough"
    none = unled("master")
    none["running"] = [slot for slot in none["running"] if slot["kind"] != "master"]
    (problem,) = answer(none)[1]
    assert problem.code == "NO_PRIMARY_MASTER" and "playbooks/site.yml" in problem.message


def test_what_starts_for_a_reshard_serves_nothing_before_while_it_is_too_little():
    result, problems = answer(unled("master", "coreapp"))
    assert problems == []
    gates = [batch[0]["expect"]["what"] for batch in result["batches"]]
    counts = [batch[0]["expect"]["coreapps"] for batch in result["batches"]]
    assert list(zip(gates, counts)) == [("present", 0), ("reporting", 1), ("reporting", 3), ("serving", 3)]


def test_what_depends_on_set_shards_waits_for_a_second_plan():
    """From 2 to 1: which coreapp is in surplus depends on who owns the shard afterwards."""
    nodes = placed(running=[("h1", "coreapp", number) for number in (1, 2, 3)])
    params = situation(
        "1", (shown(1, [-1, 0]), shown(2, [1]), shown(3)), now=2, running=[node_container(node) for node in nodes],
    )  # fmt: skip
    params["running"] = [{key: node[key] for key in ("host", "kind", "index")} for node in nodes]
    result, problems = answer(params)
    assert problems == []
    assert [(step["action"], step["predicted"]) for step in result["steps"]] == [
        ("set_shards", False),
        ("remove", True),
    ]
    assert [[entry["action"] for entry in batch] for batch in result["batches"]] == [["set_shards"]]
    assert result["again"] is True
    params["health"]["cluster"].update(shards=1, nodes=[master(1), master(2), shown(1), shown(2), shown(3, [-1, 0])])
    rest, problems = answer({**params, "first": 2})
    assert problems == []
    assert (actions(rest), rest["again"]) == ([("remove", ["h1:wa-coreapp-2"])], False)
    assert rest["batches"][0][0]["step"] == 2
    assert [node["key"] for node in rest["desired"]["nodes"] if node["kind"] == "coreapp"] == [
        "h1:wa-coreapp-1",
        "h1:wa-coreapp-3",
    ]


def test_nothing_to_do():
    result, problems = answer(situation(1))
    assert (result["steps"], result["batches"], problems) == ([], [], [])
    assert "nothing to do" in result["sentences"][0]


@pytest.mark.parametrize(("declared", "said"), [(1, True), (None, True), ("1", True), (2, False), ("2", False)])
def test_what_the_inventory_says_already_is_not_to_be_written_there(declared, said):
    result, problems = answer(situation(2, declared_shards=declared))
    assert problems == []
    assert bool(result["inventory_note"]) == said


@pytest.mark.parametrize("second", [[shown(2, errors=[{"code": 1014}], gateway_status=None, alive=False)], []])
def test_a_coreapp_that_reports_an_error_or_nothing_is_started(second):
    result, _problems = answer(situation(1, (shown(1, [0]), *second)))
    assert actions(result) == [("start", ["h1:wa-coreapp-2"])]


def test_what_was_not_read_is_not_guessed():
    for params in (situation(coreapps=(shown(1, [0]), shown(2) | {"shards": None})), situation(now=None)):
        result, problems = answer(params)
        assert (codes(problems), result["steps"], result["batches"]) == (["STATE_UNKNOWN"], [], [])


def test_a_coreapp_nobody_knows_forbids_to_begin():
    result, problems = answer(situation(coreapps=(shown(1, [0]), shown(2), shown(7))))
    assert codes(problems) == ["NODE_UNKNOWN"]
    assert result["refusal"].startswith("Nothing was changed.\n[NODE_UNKNOWN] h1:wa-coreapp-7 reports to the cluster")


def test_bad_shards_are_refused_in_the_usual_words():
    assert codes(answer(situation(3))[1]) == ["WA_SHARDS_INVALID"]


def test_all_that_was_found_before_is_one_refusal():
    checks = [
        {"problems": [{"code": "PORT_TAKEN", "message": "port 6250 is taken.", "host": "h1"}]},
        {"skipped": True},
        {"failed": False, "problems": [{"code": "NO_SPARE", "message": "the plan adds one"}]},
        {"problems": [{"code": "CERT_EXPIRED", "message": "wa_cert expired on 2020-02-29."}]},
        {"failed": False, "failure": {"code": "API_DOWN", "message": "The API did not answer."}},
    ]
    result, _problems = answer(situation(checks=checks))
    assert result["refusal"].splitlines() == [
        "Nothing was changed.",
        "[PORT_TAKEN] h1: port 6250 is taken.",
        "[CERT_EXPIRED] wa_cert expired on 2020-02-29.",
        "The API did not answer.",
    ]
    assert (result["steps"], result["batches"]) == ([], [])


def test_without_an_api_what_is_wrong_with_the_hosts_says_it_all():
    down = [{"problems": [{"code": "ENGINE_DOWN", "message": "no engine.", "host": "h1"}]}]
    assert codes(answer(situation(health={}, checks=down))[1]) == ["ENGINE_DOWN"]
    assert codes(answer(situation(health={}))[1]) == ["STATE_UNKNOWN"]


def test_what_could_not_be_read_is_said_with_its_reason_and_what_helps():
    (stopped,) = answer(situation(health={}))[1]
    assert "no webapp of the cluster runs; run playbooks/site.yml" in stopped.message
    unreadable = {
        "cluster": {"form": "unreadable", "shards": None, "nodes": []}, "webapps": [], "problems": [],
        "failure": {"code": "API_DOWN", "message": "No webapp answered.\nAnd more."},
    }  # fmt: skip
    (silent,) = answer(situation(health=unreadable))[1]
    assert (silent.code, "No webapp answered" in silent.message) == ("STATE_UNKNOWN", True)


def test_a_module_that_could_not_check_is_a_reason_even_where_its_task_may_fail():
    crashed = {"failed": False, "msg": "missing required arguments: shards"}
    result, problems = answer(situation(checks=[crashed]))
    assert (problems, result["batches"]) == ([], [])
    assert result["refusal"].endswith("missing required arguments: shards")


NAMES = ("h1", "h2", "h3")


def fleet(there, made_for, now, survive, then):
    """A cluster that site.yml has made on the first hosts, to survive something, and what is desired on all three."""
    hosts = [{"name": name, "address": name, "kinds": list(KINDS), "pins": {}} for name in NAMES]
    made = {"shards": now, "hosts": hosts[:there], "survive": made_for, "allow_no_ha": True}
    spec, problems = read_cluster_spec(made)
    assert problems == []
    nodes = [node.as_dict() for node in place(spec).nodes]
    owners = {node["key"]: shard for shard, node in enumerate([n for n in nodes if n["kind"] == "coreapp"][:now])}
    reported = [
        {**shown(1, [owners[node["key"]]] if node["key"] in owners else []), "name": node["key"], "kind": node["kind"]}
        for node in nodes
        if node["kind"] != "webapp"
    ]
    params = situation(then, now=now)
    params.update(hosts=hosts, survive=survive, allow_no_ha=True)
    params["running"] = [{key: node[key] for key in ("host", "kind", "index")} for node in nodes]
    containers = {name: [node_container(node) for node in nodes if node["host"] == name] for name in NAMES}
    params["observed"] = [observed(name, containers[name]) for name in NAMES]
    params["health"]["cluster"]["nodes"] = reported
    return params, {node["key"] for node in nodes}


def test_a_coreapp_is_created_where_it_is_placed_whatever_else_the_hosts_run():
    """Where one goes depends on masters and webapps: more of them than are desired now, or on other hosts."""
    tolerances, counts = ({}, {"hosts": 1}), (1, 2, 4)
    planned = 0
    for case in itertools.product((2, 3), tolerances, counts, tolerances, counts):
        params, before = fleet(*case)
        result, problems = answer(params)
        assert problems == [], case
        created = {
            entry["node"]["key"] for batch in result["batches"] for entry in batch if entry["action"] == "create"
        }
        coreapps = {node["key"] for node in result["desired"]["nodes"] if node["kind"] == "coreapp"}
        assert created == coreapps - before, case
        planned += bool(created)
    assert planned
