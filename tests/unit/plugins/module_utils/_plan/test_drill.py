# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills: what is chosen survives, the script restores it, and the shortcomings is that of the measurement."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.drill import (
    DRILLS,
    left_drill,
    left_problems,
    script_name,
    unknown_drill,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_drill
from ansible_collections.waent.fleet.plugins.module_utils._plan import drill as drills
from ansible_collections.waent.fleet.plugins.module_utils._plan.drill_result import plan, report
from ansible_collections.waent.fleet.plugins.module_utils._plan.stops import stop_message
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState
from ansible_collections.waent.fleet.tests.support.observed_host import observed
from hypothesis import given
from hypothesis import strategies as st

BEGUN = "2026-11-28T10:00:00Z"
LOSSES = [drill for drill in DRILLS if drill != "database"]


def node(kind, host, index=1, alive=True, primary=False, shards=()):
    key = "{0}:wa-{1}-{2}".format(host, kind, index)
    return NodeState(key, kind, alive, primary, frozenset(shards), Slot(host, kind, index))


def scene(nodes, shards, racks=None, databases=None):
    names = {one.key: one.key.rpartition(":")[2] for one in nodes}
    hosts = {one.slot.host: "r-" + one.slot.host for one in nodes}
    return drills.Scene(ClusterState(shards, tuple(nodes)), names, racks or hosts, databases or {})


def usual(**more):
    """Two shards on three hosts; the primary stands beside the owner of shard 0."""
    nodes = [
        node("webapp", "a"), node("webapp", "b"),
        node("master", "a", primary=True), node("master", "b"), node("master", "c"),
        node("coreapp", "a", shards=[0]), node("coreapp", "b", shards=[1]), node("coreapp", "c"),
    ]  # fmt: skip
    return scene(nodes, 2, **more)


@st.composite
def scenes(draw):
    """Any cluster, also one that cannot lose anything."""
    shards = draw(st.sampled_from([1, 2, 4]))
    hosts = ["a", "b", "c"]
    nodes = []
    for kind, most in (("webapp", 3), ("master", 3), ("coreapp", shards + 2)):
        for index in range(draw(st.integers(0, most))):
            alive = draw(st.integers(0, 9)) > 0
            owned = [index] if kind == "coreapp" and index < shards and alive else []
            primary = kind == "master" and index == 0 and alive
            nodes.append(node(kind, draw(st.sampled_from(hosts)), index + 1, alive, primary, owned))
    racks = {host: draw(st.sampled_from(["r1", "r2"])) for host in hosts}
    databases = draw(st.sampled_from([{}, {"a": "wa-db"}]))
    return scene(nodes, shards, racks, databases)


@given(scenes(), st.sampled_from(LOSSES))
def test_what_is_chosen_is_survived(found, drill):
    try:
        choice = drills.choose(drill, None, found)
    except Refusal:
        return
    assert choice.nodes
    assert all(one.alive for one in choice.nodes)
    left = {
        kind: sum(n.kind == kind and n.alive and n not in choice.nodes for n in found.state.nodes)
        for kind in ("coreapp", "master", "webapp")
    }
    assert left["coreapp"] >= found.state.shards
    assert left["master"] >= 1
    assert left["webapp"] >= 1
    if drill in ("host", "rack"):
        assert not set(choice.hosts) & found.databases.keys()
    if drill in ("coreapp", "master", "webapp"):
        assert [one.kind for one in choice.nodes] == [drill]
    else:
        everything = [n for n in found.state.nodes if n.alive and n.slot.host in choice.hosts]
        assert sorted(n.key for n in everything) == sorted(n.key for n in choice.nodes)


@given(scenes(), st.sampled_from(DRILLS), st.integers(1, 120))
def test_what_is_predicted_touches_what_is_lost(found, drill, interval):
    try:
        choice = drills.choose(drill, None, found)
    except Refusal:
        return
    predicted = drills.predict(drill, choice, found, interval)
    lost = {shard for one in choice.nodes for shard in one.shards}
    assert (predicted.service > 0) == (bool(lost) or drill == "database")
    assert (predicted.primary is not None) == any(one.primary for one in choice.nodes)
    said = " ".join(drills.sentences(drill, choice, found, predicted, 300))
    assert all(found.names[one.key] in said for one in choice.nodes)


