# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster from results that may have failed."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.status import (
    UNHEALTHY,
    Reports,
    cluster_lines,
    drift,
    problems,
    sentence,
    warnings,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from hypothesis import given
from hypothesis import strategies as st


def placed(name, host="one", kind="coreapp", exists=True):
    return {
        "name": name, "host": host, "rack": "a", "kind": kind, "key": host + ":" + name, "exists": exists, "ports": [1],
    }  # fmt: skip


def node(name, host="one", shards=(), **more):
    return {
        "name": host + ":" + name, "host": host, "container": name, "role": "coreapp", "kind": "coreapp",
        "gateway_status": "connected" if shards else "disconnected", "errors": [], "shards": list(shards),
        "version": "v2.19.4", **more,
    }  # fmt: skip


NODES = [placed("wa-coreapp-1"), placed("wa-coreapp-2")]
CLUSTER = {
    "form": "cluster",
    "nodes": [node("wa-coreapp-1", shards=[-1, 0]), node("wa-coreapp-2")],
    "spares": ["one:wa-coreapp-2", "elsewhere:wb-coreapp-1"],
}
HEALTH = {"healthy": True, "summary": "all is well", "problems": [], "cluster": CLUSTER, "webapps": []}
AWAY = {
    "failed": True, "msg": "No answer.", "failure": {"code": "API_UNREACHABLE", "message": "No answer."},
    "problems": [{"code": "API_UNREACHABLE", "message": "No answer.", "kind": "wait"}],
    "cluster": {"form": "unreadable", "nodes": []}, "summary": "form unreadable",
}  # fmt: skip
REFUSED = {"failure": {"code": "API_AUTH", "message": "https://one answered HTTP status 401."}}
KEY_REFUSED = {**AWAY, "problems": [{"code": "API_AUTH", "message": "https://one answered 401.", "kind": "act"}]}
PROBLEM = {"code": "PORT_TAKEN", "message": "Port 1 is taken.", "host": "one", "variable": None, "value": None}
FINDING = {"code": "NODE_MISSING", "message": "wa-coreapp-1 is missing.", "host": "wa-coreapp-1", "kind": "wait"}
VERSION = {"code": "VERSION_DIFFERS", "message": "wa_version is v2.19.7, but ...", "host": "one"}


def codes(health=HEALTH, **more):
    return [problem.code for problem in problems(Reports(NODES, health, **more))]


def test_a_healthy_cluster_is_shown_with_its_spares_and_what_stays_unknown():
    lines = cluster_lines(Reports(NODES, HEALTH, identity={"notes": ["unknown"]}, notes=["works until 2027"]))
    assert lines[1:] == [
        "a     one   wa-coreapp-1  coreapp  connected       -1,0   v2.19.4",
        "a     one   wa-coreapp-2  coreapp  disconnected    -      v2.19.4",
        "",
        "all is well",
        "spare coreapps: one:wa-coreapp-2",
        "shard -1 is the control shard, which carries no messages",
        "unknown",
        "works until 2027",
    ]
    assert problems(Reports(NODES, HEALTH)) == []


def test_a_node_that_has_to_go_is_shown_where_it_is_and_is_no_spare():
    cluster = {**CLUSTER, "nodes": [*CLUSTER["nodes"], node("wa-coreapp-1", "back")]}
    cluster["spares"] = [*CLUSTER["spares"], "back:wa-coreapp-1"]
    leaving = [placed("wa-coreapp-1", "back")]
    lines = cluster_lines(Reports(NODES, {**HEALTH, "cluster": cluster}, leaving=leaving))
    assert lines[1].split()[:3] == ["a", "back", "wa-coreapp-1"]
    assert "spare coreapps: one:wa-coreapp-2" in lines


def test_nobody_is_missing_where_nobody_was_asked():
    lines = cluster_lines(Reports(NODES, AWAY))
    assert [line.split()[4] for line in lines[1:3]] == ["unknown", "unknown"]
    assert "The API could not be read, so the state of the nodes is not known." in lines
    assert not any("form unreadable" in line or "spare" in line for line in lines)
    assert codes(AWAY) == ["API_UNREACHABLE"]


