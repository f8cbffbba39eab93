# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a bare machine to a running engine, with the packages of each release of Debian; with the newest, to a cluster.

In this order: what is refused before anything is installed, the installation, what is wrong with one that is there.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play

ENGINES = {"debian11": "20.10.5", "debian12": "20.10.24", "debian13": "26.1.5"}
# What administrators set where containers shall outlive the engine, and ports have no process each.
SETTINGS = {"debian13": '{"live-restore": true, "userland-proxy": false}'}
HIDDEN = "/etc/dpkg/dpkg.cfg.d/no-docker-command"


def site(machines: ContainerHosts, name: str, *arguments: str, **host: t.Any) -> Run:
    """site.yml for one machine, everything on it."""
    machines.write_hosts({name: {"ansible_become": True, **host}}, wa_database_hosts=[name])
    variables = valid_variables.but(
        wa_database_image=DATABASE_IMAGE,
        wa_db_check_host=machines.address(name),
        wa_address=machines.address(name),
        wa_extra_environment={"WAEMU_TIME_DIVISOR": "10"},
    )
    return machines.site(variables, *arguments)


def engine(machines: ContainerHosts, name: str) -> Run:
    """engine.yml for one machine, by a user who is not in the group docker."""
    machines.write_hosts({name: {"ansible_become": True}})
    return play("playbooks/engine.yml", "-i", str(machines.inventory))


@pytest.mark.parametrize("name", ENGINES)
def test_a_bare_machine_is_planned_for(machines: ContainerHosts, name: str) -> None:
    """Without python3-requests, too: it comes with the engine."""
    machines.write_hosts({name: {}})
    before = machines.state(name)
    run = site(machines, name, "--check")
    assert run.code == OK, run.output
    assert "{0}: install and start Docker Engine".format(name) in run.output
    assert machines.state(name) == before


@pytest.mark.parametrize("name", ENGINES)
def test_a_python_that_the_installation_would_not_reach(machines: ContainerHosts, name: str) -> None:
    """An environment of its own does not see python3-requests; that is said before, not at the first docker task."""
    machines.write_hosts({name: {}})
    machines.run(name, "python3 -m venv --without-pip /opt/own")
    before = machines.state(name)
    run = site(machines, name, ansible_python_interpreter="/opt/own/bin/python3")
    assert run.code == FAILED, run.output
    (sentence,) = run.sentences("PYTHON_REQUESTS_MISSING")
    assert sentence.startswith(name + ": /opt/own/bin/python3 has no module requests")
    assert "/opt/own/bin/python3 -m pip install requests" in sentence
    machines.write_hosts({name: {}})
    assert machines.state(name) == before


def test_an_installation_that_brings_no_command_ends_with_a_sentence(machines: ContainerHosts) -> None:
    """A machine may leave files of packages out; that the command is missing is said at once, not after 60 s."""
    name = "debian12"
    machines.run(name, "echo path-exclude=/usr/bin/docker >" + HIDDEN)
    run = engine(machines, name)
    assert run.code == FAILED, run.output
    assert run.codes == ["ENGINE_COMMAND_MISSING"], run.output
    assert "docker-cli or docker-ce-cli" in run.output
    # Again, on what is there now: it is refused at once.
    again = engine(machines, name)
    assert again.codes == ["ENGINE_COMMAND_MISSING"] and again.recap[name]["changed"] == 0, again.output
    machines.run(name, "rm " + HIDDEN + " && apt-get install --reinstall --yes docker.io")


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_installed_with_its_command(machines: ContainerHosts, name: str) -> None:
    settings = SETTINGS.get(name, "{}")
    machines.run(name, "mkdir -p /etc/docker && echo '{0}' >/etc/docker/daemon.json".format(settings))
    run = engine(machines, name)
    assert run.code == OK, run.output
    version = machines.run(name, "docker version --format '{{.Client.Version}} {{.Server.Version}}'")
    assert all(one.startswith(ENGINES[name]) for one in version.split()), version
    machines.run(name, "python3 -c 'import requests'")
    again = engine(machines, name)
    assert again.code == OK and again.recap[name]["changed"] == 0, again.output
    assert machines.run(name, "cat /etc/docker/daemon.json").strip() == settings
    restored = machines.run(name, "docker info --format '{{.LiveRestoreEnabled}}'").strip()
    assert restored == str(name in SETTINGS).lower()


@pytest.mark.parametrize("name", ENGINES)
def test_a_machine_without_requests_is_refused_before_the_first_docker_task(
    machines: ContainerHosts, name: str
) -> None:
    machines.run(name, "dpkg --remove --force-depends python3-requests")
    before = machines.state(name)
    run = site(machines, name)
    assert run.code == FAILED, run.output
    (sentence,) = run.sentences("PYTHON_REQUESTS_MISSING")
    assert sentence.startswith(name + ": /usr/bin/python3") and sentence.endswith("; install python3-requests.")
    machines.write_hosts({name: {}})
    assert machines.state(name) == before
    machines.run(name, "apt-get install --yes --no-install-recommends python3-requests")


@pytest.mark.parametrize("name", ENGINES)
def test_a_cluster_is_installed(machines: ContainerHosts, name: str) -> None:
    run = site(machines, name)
    assert run.code == OK, run.output
    again = site(machines, name)
    assert again.code == OK and again.recap[name]["changed"] == 0, again.output
