# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose disk fills up, and one that dies, while upgrade.yml works on it. The faults are real.

Three machines with an engine each for each case, reached over SSH, a gateway beside them, and messages going through.

disk_fills: the disk of the next machine gets full when the first step begins. The run has to stop and say so, the old
nodes have to go on, and run again with room made it has to end with all new. Before, a disk that is full already has to
stop the run while images are pulled, with nothing touched. The disks are file systems of 900 MB in memory.
machine_dies: the machine of an owner is ended in the moment in which its turn comes. The run has to stop and say so,
everything else has to go on; with the machine away the next run has to be refused, with it back it has to end well.

Each takes about five minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import docker
from ansible_collections.waent.fleet.tests.chaos.attempts import Wrong, attempt, check, nothing_lost
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support import container_hosts, machine_power, valid_variables
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.killable_runs import end_group
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, GATEWAY_IMAGE, NEW, OLD, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, environment, play, write_variables
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE
from docker.models.containers import Container
from waemu.probe import Options, Probe

SCENARIO = "upgh"
MACHINES = ("one", "two", "three")
SHAPE = Shape(SCENARIO, 0, 2, divisor=10)
STOPPED = "[UPGRADE_STOPPED]"
# What a step says when it begins, as debug shows it; in the plan it is an item of a list.
STEP = re.compile(r"^ +msg: ['\"]?\d+\. ", re.MULTILINE)
DISK, DISK_MB = "/var/lib/docker", 900
IMAGES = {f"{kind}:{NEW}": f"docker.whatsapp.biz/{kind}:{NEW}" for kind in ("web", "coreapp")}