def test_there_is_always_a_sentence_where_it_is_red():
    assert codes({"healthy": False}) == codes({}) == ["CLUSTER_NOT_HEALTHY"]
    assert sentence(problems(Reports(NODES, {}))[0]) == "[CLUSTER_NOT_HEALTHY] " + UNHEALTHY
    assert codes({"failed": True, "msg": "It broke."}) == ["NOT_CHECKED"]


def test_refused_credentials_are_red_whatever_else_is_read():
    assert codes(login=REFUSED) == ["LOGIN_REFUSED"], "a good key shows a healthy cluster, and site.yml would stop"
    assert codes(KEY_REFUSED, login=REFUSED) == ["LOGIN_REFUSED"], "there is no key"
    assert codes(KEY_REFUSED, login=REFUSED, has_key=True) == ["LOGIN_REFUSED", "API_KEY_REFUSED"]
    assert codes(login={"password_changed": True, "failed": False}) == ["FIRST_PASSWORD"]


def test_a_login_that_fails_like_everything_else_is_no_second_problem():
    silent = {"failure": {"code": "API_UNREACHABLE", "message": "No answer."}}
    assert codes(AWAY, login=silent) == ["API_UNREACHABLE"]
    database = {"failure": {"code": "API_1023", "message": "Database error."}}
    assert codes(login=database) == ["API_1023"]


def test_a_host_that_was_not_read_is_red_once_with_the_reason_and_what_helps():
    known = {"problems": [{"code": "HOST_NOT_READ", "message": "The host could not be read, but.", "host": "two"}]}
    found = problems(Reports(NODES, HEALTH, preflight=known, unread={"two": "timed out"}))
    assert [problem.host for problem in found] == ["two"]
    assert "(timed out)" in found[0].message and "inventory" in found[0].message
    assert codes(unread={"two": "", "three": ""}) == ["HOST_NOT_READ", "HOST_NOT_READ"]


def test_the_way_on_without_a_host_that_is_away():
    found = problems(Reports(NODES, HEALTH, unread={"two": "", "three": "no Python"}, spared=["two"]))
    assert """-e '{"wa_without_hosts": ["two"]}'""" in found[0].message
    assert "wa_without_hosts" not in found[1].message


def test_a_host_that_is_left_out_is_named_and_leaves_the_rest_healthy():
    reports = Reports(NODES, HEALTH, left_out=["two"])
    assert problems(reports) == []
    assert [(warning.code, warning.host) for warning in warnings(reports)] == [("HOST_LEFT_OUT", "two")]
    assert any("two is left out" in line for line in cluster_lines(reports))
    answers = {"problems": [{"code": "WITHOUT_HOST_ANSWERS", "message": "two is left out", "host": "two"}]}
    reports = Reports(NODES, HEALTH, left_out=["two"], identity=answers)
    assert [problem.code for problem in problems(reports)] == ["WITHOUT_HOST_ANSWERS"] and warnings(reports) == []


BOTH = [placed("wa-coreapp-1"), placed("wa-coreapp-1", "two"), placed("wa-master-1", "two", "master")]


def behind(*acts):
    plan = [dict(act(*one[1:]), host=one[0]) for one in acts]
    return [
        (problem.host, problem.message)
        for problem in problems(Reports(BOTH, HEALTH, preflight={"plan": plan}))
        if problem.code == "HOST_BEHIND"
    ]


def test_a_host_that_is_back_from_before_a_change_is_red_with_what_site_yml_does():
    ((host, message),) = behind(
        ("one", "keep", "wa-coreapp-1"), ("two", "recreate", "wa-coreapp-1", "environment: TZ differs")
    )
    assert host == "two" and "site.yml recreates it: environment: TZ differs." in message


