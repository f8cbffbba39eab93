# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the checks of all hosts: the groups of each, and the lines that are shown."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.preflight import (
    API,
    API_LATER,
    GROUPS,
    NOTHING_TO_DO,
    Run,
    api_changes,
    database_exists,
    first_sizing,
    groups_of,
    has_api,
    notes_of,
    planned_changes,
    refusal,
    reported,
    run_of,
    runs_beside_database,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import Act, all_run
from ansible_collections.waent.fleet.tests.support.observed_host import (
    DATABASE,
    container,
    node_container,
    observed,
    placed,
)

FACTS = {
    "engine_missing": False, "single_connect": [], "kinds": ["coreapp", "webapp"], "tries_ports": False,
    "network_missing": True, "images_missing": ["x"], "volumes_missing": [], "db_ssl_missing": False,
}  # fmt: skip
DESIRED = {
    "register": True, "cc": "39", "phone_number": "5550100244", "registration_method": "sms",
    "settings": {"heartbeat_interval": 7}, "health_timeout_seconds": 300,
}  # fmt: skip


def run(**changes):
    return Run(**{"check_mode": False, "starts_engines": False, "stopped": (), "first": "h1", "has_api": True,
                  "way": "nothing", **changes})  # fmt: skip


def test_a_host_is_in_the_groups_of_its_kinds_and_the_first_one_has_the_api():
    ours = ["_wa_act", "_wa_act_coreapp", "_wa_act_webapp"]
    assert groups_of("h1", FACTS, [], run()) == [*ours, "_wa_act_api"]
    assert groups_of("h2", FACTS, [], run()) == ours


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({}, []),
        ({"images_missing": ["x"]}, ["_wa_act"]),
        ({"db_ssl_missing": True}, ["_wa_act"]),
        # They are made with the first container that needs them.
        ({"network_missing": True, "volumes_missing": ["x"]}, []),
        ({"kinds": ["master"]}, ["_wa_act_master"]),
    ],
)
def test_a_host_that_is_as_desired_is_in_no_group(changes, groups):
    facts = {**FACTS, "network_missing": False, "images_missing": [], "kinds": [], **changes}
    assert groups_of("h2", facts, [], run()) == groups


@pytest.mark.parametrize(
    ("state", "together"), [("exited", True), ("created", True), ("running", False), ("restarting", False)]
)
def test_nodes_start_together_only_where_none_runs(state, together):
    found = run_of([observed(nodes=[{"kind": "master", "state": state}]), observed("h2")], [], [], "nothing", False)
    assert found.begins is together
    facts = {**FACTS, "kinds": ["coreapp", "database", "master", "webapp"], "images_missing": []}
    of_kinds = ["_wa_act_coreapp", "_wa_act_database", "_wa_act_master", "_wa_act_webapp"]
    groups = groups_of("h2", facts, [], found)
    assert groups == (["_wa_act_database"] if together else of_kinds)
    assert runs_beside_database(groups) is together
    groups = groups_of("h2", {**facts, "kinds": ["coreapp", "master"]}, [], found)
    assert groups == (["_wa_act_nodes"] if together else ["_wa_act_coreapp", "_wa_act_master"])
    assert not runs_beside_database(groups)


def test_engines_that_are_missing_containers_that_are_stopped_and_nodes_that_are_recreated_in_turn():
    facts = {**FACTS, "engine_missing": True, "single_connect": ["x"], "kinds": ["database"]}
    assert groups_of("h2", facts, [], run(way="roll")) == [
        "_wa_engine_missing", "_wa_single_connect", "_wa_act", "_wa_act_database", "_wa_act_roll",
    ]  # fmt: skip
    for way in ("at_once", "ask", "nothing"):
        assert "_wa_act_roll" not in groups_of("h2", facts, [], run(way=way))


def test_steps_come_next_only_where_nothing_that_may_fail_is_done_before_them():
    for way, missing, single in itertools.product(("roll", "at_once", "ask", "nothing"), (False, True), ([], ["x"])):
        facts = {**FACTS, "engine_missing": missing, "single_connect": single}
        groups = [groups_of(host, one, [], run(way=way)) for host, one in (("h1", FACTS), ("h2", facts))]
        between = {"_wa_engine_missing", "_wa_single_connect"} & {group for found in groups for group in found}
        alone = way == "roll" and not between
        assert run(way=way).steps_come_next([FACTS, facts]) is alone


