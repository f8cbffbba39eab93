# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number a cluster is registered for, whose nodes live in it, and when a number of shards means anything."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import (
    ALIVE_SECONDS,
    GONE,
    LEFT_OUT,
    OTHER,
    OURS,
    UNREAD,
    DesiredIdentity,
    inventory_from,
    live_unknown_nodes,
    notes,
    number_problem,
    problems,
    shards_problem,
    suspects,
    unknown_nodes,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.without import Signs
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.tests.support.observed_host import (
    bare,
    container,
    node_container,
    observed,
    placed,
)
from hypothesis import given
from hypothesis import strategies as st

NUMBER, OTHER_NUMBER = "15550100244", "15550100245"
HOSTS = [{"name": "h1", "address": "h1"}, {"name": "h2", "address": "10.0.0.2"}]
COMPOSE = {"product": "coreapp", "environment": {"WA_APP_MULTICONNECT": "1"}}


def row(node, age=5.0, role="coreapp"):
    return {"node": node, "role": role, "version": "v2.19.4", "age_seconds": age}


def shown(name, status="disconnected", **changes):
    alive = status is not None and not changes.get("errors")
    return {"name": name, "errors": [], "gateway_status": status, "alive": alive, **changes}


def ours(more=(), hosts=HOSTS, read=None, **options):
    """The smallest cluster on h1; h2 is of the inventory too. more: further containers of h1."""
    running = [node_container(node) for node in placed()]
    seen = [observed("h1", containers=[*running, *more]), observed("h2")] if read is None else read
    return inventory_from(placed(), hosts, seen, options.get("prefix", "wa"))


def found(desired=None, inventory=None, database=None, cluster=None):
    return problems(desired or DesiredIdentity(NUMBER, 1), inventory or ours(), database or {}, cluster or {})


def codes(*args, **options):
    return [problem.code for problem in found(*args, **options)]


# Which number


@pytest.mark.parametrize(
    ("registered", "desired"), [(None, NUMBER), ("", NUMBER), (NUMBER, ""), (NUMBER, None), (NUMBER, NUMBER)]
)
def test_no_other_number(registered, desired):
    assert number_problem(registered, desired) is None


def test_another_number_is_named_by_four_digits_of_both():
    problem = number_problem(NUMBER, OTHER_NUMBER)
    assert (problem.code, problem.variable) == ("OTHER_NUMBER_REGISTERED", "wa_phone_number")
    assert "ends in 0244, and wa_cc with wa_phone_number ends in 0245" in problem.message
    assert "wa_db_name_prefix" in problem.message
    assert NUMBER not in problem.message and OTHER_NUMBER not in problem.message
    assert "digits before those differ" in number_problem("49" + NUMBER[1:], NUMBER).message


@given(st.text("0123456789", min_size=5, max_size=15), st.text("0123456789", min_size=5, max_size=15))
def test_numbers_are_equal_or_refused_and_never_given_away(one, other):
    problem = number_problem(one, other)
    assert (problem is None) == (one == other)
    assert problem is None or (one not in problem.message and other not in problem.message)


@pytest.mark.parametrize(
    ("database", "cluster", "refused"),
    [
        ({"registered": True, "registered_number": OTHER_NUMBER}, {}, True),
        ({"registered": True, "registered_number": NUMBER}, {}, False),
        ({"registered": False, "registered_number": None}, {}, False),
        ({"registered": None}, {"registered": True, "registered_number": OTHER_NUMBER}, True),
        ({}, {"registered": True, "registered_number": OTHER_NUMBER}, True),
        ({}, {"registered": True, "registered_number": None}, False),
        # The API says so now; the database was read before.
        ({"registered": False}, {"registered": True, "registered_number": OTHER_NUMBER}, True),
        # Support does not show it to everybody, the database still has it.
        ({"registered": True, "registered_number": OTHER_NUMBER}, {"registered": True}, True),
    ],
)
def test_the_number_is_compared_with_whatever_reports_it(database, cluster, refused):
    assert codes(database=database, cluster=cluster) == (["OTHER_NUMBER_REGISTERED"] if refused else [])
    assert codes(DesiredIdentity(""), database=database, cluster=cluster) == []


def test_a_number_that_nothing_reports_is_noted_as_unknown():
    nodes = [shown("h1:wa-coreapp-1")]
    assert notes({}, {}) and notes({"registered": None, "databases": ["configStore"]}, {})
    assert notes({}, {"nodes": nodes, "registered": True, "registered_number": None})
    assert notes({"registered": False, "databases": ["configStore"]}, {}) == []
    assert notes({"registered": None, "databases": []}, {}) == [], "nothing of the client is there yet"
    assert notes({}, {"nodes": nodes, "registered": True, "registered_number": NUMBER}) == []
    assert notes({}, {"nodes": nodes, "registered": False}) == []


