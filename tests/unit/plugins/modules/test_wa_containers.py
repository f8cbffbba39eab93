# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_containers without an engine: what it says then, and its action where the code of docker_container is elsewhere.

What it does with an engine is for tests/integration/containers.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.action import wa_containers as action
from ansible_collections.waent.fleet.plugins.module_utils._common.container_results import STAGES, in_stages, together
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import reasons
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from hypothesis import given
from hypothesis import strategies as st

NOWHERE = {"docker_host": "unix:///nonexistent/docker.sock", "image": "waent/nothing:v1", "env": {"P": "canary"}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_every_container_is_tried_and_says_why_it_failed(check_mode):
    containers = [{"name": name, **NOWHERE} for name in ("one", "two", "three")]
    result = run_module_process("wa_containers", check_mode=check_mode, containers=containers)
    assert (result["failed"], result["changed"], result["msg"]) == (True, False, "one, two and three failed.")
    lines = reasons(result, [], "NODE_NOT_STARTED")
    assert len(lines) == 3
    assert all(
        line.startswith("[NODE_NOT_STARTED] {0}: Error".format(one["name"])) for line, one in zip(lines, containers)
    )


def test_what_docker_container_refuses_is_said_of_the_container():
    result = run_module_process("wa_containers", containers=[{"name": "one", "state": "nowhere"}])
    (line,) = reasons(result, [], "X")
    assert line.startswith("[X] one: ") and "nowhere" in line


def test_what_others_wait_for_comes_first_and_names_its_failure():
    database = {"name": "wa-db", "labels": {"waent.fleet.kind": "database"}, **NOWHERE}
    result = run_module_process("wa_containers", first=[database], containers=[{"name": "one", **NOWHERE}])
    assert [one["item"]["name"] for one in result["results"]] == ["wa-db"], "the others are not begun"
    (line,) = reasons(result, [], "NODE_NOT_STARTED")
    assert line.startswith("[DATABASE_NOT_STARTED] wa-db: Error")


STAGE = st.lists(st.fixed_dictionaries({"changed": st.booleans(), "failed": st.booleans()}), max_size=3)


@given(st.lists(STAGE, min_size=4, max_size=4))
def test_a_stage_is_begun_only_where_all_before_it_went_well(stages):
    begun = []

    def act(name, desired):
        begun.append(name)
        return [one["answer"] for one in desired]

    named = [(name, [{"name": name, "answer": one} for one in found]) for name, found in zip(STAGES, stages)]
    things, answers = in_stages(named, act)
    expected = []
    for name, desired in named:
        expected += [name] if desired else []
        if any(one["answer"]["failed"] for one in desired):
            break
    assert begun == expected
    assert [one["answer"] for one in things] == answers


def test_nothing_to_do():
    result = run_module_process("wa_containers", containers=[])
    assert (result["changed"], result["results"]) == (False, [])


ANSWERS = st.fixed_dictionaries(
    {"changed": st.booleans(), "container": st.just({"Config": {"Env": ["P=canary"]}})},
    optional={"failed": st.booleans(), "msg": st.text(max_size=9), "diff": st.dictionaries(st.text(), st.text())},
)


@given(st.lists(ANSWERS, max_size=5))
def test_one_result_for_all(answers):
    containers = [{"name": "n{0}".format(number), "env": {"P": "canary"}} for number in range(len(answers))]
    found = together(containers, answers)
    assert [one["item"]["name"] for one in found["results"]] == [one["name"] for one in containers]
    assert found["changed"] == any(one["changed"] for one in answers)
    assert found["failed"] == any(one.get("failed") for one in answers)
    assert "P=canary" not in str(found) or any(
        "canary" in str(one.get(key)) for one in answers for key in ("msg", "diff")
    )


# --- the action -------------------------------------------------------------------------------------------------------


@pytest.fixture
def made(monkeypatch):
    """An action, and what it has run."""
    calls = []

    def execute(self, module_name=None, module_args=None, task_vars=None):
        calls.append((module_name, (module_args or {}).get("name")))
        return (
            {"unreachable": True, "msg": "lost"} if module_args and module_args["name"] == "lost" else {"changed": True}
        )

    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(action.ActionModule, "_execute_module", execute)

    def run(containers, known, **others):
        monkeypatch.setattr(action, "code_is_known", lambda: known)
        one = action.ActionModule.__new__(action.ActionModule)
        one._task = SimpleNamespace(args={"containers": containers, **others})
        return one.run(None, {})

    return run, calls


def test_the_code_is_found_in_this_release_of_community_docker():
    assert action.code_is_known()


def test_its_module_is_run_where_the_code_is_known(made):
    run, calls = made
    assert run([{"name": "one"}], known=True) == {"changed": True}
    assert calls == [(None, None)]


def test_docker_container_is_run_for_each_where_it_is_not(made):
    run, calls = made
    result = run([{"name": "one"}, {"name": "two"}], known=False)
    assert calls == [("community.docker.docker_container", "one"), ("community.docker.docker_container", "two")]
    assert result["changed"] and [one["item"]["name"] for one in result["results"]] == ["one", "two"]
    assert run([{"name": "lost"}, {"name": "two"}], known=False)["unreachable"]
    with pytest.raises(AnsibleActionFail, match="containers has to be a list"):
        run("one", known=False)


def test_networks_and_volumes_come_before_them(made):
    run, calls = made
    result = run([{"name": "two"}], known=False, networks=[{"name": "net"}], first=[{"name": "one"}])
    assert calls == [
        ("community.docker.docker_network", "net"),
        ("community.docker.docker_container", "one"),
        ("community.docker.docker_container", "two"),
    ]
    assert [one["item"]["name"] for one in result["results"]] == ["net", "one", "two"]
    del calls[:]
    run([], known=False, volumes=[{"name": "volume"}])
    assert calls == [("community.docker.docker_volume", "volume")]