class Machines(container_hosts.ContainerHosts):
    """Three of them, under a name of their own, able to pull both versions; the database is on the first."""

    def __init__(self, directory: Path, engine: docker.DockerClient, small: t.Sequence[str], divisor: float) -> None:
        """small: which of them have a small disk; it is lost with the machine."""
        super().__init__(directory, MACHINES, SCENARIO)
        self.engine, self.small, self.shape = engine, small, SHAPE._replace(divisor=divisor)

    def create(self) -> None:
        """As the tests make them."""
        container_hosts.IMAGES = {**container_hosts.IMAGES, **IMAGES}
        super().create()
        for name in self.small:
            self.container(name).exec_run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", DISK])
        for name in self.names:
            self.start_engine(name)

    def container(self, name: str) -> Container:
        """The machine, seen from outside."""
        return machine_power.machine(SCENARIO, name)

    def playbook(self, name: str, *arguments: str) -> t.Any:
        """Run a playbook of the collection."""
        return play("playbooks/" + name, "-i", str(self.inventory), "-e", self.given, *arguments)

    def upgrade(self, version: str, *arguments: str) -> t.Any:
        """Run upgrade.yml to its end."""
        return self.playbook("upgrade.yml", "-e", "version=" + version, *arguments)

    def upgrade_disturbed(self, version: str, log: Path, disturb: t.Callable[[str], str]) -> tuple[int, str, str]:
        """Run upgrade.yml to its end, and have it disturbed: code, output, machine.

        disturb: gets what was said so far, and says on which machine it did something, or nothing yet.
        """
        command = ["ansible-playbook", "playbooks/upgrade.yml", "-i", str(self.inventory), "-e", self.given]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "-e", "version=" + version],
                cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            while process.poll() is None:
                if name := disturb(log.read_text()):
                    return process.wait(timeout=RUN_PATIENCE), log.read_text(), name
                time.sleep(0.05)
            raise Wrong("the run ended before it could be disturbed:\n" + log.read_text()[-5000:])
        finally:
            end_group(process)

    def declare(self, gateway: str) -> None:
        """One rack each."""
        hosts = {name: {"ansible_become": True, "wa_address": self.address(name), "rack": name} for name in self.names}
        self.write_hosts(hosts, wa_database_hosts=["one"])
        variables = {
            **valid_variables.VARIABLES, **self.shape.hurry(), "wa_version": OLD, "wa_shards": SHAPE.shards,
            "wa_survive": {"racks": 1}, "wa_db_host": self.address("one"), "wa_db_check_host": self.address("one"),
            "wa_db_check_port": 3306, "wa_database_image": container_hosts.DATABASE_IMAGE, "wa_media": "waMedia",
            "wa_disk_free_mb": 50, "wa_phone_number": "5550100266", "wa_health_timeout_seconds": 60,
            "wa_extra_environment": {"WAEMU_TIME_DIVISOR": str(self.shape.divisor), "WAEMU_GATEWAY_URL": gateway},
        }  # fmt: skip
        self.given = write_variables(self.directory / "variables.json", variables)

    def webapps(self) -> tuple[str, ...]:
        """URLs of those on machines that are never disturbed."""
        return (f"https://{self.address('one')}:9090",)

    def versions(self, *names: str) -> set[str]:
        """The tags of all nodes on these machines that run."""
        found: set[str] = set()
        for name in names or self.names:
            images = self.run(name, "docker ps --filter label=waent.fleet.kind --format '{{.Image}}'")
            found |= {line.rpartition(":")[2] for line in images.splitlines() if "mariadb" not in line}
        return found

    def nodes(self) -> dict[str, set[str]]:
        """The ids of all containers on each machine."""
        return {name: set(self.run(name, "docker ps --all --quiet").split()) for name in self.names}

    def fill(self, name: str) -> None:
        """Have something that eats up the machine's disk, and whatever is set free on it, until there is room made."""
        eat = f"cat /dev/zero >>{DISK}/filler"
        self.container(name).exec_run(["sh", "-c", f"touch /run/filling; {eat}"])
        # Quicker than the engine, which removes a container and makes the next one at once.
        more = f"while [ -e /run/filling ]; do {eat}; sleep 0.01; done"
        self.container(name).exec_run(["sh", "-c", more], detach=True)

    def make_room(self, name: str) -> None:
        """Undo that."""
        self.run(name, f"rm -f /run/filling; sleep 0.5; rm -f {DISK}/filler")

    def boot(self, name: str) -> None:
        """Have a machine back, with its engine."""
        machine_power.boot(self.container(name), self.address(name))
        self.start_engine(name)


def first_to_act_on(machines: Machines, said: str) -> str:
    """Which machine but the first is the next one in the plan, once its steps begin."""
    begun = STEP.search(said)
    named = re.findall(r"(\S+):wa-coreapp-", said[: begun.start()]) if begun else []
    return next((name for name in named if name in machines.names[1:]), "")


def disk_fills(machines: Machines, probe: t.Callable[[], Probe], home: Path) -> None:
    """The disk of the next machine gets full when the first step begins; before, one that is full already."""
    before = machines.nodes()
    machines.fill("two")
    with probe() as sender:
        run = machines.upgrade(NEW, "-e", "wa_disk_free_mb=0")
    check("full before the images are there: the run stops", run.code == FAILED, run.output)
    check("it says so", "no space left on device" in run.output, run.output)
    check("it says that no node was stopped", "No node was stopped" in run.output, run.output)
    check("no node was touched", machines.nodes() == before)
    nothing_lost(sender.report)
    machines.make_room("two")

    def fill(said: str) -> str:
        name = first_to_act_on(machines, said)
        if name:
            machines.fill(name)
        return name

    with probe() as sender:
        code, output, victim = machines.upgrade_disturbed(NEW, home / "fills.log", fill)
        check(f"the disk of {victim} got full when the steps began, and the run stops", code == FAILED, output)
        check("it says why", STOPPED in output and "no space left on device" in output, output)
        advised = "Not yet:" in output and "run the playbook again" in output
        check("it says what is new, what is not, and what to do", advised, output)
        others = [name for name in machines.names if name != victim]
        check("old nodes go on", OLD in machines.versions(*others), str(machines.versions(*others)))
        machines.make_room(victim)
        end = machines.upgrade(NEW)
        check("with room made the run goes on to the end", end.code == OK, end.output)
        check("every node is new", machines.versions() == {NEW})
    nothing_lost(sender.report)


