# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has something happen from outside where a task begins, as when somebody else works on the same host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: act_at_task
type: notification
short_description: Run a command where a task begins, once
description:
  - For tests of what a run says to whom something has happened in the middle of it.
options:
  task:
    description: A part of the name of the task.
    type: str
    required: true
    env: [{name: ACT_AT_TASK}]
  command:
    description: What to run, for a shell; it has to succeed.
    type: str
    required: true
    env: [{name: ACT_COMMAND}]
"""

import subprocess

from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Acts the first time that such a task begins."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "act_at_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.acted = False

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Nothing of this task has been done when this is called."""
        if not self.acted and self.get_option("task") in task.get_name():
            self.acted = True
            subprocess.run(self.get_option("command"), shell=True, check=True)
            self._display.display("\nACTED AT [{0}]".format(task.get_name()))
