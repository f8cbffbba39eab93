# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work with a deadline, in real processes: one that waits for ever, and one that cannot be ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import NO_ANSWER
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
from ansible_collections.waent.fleet.tests.support.checkout import ROOT


def no_kill(_process, _signal):
    """The stand-in for a process that the kernel does not let go."""


@pytest.fixture
def path(tmp_path):
    """A path of this test alone; what works for it is ended."""
    yield str(tmp_path)
    for process in bounded.left_behind(str(tmp_path), 0.0):
        os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, 0)


def forever(say):
    say("wait")
    time.sleep(60)


def test_what_the_work_returns(path):
    assert bounded.run(lambda say: {"a": [1, "ü"]}, path, 5.0) == ({"a": [1, "ü"]}, None)


def test_much_that_the_work_returns(path):
    assert bounded.run(lambda say: "x" * 1_000_000, path, 10.0).result == "x" * 1_000_000


def test_an_error_names_the_step(path):
    def work(say):
        say("first")
        say("second")
        Path(path, "absent").stat()

    error = bounded.run(work, path, 5.0).error
    assert error == {
        "step": "second", "name": "ENOENT", "message": "No such file or directory", "seconds": None, "left_behind": 0,
    }  # fmt: skip


def test_a_fault_of_ours_is_raised(path):
    with pytest.raises(bounded.Broken, match="ZeroDivisionError"):
        bounded.run(lambda say: 1 // 0, path, 5.0)


def test_a_process_that_ends_without_a_word_is_raised(path):
    with pytest.raises(bounded.Broken, match="without a word"):
        bounded.run(lambda say: os.kill(os.getpid(), signal.SIGKILL), path, 5.0)


def test_a_file_that_never_answers_ends_at_the_deadline_and_leaves_nothing(path):
    """A fifo without a writer: open waits in the kernel, as for a server that is gone."""
    os.mkfifo(path + "/fifo")

    def work(say):
        say("open")
        os.open(path + "/fifo", os.O_RDONLY)

    began = time.monotonic()
    error = bounded.run(work, path, 0.3).error
    assert time.monotonic() - began < 3
    assert error == {"step": "open", "name": NO_ANSWER, "message": "no answer", "seconds": 0.3, "left_behind": 0}
    assert bounded.left_behind(path, 0.0) == []


def test_a_stopped_process_is_ended_too(path):
    error = bounded.run(lambda say: os.kill(os.getpid(), signal.SIGSTOP), path, 0.3).error
    assert (error["name"], error["left_behind"]) == (NO_ANSWER, 0)
    assert bounded.left_behind(path, 0.0) == []


def test_one_that_cannot_be_ended_is_found_again_and_not_multiplied(path):
    started = Path(path, "started")

    def work(say):
        with started.open("a") as file:
            file.write("x")
        forever(say)

    first = bounded.run(work, path, 0.3, kill=no_kill).error
    assert (first["step"], first["seconds"], first["left_behind"]) == ("wait", 0.3, 1)
    for _again in range(5):
        error = bounded.run(work, path, 0.3, kill=no_kill).error
        assert (error["name"], error["seconds"], error["left_behind"]) == (NO_ANSWER, 0.0, 1)
        assert len(bounded.left_behind(path, 0.3)) == 1
    assert started.read_text() == "x"
    assert bounded.run(lambda say: "there again", path, 0.3) == ("there again", None)
    assert bounded.left_behind(path, 0.0) == []


def test_one_for_another_path_is_not_touched(path):
    assert bounded.run(forever, path, 0.3, kill=no_kill).error["left_behind"] == 1
    assert bounded.run(lambda say: "fine", path + "/other", 0.3).result == "fine"
    assert len(bounded.left_behind(path, 0.3)) == 1


def test_a_run_that_goes_on_is_not_disturbed(path):
    assert bounded.run(forever, path, 0.3, kill=no_kill).error["left_behind"] == 1
    assert bounded.end_left_behind(path, 30.0) == 0
    assert len(bounded.left_behind(path, 0.0)) == 1


def test_who_waits_for_the_output_does_not_wait_for_the_child(path):
    """As ssh does for the output of a module."""
    script = """
        import sys, time
        from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
        print(bounded.run(lambda say: time.sleep(60), sys.argv[1], 0.3, kill=lambda *_: None).error["left_behind"])
    """
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), path],
        cwd=ROOT / ".collections",  # where Python finds the collection of this checkout
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert time.monotonic() - began < 30
    assert len(bounded.left_behind(path, 0.3)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_the_work_is_done_as_the_user_and_without_the_groups_of_root(path):
    seen = bounded.run(lambda say: [os.getresuid(), os.getresgid(), os.getgroups()], path, 5.0, (4711, 4712)).result
    assert seen == [[4711] * 3, [4712] * 3, []]
    assert os.geteuid() == 0


def test_without_root_another_user_is_refused_before_anything_starts(path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Refusal, match="only root can test for user id 4711, this is user id 1000"):
        bounded.run(forever, path, 5.0, (4711, 4711))


def test_names_fit_into_what_the_kernel_keeps():
    assert len(bounded.name_for("/srv/media")) == 15
    assert bounded.name_for("/srv/media") != bounded.name_for("/srv/media2")
