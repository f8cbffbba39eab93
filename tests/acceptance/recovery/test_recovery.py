# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/guides/recover.md says of a symptom is what status.yml shows, and it leads back to a healthy cluster."""

from __future__ import annotations

import os
import re
import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import machine_power
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

GUIDE = (ROOT / "docs" / "guides" / "recover.md").read_text()
WOULD_CHANGE = "site.yml would change:"


def advice(symptom: str) -> str:
    """What the guide's table says to do."""
    (row,) = re.findall(r"^\| {0} \| (.*) \|$".format(re.escape(symptom)), GUIDE, re.MULTILINE)
    return str(row)


def playbook(cluster, name: str) -> Run:
    """A playbook of the collection, run for the scenario's inventory as a user does."""
    return play("playbooks/{0}.yml".format(name), "-i", cluster.inventory)


def planned(status: Run) -> str:
    """What site.yml would change, as status.yml shows it."""
    return status.output.partition(WOULD_CHANGE)[2].partition("PLAY RECAP")[0]


def healthy(cluster) -> None:
    """status.yml is green, and site.yml would change nothing; a moment is given for it to settle."""
    deadline = time.monotonic() + PATIENCE
    while True:
        status = playbook(cluster, "status")
        if status.code == OK and not planned(status):
            return
        assert time.monotonic() < deadline, status.output


def site_fixes_it(cluster) -> None:
    """The playbook that is named as the way on ends well, and the cluster is healthy."""
    site = playbook(cluster, "site")
    assert site.code == OK, site.output
    healthy(cluster)


def machine_of(cluster, address: str) -> t.Any:
    """The host with this address."""
    (found,) = [machine for machine in cluster.machines() if machine.address == address]
    return found


@pytest.fixture
def database(cluster) -> t.Any:
    """The database's host."""
    (found,) = cluster.machines("wa_database_hosts")
    return found


def test_a_coreapp_that_its_engine_does_not_start_again(cluster, api) -> None:
    assert "`site.yml` brings the lost one back" in advice("a coreapp or master died")
    (owner,) = api.owners()[0]
    address, _colon, name = owner.rpartition(":")
    machine_of(cluster, address).shell.check_output("docker kill %s", name)
    status = playbook(cluster, "status")
    assert "start {0}".format(name) in planned(status), status.output
    site_fixes_it(cluster)


def test_a_database_that_was_restarted(cluster, database) -> None:
    assert advice("the database was away").startswith("nothing: nodes connect again.")
    (container,) = [one.name for one in database.containers() if one.kind == "database"]
    database.shell.check_output("docker restart %s", container)
    healthy(cluster)


def test_a_database_that_is_away(cluster, database) -> None:
    (container,) = [one.name for one in database.containers() if one.kind == "database"]
    database.shell.check_output("docker stop %s", container)
    status = playbook(cluster, "status")
    assert status.code == FAILED and {"API_1023", "DB_UNREACHABLE"} & set(status.codes), status.output
    assert "start {0}".format(container) in planned(status), status.output
    site_fixes_it(cluster)


def test_a_host_that_lost_its_power_and_is_back(cluster, api) -> None:
    assert "An engine that is stopped is started" in advice("a host is back after a failure")
    assert "without a host" in advice("a host is away, and there is work to do")
    (owner,) = api.owners()[0]
    lost = machine_of(cluster, owner.rpartition(":")[0])
    container = machine_power.machine(os.environ["MOLECULE_SCENARIO_NAME"], lost.name)
    machine_power.cut_power(container)
    try:
        away = playbook(cluster, "status")
    finally:
        machine_power.boot(container, lost.address)
    assert away.code == FAILED, away.output
    (sentence,) = [one for one in away.sentences("HOST_NOT_READ") if one.startswith(lost.name)]
    assert """-e '{{"wa_without_hosts": ["{0}"]}}'""".format(lost.name) in sentence, sentence

    back = playbook(cluster, "status")
    assert back.code == FAILED, back.output
    assert lost.name in planned(back) or any(lost.name in text for _code, text in back.problems), back.output
    site_fixes_it(cluster)
