# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal over a machine or its engine says to run, once somebody has done there what it asks for.

The tests are one story, in this order.
"""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, NEXT_VERSION, ContainerHosts
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands, commands_after

pytestmark = pytest.mark.thorough

FIRST, SECOND = "one", "two"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ContainerHosts]:
    """A cluster on two; the first has the database."""
    made = ContainerHosts(tmp_path_factory.mktemp("advice"), (FIRST, SECOND), scenario="advice", images=NEXT_VERSION)
    try:
        made.create()
        write_hosts(made, FIRST, SECOND)
        run = made.site(variables(made))
        assert run.code == OK, run.output
        yield made
    finally:
        made.destroy()


def write_hosts(machines: ContainerHosts, *names: str) -> None:
    """The inventory."""
    hosts = {name: {"ansible_become": True, "wa_address": machines.address(name)} for name in names}
    machines.write_hosts(hosts, wa_database_hosts=[FIRST])


def variables(machines: ContainerHosts, **changes: t.Any) -> dict[str, t.Any]:
    return valid_variables.but(
        wa_db_host=machines.address(FIRST),
        wa_database_image=DATABASE_IMAGE,
        wa_extra_environment={"WAEMU_TIME_DIVISOR": "10"},
        wa_survive={},
        **changes,
    )


def advised(run: Run, code: str) -> Command:
    """The first command of the sentence about the second machine."""
    assert run.code == FAILED and run.codes == [code], run.output
    (sentence,) = run.sentences(code)
    assert sentence.startswith(SECOND + ": "), run.output
    return commands(sentence)[0]


def check_healthy(machines: ContainerHosts, run: Run, **declared: t.Any) -> None:
    assert run.code == OK, run.output
    status = machines.play("status", variables(machines, **declared))
    assert status.code == OK, status.output


def test_an_engine_that_hung_answers_again(machines: ContainerHosts) -> None:
    machines.run(SECOND, "kill -STOP $(cat /var/run/docker.pid)")
    try:
        command = advised(machines.site(variables(machines)), "ENGINE_SILENT")
    finally:
        machines.run(SECOND, "kill -CONT $(cat /var/run/docker.pid)")
    assert command == Command("", {})
    check_healthy(machines, machines.site(variables(machines), *command.given()))


def test_an_engine_that_ended_as_soon_as_it_was_started_starts(machines: ContainerHosts) -> None:
    machines.stop_engine(SECOND)
    machines.run(SECOND, "cp -a /etc/docker/daemon.json /root/kept 2>/dev/null; echo '{' > /etc/docker/daemon.json")
    try:
        command = advised(machines.site(variables(machines)), "ENGINE_NOT_STARTED")
    finally:
        machines.run(SECOND, "rm /etc/docker/daemon.json; mv /root/kept /etc/docker/daemon.json 2>/dev/null; true")
    assert command == Command("", {})
    check_healthy(machines, machines.site(variables(machines), *command.given()))


def test_an_engine_that_is_stopped_is_started_by_site(machines: ContainerHosts) -> None:
    """What installs where there is none is the same command, and site.yml on a bare machine."""
    machines.stop_engine(SECOND)
    command = advised(machines.play("upgrade", variables(machines), "-e", "version=" + NEW), "ENGINE_STOPPED")
    assert command == Command("site", {})
    check_healthy(machines, machines.play(command.playbook, variables(machines), *command.given()))


def test_a_machine_that_is_gone_for_good_is_replaced(machines: ContainerHosts) -> None:
    with machines.dead(SECOND):
        status = machines.play("status", variables(machines))
        assert status.code == FAILED and "HOST_NOT_READ" in status.codes, status.output
        (command,) = (one for one in commands(status.sentences("HOST_NOT_READ")[0]) if one.playbook)
        assert command == Command("site", {})
        write_hosts(machines, FIRST)
        check_healthy(machines, machines.site(variables(machines), *command.given()))


def test_what_was_made_for_a_machine_goes_when_that_is_back(machines: ContainerHosts) -> None:
    write_hosts(machines, FIRST, SECOND)
    run = machines.site(variables(machines))
    assert run.code == OK, run.output
    status = machines.play("status", variables(machines))
    assert status.code == FAILED and status.codes == ["COREAPPS_SURPLUS"], status.output
    command = commands(status.sentences("COREAPPS_SURPLUS")[0])[0]
    assert command == Command("reshard", {"shards": "1"})
    check_healthy(machines, machines.play(command.playbook, variables(machines), *command.given()))


def test_a_machine_that_was_not_prepared_is_so_by_the_next_run(machines: ContainerHosts) -> None:
    """The registry hangs from the moment on at which images are pulled; before, it was asked whether it has them."""
    before, registry = machines.state(FIRST)["containers"], "waent-mol-advice-registry"
    act = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "act_at_task"}
    act.update(ACT_AT_TASK="Pull the images this host lacks", ACT_COMMAND="docker pause " + registry)
    upgrade = ("upgrade", variables(machines), "-e", "version=" + NEW)
    try:
        run = machines.play(*upgrade, **act)
    finally:
        subprocess.run(["docker", "unpause", registry], check=False)
    assert "ACTED AT" in run.output, run.output
    assert run.code == FAILED and machines.state(FIRST)["containers"] == before, run.output
    (command, *_) = commands_after(run.output, "No node was stopped")
    assert command == Command("", {})
    check_healthy(machines, machines.play(*upgrade, *command.given()), wa_version=NEW)