def machine_dies(machines: Machines, probe: t.Callable[[], Probe], home: Path) -> None:
    """The machine of an owner is ended in the moment in which its turn comes."""

    def kill(said: str) -> str:
        begun = STEP.search(said)
        acting = said[begun.start() :] if begun else ""
        for name in machines.names[1:]:
            if f". Stop {name}:" in acting:
                machines.container(name).kill()
                return name
        return ""

    with probe() as sender:
        code, output, victim = machines.upgrade_disturbed(NEW, home / "dies.log", kill)
        check(f"{victim} died when its turn came, and the run stops", code not in (OK, None), output)
        advised = "[HOST_LOST]" in output and "run the playbook again" in output
        check("it says which machine is lost, and what to do", advised, output)
        check("it shows no traceback", "Traceback" not in output, output)
        others = [name for name in machines.names if name != victim]
        check("the others run old and new nodes", machines.versions(*others) == {OLD, NEW})
        away = machines.upgrade(NEW)
        refused = away.code == FAILED and "Nothing was changed" in away.output
        check("with it away the next run is refused", refused, away.output)
        unread = "".join(away.sentences("HOST_NOT_READ"))
        check("and says which machine cannot be reached", victim in unread, away.output)
        machines.boot(victim)
        end = machines.upgrade(NEW, "-e", "wa_rollout_settle_seconds=60")
        check("with it back the run goes on to the end", end.code == OK, end.output)
        check("every node is new", machines.versions() == {NEW})
    nothing_lost(sender.report)


CASES = {case.__name__: case for case in (disk_fills, machine_dies)}


def prove(machines: Machines, gateway: str, case: t.Callable[..., None]) -> None:
    """A cluster, and the case on it. Raises Wrong."""
    site = machines.playbook("site.yml")
    check("three machines run a cluster", site.code == OK, site.output)
    password = valid_variables.SECRETS["wa_admin_password"]
    options = Options(webapps=machines.webapps(), gateway=gateway, password=password, rate=10, seconds=1200)
    case(machines, lambda: Probe(options), machines.directory)


def run(engine: docker.DockerClient, name: str, directory: Path, divisor: float) -> None:
    """One case, with machines of its own. Raises Wrong."""
    machines = Machines(directory, engine, MACHINES[1:] if name == "disk_fills" else (), divisor)
    gateway = None
    try:
        machines.create()
        gateway = engine.containers.run(
            GATEWAY_IMAGE, name=SCENARIO + "-gateway", network=f"waent-mol-{SCENARIO}", detach=True,
            environment={"WAEMU_TIME_DIVISOR": str(divisor), "WAEMU_REGISTRATION_CODE": CODE},
        )  # fmt: skip
        gateway.reload()
        address = gateway.attrs["NetworkSettings"]["Networks"][f"waent-mol-{SCENARIO}"]["IPAddress"]
        machines.declare(f"http://{address}:5222")
        prove(machines, f"http://{address}:8080", CASES[name])
    finally:
        if gateway is not None:
            gateway.remove(force=True)
        machines.destroy()


def work(ledger: Ledger, conditions: Conditions) -> None:
    """Each on machines of its own."""
    os.environ["PATH"] = environment()["PATH"]  # testinfra calls ansible-inventory by its name
    engine = docker.from_env(timeout=120)
    for name in ledger.left:
        if conditions.over:
            return
        with tempfile.TemporaryDirectory() as directory:
            attempt(ledger, name, run, engine, name, Path(directory), conditions.divisor)


SUITE = Suite("upgrade_hosts", "upgrade.yml while a machine's disk fills up, and while one dies", work, list(CASES))
