# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook run with somebody at the terminal, who answers one question."""

from __future__ import annotations

import os
import pty
import select
import signal
import time

from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, environment
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE

PAUSE_SECONDS = 5
"""So long after an answer it is typed again where nothing came of it: what is typed too early is lost."""


def play_at_terminal(playbook: str, *arguments: str, asked: str, answer: str) -> Run:
    """Run a playbook of the checkout to its end, and type an answer when the words of a question show.

    Raises TimeoutError where nothing shows for too long.
    """
    started = time.monotonic()
    process, ours = pty.fork()
    if not process:
        os.chdir(ROOT)
        os.execvpe("ansible-playbook", ["ansible-playbook", playbook, *arguments], environment())
    shown, heard, typed = b"", started, 0.0
    try:
        while True:
            _before, question, after = shown.partition(asked.encode())
            waits = bool(question) and b"TASK [" not in after
            if waits and time.monotonic() - typed > PAUSE_SECONDS:
                os.write(ours, answer.encode() + b"\r")
                typed = time.monotonic()
            ready, _writable, _exceptional = select.select([ours], [], [], PAUSE_SECONDS)
            if ready:
                part = _read(ours)
                if not part:
                    break
                shown, heard = shown + part, time.monotonic()
            elif time.monotonic() - heard > RUN_PATIENCE:
                os.kill(process, signal.SIGKILL)
                raise TimeoutError("nothing shows for {0} s".format(RUN_PATIENCE))
    finally:
        os.close(ours)
        _process, status = os.waitpid(process, 0)
    output = shown.decode(errors="replace").replace("\r\n", "\n")
    return Run(os.waitstatus_to_exitcode(status), output, time.monotonic() - started)


def _read(ours: int) -> bytes:
    try:
        return os.read(ours, 65536)
    except OSError:  # the other side is closed
        return b""
