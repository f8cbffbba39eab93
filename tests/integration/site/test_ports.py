# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that are closed, between real hosts: site.yml names source and destination before it changes anything."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._common.product import LISTENER
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play

CONNECT = "timeout 3 bash -c '</dev/tcp/{0}/{1}'"
DROPPED = 124
"""How it ends where nothing comes back."""


@pytest.fixture
def site(fleet: ContainerHosts) -> t.Callable[..., Run]:
    """site.yml for both hosts, on which no node runs yet; nothing has changed on them, and no process is left."""

    def work(*arguments: str) -> Run:
        hosts = {name: {"ansible_become": True, "wa_address": fleet.address(name)} for name in fleet.names}
        fleet.write_hosts(hosts, wa_database_hosts=["one"])
        variables = valid_variables.but(wa_db_host=fleet.address("one"), wa_database_image=DATABASE_IMAGE)
        before = {name: fleet.state(name) for name in fleet.names}
        run = fleet.site(variables, *arguments)
        assert "Traceback" not in run.output
        assert all(changed == 0 for changed in run.changes.values()), run.output
        assert {name: fleet.state(name) for name in fleet.names} == before
        assert [fleet.shell(name).run("pgrep -x %s", LISTENER).stdout for name in fleet.names] == ["", ""]
        return run

    return work


@pytest.fixture
def dropped(fleet: ContainerHosts) -> t.Callable[..., t.ContextManager[None]]:
    """A rule of a host's firewall that drops what it describes, for as long as it is used."""

    @contextlib.contextmanager
    def work(host: str, rule: str, *arguments: t.Any) -> t.Iterator[None]:
        fleet.run(host, "iptables --insert " + rule + " --jump DROP", *arguments)
        try:
            yield
        finally:
            fleet.run(host, "iptables --delete " + rule + " --jump DROP", *arguments)

    return work


@pytest.mark.parametrize(
    ("tried", "shown"), [("6252", "6252 (wa-coreapp-1 on two)"), ("6250:6257", "6250-6257 (wa-master-1 and")]
)
def test_ports_that_the_network_closes_are_named(
    fleet: ContainerHosts, site: t.Callable[..., Run], dropped: t.Callable[..., t.Any], tried: str, shown: str
) -> None:
    with dropped("one", "OUTPUT --protocol tcp --destination %s --dport %s", fleet.address("two"), tried):
        run = site()
    assert (run.code, run.codes) == (FAILED, ["PORT_CLOSED"]), run.output
    (sentence,) = run.sentences("PORT_CLOSED")
    assert sentence.startswith("one cannot reach {0}:{1}".format(fleet.address("two"), shown)), sentence
    assert "no answer within 5 s" in sentence
    assert "nothing was changed" in run.output


def test_a_network_that_closes_the_way_back_is_named(
    fleet: ContainerHosts, site: t.Callable[..., Run], dropped: t.Callable[..., t.Any]
) -> None:
    answers = "INPUT --protocol tcp --source %s --sport 6252 --tcp-flags SYN,ACK SYN,ACK"
    with dropped("one", answers, fleet.address("two")):
        run = site()
    assert (run.code, run.codes) == (FAILED, ["PORT_CLOSED"]), run.output
    assert "the answer does not come back" in run.sentences("PORT_CLOSED")[0]


def test_a_firewall_of_the_host_itself_is_a_note_as_docker_publishes_past_it(
    fleet: ContainerHosts, site: t.Callable[..., Run], dropped: t.Callable[..., t.Any]
) -> None:
    def connect() -> int:
        code: int = fleet.shell("two").run(CONNECT.format(fleet.address("one"), 6252)).rc
        return code

    with dropped("one", "INPUT --protocol tcp --dport 6252"):
        run = site("--check")
        before = connect()
        publish = "docker run --detach --name published --publish 6252:3306 --env MYSQL_ROOT_PASSWORD=x %s"
        fleet.run("one", publish, DATABASE_IMAGE)
        try:
            after = connect()
        finally:
            fleet.run("one", "docker rm --force --volumes published")
    assert (run.code, run.codes) == (OK, []), run.output
    said = "one drops what two sends to {0}:6252 (wa-coreapp-1 on one) itself".format(fleet.address("one"))
    assert said in " ".join(run.output.split()), run.output
    assert (before, after in (0, 1)) == (DROPPED, True), "a container that refuses, as it only starts, was reached"


@pytest.fixture
def left_over(fleet: ContainerHosts) -> None:
    """On host one a run that was killed has left a process that listens where its coreapp is going to be."""
    address, settings = fleet.address("one"), {"new": True, "publish_address": "0.0.0.0", "extra_hosts": {}}
    ports = list(range(6250, 6254))
    node = {"name": "wa-coreapp-1", "host": "one", "address": address, "ports": ports, "free": ports, "new": True}
    hosts = dict.fromkeys(fleet.names, settings)
    plan = {"cluster": "waent", "seconds": 300, "hosts": hosts, "nodes": [node]}
    task = {"name": "Listen", "waent.fleet.wa_ports": {"name": "one", "action": "listen", "plan": plan}}
    fleet.write_hosts({"one": {"ansible_become": True}})
    playbook = fleet.directory / "listen.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "one", "gather_facts": False, "tasks": [task]}]))
    run = play(str(playbook), "-i", str(fleet.inventory))
    assert run.code == OK, run.output
    assert fleet.shell("one").run("pgrep -x %s", LISTENER).stdout != ""


@pytest.mark.usefixtures("left_over")
def test_a_run_that_was_killed_while_it_listened_is_run_again(site: t.Callable[..., Run]) -> None:
    run = site("--check")
    assert (run.code, run.codes) == (OK, []), run.output


def test_a_network_that_is_open(site: t.Callable[..., Run]) -> None:
    run = site("--check")
    assert (run.code, run.codes) == (OK, []), run.output
    assert "Find out why" in run.output and "Ports unclear" not in run.output