@pytest.mark.parametrize(
    ("drill", "target", "keys"),
    [
        ("coreapp", None, ["b:wa-coreapp-1"]),
        ("coreapp", "a:wa-coreapp-1", ["a:wa-coreapp-1"]),
        ("master", None, ["a:wa-master-1"]),
        ("webapp", None, ["b:wa-webapp-1"]),
        ("host", "b", ["b:wa-webapp-1", "b:wa-master-1", "b:wa-coreapp-1"]),
        ("rack", "r-c", ["c:wa-master-1", "c:wa-coreapp-1"]),
        ("partition", None, ["b:wa-webapp-1", "b:wa-master-1", "b:wa-coreapp-1"]),
    ],
)
def test_the_plain_case_is_chosen(drill, target, keys):
    assert [one.key for one in drills.choose(drill, target, usual()).nodes] == keys


@pytest.mark.parametrize(
    ("target", "why"),
    [("nowhere", "none that a drill of the kind coreapp can break"), ("wa-coreapp-1", "the name of several")],
)
def test_a_target_that_there_is_not_is_refused_with_those_there_are(target, why):
    with pytest.raises(Refusal) as refused:
        drills.choose("coreapp", target, usual())
    assert refused.value.code == "DRILL_TARGET_UNKNOWN"
    assert why in refused.value.message
    assert "b:wa-coreapp-1" in refused.value.message


def test_without_a_spare_coreapp_nothing_is_broken():
    nodes = [one for one in usual().state.nodes if one.key != "c:wa-coreapp-1"]
    with pytest.raises(Refusal) as refused:
        drills.choose("coreapp", None, scene(nodes, 2))
    assert refused.value.code == "DRILL_NOT_SURVIVED"
    assert "1 of 2 coreapps needed would be left" in refused.value.message


def test_the_host_of_the_database_is_not_taken_away():
    found = usual(databases={"b": "wa-db"})
    with pytest.raises(Refusal) as refused:
        drills.choose("host", "b", found)
    assert "the database wa-db would be away" in refused.value.message
    assert drills.choose("database", None, found).target == "wa-db"


@pytest.mark.parametrize(
    ("drill", "target", "masters", "service", "primary"),
    [
        ("coreapp", None, 3, 35, None),
        ("coreapp", "c:wa-coreapp-1", 3, 0, None),
        ("coreapp", None, 1, 135, None),
        ("master", None, 3, 0, 40),
        # An owner and the primary together: its lease has to end before another one acts on the silence.
        ("host", "a", 3, 45, 40),
        ("host", "a", 2, 135, 40),
        ("webapp", None, 3, 0, None),
    ],
)
def test_the_outage_follows_from_the_rule_that_detects_it(drill, target, masters, service, primary):
    gone = ["c:wa-master-1", "b:wa-master-1"][: 3 - masters]
    found = scene([one for one in usual().state.nodes if one.key not in gone], 2)
    predicted = drills.predict(drill, drills.choose(drill, target, found), found, 30)
    assert (predicted.service, predicted.primary) == (service, primary)
    assert (predicted.documented_service, predicted.documented_primary) == (service, primary)


def test_declared_timers_count_for_what_is_predicted():
    found = usual()
    predicted = drills.predict("coreapp", drills.choose("coreapp", None, found), found, 60)
    assert (predicted.service, predicted.documented_service) == (65, 35)


# --- the script ------------------------------------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A home, and a docker command that notes how it is called; it fails while there is a file named broken."""
    command = tmp_path / "docker"
    command.write_text('#!/bin/sh\necho "$*" >> "{0}/calls"\n[ ! -e "{0}/broken" ]\n'.format(tmp_path))
    command.chmod(0o755)
    return tmp_path


def write(host: Path, drill: str, deadline: int = 300, begun: str = BEGUN) -> Path:
    script = host / script_name("c")
    script.write_text(drills.restore_script(drill, ["wa-a", "wa b"], "net", deadline, begun))
    return script


