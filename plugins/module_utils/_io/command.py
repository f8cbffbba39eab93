# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on a host that end at a deadline, whatever they wait for. Internal to waent.fleet.

An engine that hangs takes every connection and answers none, so C(docker) waits for it for ever, and whoever started
it over SSH does too. C(AnsibleModule.run_command) knows no deadline.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

Run = t.Callable[[t.List[str]], t.Tuple[int, str, str]]
"""Runs a command without a shell: C(argv -> (exit code, stdout, stderr)). May raise C(NoAnswer)."""

SECONDS = 25.0
"""More than a busy engine takes for its longest answer, and less than the 30 s in which a lost host is named."""

END_SECONDS = 1.0
"""How long what was killed is given to be gone; what hangs in the kernel never is."""

NOT_STARTED = 127
"""Exit code of what could not be started, as shells have it."""


class NoAnswer(Exception):
    """A command gave no answer that can be used; the text says which one, and why."""


def end(process: subprocess.Popen[t.Any]) -> None:
    """Ends a command that was started in a session of its own, with all that it has started there."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    # Not until the pipes are empty: what has left the session may hold them open for as long as it likes.
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)


def within(seconds: float = SECONDS) -> Run:
    """A way to run commands that each have so many seconds; what is not over by then is ended, and raises NoAnswer."""

    def run(argv: list[str]) -> tuple[int, str, str]:
        try:
            # In a session of its own, so that what it has started ends with it and holds no pipe open.
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            return NOT_STARTED, "", error.strerror or str(error)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            end(process)
            words = " ".join([os.path.basename(argv[0]), *argv[1:2]])
            raise NoAnswer("{0}: no answer within {1:g} s".format(words, seconds)) from None
        return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    return run
