# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines in whose place none may be put, and that nobody may take for having nothing.

Every playbook that acts on hosts ends red with a sentence. The host is this machine, with a docker command of the
test's own.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    TOOLS,
    Run,
    play,
    write_inventory,
    write_variables,
)

SAYS = {
    "ENGINE_DENIED": "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1",
    "ENGINE_IS_PODMAN": """echo '{"host": {"buildahVersion": "1.28.2"}, "store": {}}'""",
    "ENGINE_ROOTLESS": """echo '{"ServerVersion": "27.1.1", "SecurityOptions": ["name=rootless"]}'""",
    "ENGINE_REMOTE": """echo '{"ServerVersion": "27.1.1", "ClientInfo": {"Context": "default"}}'""",
}
LISTS = {what + word for what in ("network", "volume") for word in (" ls", " inspect")}
PLAYBOOKS = {"engine": (), "uninstall": ("-e", "confirm=yes"), "site": ()}


@pytest.fixture
def run_with(tmp_path: Path) -> t.Callable[..., Run]:
    """Run a playbook where the docker command is a shell script."""

    def work(playbook: str, script: str, *arguments: str, **extra: str) -> Run:
        docker = tmp_path / "bin" / "docker"
        docker.parent.mkdir()
        calls = tmp_path / "calls"
        docker.write_text('#!/bin/sh\necho "$*" >>{0}\n{1}\n'.format(calls, script))
        docker.chmod(0o755)
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "wa_address": "one.example",
        }
        inventory = write_inventory(tmp_path / "hosts.yml", {"one": host})
        given = write_variables(tmp_path / "variables.json", valid_variables.but(wa_db_check_host=""))
        path = os.pathsep.join([str(docker.parent), str(TOOLS), os.environ.get("PATH", os.defpath)])
        run = play("playbooks/{0}.yml".format(playbook), "-i", inventory, "-e", given, *arguments, PATH=path, **extra)
        asked = {" ".join(call.split()[:2]) for call in calls.read_text().splitlines()}
        assert asked <= {"info --format", "ps --all", "inspect --type", *LISTS}, asked
        return run

    return work


@pytest.mark.parametrize("playbook", PLAYBOOKS)
@pytest.mark.parametrize("code", SAYS)
def test_an_engine_that_is_left_alone(run_with: t.Callable[..., Run], playbook: str, code: str) -> None:
    extra = {"DOCKER_HOST": "tcp://127.0.0.1:9"} if code == "ENGINE_REMOTE" else {}
    run = run_with(playbook, '[ "$1" = info ] || exit 9\n' + SAYS[code], *PLAYBOOKS[playbook], **extra)
    assert run.code == FAILED, run.output
    assert code in run.codes, run.output
    assert run.recap["one"]["changed"] == 0
    assert "Traceback" not in run.output


def container(name: str, cluster: str, kind: str) -> dict[str, t.Any]:
    """A container as the engine describes it, with the network and the media that all share."""
    return {
        "Id": name * 8,
        "Name": "/" + name,
        "State": {"Status": "running"},
        "Config": {"Labels": {"waent.fleet.cluster": cluster, "waent.fleet.kind": kind}},
        "NetworkSettings": {"Networks": {"waent": {}}},
        "Mounts": [{"Destination": "/usr/local/wamedia", "Name": "whatsappMedia", "Source": "/x"}],
    }


def test_uninstall_says_what_stays_before_it_asks(run_with: t.Callable[..., Run], tmp_path: Path) -> None:
    """And with nobody to answer it removes nothing: only questions are put to the engine."""
    ours = {"Labels": {"waent.fleet.cluster": "waent"}}
    answers = {
        "info": {"ServerVersion": "27.1.1"},
        "inspect": [container("wa-db", "waent", "database"), container("wa-webapp-1", "waent", "webapp")]
        + [container("b-webapp-1", "b", "webapp")],
        "network": [{"Name": "waent", "Id": "1", **ours}, {"Name": "idle", "Id": "2", **ours}, {"Name": "bridge"}],
        "volume": [{"Name": name, **ours} for name in ("waentDatabase", "whatsappMedia")],
    }
    for name, answer in answers.items():
        (tmp_path / name).write_text(json.dumps(answer))
    script = 'case "$1 $2" in ps*|*" ls") echo some;; *) cat "{0}/$1";; esac'.format(tmp_path)
    run = run_with("uninstall", script, "-e", "wa_remove_data=true")
    assert run.code == FAILED, run.output
    assert "[NOT_CONFIRMED] Nothing was changed: there is nobody to ask; add -e confirm=yes" in run.output
    shown = [line.strip(" -'") for line in run.output.splitlines() if line.strip(" -'").startswith("one: ")]
    assert shown == [
        "one: container wa-webapp-1",
        "one: container wa-db",
        "one: network idle",
        "one: volume waentDatabase, with its data",
        "one: stays: network waent, used by b-webapp-1",
        "one: stays: volume whatsappMedia, used by b-webapp-1",
    ]
