# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what a run costs the controller, without a clock: the same on an idle machine and on a busy one."""

from __future__ import annotations

DOCUMENTATION = r"""
name: count_work
type: notification
short_description: Count processes, templatings, and how often the variables of a host are put together
description:
  - For tests and benchmarks of the controller.
options:
  file:
    description: File to which every process adds a line of JSON when it has done its work.
    type: path
    required: true
    env: [{name: COUNT_WORK_FILE}]
"""

import json
import os
import resource
import typing as t

from ansible._internal._templating._engine import TemplateEngine
from ansible.executor.task_executor import TaskExecutor
from ansible.plugins.callback import CallbackBase
from ansible.vars.manager import VariableManager

COUNTED = {"templatings": (TemplateEngine, "template"), "variables": (VariableManager, "get_vars")}
"""What is counted, and the method that does it once."""


class CallbackModule(CallbackBase):
    """Counts in this process and in those that are forked from it, one for each task on each host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "count_work"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.counts = dict.fromkeys(COUNTED, 0)
        for name, (kind, method) in COUNTED.items():
            setattr(kind, method, self._counting(name, getattr(kind, method)))
        run = TaskExecutor.run

        def run_and_report(executor: TaskExecutor) -> t.Any:
            self.counts = dict.fromkeys(COUNTED, 0)
            try:
                return run(executor)
            finally:
                self._add(task=executor._task.get_name())

        TaskExecutor.run = run_and_report

    def _counting(self, name: str, method: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def counted(*arguments: t.Any, **named: t.Any) -> t.Any:
            self.counts[name] += 1
            return method(*arguments, **named)

        return counted

    def _add(self, **about: str) -> None:
        largest_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        line = json.dumps({**about, **self.counts, "memory": largest_kb}) + "\n"
        file = os.open(self.get_option("file"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        # Lines of several processes do not mix: each is one short write at the end of the file.
        os.write(file, line.encode())
        os.close(file)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """What was counted in this process."""
        self._add(task="")
