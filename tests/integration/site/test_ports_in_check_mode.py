# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml --check tries the ports of the nodes that it would create, with real sockets and without an engine.

Two hosts of the inventory are this machine, with ports of their own and a stand-in for the engine on which nothing
runs. Each has a name that only wa_extra_hosts knows, for an address of the loopback interface.
"""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import LISTENER
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    TOOLS,
    Run,
    play,
    write_inventory,
    write_variables,
)

ADDRESSES = {"one": "127.0.6.1", "two": "127.0.6.2"}
PORTS = {"one": 15250, "two": 16250}
"""Apart from those of every cluster that other tests have at the same time."""
NOWHERE = "192.0.2.1"
"""No address of this machine, and nobody answers at it."""

VARIABLES = valid_variables.but(
    wa_db_check_host="",
    wa_database_image="mariadb:10.11",
    wa_disk_free_mb=1,
    wa_extra_hosts={"{0}.test".format(name): address for name, address in ADDRESSES.items()},
)

DOCKER = """#!/bin/sh
case "$1 $2" in
  "info "*) echo '{{"ServerVersion": "20.10.24", "DockerRootDir": "{home}"}}' ;;
  "ps "*|"volume ls"|"network ls") ;;
  "image inspect") if [ "$3" = --format ]; then echo sha256:i; else echo '[{{"Id": "sha256:i", "Config": {{}}}}]'; fi ;;
  "volume inspect") echo '[]'; echo "Error: No such volume: $3" >&2; exit 1 ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def check(tmp_path: Path) -> t.Callable[..., Run]:
    """site.yml --check; by the name of a host its variables, by that of a variable its value for all."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "docker"
    script.write_text(DOCKER.format(home=tmp_path))
    script.chmod(0o755)

    def work(*arguments: str, **changes: t.Any) -> Run:
        hosts = {
            name: {
                "ansible_connection": "local", "ansible_host": ADDRESSES[name], "wa_address": "{0}.test".format(name),
                "ansible_python_interpreter": sys.executable, "wa_coreapp_port": PORTS[name],
                "wa_master_port": PORTS[name] + 4, "wa_webapp_port": PORTS[name] + 90, **changes.pop(name, {}),
            }
            for name in ADDRESSES
        }  # fmt: skip
        inventory = write_inventory(tmp_path / "hosts.yml", hosts, wa_database_hosts=["one"])
        given = write_variables(tmp_path / "variables.json", {**VARIABLES, **changes})
        path = os.pathsep.join([str(tmp_path / "bin"), str(TOOLS), os.environ.get("PATH", os.defpath)])
        run = play("playbooks/site.yml", "-i", inventory, "-e", given, "--check", *arguments, PATH=path)
        assert "Traceback" not in run.output
        assert all(changed == 0 for changed in run.changes.values())
        return run

    return work


def processes() -> list[str]:
    """Those that listen still. One that has ended and that the init of this machine has not noticed yet is none."""
    shown = subprocess.run(["ps", "-A", "-o", "stat=,comm="], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if line.endswith(LISTENER) and not line.startswith("Z")]


def tasks(run: Run, name: str) -> list[str]:
    """Those whose name begins like this, where they ran on any host."""
    return [line for line in run.output.splitlines() if line.startswith("TASK [") and " : " + name in line]


def test_ports_that_are_open_cost_two_tasks_and_leave_nothing(check: t.Callable[..., Run]) -> None:
    run = check()
    assert run.code == OK, run.output
    assert [task.partition(" : ")[2].partition("]")[0] for task in tasks(run, "Ports")] == [
        "Ports | Listen where the nodes of this host are going to",
        "Ports | Try the ports of the other hosts, all at once",
    ]
    assert processes() == []


def test_ports_that_are_closed_are_all_named_before_anything_is_changed(check: t.Callable[..., Run]) -> None:
    run = check(wa_extra_hosts={"one.test": ADDRESSES["one"], "two.test": NOWHERE})
    assert (run.code, run.codes) == (FAILED, ["PORT_CLOSED"]), run.output
    (sentence,) = run.sentences("PORT_CLOSED")
    shown = "one cannot reach {0}:16250-16257 (wa-master-1 and wa-coreapp-1 on two): ".format(NOWHERE)
    assert sentence.startswith(shown), sentence
    assert "nothing was changed" in run.output
    assert processes() == []


def test_an_address_to_publish_on_that_a_host_does_not_have(check: t.Callable[..., Run]) -> None:
    run = check(two={"wa_publish_address": NOWHERE})
    assert (run.code, run.codes) == (FAILED, ["WA_PUBLISH_ADDRESS_ABSENT"]), run.output
    assert processes() == []


def test_it_can_be_left_out(check: t.Callable[..., Run]) -> None:
    run = check(wa_extra_hosts={"one.test": ADDRESSES["one"], "two.test": NOWHERE}, wa_check_ports=False)
    assert run.code == OK, run.output
    assert tasks(run, "Ports") == []