# Shards


@pytest.mark.parametrize("desired", SHARD_COUNTS)
@pytest.mark.parametrize("configured", [None, *SHARD_COUNTS])
@pytest.mark.parametrize("registered", [None, False, True])
@pytest.mark.parametrize("may_reshard", [False, True])
def test_a_number_of_shards_means_something_for_a_registered_number_only(registered, configured, desired, may_reshard):
    problem = shards_problem(registered, configured, desired, may_reshard)
    differs = registered is True and configured not in (None, desired) and not may_reshard
    assert (problem is not None) == differs
    if problem:
        assert (problem.code, problem.variable, problem.value) == ("SHARDS_DIFFER", "wa_shards", desired)
        assert "playbooks/reshard.yml -e shards={0}".format(desired) in problem.message
        assert "set wa_shards to {0} in the inventory".format(configured) in problem.message


@pytest.mark.parametrize("shards", SHARD_COUNTS)
@pytest.mark.parametrize("left", [None, *SHARD_COUNTS])
@pytest.mark.parametrize("runs", ["right", "none right", "none wrong right", "wrong wrong right"])
def test_every_run_of_a_first_registration_goes_on(shards, left, runs):
    """left: what the database says before a number is registered, nothing, or from an earlier life of the cluster."""
    database = {"registered": None if left is None else False, "configured_shards": left, "databases": []}
    for code in runs.split():
        assert found(DesiredIdentity(NUMBER, shards), database=database) == [], "preflight lets run {0} on".format(code)
        unregistered = {"registered": False, "shards": left or 1, "nodes": [shown("h1:wa-master-1", "unregistered")]}
        assert found(DesiredIdentity(NUMBER, shards), database=database, cluster=unregistered) == [], (
            "so does register.yml"
        )
        database = {"registered": code == "right", "configured_shards": left or 1, "databases": ["configStore"]}
        database["registered_number"] = NUMBER if code == "right" else None
    database["configured_shards"] = shards  # what the last of them sets
    assert found(DesiredIdentity(NUMBER, shards), database=database) == []


@pytest.mark.parametrize("shards", SHARD_COUNTS[1:])
def test_a_run_killed_before_its_shards_were_set_leaves_what_reshard_finishes(shards):
    database = {"registered": True, "registered_number": NUMBER, "configured_shards": 1}
    (problem,) = found(DesiredIdentity(NUMBER, shards), database=database)
    assert "first run ended before its shards were set" in problem.message
    assert found(DesiredIdentity(NUMBER, shards, may_reshard=True), database=database) == []


def test_the_shards_of_another_number_are_none_of_ours():
    database = {"registered": True, "registered_number": OTHER_NUMBER, "configured_shards": 4}
    assert codes(DesiredIdentity(NUMBER, 2), database=database) == ["OTHER_NUMBER_REGISTERED"]
    assert codes(DesiredIdentity(OTHER_NUMBER, 2), database=database) == ["SHARDS_DIFFER"]


# Whose nodes


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("h1:wa-coreapp-1", OURS),
        ("h1:wa-coreapp-9", GONE),
        ("10.0.0.2:wa-coreapp-1", GONE),
        ("10.0.0.2:wb-coreapp-1", GONE),
        ("h9:wa-coreapp-1", OTHER),
        ("::1:wa-coreapp-1", OTHER),
        ("wa-coreapp-1", OTHER),
    ],
)
def test_whose(key, expected):
    assert ours().whose(key) == expected


def test_a_host_that_was_not_read_may_have_nodes_of_ours_that_nobody_placed():
    for read in ([observed("h1")], [observed("h1"), bare("h2")]):
        inventory = ours(read=read)
        assert inventory.whose("10.0.0.2:wa-coreapp-7") == UNREAD
        assert inventory.whose("10.0.0.2:wb-coreapp-7") == OTHER
        assert inventory.whose("h1:wa-coreapp-7") == GONE


def test_our_container_is_ours_under_the_address_that_it_still_advertises():
    old = [node_container(node, environment={"COREAPP_HOSTNAME": "old"}) for node in placed()]
    inventory = ours(read=[observed("h1", containers=old), observed("h2")])
    assert inventory.whose("old:wa-coreapp-1") == OURS == inventory.whose("h1:wa-coreapp-1")


@pytest.mark.parametrize(
    "neighbour",
    [
        container("wb-coreapp-1", cluster="wb", kind="coreapp", index=1, product="coreapp"),
        container("wacore1", **COMPOSE),
    ],
)
def test_another_cluster_s_node_on_one_of_our_hosts(neighbour):
    assert ours([neighbour]).whose("h1:wb-coreapp-1") == OTHER
    assert ours([{**neighbour, "state": "exited"}]).whose("h1:wb-coreapp-1") == GONE


