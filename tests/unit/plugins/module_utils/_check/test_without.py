# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that a run goes on without: which names may be given, and what is said of them."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.without import (
    VARIABLE,
    Signs,
    answering_problems,
    left_out,
    left_out_notes,
    may_be_left_out,
    signs_from,
    webapps_of,
    without_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.without_argument import argument
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import NULL
from ansible_collections.waent.fleet.tests.support.wrong_values import BY_TYPE
from hypothesis import given
from hypothesis import strategies as st

HOSTS = ("rack-a-1", "rack-a-2", "rack-b-1", "rack-b-2", "rack-c-1")
GROUPS = {
    "wa_cluster": [*HOSTS, "rack-d-1"],
    "wa_webapp_hosts": ["rack-a-1", "rack-b-1"],
    "wa_master_hosts": ["rack-a-2", "rack-b-2", "rack-c-1"],
    "wa_coreapp_hosts": list(HOSTS),
    "wa_database_hosts": ["rack-d-1"],
}


def codes(value, groups=GROUPS):
    return [problem.code for problem in without_problems(value, groups)]


@given(st.lists(st.sampled_from(HOSTS), min_size=1, unique=True))
def test_what_is_printed_is_what_the_shell_and_ansible_read(names):
    option, value = shlex.split(argument(names))
    assert option == "-e"
    assert json.loads(value) == {VARIABLE: names} and left_out(json.loads(value)[VARIABLE]) == names


@pytest.mark.parametrize(
    "value", [None, [], ["rack-a-1"], ["rack-a-1", "rack-a-1"], ["rack-a-1", "rack-a-2", "rack-c-1"]]
)
def test_names_that_may_be_given(value):
    assert codes(value) == []
    assert left_out(value) == list(dict.fromkeys(value or ()))


@pytest.mark.parametrize("value", [NULL, *BY_TYPE["list"]])
def test_what_is_no_list_of_names(value):
    (problem,) = without_problems(value, GROUPS)
    assert problem.code in ("WA_VALUE_NULL", "WA_VALUE_INVALID") and problem.variable == VARIABLE
    if problem.code == "WA_VALUE_INVALID":
        assert '["rack-b-1"]' in problem.message


@given(st.sampled_from(HOSTS), st.data())
def test_a_name_with_a_slip_in_it_is_refused_with_the_one_that_is_like_it(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("xyz0_"))
    wrong = data.draw(st.sampled_from([name[:place] + name[place + 1 :], name[:place] + letter + name[place:]]))
    (problem,) = without_problems(["rack-a-1", wrong], GROUPS)
    assert (problem.code, problem.value) == ("WITHOUT_HOST_UNKNOWN", wrong)
    assert wrong in problem.message and any(host in problem.message for host in GROUPS["wa_cluster"])


def test_a_name_like_no_other():
    (problem,) = without_problems(["qqq"], GROUPS)
    assert "its hosts are rack-a-1, rack-a-2, rack-b-1, rack-b-2, rack-c-1 and rack-d-1" in problem.message


@given(st.lists(st.sampled_from(GROUPS["wa_cluster"]), unique=True))
def test_a_cluster_keeps_its_database_and_a_host_for_every_kind(names):
    lacks = any(not set(GROUPS["wa_{0}_hosts".format(kind)]) - set(names) for kind in KINDS)
    found = codes(names)
    assert ("WITHOUT_DATABASE" in found) == ("rack-d-1" in names)
    assert bool(found) == (lacks or "rack-d-1" in names)


def test_the_kind_that_nobody_is_left_for_is_named():
    (problem,) = without_problems(["rack-a-1", "rack-b-1"], GROUPS)
    assert problem.code == "WITHOUT_TOO_MANY"
    assert "webapp" in problem.message and "rack-a-1 and rack-b-1" in problem.message


@given(st.lists(st.sampled_from(GROUPS["wa_cluster"]), unique=True), st.lists(st.sampled_from(HOSTS), unique=True))
def test_what_is_offered_is_accepted_and_names_all(unreachable, before):
    offered = may_be_left_out(unreachable, before, GROUPS)
    assert codes(offered) == []
    if offered:
        assert {*before, *unreachable} - {"rack-d-1"} == set(offered)


def test_what_is_not_offered():
    assert may_be_left_out(["rack-b-1", "rack-d-1"], [], GROUPS) == ["rack-b-1"], "the database"
    assert may_be_left_out(["rack-b-1"], ["rack-a-1"], GROUPS) == [], "the last that may run a webapp"
    assert may_be_left_out([], ["rack-a-1"], GROUPS) == [], "nothing new is away"


def test_a_host_that_answers_is_not_left_behind():
    (problem,) = answering_problems({"rack-a-1": Signs(False), "rack-b-1": Signs(True)})
    assert (problem.code, problem.host) == ("WITHOUT_HOST_ANSWERS", "rack-b-1")
    assert [note.host for note in left_out_notes(["rack-a-1"])] == ["rack-a-1"]


# Signs of life


URL = "https://192.0.2.7:9090"


@pytest.mark.parametrize(
    ("sign", "error", "expected"),
    [
        (None, None, Signs(False)),
        ({"unreachable": True}, "API_UNREACHABLE", Signs(False)),
        ({"unreachable": True}, "API_ANSWER_LOST", Signs(False)),
        ({"ping": "pong"}, "API_UNREACHABLE", Signs(True)),
        ({"msg": "no Python"}, "API_UNREACHABLE", Signs(True)),
        ({"unreachable": True}, "API_AUTH", Signs(False, (URL,))),
        ({"unreachable": True}, "API_TLS", Signs(False, (URL,))),
    ],
)
def test_what_is_a_sign_of_life(sign, error, expected):
    """Whoever refuses, or has no Python, is there."""
    assert signs_from(sign, {"webapps": [{"url": URL, "answers": False, "error": error}]}) == expected


def test_a_webapp_that_shows_its_health_lives():
    assert signs_from({"unreachable": True}, {"webapps": [{"url": URL, "answers": True, "error": None}]}).webapps
    assert (
        signs_from({"unreachable": True}, {"skipped": True}) == signs_from({"unreachable": True}, None) == Signs(False)
    )


@pytest.mark.parametrize(
    ("changes", "ports"),
    [
        ({}, [9090]),
        ({"webapp_port": 9191}, [9191]),
        ({"pins": {"webapp": 2}}, [9090, 9091]),
        ({"pins": {"webapp": 0}}, []),
        ({"kinds": ["coreapp"]}, []),
    ],
)
def test_where_webapps_would_answer(changes, ports):
    host = {"name": "h", "api_address": "192.0.2.7", "kinds": ["webapp", "coreapp"], "pins": {}, **changes}
    assert webapps_of(host, 9090) == ["https://192.0.2.7:{0}".format(port) for port in ports]
    assert webapps_of(host, "{{ broken }}") == ([] if "webapp_port" not in changes else ["https://192.0.2.7:9191"])
