# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands run with somebody at the terminal, who answers what is asked."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, environment
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE

PAUSE_SECONDS = 5
"""So long after an answer it is typed again where nothing came of it: what is typed too early is lost."""


def play_at_terminal(playbook: str, *arguments: str, asked: str, answer: str) -> Run:
    """Run a playbook of the checkout to its end, and type an answer when the words of a question show.

    Raises TimeoutError where nothing shows for too long.
    """
    typed = 0.0

    def typing(shown: bytes) -> str | None:
        nonlocal typed
        _before, question, after = shown.partition(asked.encode())
        if not question or b"TASK [" in after or time.monotonic() - typed <= PAUSE_SECONDS:
            return None
        typed = time.monotonic()
        return answer

    return _at_terminal(["ansible-playbook", playbook, *arguments], ROOT, environment(), typing)


def run_at_terminal(command: str, *answers: tuple[str, str], directory: Path, environment: t.Mapping[str, str]) -> Run:
    """Run a command as a shell of the directory has it, and type each answer when its question shows, in their order.

    For programs that read from the terminal itself and ask once they listen. Raises TimeoutError.
    """
    left, read = list(answers), 0

    def typing(shown: bytes) -> str | None:
        nonlocal read
        at = shown.find(left[0][0].encode(), read) if left else -1
        if at < 0:
            return None
        asked, answer = left.pop(0)
        read = at + len(asked)
        return answer

    return _at_terminal(["bash", "-c", command], directory, environment, typing)


def _at_terminal(
    words: list[str],
    directory: Path,
    environment: t.Mapping[str, str],
    typing: t.Callable[[bytes], str | None],
) -> Run:
    """typing: what is to be typed by what has been shown until now, if anything."""
    started = time.monotonic()
    process, ours = pty.fork()
    if not process:
        os.chdir(directory)
        os.execvpe(words[0], words, environment)
    shown, heard = b"", started
    try:
        while True:
            answer = typing(shown)
            if answer is not None:
                os.write(ours, answer.encode() + b"\r")
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