def test_two_hosts_behind_one_address_are_both_checked():
    hosts = [{"name": "h1", "address": "nat"}, {"name": "h2", "address": "nat"}]
    neighbour = container("wb-coreapp-1", cluster="wb", product="coreapp")
    both = [observed("h1"), observed("h2", containers=[neighbour])]
    assert ours(hosts=hosts, read=both).whose("nat:wb-coreapp-1") == OTHER
    assert ours(hosts=hosts, read=both[:1]).whose("nat:wa-coreapp-9") == UNREAD


@pytest.mark.parametrize(
    ("age", "counts"), [(0.0, True), (60.0, True), (ALIVE_SECONDS, True), (ALIVE_SECONDS + 1, False), (None, False)]
)
def test_only_a_young_row_counts(age, counts):
    assert unknown_nodes([row("h9:wa-coreapp-1", age)], ours()) == (["h9:wa-coreapp-1"] if counts else [])
    assert codes(database={"liveness": [row("h9:wa-coreapp-1", age)]}) == (
        ["DATABASE_OF_OTHER_CLUSTER"] if counts else []
    )


def test_a_database_in_which_only_others_live():
    rows = [row("h9:wa-master-1", role="master"), row("h9:wa-coreapp-1")]
    (problem,) = found(DesiredIdentity(NUMBER, 1, database="db:3306"), database={"liveness": rows})
    assert (problem.code, problem.variable) == ("DATABASE_OF_OTHER_CLUSTER", "wa_db_name_prefix")
    assert "databases at db:3306 with an empty wa_db_name_prefix" in problem.message
    assert "h9:wa-coreapp-1, h9:wa-master-1" in problem.message, "theirs"
    assert "h1:wa-coreapp-1, h1:wa-coreapp-2, h1:wa-master-1" in problem.message, "and ours"
    (problem,) = found(DesiredIdentity(NUMBER, 1, name_prefix="one_"), database={"liveness": rows})
    assert "wa_db_name_prefix one_" in problem.message


def test_an_unknown_node_among_our_own():
    rows = [row("h1:wa-coreapp-1"), row("h9:wa-coreapp-1")]
    for sources in (
        {"database": {"liveness": rows}},
        {"cluster": {"nodes": [shown("h1:wa-coreapp-1"), shown("h9:wa-coreapp-1")]}},
        {"database": {"liveness": rows}, "cluster": {"nodes": [shown("h1:wa-coreapp-1"), shown("h9:wa-coreapp-1")]}},
    ):
        (problem,) = found(**sources)
        assert problem.code == "NODE_UNKNOWN"
        assert "takes part in this cluster: h9:wa-coreapp-1; the nodes of the inventory are h1:" in problem.message


def test_of_many_some_are_named():
    rows = [row("h9:wa-coreapp-{0}".format(number)) for number in range(1, 9)]
    assert ", and 3 more" in found(database={"liveness": rows})[0].message


def test_who_is_watched_for_a_sign_of_life():
    neighbour = container("wb-coreapp-1", cluster="wb", kind="coreapp", index=1, product="coreapp")
    rows = [row("h1:wa-coreapp-1"), row("h1:wb-coreapp-1"), row("h1:wa-coreapp-8"), row("h9:x-coreapp-1")]
    assert unknown_nodes(rows, ours([neighbour])) == ["h1:wb-coreapp-1", "h9:x-coreapp-1"]
    assert suspects(rows, ours([neighbour])) == ["h9:x-coreapp-1"], "what was seen to run needs no further sign"
    assert suspects(None, ours()) == []


@pytest.mark.parametrize(
    ("node", "counts"),
    [
        (shown("h9:wa-coreapp-1"), True),
        (shown("h1:wa-coreapp-9"), True),
        (shown("h9:wa-coreapp-1", errors=[{"code": 1014}]), False),
        (shown("h9:wa-coreapp-1", None), False),
        (shown("h1:wa-coreapp-1"), False),
        (shown(""), False),
    ],
)
def test_a_node_that_answers_lives(node, counts):
    assert live_unknown_nodes([node], ours()) == ([node["name"]] if counts else [])


keys = st.builds("{0}:{1}-{2}-{3}".format, st.sampled_from(["h1", "10.0.0.2", "h9"]), st.sampled_from(["wa", "wb"]),
                 st.sampled_from(["coreapp", "master"]), st.integers(1, 3))  # fmt: skip
ages = st.none() | st.floats(0, 300)


NEIGHBOURS = {False: ours(), True: ours([container("wb-coreapp-1", cluster="wb", product="coreapp")])}


