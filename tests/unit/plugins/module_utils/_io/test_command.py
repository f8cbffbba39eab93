# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real commands: what they say, and that none is waited for longer than its time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import command
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NOT_STARTED, NoAnswer, within
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE


def test_what_a_command_says():
    assert within()(["sh", "-c", "echo out; echo err >&2; exit 3"]) == (3, "out\n", "err\n")
    assert within()(["printf", "\\377"]) == (0, "�", "")
    assert within()(["cat"]) == (0, "", "")


def test_a_command_that_is_not_there():
    code, out, err = within()(["/nowhere/docker", "info"])
    assert (code, out) == (NOT_STARTED, "") and "No such file" in err


def test_what_takes_too_long_is_ended_with_all_that_it_has_started(tmp_path):
    """A child that keeps its output open would have the reader wait as long as itself."""
    child = tmp_path / "child"
    with pytest.raises(NoAnswer, match=r"^sh -c: no answer within 0\.3 s$"):
        within(0.3)(["sh", "-c", "sleep 600 & echo $! > {0}; wait".format(child)])
    state = Path("/proc") / child.read_text().strip() / "stat"
    until = time.monotonic() + PATIENCE
    while runs(state):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_has_left_the_session_and_keeps_the_output_open_is_not_waited_for(tmp_path):
    child = tmp_path / "child"
    script = "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 90' & wait".format(child)
    with pytest.raises(NoAnswer):
        within(2)(["sh", "-c", script])
    pid = child.read_text().strip()
    assert runs(Path("/proc") / pid / "stat"), "it was waited for until it had ended by itself"
    os.kill(int(pid), signal.SIGKILL)


def runs(state):
    """Whether a process is there that has not ended; nobody may ever bury one that has."""
    try:
        return not state.read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return False


def test_a_host_is_named_in_time():
    assert command.SECONDS < 30