@pytest.mark.parametrize("action", ["install_engine", "create_network", "pull"])
def test_check_mode_leaves_a_host_at_what_every_container_needs(action):
    acts = [Act("h1", action, "x")]
    assert groups_of("h1", FACTS, acts, run(check_mode=True)) == ["_wa_act_api"]
    assert "_wa_act" in groups_of("h1", FACTS, acts, run())
    assert "_wa_act" in groups_of("h1", FACTS, [Act("h1", "create", "x")], run(check_mode=True))


@pytest.mark.parametrize("check_mode", [False, True])
def test_ports_are_tried_before_anything_is_done(check_mode):
    facts = {**FACTS, "engine_missing": True, "tries_ports": True}
    assert groups_of("h2", facts, [], run(check_mode=check_mode))[:2] == ["_wa_ports", "_wa_engine_missing"]


def test_check_mode_works_with_the_api_only_where_there_is_one():
    assert API not in groups_of("h1", FACTS, [], run(check_mode=True, has_api=False))
    assert API in groups_of("h1", FACTS, [], run(has_api=False))


def test_check_mode_waits_for_no_node_that_it_has_not_created():
    lacking = run(check_mode=True, all_run=False)
    assert API not in groups_of("h1", FACTS, [], lacking)
    assert API in groups_of("h1", FACTS, [], lacking._replace(check_mode=False))
    assert planned_changes(["h1: create x"], DESIRED, lacking)[1:] == [API_LATER]
    assert planned_changes(["h1: create x"], DESIRED, lacking._replace(check_mode=False)) == ["h1: create x"]


@pytest.mark.parametrize("state", ["running", "restarting", "exited", "paused", "created", None])
def test_whether_every_node_runs_is_known_from_each_of_them(state):
    """As it is known whether one is started: of what ends again and again, check mode queries the API, and ends red."""
    nodes = placed()
    for one in nodes:
        there = [node_container(node, state=state if node is one else "running") for node in nodes]
        there = [found for found in there if found["state"] is not None]
        assert all_run([observed(containers=there)], nodes) is (state in ("running", "restarting"))


def test_a_node_of_a_host_that_was_not_read_is_none_that_does_not_run():
    there = [node_container(node) for node in placed()]
    assert all_run([observed(containers=there)], [*placed(), *placed("away")])


def test_engines_that_are_stopped_are_started_before_anything_else():
    starting = run(starts_engines=True, stopped=("h2",), way="roll")
    assert groups_of("h1", FACTS, [], starting) == ["_wa_gather_again"]
    assert groups_of("h2", FACTS, [], starting) == ["_wa_gather_again", "_wa_engine_stopped"]
    assert groups_of("h2", FACTS, [], starting._replace(check_mode=True)) == []
    assert groups_of("h1", FACTS, [], starting._replace(starts_engines=False))[0] == "_wa_act"


def test_every_host_takes_part_where_one_is_emptied_but_in_check_mode():
    assert "_wa_act_drain" in groups_of("h2", FACTS, [], run(drains=True))
    assert "_wa_act_drain" not in groups_of("h2", FACTS, [], run(drains=True, check_mode=True))
    assert "_wa_act_drain" not in groups_of("h2", FACTS, [], run())


def test_every_group_is_one_of_those_that_playbooks_may_name():
    for check, stopped, way, missing in itertools.product([0, 1], [(), ("h1",)], ["roll", "ask"], [False, True]):
        facts = {**FACTS, "engine_missing": missing, "kinds": ["coreapp", "database", "master", "webapp"]}
        found = groups_of("h1", facts, [], run(check_mode=bool(check), stopped=stopped, way=way, starts_engines=True))
        assert set(found) <= set(GROUPS)


def hosts(*states):
    """A host whose webapp is in such a state, for each."""
    return [
        {"name": "h{0}".format(n), "nodes": [{"kind": "webapp", "state": state}]} for n, state in enumerate(states, 1)
    ]


def test_the_first_host_that_was_read_stands_for_the_cluster():
    assert run_of(hosts("running"), [], [], "nothing", False).first == "h1"
    assert run_of([], [], [], "nothing", False).first is None
    assert run_of(hosts("exited"), ["h1"], ["stopped"], "nothing", True).gathers_again
    assert not run_of(hosts("exited"), ["h1"], ["absent"], "nothing", True).gathers_again