@given(st.lists(st.builds(row, keys, ages), max_size=8), st.booleans())
def test_only_who_may_live_elsewhere_or_runs_here_for_others_is_refused(rows, neighbour):
    inventory = NEIGHBOURS[neighbour]
    named = unknown_nodes(rows, inventory)
    for one in rows:
        young = one["age_seconds"] is not None and one["age_seconds"] <= ALIVE_SECONDS
        elsewhere = one["node"].startswith("h9:") or (neighbour and one["node"] == "h1:wb-coreapp-1")
        if young and elsewhere:
            assert one["node"] in named
    assert all(name.startswith("h9:") or name == "h1:wb-coreapp-1" for name in named)
    assert bool(found(inventory=inventory, database={"liveness": rows})) == bool(named)


@given(st.sampled_from(["", "abc", "def"]), st.sampled_from(["abc", "def"]), st.floats(0, ALIVE_SECONDS))
def test_of_others_on_a_host_that_was_read_only_who_runs_there_is_refused(hostname, key, age):
    """One that was removed, as by a run of adopt.yml that was killed then, leaves a row that is young for a while."""
    inventory = ours([container("wacore1", names={"hostname": hostname}, **COMPOSE)])
    may_be = hostname in ("", key)
    assert inventory.whose("h1:" + key) == (OTHER if may_be else GONE)
    assert unknown_nodes([row("h1:" + key, age)], inventory) == (["h1:" + key] if may_be else [])


READ = [ours(read=[observed(name) for name in names]) for names in ((), ("h1",), ("h2",), ("h1", "h2"))]


@given(st.sampled_from(READ), st.lists(st.builds(row, keys, ages), max_size=8))
def test_a_host_that_was_not_read_never_makes_its_own_nodes_unknown(inventory, rows):
    theirs = unknown_nodes(rows, inventory)
    assert not [key for key in theirs if key.startswith(("h1:wa-", "10.0.0.2:wa-"))]


# Hosts that the run goes on without


def without_h2(rows=None, cluster=None, answers=False, webapps=()):
    inventory = inventory_from(placed(), HOSTS, [observed("h1")], "wa", ["h2"])
    desired = DesiredIdentity(NUMBER, 1, left_out={"h2": Signs(answers, tuple(webapps))})
    database = {} if rows is None else {"liveness": rows}
    return inventory, found(desired, inventory, database, cluster)


@given(
    st.sampled_from(["wa-coreapp-1", "wa-master-1", "wacore", "other-coreapp-7"]),
    st.floats(0, 10 * ALIVE_SECONDS),
    st.one_of(st.none(), st.booleans()),
)
def test_a_node_of_a_host_that_is_left_out_must_not_live(name, age, alive):
    """Whatever it is called: nobody reads that host. Where the API answers, it knows better than a row."""
    cluster = {} if alive is None else {"nodes": [{"name": "10.0.0.2:" + name, "alive": alive}]}
    inventory, problems_found = without_h2(rows=[row("10.0.0.2:" + name, age)], cluster=cluster)
    assert inventory.whose("10.0.0.2:" + name) == LEFT_OUT
    lives = age <= ALIVE_SECONDS if alive is None else alive
    assert [problem.code for problem in problems_found] == (["WITHOUT_HOST_LIVES"] if lives else [])
    assert all(problem.host == "h2" and name in problem.message for problem in problems_found)
    watched = suspects([row("10.0.0.2:" + name, age)], inventory)
    assert watched == (["10.0.0.2:" + name] if age <= ALIVE_SECONDS else []), "it may have ended a moment ago"


def test_a_host_that_is_left_out_and_answers_is_said_once():
    _inventory, problems_found = without_h2(answers=True, rows=[row("10.0.0.2:wa-coreapp-1")])
    assert [problem.code for problem in problems_found] == ["WITHOUT_HOST_ANSWERS"]


def test_a_webapp_that_answers_lives_too():
    _inventory, (problem,) = without_h2(rows=[row("10.0.0.2:wa-coreapp-1")], webapps=["https://10.0.0.2:9090"])
    assert problem.code == "WITHOUT_HOST_LIVES"
    assert "10.0.0.2:wa-coreapp-1, https://10.0.0.2:9090" in problem.message


def test_whether_nodes_live_that_nobody_could_ask_is_said_to_be_unknown():
    assert any("h2" in note for note in notes({}, {}, ["h2"]))
    assert not any("h2" in note for note in notes({"liveness": []}, {}, ["h2"]))
    assert not any("h2" in note for note in notes({"databases": []}, {}, ["h2"])), "there is no cluster yet"
    assert notes({"liveness": None}, {"nodes": [shown("h1:wa-coreapp-1")]}, ["h2"]) == []
