# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a playbook may be called: tables of calls, and spelling mistakes made at random."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import (
    CLUSTER,
    DATABASE,
    KIND_GROUPS,
    WHOLE_CLUSTER,
    Call,
    call_problems,
    distance,
    hosts_left_out,
    start_problems,
)
from hypothesis import assume, given
from hypothesis import strategies as st

GOOD = {
    "all": ["a", "b", "d", "bystander"],
    "ungrouped": ["bystander"],
    CLUSTER: ["a", "b"],
    **{key: ["a", "b"] for key in KIND_GROUPS},
    DATABASE: ["d"],
}
UNKNOWN = {"drill": ["DRILL_UNKNOWN"], "rotate": ["ROTATE_UNKNOWN"]}
NEEDED = (CLUSTER, *KIND_GROUPS)
ARGUMENTS = {"shards": "4", "version": "v2.19.7", "host": "a", "drill": "coreapp", "rotate": "api_key"}
PLAYBOOKS = (
    *("site", "status", "reshard", "upgrade", "drain", "drill", "adopt"),
    *("uninstall", "engine", "certificates", "rotate"),
)


def call(playbook="site", groups=None, **changes):
    complete = {"hosts": [*GOOD["all"], "localhost"], "arguments": ARGUMENTS, "extra": list(ARGUMENTS), **changes}
    return Call(playbook, GOOD if groups is None else groups, **complete)


def codes(asked):
    return sorted(problem.code for problem in call_problems(asked))


def without(name):
    return {group: hosts for group, hosts in GOOD.items() if group != name}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_good_call(playbook):
    assert codes(call(playbook)) == []
    assert codes(call(playbook, without(DATABASE))) == []


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize("name", NEEDED)
def test_a_group_that_is_missing_or_empty(playbook, name):
    (missing,) = [p for p in call_problems(call(playbook, without(name))) if p.variable == name]
    assert missing.code == "WA_GROUP_MISSING"
    assert name in missing.message and "at least one" in missing.message
    (empty,) = [p for p in call_problems(call(playbook, {**GOOD, name: []})) if p.variable == name]
    assert empty.code == "WA_GROUP_EMPTY"


def test_an_inventory_that_was_not_found():
    (cluster, *_kinds) = call_problems(call(groups={"all": [], "ungrouped": []}, sources=["/etc/ansible/hosts"]))
    assert cluster.message == (
        "The inventory (/etc/ansible/hosts) has no group wa_cluster; add the group, or name another inventory with -i:"
        " it must hold all hosts of the cluster, at least one."
    )


