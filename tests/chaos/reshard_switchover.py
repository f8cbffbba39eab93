# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A surplus coreapp that owns a shard is replaced by switchover: a real run on two machines with their own engines.

Four shards on two machines become two. Nobody knows before who gets them, so the run is killed after set-shards, and
the machine of an owner gets wa_coreapps: 0. Run again, every coreapp there is surplus: reshard.yml takes the standbys
away, stops each owner, waits until a coreapp elsewhere has its shard, and removes it. Then all of it once more, killed
when an owner was stopped, and run again.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.attempts import attempt, check, nothing_lost
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    CODE,
    GATEWAY_IMAGE,
    KILLED,
    OK,
    SETTLE_SECONDS,
    Failed,
    LiveCluster,
    Shape,
)

SCENARIO = "switchover"
HANDED = re.compile(r"Stop \S+, which owns shards? [\d, ]+ and is not needed where it is")
FIRST, SECOND = "first", "second"


class TwoMachines(LiveCluster):
    """The cluster on two machines in containers; first has the database, the webapp and one master."""

    def __init__(self, home: Path, shape: Shape) -> None:
        super().__init__(home, shape)
        self.fleet = ContainerHosts(home, (FIRST, SECOND), scenario=SCENARIO)

    def start(self) -> None:
        """Machines, engines, gateway, cluster. Raises Failed."""
        self.fleet.create()
        network = self.engine.networks.get("waent-mol-" + SCENARIO)
        gateway = self.engine.containers.run(
            GATEWAY_IMAGE, name=self.shape.prefix + "-gateway", detach=True, network=network.name,
            environment={"WAEMU_TIME_DIVISOR": str(self.shape.divisor), "WAEMU_REGISTRATION_CODE": CODE},
        )  # fmt: skip
        gateway.reload()
        address = gateway.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
        self.gateway_url = "http://{0}:8080".format(address)
        self.inventory = str(self.fleet.inventory)
        self.write_hosts({})
        given = self.shape.variables("")
        given.update(
            wa_db_host=self.fleet.address(FIRST), wa_db_check_host=self.fleet.address(FIRST), wa_db_check_port=3306,
            wa_database_port=3306, wa_database_address="0.0.0.0", wa_database_image=DATABASE_IMAGE,
            wa_address="{{ ansible_host }}", wa_extra_hosts={}, wa_webapp_port=9090, wa_coreapp_port=6250,
            wa_master_port=6254, wa_extra_environment={
                "WAEMU_TIME_DIVISOR": str(self.shape.divisor), "WAEMU_GATEWAY_URL": "http://{0}:5222".format(address),
            },
        )  # fmt: skip
        path = self.home / "variables.json"
        path.write_text(json.dumps(given))
        self.variables = "@{0}".format(path)
        run = self.play("site.yml")
        if run.code != OK:
            raise Failed("site.yml did not make the cluster:\n" + run.output)

    def write_hosts(self, pins: t.Mapping[str, int]) -> None:
        """The inventory; pins: number of coreapps that is fixed by hand for a machine."""
        hosts: dict[str, dict[str, t.Any]] = {FIRST: {"wa_webapps": 1}, SECOND: {"wa_webapps": 0}}
        for name, count in pins.items():
            hosts[name]["wa_coreapps"] = count
        self.fleet.write_hosts(hosts, wa_database_hosts=[FIRST])

    def remove(self) -> None:
        """The machines with all that is on them, and the gateway."""
        try:
            self._remove_gateway()
        finally:
            self.fleet.destroy()

    def webapps(self) -> tuple[str, ...]:
        """The one on the first machine."""
        return ("https://{0}:9090".format(self.fleet.address(FIRST)),)

    def coreapps(self) -> dict[str, str]:
        """Machine and name of each coreapp's container to its state."""
        command = "docker ps --all --filter label=waent.fleet.kind=coreapp --format '{{.Names}} {{.State}}'"
        found = {}
        for machine in (FIRST, SECOND):
            container = self.engine.containers.get("waent-mol-{0}-{1}".format(SCENARIO, machine))
            for line in container.exec_run(["sh", "-c", command]).output.decode().splitlines():
                name, state = line.split()
                found["{0}/{1}".format(machine, name)] = state
        return found

    def owners(self) -> set[str]:
        """Machine and name of each coreapp that is connected for a shard."""
        addresses = {self.fleet.address(machine): machine for machine in (FIRST, SECOND)}
        nodes = [link["node"].split(":") for link in self.connections() if max(link["shards"]) >= 0]
        return {"{0}/{1}".format(addresses[address], name) for address, name in nodes}

    def machine_of_an_owner(self) -> str:
        """A machine on which a coreapp is connected for a shard, once both shards of two are served."""
        deadline = time.monotonic() + SETTLE_SECONDS * 6
        while len(self.owners()) != 2 and time.monotonic() < deadline:
            time.sleep(0.5)
        check("both shards are served again", len(self.owners()) == 2, str(self.connections()))
        return min(self.owners()).partition("/")[0]


def shrink(cluster: TwoMachines, killed: bool) -> str:
    """4 to 2, all coreapps of an owner's machine being surplus; what it did. Raises Failed and Wrong."""
    cluster.write_hosts({})
    set_shards = cluster.reshard_killed_in_restart(2)
    check("it was killed after set-shards", set_shards.code == KILLED, set_shards.output)
    machine = cluster.machine_of_an_owner()
    cluster.write_hosts({machine: 0})
    with cluster.probe(shards=2, rate=20.0) as probe:
        said = kill_in_switchover(cluster) if killed else ""
        run = cluster.reshard(2)
        said += run.output
    check("it ends well", run.code == OK, run.output)
    faults = cluster.faults(2, coreapps=3)
    check("the cluster is as it has to be", not faults, str(faults))
    stay = [name for name in cluster.coreapps() if name.startswith(machine)]
    check("no coreapp is left on " + machine, not stay, str(stay))
    handed = sorted(set(HANDED.findall(" ".join(said.split()))))  # long lines are folded
    check("an owner was stopped", handed, said)
    nothing_lost(probe.report)
    return "; ".join(handed)


def kill_in_switchover(cluster: TwoMachines) -> str:
    """Output of a run to two shards that was killed when a coreapp of it was stopped. Raises Wrong."""
    owners = cluster.owners()

    def stopped() -> bool:
        states = cluster.coreapps()
        return any(states.get(owner) != "running" for owner in owners)

    killed = cluster.killed_when(stopped, "reshard.yml", "-e", "shards=2")
    check("it was killed when an owner was stopped", killed.code == KILLED, killed.output)
    return killed.output


def grow(cluster: TwoMachines) -> None:
    """Back to four shards. Raises Failed."""
    cluster.write_hosts({})
    run = cluster.reshard(4)
    if run.code != OK:
        raise Failed("2 to 4 failed:\n" + run.output)


CASES = {"switchover": False, "switchover killed in it and run again": True}


def work(ledger: Ledger, conditions: Conditions) -> None:
    """On the same machines, back at four shards between the two."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("rsv", 0, 4, divisor=conditions.divisor, webapps=1, max_connections=2000)
        with TwoMachines(Path(home), shape) as cluster:
            cluster.start()
            for number, name in enumerate(ledger.left):
                if conditions.over:
                    return
                if number:
                    grow(cluster)
                if not attempt(ledger, name, shrink, cluster, CASES[name]):
                    return


SUITE = Suite("reshard_switchover", "a surplus owner is replaced by switchover, on two machines", work, list(CASES))
