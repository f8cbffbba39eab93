# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records where tasks begin, or ends ansible-playbook, with its process group, where one begins that is not known."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kill_at_boundary
type: notification
short_description: Record where tasks begin, or kill the playbook at the first such boundary that is not known yet
description:
  - For tests that kill a playbook at every task boundary in turn.
options:
  record:
    description: File to which each boundary is added, one a line.
    type: path
    env: [{name: KILL_RECORD}]
  recorded:
    description: File with the boundaries of a run that nobody disturbed.
    type: path
    env: [{name: KILL_RECORDED}]
  known:
    description: File with the boundaries that are passed by. Without it nothing is killed.
    type: path
    env: [{name: KILL_KNOWN}]
  where:
    description: Which boundaries count.
    type: str
    choices: [changes, batches, everywhere]
    default: everywhere
    env: [{name: KILL_WHERE}]
"""

import typing as t
from pathlib import Path

from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible_collections.waent.fleet.tests.support.boundaries import Boundaries
from ansible_collections.waent.fleet.tests.support.kill_points import kill


class CallbackModule(CallbackBase):
    """Kills at the first boundary that is due and not known."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_at_boundary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._changed = False

    def set_options(self, *arguments: t.Any, **named: t.Any) -> None:
        """Called once, before anything else."""
        super().set_options(*arguments, **named)
        self.boundaries = Boundaries(self._lines("recorded"))
        self.known = self._lines("known") if self.get_option("known") else None

    def _lines(self, option: str) -> frozenset[str]:
        path = self.get_option(option)
        return frozenset(Path(path).read_text().splitlines()) if path else frozenset()

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """With serial this is called for every batch; serial then holds the size of each."""
        self.boundaries.play(play.get_name(), len(play.serial))

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Remember that something was changed."""
        self._changed |= bool(result.result.get("changed"))

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Nothing of this task has been done when this is called."""
        boundary = self.boundaries.task(task.get_name())
        if self.get_option("record"):
            with Path(self.get_option("record")).open("a") as record:
                record.write(boundary + "\n")
        changed, self._changed = self._changed, False
        if self.known is None or boundary in self.known:
            return
        if self.boundaries.due(self.get_option("where"), changed):
            kill(boundary)