def run(host: Path, script: Path, *more: str) -> int:
    return ended(host, script, *more).returncode


def ended(host: Path, script: Path, *more: str) -> subprocess.CompletedProcess:
    environment = {"PATH": "{0}:{1}".format(host, os.environ["PATH"])}
    command = ["sh", str(script), *more]
    return subprocess.run(command, env=environment, check=False, timeout=20, capture_output=True, text=True)


@pytest.mark.parametrize("drill", DRILLS)
def test_the_script_restores_what_the_commands_break_and_removes_itself(host, drill):
    script = write(host, drill)
    broken = [name for one in drills.break_commands(drill, ["wa-a", "wa b"], "net") for name in one if "wa" in name]
    assert broken == ["wa-a", "wa b"]
    assert run(host, script) == 0
    back = "network connect net " if drill == "partition" else "start "
    calls = (host / "calls").read_text().splitlines()
    assert [call for call in calls if call.startswith(back)] == [back + "wa-a", back + "wa b"]
    assert not script.exists()


def test_what_is_connected_already_is_left_alone(host):
    joined = '{"net":{"IPAddress":"172.18.0.2"},"network":{}}'
    (host / "docker").write_text("#!/bin/sh\necho \"$*\" >> '{0}/calls'\necho '{1}'\n".format(host, joined))
    script = write(host, "partition")
    assert run(host, script) == 0
    calls = (host / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["inspect", "start"] * 2, "to start what runs does nothing"
    assert not script.exists()


def test_a_script_is_written_whole_by_the_first_and_never_replaced(host):
    def put(text):
        command = drills.write_command(script_name("c"))
        return subprocess.run(command, cwd=host, input=text, text=True, capture_output=True, check=False).returncode

    assert put("first\n") == 0
    assert put("second\n") != 0
    assert (host / script_name("c")).read_text() == "first\n"
    assert sorted(path.name for path in host.iterdir()) == [script_name("c"), "docker"]


def test_a_script_that_fails_stays_and_says_so(host):
    (host / "broken").touch()
    script = write(host, "coreapp")
    assert run(host, script) == 1
    assert script.exists()
    left = observed(drill=read_drill("c", str(host)))
    (problem,) = left_problems(left)
    assert problem.code == "DRILL_LEFT"
    assert "drill coreapp, begun " + BEGUN in problem.message
    assert "drill.yml -e drill=coreapp, " in problem.message
    assert "sh " + str(script) in problem.message


def test_an_engine_that_hangs_is_not_waited_for(host, monkeypatch):
    """As with files of a node on a server that is gone."""
    monkeypatch.setattr(drills, "ANSWER_SECONDS", 1)
    (host / "docker").write_text('#!/bin/sh\necho "$*" >> "{0}/calls"\nexec sleep 600\n'.format(host))
    script = write(host, "coreapp")
    done = ended(host, script)
    assert done.returncode == 1 and done.stderr.splitlines() == ["wa-a was not restored.", "wa b was not restored."]
    assert (host / "calls").read_text().splitlines() == ["start wa-a", "start wa b"], "one does not keep the next"
    assert script.exists()


def test_a_host_that_could_not_restore_it_tries_again(host, monkeypatch):
    monkeypatch.setattr(drills, "AGAIN_SECONDS", 1)
    (host / "broken").touch()
    script = write(host, "coreapp", deadline=0)
    environment = {"PATH": "{0}:{1}".format(host, os.environ["PATH"])}
    waiting = subprocess.Popen(["sh", str(script), "wait"], env=environment)
    try:
        until(lambda: (host / "calls").exists() and len((host / "calls").read_text().splitlines()) > 2)
        assert script.exists() and waiting.poll() is None
        (host / "broken").unlink()
        assert waiting.wait(timeout=60) == 0
    finally:
        waiting.kill()
    assert not script.exists()


def until(check):
    """Until it is so, within a minute."""
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_waits_for_the_deadline(host):
    script = write(host, "coreapp", deadline=2)
    began = time.monotonic()
    assert run(host, script, "wait") == 0
    assert time.monotonic() - began >= 2
    assert (host / "calls").exists()


def test_the_wait_of_an_earlier_drill_does_not_end_this_one(host):
    script = write(host, "coreapp", deadline=60)
    waiting = subprocess.Popen(["sh", str(script), "wait"], env={"PATH": "{0}:{1}".format(host, os.environ["PATH"])})
    try:
        time.sleep(1)  # it has to be read by the shell first
        # As Ansible writes files: in place of the old one, which the waiting shell still reads.
        other = host / "other"
        other.write_text(drills.restore_script("coreapp", ["wa-a"], "net", 60, "2026-11-29T10:00:00Z"))
        other.replace(script)
        assert waiting.wait(timeout=60) == 0
    finally:
        waiting.kill()
    assert not (host / "calls").exists()
    assert script.exists()


def test_a_host_without_a_drill_has_no_problem(tmp_path):
    assert read_drill("c", str(tmp_path)) is None
    assert left_problems(observed(drill=None)) == []


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_drill_that_there_is_not_is_refused():
    assert [problem.code for problem in unknown_drill("coffee")] == ["DRILL_UNKNOWN"]
    assert [problem for drill in DRILLS for problem in unknown_drill(drill)] == []


LEFT = left_drill("/p", drills.mark("coreapp", BEGUN, ["wa-coreapp-1"]))
UNREADABLE = {"path": "/p", "drill": "", "what": "its script cannot be read: Permission denied"}


def asked(**more):
    return {
        "drill": "coreapp", "target": None, "production": False, "really": False, "nodes": [], "observed": [],
        "health": {"healthy": True, "problems": [], "cluster": {}}, "checks": [], "shards": 1, "settings": {},
        "declared_settings": {}, "network": "net", "cluster_name": "c", "deadline": 300, "begun": BEGUN, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"production": True}, "DRILL_ON_PRODUCTION"),
        ({"drill": "coffee"}, "DRILL_UNKNOWN"),
        ({"health": {}}, "DRILL_NOT_HEALTHY"),
        ({"health": {"healthy": False, "problems": [{"code": "X", "message": "No owner."}]}}, "DRILL_NOT_HEALTHY"),
        ({"checks": [{"problems": [{"code": "X", "message": "No room."}]}]}, "DRILL_NOT_HEALTHY"),
        ({"observed": [observed(drill=left_drill("/p", drills.mark("host", BEGUN, ["a"])))]}, "DRILL_LEFT"),
        ({"observed": [observed(drill=left_drill("/p", ""))]}, "DRILL_LEFT"),
        ({"observed": [observed(drill=UNREADABLE), observed(name="h2", drill=LEFT)]}, "DRILL_LEFT DRILL_LEFT"),
        ({}, "DRILL_TARGET_UNKNOWN"),
        ({"production": True, "really": True}, "DRILL_TARGET_UNKNOWN"),
    ],
)
def test_what_speaks_against_it_is_one_sentence(more, code):
    result, problems = plan(asked(**more))
    assert (result, [problem.code for problem in problems]) == ({}, code.split())