def test_a_change_that_nobody_has_begun_leaves_nobody_behind():
    assert behind(("one", "recreate", "wa-coreapp-1", "x"), ("two", "recreate", "wa-coreapp-1", "x")) == []
    assert behind(("one", "keep", "wa-coreapp-1"), ("two", "recreate", "wa-master-1", "x")) == [], "of its kind all"
    assert behind(("one", "keep", "wa-coreapp-1"), ("two", "recreate", "wa-coreapp-1", "image: b instead of a")) == []
    assert behind(("one", "keep", "wa-coreapp-1"), ("two", "recreate", "wa-db", "x")) == []


def test_nodes_of_two_versions_are_an_upgrade_and_not_a_wrong_version():
    begun = [Problem("UPGRADE_UNFINISHED", "Go on with upgrade.yml.")]
    sick = {**HEALTH, "healthy": False, "problems": [{"code": "WRONG_VERSION", "message": "x", "kind": "act"}, FINDING]}
    assert codes(sick, preflight={"problems": [VERSION]}, unfinished=begun) == ["UPGRADE_UNFINISHED", "NODE_MISSING"]
    assert codes(sick, preflight={"problems": [VERSION]}) == ["NODE_MISSING", "VERSION_DIFFERS"]
    assert codes(sick) == ["WRONG_VERSION", "NODE_MISSING"]


def test_warnings_leave_a_cluster_healthy_and_are_shown():
    health = {**HEALTH, "problems": [{**FINDING, "kind": "warning"}]}
    assert codes(health) == []
    assert cluster_lines(Reports(NODES, health))[-1].startswith("Warning: [NODE_MISSING] ")
    assert [warning.code for warning in warnings(Reports(NODES, health))] == ["NODE_MISSING"]


def act(action, what, *why):
    return {"action": action, "what": what, "why": list(why), "sentence": "one: {0} {1}".format(action, what)}


def test_what_site_yml_would_change():
    settings = {"changes": [
        {"name": "heartbeat_interval", "before": 5, "after": 7},
        {"name": "media.auto_download", "before": None, "after": ["image"]},
        {"name": "pass_through", "before": False, "after": True},
    ]}  # fmt: skip
    plan = [act("keep", "wa-webapp-1"), act("recreate", "wa-db", "image: a instead of b"), act("create", "wa-master-2")]
    reports = Reports(NODES, HEALTH, preflight={"plan": plan}, settings=settings)
    assert drift(reports) == [
        "one: recreate wa-db",
        "one: create wa-master-2",
        "setting heartbeat_interval from 5 to 7",
        "setting media.auto_download from nothing to ['image']",
        "setting pass_through from false to true",
    ]
    assert drift(Reports(NODES, HEALTH, preflight={"plan": plan[:1]}, settings={"skipped": True})) == []


def test_what_nobody_knows_or_site_yml_refuses_is_no_change():
    plan = [
        act("pull", "coreapp:v2.19.7"), act("recreate", "wa-coreapp-1", "image: new instead of old"),
        act("recreate", "wa-coreapp-2", "environment: TZ differs"), act("create", "wa-coreapp-3"),
    ]  # fmt: skip
    unread = Reports(NODES, HEALTH, preflight={"plan": plan}, unread={"two": ""})
    assert "one: create wa-coreapp-3" not in drift(unread)
    other = Reports(NODES, HEALTH, preflight={"plan": plan, "problems": [VERSION]})
    assert drift(other) == ["one: recreate wa-coreapp-2", "one: create wa-coreapp-3"]


def test_settings_that_were_not_read_are_said_to_be_so():
    lines = cluster_lines(Reports(NODES, HEALTH, settings={"failure": {"code": "API_1015", "message": "No master."}}))
    assert lines[-1] == "The application settings were not compared: No master."


HEALTHS = (HEALTH, AWAY, KEY_REFUSED, {}, {"failed": True, "msg": "It broke."}, {**HEALTH, "healthy": False})
LOGINS = ({}, REFUSED, {"password_changed": True}, {"failure": {"code": "API_1023", "message": "Database error."}})


