# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module on a host that is not waited for longer than a deadline. Internal to waent.fleet: may change any time.

It runs as with C(async): its wrapper on the host ends it, with all that it has begun, and the connection is free
meanwhile. What the kernel holds cannot be ended by anybody; it is not waited for either.
"""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase

Result = t.Dict[str, t.Any]

PAUSES = (0.2, 0.5, 1.0)
"""Seconds before each question whether it has ended; the last one again and again."""

_STATUS = "ansible.legacy.async_status"


def execute_bounded(
    action: ActionBase,
    module: str,
    arguments: Result,
    variables: Result,
    seconds: int,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Result | None:
    """What the module returns; None where it did not end within so many seconds."""
    task = action._task
    before, task.async_val = task.async_val, seconds
    try:
        end = clock() + seconds
        begun = action._execute_module(module_name=module, module_args=arguments, task_vars=variables, wrap_async=True)
        job = begun.get("ansible_job_id")
        if job is None or begun.get("failed"):
            return begun
        found = _wait(action, job, variables, end, clock, sleep)
        if found is not None:
            # Else the wrapper on the host is still to write there.
            _ask(action, job, "cleanup", variables)
        return found
    finally:
        # Else whoever has called the action would wait for the same job.
        task.async_val = before


def _wait(
    action: ActionBase,
    job: str,
    variables: Result,
    end: float,
    clock: t.Callable[[], float],
    sleep: t.Callable[[float], None],
) -> Result | None:
    turn = 0
    while True:
        sleep(PAUSES[min(turn, len(PAUSES) - 1)])
        turn += 1
        found = _ask(action, job, "status", variables)
        if found.get("finished"):
            # The wrapper's own answer when it has ended the module.
            return None if "child_pid" in found else found
        if found.get("failed") or found.get("unreachable"):
            return found
        if clock() >= end:
            return None


def _ask(action: ActionBase, job: str, mode: str, variables: Result) -> Result:
    directory = action.get_shell_option("async_dir", default="~/.ansible_async")
    arguments = {"jid": job, "mode": mode, "_async_dir": directory}
    answer: Result = action._execute_module(module_name=_STATUS, module_args=arguments, task_vars=variables)
    return answer
