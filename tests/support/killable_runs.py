# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of playbooks that are killed: at a task, at a boundary, or when something has come about."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.kill_points import killed_at
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE

CALLBACKS = Path(__file__).with_name("callbacks")
KILLED = -9
"""What a process that SIGKILL has ended leaves as its code."""


class Killed(t.NamedTuple):
    """A run of a playbook that was to be killed. task: at whose beginning it was, if so."""

    code: int
    output: str
    task: str


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all its children, as a machine that loses its power would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class KillableRuns:
    """Of a cluster that has a directory C(home), and begins playbooks in process groups of their own."""

    home: Path

    def begin(self, playbook: str, *more: str, **extra: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a playbook in a process group of its own; its output goes to the file. extra: environment variables."""
        raise NotImplementedError

    def killed_when(self, due: t.Callable[[], bool], playbook: str, *more: str, seconds: float = 0.0) -> Killed:
        """Run a playbook until something is so and so many seconds have passed; then SIGKILL to its group."""
        process, log = self.begin(playbook, *more)
        while process.poll() is None and not due():
            time.sleep(0.2)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        end_group(process)
        return Killed(process.wait(), log.read_text(), "")

    def killed(self, playbook: str, task: str, *more: str) -> Killed:
        """Run a playbook until its process group gets SIGKILL, where a task begins.

        task: its number, counted from 1 as they begin, or a part of its name. A run that is over before has the code 0.
        """
        return self.killed_by("kill_at_task", playbook, *more, KILL_AT_TASK=task)

    def recorded(self, playbook: str, *more: str) -> tuple[Killed, list[str]]:
        """Run a playbook to its end, and the boundaries at which one could be killed, in order."""
        record = self.home / "record"
        record.write_text("")
        run = self.killed_by("kill_at_boundary", playbook, *more, KILL_RECORD=str(record))
        return run, record.read_text().splitlines()

    def killed_by(self, callback: str, playbook: str, *more: str, **extra: str) -> Killed:
        """Run a playbook under a callback that may kill it and says where. extra: environment variables."""
        callbacks = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": callback}
        process, log = self.begin(playbook, *more, **callbacks, **extra)
        try:
            process.wait(timeout=RUN_PATIENCE)
        finally:
            end_group(process)
        said = log.read_text()
        return Killed(process.returncode, said, killed_at(said) if process.returncode == KILLED else "")
