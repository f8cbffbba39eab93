# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends ansible-playbook with SIGKILL, with its whole process group, where a task begins."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kill_at_task
type: notification
short_description: Kill the playbook where a task begins
description:
  - For tests of what a run leaves behind that was killed, and of the run after it.
options:
  task:
    description: Number of the task, counted from 1 as they begin, or a part of its name.
    type: str
    required: true
    env: [{name: KILL_AT_TASK}]
"""


from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible_collections.waent.fleet.tests.support.kill_points import kill


class CallbackModule(CallbackBase):
    """Counts tasks."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_at_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Nothing of this task has been done when this is called."""
        self.begun += 1
        chosen: str = self.get_option("task")
        if self.begun == int(chosen) if chosen.isdigit() else chosen in task.get_name():
            kill(task.get_name())
