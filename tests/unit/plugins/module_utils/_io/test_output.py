# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of commands as it comes, with a deadline."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.output import Late, Output
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE


def all_of(words, seconds=60.0, **options):
    with Output(words, time.monotonic() + seconds, **options) as output:
        text = b"".join(iter(output.read, b""))
        return text, output.end(), output.reason


def test_all_that_is_written_the_code_and_the_reason():
    script = "seq 1 50000; echo first >&2; echo 'no such thing' >&2; exit 3"
    text, code, reason = all_of(["sh", "-c", script])
    assert text.decode().split() == [str(number) for number in range(1, 50001)]
    assert (code, reason) == (3, "no such thing")


def test_both_streams_together_in_their_order():
    assert all_of(["sh", "-c", "echo a; echo b >&2; echo c"], together=True) == (b"a\nb\nc\n", 0, "")


def test_reads_as_many_bytes_as_are_asked_for():
    with Output(["printf", "abcdef"], time.monotonic() + 60) as output:
        assert [output.read(4), output.read(4), output.read(4)] == [b"abcd", b"ef", b""]


def test_a_command_that_does_not_end_is_ended_with_its_children(tmp_path):
    script = "echo $$ >{0}; sleep 1000 & echo begun; wait".format(tmp_path / "pid")
    with Output(["sh", "-c", script], time.monotonic() + 1) as output:
        assert output.read(6) == b"begun\n"
        with pytest.raises(Late):
            output.read()
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    until = time.monotonic() + PATIENCE
    while left := [path for path in Path("/proc").glob("[0-9]*") if in_group(path, pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def in_group(process, group):
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[2]) == group and fields[0] != "Z"
