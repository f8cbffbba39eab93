# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_node_environment as a process, with a docker command that shows what compose files and others have started."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_containers import coreapp, development, started
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

DOCKER = """#!/bin/sh
case "$*" in
    "ps "*) [ ! -e {directory}/lost ] || {{ echo EOF >&2; exit 1; }}; cat {directory}/ids ;;
    "inspect "*) cat {directory}/containers ;;
    "image inspect "*) cat {directory}/images ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Directory of the command; a file C(lost) there makes it fail."""
    ours = coreapp("wa-coreapp-1", "a", 7250, labels={"waent.fleet.cluster": "waent"})
    other = started("other", "nginx", {"TOKEN": "not read"})
    other.entry["Config"]["Cmd"] = ["nginx"]
    containers = [*development(), ours, other]
    (tmp_path / "ids").write_text("\n".join(one.entry["Id"] for one in containers))
    (tmp_path / "containers").write_text(json.dumps([one.entry for one in containers]))
    (tmp_path / "images").write_text(
        json.dumps([{"Id": one.entry["Image"], "Config": {"Env": ["PATH=/bin"]}} for one in containers])
    )
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(directory=tmp_path))
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def path_of(engine: Path) -> str:
    return "{0}:{1}".format(engine, os.defpath)


def test_what_compose_has_given_to_nodes_and_nothing_else(engine: Path) -> None:
    expected = {one.entry["Name"][1:]: one.environment for one in development() if "db" not in one.entry["Name"]}
    assert run_module_process("wa_node_environment", path=path_of(engine))["environments"] == expected


def test_an_engine_that_is_lost_is_not_one_without_nodes(engine: Path) -> None:
    (engine / "lost").touch()
    assert run_module_process("wa_node_environment", path=path_of(engine))["failure"]["code"] == "ENGINE_LOST"


def test_without_a_docker_command(tmp_path: Path) -> None:
    found = run_module_process("wa_node_environment", path=str(tmp_path))
    assert found["failure"]["message"] == "Docker Engine does not answer (there is no docker command)."
