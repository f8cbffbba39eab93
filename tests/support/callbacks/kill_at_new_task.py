# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends ansible-playbook with SIGKILL, with its whole process group, at the first task that is not in a list yet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kill_at_new_task
type: notification
short_description: Kill upgrade.yml at the first task that is not known yet
description:
  - For tests that kill it at every task boundary in turn. A boundary is told as C(steps left|step|task|which time in
    this step), without the names of nodes, so that it is the same in a plan that was made again.
options:
  known:
    description: File with the boundaries that are passed by, one a line.
    type: path
    required: true
    env: [{name: KILL_KNOWN}]
  where:
    description: V(changes) kills in the steps of the plan, at a task that follows one which changed something; V(steps)
      at every task of the steps, V(everywhere) before and after them too.
    type: str
    choices: [changes, steps, everywhere]
    default: everywhere
    env: [{name: KILL_WHERE}]
"""

import re
import typing as t
from collections import Counter
from pathlib import Path

from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible_collections.waent.fleet.tests.support.kill_points import kill

STEPS_PLAY, PLAN_TASK = "Do the steps, in the order of the plan", "Show | Show the plan"
REVIVAL = "Run what does not report"
NUMBERED = re.compile(r"\d+\. (.*)")
NAMES = (
    (re.compile(r"\S+:\S+-(webapp|master|coreapp)-\d+"), r"\1"),
    (re.compile(r"shards? \d+(, \d+)*"), "a shard"),
    (re.compile(r"v\d+\.\d+\.\d+"), "a version"),
)


def without_names(sentence: str) -> str:
    """What a step is, wherever it is done: C(Replace coreapp, which owns nothing any more)."""
    for pattern, word in NAMES:
        sentence = pattern.sub(word, sentence)
    return sentence


class Boundaries:
    """Names the places where a task begins, from what the playbook shows of its plan and from the plays that begin."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._batch, self._where = 0, ""
        self._seen: Counter[str] = Counter()

    def plan(self, said: t.Iterable[str]) -> None:
        """The plan is shown: its steps are numbered."""
        self.steps = [match.group(1) for match in map(NUMBERED.match, said) if match]

    def play(self, name: str) -> None:
        """A play, or a batch of it, begins."""
        self._seen.clear()
        self._where = "|" + name
        if name == STEPS_PLAY:
            self._batch += 1
            step = self.steps[self._batch - 1] if self._batch <= len(self.steps) else ""
            # What a kill has left dead is run first, whatever is left then.
            left = "first" if step.startswith(REVIVAL) else len(self.steps) - self._batch + 1
            self._where = "{0}|{1}".format(left, without_names(step))

    def task(self, name: str) -> str:
        """A task begins; the name of this boundary."""
        self._seen[name] += 1
        return "{0}|{1}|{2}".format(self._where, name, self._seen[name])

    @property
    def in_steps(self) -> bool:
        """Whether it is a step of the plan that runs."""
        return not self._where.startswith("|")


class CallbackModule(CallbackBase):
    """Kills at the first boundary that is not known."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_at_new_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.boundaries = Boundaries()
        self._known: frozenset[str] | None = None
        self._changed = False

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """With serial this is called for every batch."""
        self.boundaries.play(play.get_name())

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """The task that shows the plan tells its steps."""
        self._changed |= bool(result.result.get("changed"))
        if PLAN_TASK in result.task.get_name():
            self.boundaries.plan(result.result["msg"])

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Nothing of this task has been done when this is called."""
        boundary = self.boundaries.task(task.get_name())
        if self._known is None:
            self._known = frozenset(Path(self.get_option("known")).read_text().splitlines())
        changed, self._changed = self._changed, False
        due = {"changes": self.boundaries.in_steps and changed, "steps": self.boundaries.in_steps, "everywhere": True}
        if due[self.get_option("where")] and boundary not in self._known:
            kill(boundary)