@pytest.mark.parametrize("more", [{}, {"production": True}, {"health": {}}, {"checks": [{"failed": True, "msg": "x"}]}])
def test_the_same_drill_again_restores_what_it_broke_whatever_else_is_wrong(more):
    result, problems = plan(asked(observed=[observed(), observed(name="h2", drill=LEFT)], **more))
    assert problems == []
    assert (result["restores"], list(result["hosts"]), result["script_name"]) == (True, ["h2"], script_name("c"))
    said = " ".join(result["sentences"])
    assert "h2 (drill coreapp, begun {0}, wa-coreapp-1)".format(BEGUN) in said
    assert "Nothing more is broken" in said


# --- the shortcomings -----------------------------------------------------------------------------------

ROW = drills.Row("shards", 35, 35, 34.0, back=True)


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (ROW, []),
        (ROW._replace(measured=38.5), []),
        (ROW._replace(measured=38.6), ["DRILL_TOO_LONG"]),
        (ROW._replace(predicted=65, measured=70.0), []),
        (ROW._replace(predicted=10, measured=38.0), []),
        (ROW._replace(predicted=0, documented=0, measured=0.0), []),
        (ROW._replace(predicted=0, documented=0, measured=1.5), ["DRILL_TOO_LONG"]),
        (ROW._replace(measured=20.0, back=False), ["DRILL_NOT_BACK"]),
        (ROW._replace(measured=None), ["DRILL_NOT_BACK"]),
    ],
)
def test_more_than_documented_and_ten_percent_is_red(row, codes):
    assert [problem.code for problem in drills.shortcomings([row])] == codes