def test_there_is_an_api_where_a_webapp_runs():
    assert has_api(hosts("exited", "running"))
    assert not has_api(hosts("exited", "restarting"))
    assert not has_api([{"name": "h1", "nodes": [{"kind": "coreapp", "state": "running"}]}])


def test_a_database_of_somebody_else_is_there_and_our_own_where_it_runs():
    ours = {"cluster": "waent", "kind": "database"}
    assert database_exists([], [])
    assert not database_exists([observed()], ["h1"])
    assert database_exists([observed(containers=[container("wa-db", **ours)])], ["h1"])
    assert not database_exists([observed(containers=[container("wa-db", **ours, state="exited")])], ["h1"])
    assert not database_exists([observed(containers=[container("wa-db", kind="database", cluster="other")])], ["h1"])


# --- lines ------------------------------------------------------------------------------------------------------------


def test_what_is_done_through_the_api():
    assert api_changes(DESIRED) == [
        "first login to the API, which replaces the initial password of the user admin",
        "registration of +39 5550100244 by sms, where it is not registered yet",
        "application settings: heartbeat_interval",
        "wait until the cluster is healthy, for 300 s at most",
    ]
    without = api_changes({**DESIRED, "register": False, "settings": None})
    assert without[1:3] == ["no registration (wa_register is false)", "application settings: none"]


def test_changes_by_the_api_are_shown_where_none_runs_yet_and_everything_is_known():
    assert planned_changes([], DESIRED, run()) == [NOTHING_TO_DO]
    assert planned_changes(["a"], DESIRED, run(has_api=False)) == ["a", *api_changes(DESIRED)]
    assert planned_changes(["a"], None, run(has_api=False)) == ["a"]
    starting = run(has_api=False, starts_engines=True, stopped=("h1",))
    assert planned_changes(["a"], DESIRED, starting) == ["a"]


def test_problems_of_other_checks_but_for_rows_that_a_run_makes_young_again():
    found = [{"code": code, "message": "x", "kind": "wait"} for code in ("A", "LIVENESS_STALE", "B")]
    assert [problem.code for problem in reported([{"problems": found}, {}, {"problems": None}])] == ["A", "B"]


def test_notes_are_for_a_database_that_is_there():
    notes = [{"notes": ["n"]}, {}]
    assert notes_of(notes, [observed()], placed()) == ["n"]
    assert notes_of(notes, [observed()], [*placed(), DATABASE]) == []


def test_the_refusal_says_which_engines_were_started_before():
    assert refusal("", ["h1"]) == ""
    assert refusal("x", []) == "x"
    assert refusal("x", ["h1", "h2"]) == "Docker Engine was started on h1, h2; beyond that: x"


# --- the database of a new cluster ------------------------------------------------------------------------------------

VARIABLES = {
    "wa_database_max_connections": 500, "wa_messages_per_second": 0, "wa_db_ssl_ca": "",
    "wa_database_class": "",
}  # fmt: skip
READ = {"max_connections": 200, "connections": 3}


def sizing(database=READ, read=None, names=("h1",), database_hosts=(), shards=4, **variables):
    read = [observed()] if read is None else read
    return first_sizing({**VARIABLES, **variables}, {"shards": shards}, database, read, names, database_hosts)


def test_the_headroom_for_a_new_cluster():
    asked = {"shards": 4, "shards_now": 0, "max_connections": 200, "connections": 3, "tls": False}
    assert sizing() == asked
    more = {"wa_messages_per_second": 40, "wa_database_class": "db.m4.large"}
    tls = {"wa_db_ssl_ca": "/ca"}
    assert sizing(**more, **tls) == {**asked, "tls": True, "messages_per_second": 40, "database_class": "db.m4.large"}


def test_a_database_of_our_own_will_allow_what_is_declared():
    assert sizing({}, database_hosts=["h1"])["max_connections"] == 500
    assert sizing({}, database_hosts=["h1"], wa_database_max_connections="12")["max_connections"] == 12
    assert sizing({}) == {}, "of another one that cannot be read nothing is known"


def test_it_is_not_asked_where_a_coreapp_runs_or_may_run():
    assert sizing(read=[observed(nodes=[{"kind": "coreapp", "state": "exited"}])]) == {}
    assert sizing(read=[observed(nodes=[{"kind": "webapp", "state": "running"}])]) != {}
    assert sizing(names=("h1", "lost")) == {}
    assert sizing(shards=None) == {}