@given(
    health=st.sampled_from(HEALTHS),
    login=st.sampled_from(LOGINS),
    preflight=st.lists(st.sampled_from([PROBLEM, VERSION, FINDING]), max_size=3),
    unread=st.sets(st.sampled_from(["two", "three"])),
    has_key=st.booleans(),
)
def test_it_is_green_only_where_nothing_was_found(health, login, preflight, unread, has_key):
    reports = Reports(
        NODES, health, login=login, preflight={"problems": preflight}, unread=dict.fromkeys(unread, ""), has_key=has_key
    )
    found = problems(reports)
    fine = health is HEALTH and not (login or preflight or unread)
    assert (not found) == fine
    assert all(one != other for one, other in itertools.combinations(found, 2))
    assert unread <= {problem.host for problem in found}


def test_an_authority_whose_year_is_over_is_what_tls_fails_for():
    entry = {"code": "API_TLS", "message": "The certificate of https://one has expired."}
    silent = {**AWAY, "problems": [{**entry, "kind": "act"}], "failure": entry}
    expired = {**PROBLEM, "code": "API_AUTHORITY_EXPIRED", "host": None}
    assert codes(silent, login={"failure": entry}) == ["API_TLS"]
    assert codes(silent, login={"failure": entry}, authority=[expired]) == ["API_AUTHORITY_EXPIRED"]
    assert codes(authority=[{**expired, "code": "API_AUTHORITY_DIFFERS"}]) == ["API_AUTHORITY_DIFFERS"]


MISSING = {**HEALTH, "healthy": False, "problems": [{**FINDING, "host": "one:wa-coreapp-1"}]}


def of_the_missing(action, what="wa-coreapp-1", refused=(), **more):
    """The sentence about the first coreapp where site.yml would do that. refused: what speaks against it."""
    act = {"host": "one", "action": action, "what": what, "why": [], "sentence": ""}
    found = problems(Reports(NODES, MISSING, preflight={"plan": [act], "problems": list(refused)}, **more))
    return next(problem.message for problem in found if problem.code == "NODE_MISSING")


@pytest.mark.parametrize(
    ("action", "what", "does"),
    [
        ("start", "wa-coreapp-1", "starts"),
        ("create", "wa-coreapp-1 on ports 1-4", "creates"),
        ("recreate", "wa-coreapp-1", "recreates"),
    ],
)
def test_of_a_node_whose_container_does_not_run_it_says_what_starts_it(action, what, does):
    assert of_the_missing(action, what).endswith("run playbooks/site.yml, which {0} it.".format(does))


def test_of_several_nodes_and_of_webapps_it_says_so_too():
    webapp = {**placed("wa-webapp-1"), "kind": "webapp", "api_address": "one", "ports": [9090]}
    health = {
        **AWAY,
        "problems": [
            {**FINDING, "host": None, "message": "one:wa-coreapp-1, one:wa-coreapp-2 does not answer."},
            {"code": "API_UNREACHABLE", "message": "No webapp answers (https://one:9090).", "kind": "wait"},
        ],
    }
    names = ("wa-coreapp-1", "wa-coreapp-2", "wa-webapp-1")
    acts = [{"host": "one", "action": "start", "what": name, "why": [], "sentence": ""} for name in names]
    found = problems(Reports([*NODES, webapp], health, preflight={"plan": acts, "problems": []}))
    said = {problem.code: problem.message.partition(": run ")[2] for problem in found}
    assert said == {
        "NODE_MISSING": "playbooks/site.yml, which starts them.",
        "API_UNREACHABLE": "playbooks/site.yml, which starts it.",
    }


@pytest.mark.parametrize(
    ("action", "what", "more"),
    [
        ("keep", "wa-coreapp-1", {}),
        ("start", "wa-coreapp-2", {}),
        ("start", "wa-coreapp-1", {"unfinished": [Problem("UPGRADE_UNFINISHED", "Half-way.")]}),
        ("start", "wa-coreapp-1", {"unread": {"two": "No answer."}}),
        ("start", "wa-coreapp-1", {"refused": [VERSION]}),
    ],
)
def test_where_site_would_not_start_it_or_would_refuse_to_it_is_not_named(action, what, more):
    assert of_the_missing(action, what, **more) == FINDING["message"]