PREDICTED = {"service": 35, "primary": None, "documented_service": 35, "documented_primary": None}
PLAN = {"drill": "coreapp", "target": "t", "begun": BEGUN, "restores": False, "predicted": PREDICTED}
RESTORES = {**PLAN, "restores": True, "predicted": dict.fromkeys(PREDICTED)}
WATCHED = {"service": {"seconds": 31.2, "back": True}, "primary": {"seconds": 0.0, "back": True}, "requests": 9}


def reported(**more):
    return report({"plan": PLAN, "watched": WATCHED, "break_results": [], "results": [], **more})


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([{"rc": 0}, {}, {"skipped": True}], ""),
        ([{"rc": 1, "msg": "non-zero return code", "stderr": "no such container\n"}], "no such container"),
        ([{"rc": 127}], "A task failed without a word."),
        ([{"unreachable": True, "msg": "no route"}], "no route"),
        ([{"failed": True, "failure": {"message": "No master answers."}}], "No master answers."),
    ],
)
def test_what_was_not_restored_is_red(results, said):
    for made, watched in ((PLAN, WATCHED), (RESTORES, {})):
        found = reported(plan=made, watched=watched, results=results)
        assert found["report"]["passed"] is (not said)
        assert found["refusal"] == (said and "[DRILL_NOT_RESTORED] " + said)


LOOP = {"failed": True, "msg": "One or more items failed", "results": [
    {"rc": 0, "item": ["docker", "a"]}, {"rc": 1, "failed": True, "stderr": "No such network", "item": ["docker", "b"]},
]}  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (LOOP, "[DRILL_STOPPED] No such network"),
        ({"failed": True, "msg": stop_message("host_lost", host="a", why="no route")}, "[HOST_LOST] a cannot be"),
    ],
)
def test_what_could_not_be_broken_is_red_once_and_nothing_is_said_of_the_outage(failed, said):
    """A task that runs once fails for every host."""
    found = reported(watched={}, break_results=[failed, failed])
    (line,) = found["refusal"].splitlines()
    assert line.startswith(said)


def test_a_watch_that_failed_is_named_beside_what_was_not_broken():
    (line,) = reported(watched={"failed": True}, break_results=[{"failed": True, "msg": "x"}])["refusal"].splitlines()
    assert line == "[DRILL_STOPPED] x"
    both = reported(break_results=[{"failed": True, "msg": "x"}], watched={"service": {"seconds": 9.0, "back": False}})
    assert [problem["code"] for problem in both["report"]["problems"]] == ["DRILL_STOPPED", "DRILL_NOT_BACK"]


def test_what_was_only_restored_has_no_table():
    found = reported(plan=RESTORES, watched={})
    assert found["lines"] == ["What the drill broke is restored."]
    assert (found["report"]["restored_only"], found["report"]["passed"]) == (True, True)


def test_a_drill_that_nobody_watched_has_not_passed():
    assert reported(watched={})["report"]["passed"] is False


def test_requests_that_could_not_be_counted_are_not_none_that_failed():
    found = reported(watched={**WATCHED, "requests": None, "errors": None})
    assert "not known" in found["lines"][2] and found["report"]["passed"]
    assert (found["report"]["requests"], found["report"]["errors"]) == (None, None)


def test_the_table_has_a_line_for_each_measure():
    lines = reported()["lines"]
    assert lines[1].split() == ["shards", "and", "webapps", "served", "35", "s", "at", "most", "35", "s", "31.2", "s"]
    assert "0 of 9 requests failed" in lines[2]
    assert replace(drills.Prediction(**PREDICTED), primary=40).longest == 40
