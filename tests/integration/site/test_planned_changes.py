# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks show of containers that differ from the desired state, on a machine with a stand-in for its engine.

The stand-in answers the questions of wa_host_info; no container runs, and nobody answers for the API. So a cluster
whose nodes would be recreated cannot be asked whether it is in service, and has to be left alone.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import container_of
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.observed_host import DATABASE, SETTINGS, inspected, placed
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    TOOLS,
    Run,
    play,
    write_inventory,
    write_variables,
)

DATABASE_IMAGE = SETTINGS["images"]["database"]
VARIABLES = valid_variables.but(
    wa_db_check_host="", wa_database_image=DATABASE_IMAGE, wa_disk_free_mb=1, wa_extra_hosts={}
)

DOCKER = """#!/bin/sh
echo "$*" >> "{home}/calls"
case "$1 $2" in
  "info "*) echo '{{"ServerVersion": "20.10.24", "DockerRootDir": "{home}"}}' ;;
  "ps "*) echo aaa ;;
  "inspect "*) cat "{home}/containers" ;;
  "image inspect") if [ "$3" = --format ]; then echo sha256:i; else cat "{home}/images"; fi ;;
  "network ls") echo n ;;
  "network inspect") echo '[{{"Name": "waent", "IPAM": {{"Config": []}}}}]' ;;
  "volume ls") echo whatsappMedia waentDatabase ;;
  "volume inspect")
    shift 2; list=; for name; do list="$list,{{\\"Name\\": \\"$name\\", \\"Mountpoint\\": \\"{home}\\"}}"; done
    echo "[${{list#,}}]" ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""
READS = ("info", "ps", "inspect", "image inspect", "network ls", "network inspect", "volume ls", "volume inspect")


def environment_of(kind: str) -> dict[str, str]:
    """What the roles give every node of a kind."""
    common = {
        "WA_DB_ENGINE": "MYSQL", "WA_DB_HOSTNAME": "db", "WA_DB_PORT": "3306", "WA_DB_USERNAME": "root",
        "WA_DB_PASSWORD": valid_variables.SECRETS["wa_db_password"], "WA_DB_NAME_PREFIX": "", "WA_CONFIG_ON_DB": "1",
        "WA_APP_MULTICONNECT": "1",
    }  # fmt: skip
    secrets = valid_variables.SECRETS
    keys = {"WA_WEB_JWT_CRYPTO_KEY": secrets["wa_jwt_key"], "WA_API_KEY": secrets["wa_api_key"]}
    core = {"WA_DB_CONNECTION_IDLE_TIMEOUT": "180000"}
    own = {"webapp": keys, "coreapp": core, "master": {**core, "WA_MASTER_NODE": "1"}, "database": {}}
    return {**common, **own[kind]}


def entry(node: dict[str, t.Any], number: int) -> dict[str, t.Any]:
    """The container that roles make of a node, as the engine reports it."""
    spec = container_of(node, SETTINGS)
    found = inspected(spec)
    env = {**environment_of(node["kind"]), **spec.get("env", {})}
    found["Config"]["Env"] = ["{0}={1}".format(*pair) for pair in env.items()]
    ports = found["HostConfig"]["PortBindings"]
    found["NetworkSettings"]["Ports"] = ports
    state = {"Status": "running", "Running": True}
    return {"Id": "{0:064}".format(number), "Name": "/" + node["name"], "Image": "sha256:i", "State": state, **found}


class Site(t.NamedTuple):
    """Playbooks on that machine. calls: the requests that its engine got."""

    home: Path
    inventory: str

    def play(self, playbook: str, **changes: t.Any) -> Run:
        """With the variables changed."""
        given = write_variables(self.home / "variables.json", {**VARIABLES, **changes})
        path = os.pathsep.join([str(self.home / "bin"), str(TOOLS), os.environ.get("PATH", os.defpath)])
        return play("playbooks/" + playbook, "-i", self.inventory, "-e", given, PATH=path)

    @property
    def calls(self) -> list[str]:
        """Whole lines."""
        return (self.home / "calls").read_text().splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """All nodes run on it as they are declared."""
    (tmp_path / "bin").mkdir()
    nodes = [*placed("one"), {**DATABASE, "host": "one"}]
    (tmp_path / "containers").write_text(json.dumps([entry(node, n) for n, node in enumerate(nodes)]))
    (tmp_path / "images").write_text(json.dumps([{"Id": "sha256:i", "Config": {"Env": ["PATH=/bin"]}}]))
    script = tmp_path / "bin" / "docker"
    script.write_text(DOCKER.format(home=tmp_path))
    script.chmod(0o755)
    # Nobody listens on this address.
    machine = {
        "ansible_connection": "local", "ansible_host": "127.0.0.1", "wa_api_address": "127.0.0.255",
        "ansible_python_interpreter": sys.executable, "wa_address": "one",
    }  # fmt: skip
    inventory = write_inventory(tmp_path / "hosts.yml", {"one": machine}, wa_database_hosts=["one"])
    return Site(tmp_path, inventory)


def words(output: str) -> str:
    """As one line: Ansible breaks long sentences."""
    return " ".join(output.split())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, None),
        (
            {"wa_extra_hosts": {"db.example": "192.0.2.9"}},
            "one: recreate wa-coreapp-1 (extra hosts: db.example:192.0.2.9 instead of none)",
        ),
        (
            {"wa_publish_address": "192.0.2.7", "wa_database_address": "0.0.0.0"},
            "one: recreate wa-webapp-1 (published ports: 192.0.2.7:9090->443 instead of 0.0.0.0:9090->443)",
        ),
        (
            {"wa_database_max_connections": 501},
            "one: recreate wa-db (command: --max-connections=501 instead of --max-connections=500)",
        ),
        (
            {"wa_api_key": "another-key-123"},
            "one: recreate wa-webapp-1 (environment: WA_API_KEY differs from the inventory)",
        ),
    ],
)
def test_status_shows_what_site_would_change(site: Site, changes: dict[str, t.Any], sentence: str | None) -> None:
    run = site.play("status.yml", **changes)
    assert run.code == FAILED, "nobody answers for the API"
    assert ("site.yml would change" in run.output) is (sentence is not None), run.output
    assert sentence is None or sentence in words(run.output), run.output
    assert "another-key" not in run.output


@pytest.mark.thorough
def test_nodes_of_a_cluster_that_cannot_be_asked_are_left_alone(site: Site) -> None:
    run = site.play("site.yml", wa_extra_hosts={"db.example": "192.0.2.9"})
    assert (run.code, run.codes) == (FAILED, ["SERVICE_UNKNOWN"]), run.output
    (sentence,) = run.sentences("SERVICE_UNKNOWN")
    assert "wa-coreapp-1, wa-coreapp-2" in sentence and "-e wa_recreate_at_once=true" in sentence
    assert run.recap["one"]["changed"] == 0
    assert all(call.startswith(READS) for call in site.calls), site.calls
