# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_node_info as a process, with a docker command that answers as the real one does for two containers."""

from __future__ import annotations

import json
import os
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

STATE = {"Status": "restarting", "ExitCode": 7, "OOMKilled": False, "Error": "", "StartedAt": "2026-01-01T00:00:09Z"}
DOCKER = """#!/bin/sh
case "$*" in
    "ps "*) [ ! -e {directory}/lost ] || {{ echo EOF >&2; exit 1; }}; printf '%s\\n' loud first mute again ;;
    "inspect "*" again") echo '{running}' ;;
    "inspect "*" loud") echo '{restarted}' ;;
    "inspect "*) echo '{inspected}' ;;
    "events "*"container=r6 "*|"events "*"container=r6")
        echo "$*" >{directory}/asked; cat {directory}/ends ;;
    "logs "*" --since "*" mute") ;;
    "logs "*" --since "*) echo '2026-01-01T00:00:09.0Z since the start' ;;
    "logs "*) echo '2026-01-01T00:00:01.0Z first'; echo '2026-01-01T00:00:03.0Z third'
        echo '2026-01-01T00:00:02.0Z second  with spaces' >&2 ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Directory of the command; a file C(lost) there makes it fail."""
    inspected, restarted = (json.dumps([{"State": STATE, "RestartCount": restarts}]) for restarts in (0, 4))
    running = json.dumps([{"Id": "r6", "State": {**STATE, "Status": "running", "ExitCode": 0}, "RestartCount": 4}])
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(directory=tmp_path, inspected=inspected, restarted=restarted, running=running))
    (tmp_path / "ends").touch()
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def info(engine: Path, *names: str) -> dict[str, t.Any]:
    return run_module_process("wa_node_info", path="{0}:{1}".format(engine, os.defpath), names=list(names))


@pytest.mark.parametrize(("name", "restarts"), [("loud", 4), ("mute", 0)])
def test_state_and_log_of_a_container_in_the_order_of_time(engine: Path, name: str, restarts: int) -> None:
    """Where the engine restarted it, or it has said nothing since its start, from before that too."""
    assert info(engine, name)["nodes"] == [
        {
            "name": name,
            "exists": True,
            "state": "restarting",
            "exit_code": 7,
            "oom_killed": False,
            "restarts": restarts,
            "error": "",
            "log": ["first", "second  with spaces", "third"],
            "log_unread": "",
        }
    ]


def test_the_log_of_a_first_run_is_that_since_its_start(engine: Path) -> None:
    assert info(engine, "first")["nodes"][0]["log"] == ["since the start"]


@pytest.mark.parametrize(("ends", "code"), [("137\n9\n", 9), ("", None), ("no such\n", None)])
def test_a_container_that_runs_again_ended_as_the_engine_remembers(engine: Path, ends: str, code: int | None) -> None:
    (engine / "ends").write_text(ends)
    assert info(engine, "again")["nodes"][0]["exit_code"] == code


def test_the_engine_is_asked_up_to_this_moment_not_to_the_last_whole_second(engine: Path) -> None:
    """The command cuts "0s" to whole seconds: of a container that ended just now it would know nothing."""
    before = time.time()
    info(engine, "again")
    asked = (engine / "asked").read_text().split()
    until = asked[asked.index("--until") + 1]
    assert before <= float(until) <= time.time()
    assert "." in until


def test_a_container_that_is_not_there(engine: Path) -> None:
    assert info(engine, "other", "loud")["nodes"][0] == {"name": "other", "exists": False}


def test_an_engine_that_does_not_answer_is_not_one_without_containers(engine: Path) -> None:
    (engine / "lost").touch()
    result = info(engine, "loud")
    assert result["failed"] is True
    assert result["failure"]["code"] == "ENGINE_LOST"
    assert "EOF" in result["msg"]