@st.composite
def spelling_mistakes(draw):
    """A group of ours, and its name with one thing wrong: a letter, a dash, the plural, capitals."""
    name = draw(st.sampled_from((*NEEDED, DATABASE)))
    place = draw(st.integers(3, len(name) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_-"))
    wrong = draw(
        st.sampled_from(
            [
                name[:place] + name[place + 1 :],
                name[:place] + letter + name[place:],
                name[:place] + letter + name[place + 1 :],
                name.replace("_", "-"),
                name.upper(),
                name + "s",
                name.rstrip("s"),
            ]
        )
    )
    assume(wrong not in (*NEEDED, DATABASE))
    return name, wrong


@given(spelling_mistakes())
def test_a_misspelt_group_is_named_beside_the_right_one(mistake):
    name, wrong = mistake
    (problem,) = [p for p in call_problems(call(groups={**without(name), wrong: GOOD[name]})) if p.variable == name]
    assert problem.value == wrong
    assert name in problem.message and wrong in problem.message


@given(spelling_mistakes(), st.booleans())
def test_a_group_that_is_empty_does_not_hide_the_misspelt_one(mistake, listed):
    """As a child of wa_cluster the right name exists, without hosts."""
    name, wrong = mistake
    groups = {**GOOD, name: [], wrong: GOOD[name]}
    assert [p for p in call_problems(call(groups=groups)) if p.variable == name]


@pytest.mark.parametrize("name", ["wa_cluster_b", "wa_database_hosts_old", "webservers", "wa_cluster2", "databases"])
def test_other_groups_are_nobody_s_business(name):
    assert codes(call(groups={**GOOD, name: ["bystander"]})) == []


def test_the_same_name_written_in_another_way_beside_a_group_in_use():
    (problem,) = call_problems(call(groups={**GOOD, "wa-coreapp-hosts": ["a", "c"]}))
    assert (problem.code, problem.variable) == ("WA_GROUP_UNKNOWN", "wa_coreapp_hosts")
    assert "c is not in wa_coreapp_hosts" in problem.message
    assert codes(call(groups={**GOOD, "wa-coreapp-hosts": ["a"]})) == []


def test_a_host_in_the_group_of_a_kind_only():
    (problem,) = call_problems(call(groups={**GOOD, "wa_coreapp_hosts": ["a", "c"]}))
    assert (problem.code, problem.variable) == ("WA_GROUP_OUTSIDE", CLUSTER)
    assert problem.message.startswith("c of the group wa_coreapp_hosts is not in the group wa_cluster")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize(("hosts", "left"), [(["a"], "some"), (["bystander"], "none"), (["localhost"], "none")])
def test_a_limit(playbook, hosts, left):
    found = codes(call(playbook, hosts=hosts, limit="x"))
    if playbook in WHOLE_CLUSTER:
        assert found == ["LIMIT_NOT_ALLOWED"]
    else:
        assert found == ([] if left == "some" else ["LIMIT_EXCLUDES_CLUSTER"])


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_limit_that_leaves_the_whole_cluster_is_none(playbook):
    assert codes(call(playbook, hosts=["d", "b", "a"], limit="wa_cluster:wa_database_hosts")) == []


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize(
    "given_tags", [{"tags": ["coreapp"]}, {"tags": ["always"]}, {"tags": ["all", "x"]}, {"skip_tags": ["always"]}]
)
def test_tags(playbook, given_tags):
    (problem,) = call_problems(call(playbook, **given_tags))
    assert problem.code == "TAGS_NOT_ALLOWED"
    assert playbook + ".yml has no tags" in problem.message


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_to_skip_a_tag_that_nothing_has_skips_nothing(playbook):
    assert call_problems(call(playbook, skip_tags=["molecule-notest", "notest"])) == []


@pytest.mark.parametrize(("playbook", "name", "code"), [
    ("reshard", "shards", "SHARDS_MISSING"), ("drill", "drill", "DRILL_MISSING"),
    ("rotate", "rotate", "ROTATE_MISSING"),
    ("upgrade", "version", "VERSION_MISSING"),
])  # fmt: skip
@pytest.mark.parametrize("arguments", [{}, {"shards": None, "version": None}])
def test_what_the_command_has_to_say(playbook, name, code, arguments):
    (problem,) = call_problems(call(playbook, arguments=arguments))
    assert problem.code == code
    assert "-e {0}=".format(name) in problem.message
    # An empty or a wrong one was given; what may be given is checked elsewhere.
    assert codes(call(playbook, arguments={name: ""})) == UNKNOWN.get(name, [])


@pytest.mark.parametrize(("name", "meant"), [
    ("shard", "shards"), ("versoin", "version"), ("Confirm", "confirm"), ("upgrade-stratgy", "upgrade_strategy"),
    ("strategy", "upgrade_strategy"),
])  # fmt: skip
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_misspelt_argument_is_named_beside_the_right_one(playbook, name, meant):
    (problem,) = call_problems(call(playbook, extra=["wa_shards", "host", name]))
    assert (problem.code, problem.variable) == ("ARGUMENT_UNKNOWN", name)
    assert problem.message == (
        "-e {0}= is no argument of this collection; {1} is. Correct the name, or give yours another one.".format(
            name, meant
        )
    )


def test_what_makes_hosts_needs_no_group_and_has_its_own_arguments():
    assert call_problems(call("aws", {}, arguments={"shards": "2"}, extra=["shards"])) == []
    assert codes(call("aws", {}, arguments={}, extra=[])) == ["SHARDS_MISSING"]
    assert codes(call("aws_remove", {}, extra=["environment"])) == ["ARGUMENT_UNKNOWN"]


def test_arguments_that_are_known_or_nobody_s_business():
    known = ["shards", "version", "confirm", "upgrade_strategy"]
    assert call_problems(call(extra=[*known, "environment", "wa_pin"])) == []


def test_a_playbook_that_others_import_is_refused_and_nothing_else_is_said():
    (problem,) = call_problems(call("_validate", groups={}, tags=["some"]))
    assert problem.code == "PLAYBOOK_INTERNAL"
    assert problem.message == (
        "The playbook waent.fleet._validate is used by the playbooks of this collection; run waent.fleet.site instead."
    )


def test_a_setting_that_ends_the_run_in_the_middle():
    assert codes(call(pattern_mismatch="error")) == ["PATTERN_MISMATCH_NOT_ALLOWED"]
    assert codes(call(pattern_mismatch="warning")) == []


def test_everything_is_reported_at_once():
    found = codes(call("reshard", without(CLUSTER), arguments={}, tags=["x"]))
    assert found == ["SHARDS_MISSING", "TAGS_NOT_ALLOWED", "WA_GROUP_MISSING"]


@given(st.text("ab-", max_size=8), st.text("ab-", max_size=8), st.text("ab-", max_size=8))
def test_distance_is_a_metric(one, two, three):
    assert (distance(one, two) == 0) == (one == two)
    assert distance(one, two) == distance(two, one)
    assert distance(one, three) <= distance(one, two) + distance(two, three)
    assert abs(len(one) - len(two)) <= distance(one, two) <= max(len(one), len(two))


# Hosts that are away


@pytest.mark.parametrize("playbook", [name for name in PLAYBOOKS if name != "adopt"])
def test_hosts_are_left_out_by_who_plans_for_the_whole_cluster(playbook):
    plans = playbook in WHOLE_CLUSTER
    assert hosts_left_out(call(playbook, without=["b", "b"])) == (["b"] if plans else [])
    assert codes(call(playbook, without=["c"])) == (["WITHOUT_HOST_UNKNOWN"] if plans else [])
    assert hosts_left_out(call(playbook)) == []


def test_names_are_not_checked_against_groups_that_are_wrong():
    assert codes(call(groups=without(CLUSTER), without=["c"])) == codes(call(groups=without(CLUSTER)))


def test_who_limits_a_run_reads_how_to_leave_a_host_out():
    (problem,) = call_problems(call(hosts=["a", "d"], limit="!b"))
    assert problem.code == "LIMIT_NOT_ALLOWED" and "wa_without_hosts" in problem.message


# Hosts to empty


def test_several_hosts_may_be_named():
    for several in ("a,b", "a, b", ["a", "b"]):
        assert codes(call("drain", arguments={"host": several})) == []


@pytest.mark.parametrize("given", ["c", "a,c", "d", "bystander", "localhost"])
def test_a_host_that_is_none_of_the_clusters_is_refused_by_name(given):
    (problem,) = call_problems(call("drain", arguments={"host": given}))
    assert problem.code == "HOST_UNKNOWN"
    assert repr(given.split(",")[-1]) in problem.message
    assert "allowed are a and b" in problem.message


@pytest.mark.parametrize("given", ["", " ", ","])
def test_no_host_at_all_is_refused(given):
    assert codes(call("drain", arguments={"host": given})) == ["HOST_UNKNOWN"]


def test_a_variable_of_the_inventory_does_not_choose_the_host():
    assert codes(call("drain", extra=())) == ["HOST_MISSING"]
    assert codes(call("site", arguments={"host": "nonsense"})) == []


def test_of_many_hosts_some_are_named():
    many = {name: ["h{0}".format(number) for number in range(200)] for name in NEEDED}
    (problem,) = call_problems(call("drain", many, hosts=many[CLUSTER]))
    assert problem.message.endswith("allowed are h0, h1, h2, h3, h4, h5, h6, h7 and 192 more.")


FOUND = {"all": ["a"], "wa_adopt_hosts": ["a"]}


def test_adopt_describes_hosts_of_which_there_is_no_inventory_yet():
    assert codes(call("adopt", FOUND, arguments={"into": "here"}, extra=["into"])) == []
    assert codes(call("adopt", FOUND, arguments={})) == ["INTO_MISSING"]
    assert codes(call("adopt", without=["b"])) == ["ADOPT_NEEDS_ALL_HOSTS"]
    assert codes(call("adopt", {**FOUND, **GOOD}, arguments={"into": "here"})) == ["ADOPT_BOTH_GROUPS"]
    assert "ADOPT_HOSTS_MISSING" in codes(call("adopt", {"all": ["a"]}))
    assert codes(call("adopt", FOUND, hosts=["localhost"], limit="b", arguments={"into": "x"})) == ["LIMIT_NOT_ALLOWED"]


@pytest.mark.parametrize("task", ["", "Gather | Read every host", "*"])
def test_a_task_to_start_at_is_refused_whatever_it_is(task):
    (problem,) = start_problems("reshard", task)
    assert (problem.code, problem.variable, problem.value) == ("START_AT_TASK_NOT_ALLOWED", "--start-at-task", task)
    assert problem.message == (
        "reshard.yml does not begin in the middle (--start-at-task {0!r}): every task relies on what those before it"
        " have read and checked. A run that was stopped goes on by itself where it was; run the playbook again without"
        " --start-at-task."
    ).format(task)
    assert start_problems("reshard", None) == []
