"""A surplus coreapp that owns a shard hands it over before it goes: a real run on two machines with their own engines.

    .venv/bin/python benchmarks/reshard_handover.py

Four shards on two machines become two. Nobody knows before who gets them, so the run is killed after set-shards, and
the machine of an owner gets wa_coreapps: 0. Run again, every coreapp there is surplus: reshard.yml takes the standbys
away, stops each owner, waits until a coreapp elsewhere has its shard, and removes it. Then all of it once more, killed
when an owner was stopped, and run again. Ten times the product's speed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    CODE,
    GATEWAY_IMAGE,
    KILLED,
    OK,
    Failed,
    LiveCluster,
    Shape,
)
from waemu.probe.report import table

SCENARIO = "handover"
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

    def machine_of_an_owner(self) -> str:
        """A machine on which a coreapp is connected for a shard."""
        owners = [link["node"] for link in self.connections() if max(link["shards"]) >= 0]
        addresses = {self.fleet.address(machine): machine for machine in (FIRST, SECOND)}
        return addresses[owners[0].partition(":")[0]]


def shrink(cluster: TwoMachines, killed: bool) -> bool:
    """4 to 2, all coreapps of an owner's machine being surplus; True when all is as it has to be."""
    cluster.write_hosts({})
    kill(cluster, "Set shards | Show what it cost")
    machine = cluster.machine_of_an_owner()
    cluster.write_hosts({machine: 0})
    what = "4 to 2 with a hand-over on {0}{1}".format(machine, ", killed in it and run again" if killed else "")
    with cluster.probe(shards=2, rate=20.0) as probe:
        said = kill(cluster, "Switchover | Wait until a standby has taken over") if killed else ""
        if killed:
            print("  left by the killed run:", cluster.coreapps(), flush=True)
        run = cluster.reshard(2)
        said += run.output
    if run.code != OK:
        raise Failed("{0} failed:\n{1}".format(what, run.output))
    handed = sorted(set(HANDED.findall(" ".join(said.split()))))  # long lines are folded
    faults = cluster.faults(2, coreapps=3)
    stay = [name for name in cluster.coreapps() if name.startswith(machine)]
    good = probe.report.ok and not faults and not stay and bool(handed) and "Remove | Remove the node" in said
    print("ok " if good else "BAD", what, "in {0:.1f} s".format(run.seconds), faults or "", flush=True)
    print("  ", "; ".join(handed), "- left:", *sorted(cluster.coreapps()), flush=True)
    print(table(probe.report), flush=True)
    return good


def kill(cluster: TwoMachines, task: str) -> str:
    """Output of a run to two shards that was killed where this task began. Raises Failed."""
    run = cluster.reshard_killed(2, task)
    if run.code != KILLED:
        raise Failed("the run that was to be killed ended by itself:\n" + run.output)
    return run.output


def grow(cluster: TwoMachines) -> None:
    """Back to four shards."""
    cluster.write_hosts({})
    run = cluster.reshard(4)
    if run.code != OK:
        raise Failed("2 to 4 failed:\n" + run.output)


def main() -> int:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as home:
        cluster = TwoMachines(Path(home), Shape("rsv", 0, 4, webapps=1, max_connections=2000))
        try:
            cluster.start()
            good = shrink(cluster, killed=False)
            grow(cluster)
            good &= shrink(cluster, killed=True)
        finally:
            cluster.remove()
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
