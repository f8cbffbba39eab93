# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a plan: which are certain, what they cost, and that each action has tasks that do it."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._plan.step import (
    ACTIONS,
    Step,
    certain,
    downtime,
    listed,
    shards_text,
    switchover,
    total_downtime,
)
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load

STEPS = ROOT / "roles" / "rollout" / "tasks" / "steps"


def test_every_action_has_one_file_of_tasks_and_every_file_an_action():
    assert {path.stem for path in STEPS.glob("*.yml")} == set(ACTIONS)


def test_no_task_of_a_step_fails_for_all_nodes_at_once():
    """Where one with run_once fails, Ansible ends the play of several hosts at once, and nobody gathers evidence."""
    files = [*STEPS.glob("*.yml"), *(STEPS.parent / (name + ".yml") for name in IN_STEPS)]
    found = [(file.name, task["name"]) for file in files for task in _tasks(load(file)) if fails_for_all(task)]
    assert found == []


IN_STEPS = (
    "gate", "remount_coreapps", "remount_share", "restore_timers", "run_node", "shorten_timers", "stop_node",
    "stop_together",
)  # fmt: skip


def fails_for_all(task):
    return bool(task.get("run_once")) and task.get("failed_when") is not False


def _tasks(tasks):
    for task in tasks or ():
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part))


def test_steps_are_certain_up_to_the_first_that_is_predicted():
    steps = [Step("create", ("a",), ()), Step("set_shards", (), ()), Step("remove", ("b",), (), predicted=True)]
    assert certain(steps) == steps[:2]
    assert certain([*steps, steps[0]]) == steps[:2], "what comes after a prediction depends on it"


def test_downtime_adds_up_by_shard():
    steps = [Step("x", (), (), downtime([1, 0], 10)), Step("y", (), (), downtime([1], 5))]
    assert total_downtime(steps) == {"0": 10, "1": 15}


def test_words():
    assert (shards_text([3]), shards_text([4, 3])) == ("shard 3", "shards 3, 4")
    assert listed("coreapp", ["a", "b"]) == "2 coreapps: a, b"


def test_a_switchover_says_what_it_does_and_costs():
    step = switchover("h:c1", [0], "a standby")
    assert step.sentence == (
        "Stop h:c1, which owns shard 0, and wait for failover: a standby takes over, about 10 s without service there."
    )
    assert dict(step.gate) == {"owned": [0], "away": ["h:c1"]}
