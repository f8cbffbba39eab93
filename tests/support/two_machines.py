# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on two machines in containers, each with an engine of its own, for what one host cannot show."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    CODE,
    GATEWAY_IMAGE,
    OK,
    Failed,
    LiveCluster,
    Shape,
)

FIRST, SECOND = "first", "second"


class TwoMachines(LiveCluster):
    """Two machines; first has the database. scenario: part of the names of all that is made for them."""

    def __init__(self, home: Path, shape: Shape, scenario: str) -> None:
        super().__init__(home, shape)
        self.scenario = scenario
        self.fleet = ContainerHosts(home, (FIRST, SECOND), scenario=scenario)

    def start_machines(self, **hosts: t.Mapping[str, t.Any]) -> None:
        """Machines, engines, gateway, cluster. hosts: as for C(write_hosts). Raises Failed."""
        self.fleet.create()
        network = self.engine.networks.get("waent-mol-" + self.scenario)
        gateway = self.engine.containers.run(
            GATEWAY_IMAGE, name=self.shape.prefix + "-gateway", detach=True, network=network.name,
            environment={"WAEMU_TIME_DIVISOR": str(self.shape.divisor), "WAEMU_REGISTRATION_CODE": CODE},
        )  # fmt: skip
        gateway.reload()
        address = gateway.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
        self.gateway_url = "http://{0}:8080".format(address)
        self.inventory = str(self.fleet.inventory)
        self.write_hosts(**hosts)
        given = self.shape.variables("")
        given.update(
            # As many inventories have it: taken from the database's host.
            wa_db_host="{{ hostvars['first'].ansible_host }}",
            wa_db_check_host=self.fleet.address(FIRST), wa_db_check_port=3306,
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

    def write_hosts(self, **hosts: t.Mapping[str, t.Any]) -> None:
        """The inventory: variables of the machines, by their names; without any it has both, with none of their own."""
        self.fleet.write_hosts(hosts or {FIRST: {}, SECOND: {}}, wa_database_hosts=[FIRST])

    def remove(self) -> None:
        """The machines with all that is on them, and the gateway."""
        try:
            self._remove_gateway()
        finally:
            self.fleet.destroy()

    def webapps(self) -> tuple[str, ...]:
        """The one on the first machine, which is never taken away."""
        return ("https://{0}:9090".format(self.fleet.address(FIRST)),)

    def coreapps(self) -> dict[str, str]:
        """Machine and name of each coreapp's container to its state."""
        both = {machine: self.states(machine, "coreapp") for machine in (FIRST, SECOND)}
        return {"{0}/{1}".format(machine, name): state for machine in both for name, state in both[machine].items()}

    def states(self, machine: str, kind: str = "") -> dict[str, str]:
        """Name of each node's container on a machine to its state. kind: of the nodes, all where it is empty."""
        label = "waent.fleet.kind" + ("=" + kind if kind else "")
        command = "docker ps --all --filter label={0} --format '{{{{.Names}}}} {{{{.State}}}}'".format(label)
        found = dict(line.split() for line in self.on(machine, command).splitlines())
        return {name: state for name, state in found.items() if not name.endswith("-db")}

    def on(self, machine: str, command: str) -> str:
        """Output of a shell command on a machine, seen from outside."""
        container = self.engine.containers.get("waent-mol-{0}-{1}".format(self.scenario, machine))
        output: bytes = container.exec_run(["sh", "-c", command]).output
        return output.decode()

    def owners(self) -> set[str]:
        """Machine and name of each coreapp that is connected for a shard."""
        addresses = {self.fleet.address(machine): machine for machine in (FIRST, SECOND)}
        nodes = [link["node"].split(":") for link in self.connections() if max(link["shards"]) >= 0]
        return {"{0}/{1}".format(addresses[address], name) for address, name in nodes}
