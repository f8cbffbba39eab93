"""A host dies while upgrade.yml works on it: three machines with an engine each, reached over SSH, and a gateway.

The machine of an owner is ended in the moment in which its turn comes. The run has to stop and say so, everything else
has to go on; with the machine away the next run has to be refused, with the machine back it has to end with all new.

    .venv/bin/python benchmarks/upgrade_host_dies.py

Needs what `make demo` prepares. Takes about five minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import docker
from emulator_cluster import GATEWAY, ROOT

sys.path.insert(0, str(ROOT / "tests" / "integration" / "upgrade"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "site"))

import fleet
import good
from site_runs import FAILED, OK, environment, play, write_variables
from upgrade_cluster import HURRIED, NEW, OLD, end_group
from upgrade_faults import Wrong, check
from waemu.probe import Options, Probe

DIVISOR = 10
SCENARIO = "upgh"
MACHINES = ("one", "two", "three")
IMAGES = {**fleet.IMAGES, **{f"{kind}:{NEW}": f"docker.whatsapp.biz/{kind}:{NEW}" for kind in ("web", "coreapp")}}


class Machines(fleet.Fleet):
    """Three of them, under a name of their own, able to pull both versions."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, MACHINES)
        self._environment["MOLECULE_SCENARIO_NAME"] = SCENARIO

    def create(self) -> None:
        """As the tests make them."""
        fleet.IMAGES = IMAGES
        super().create()

    def playbook(self, name: str, *arguments: str) -> t.Any:
        """Run a playbook of the collection."""
        return play("playbooks/" + name, "-i", str(self.inventory), "-e", self.given, *arguments)

    def declare(self, gateway: str) -> None:
        """One rack each; the database is on the first."""
        hosts = {name: {"ansible_become": True, "wa_address": self.address(name), "rack": name} for name in self.names}
        self.write_hosts(hosts, wa_database_hosts=["one"])
        variables = {
            **good.VARIABLES, **HURRIED, "wa_version": OLD, "wa_shards": 2, "wa_survive": {"racks": 1},
            "wa_db_host": self.address("one"), "wa_db_check_host": self.address("one"), "wa_db_check_port": 3306,
            "wa_database_image": fleet.DATABASE_IMAGE, "wa_media": "waMedia", "wa_disk_free_mb": 100,
            "wa_phone_number": "5550100266", "wa_planned_wait_seconds": 2, "wa_health_timeout_seconds": 60,
            "wa_extra_environment": {"WAEMU_TIME_DIVISOR": str(DIVISOR), "WAEMU_GATEWAY_URL": gateway},
        }  # fmt: skip
        self.given = write_variables(self.directory / "variables.json", variables)


def upgrade_and_kill(machines: Machines, engine: docker.DockerClient, log: Path) -> tuple[int, str]:
    """Run upgrade.yml; end the machine of the first owner that is not on the first one when its turn comes."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["ansible-playbook", "playbooks/upgrade.yml", "-i", str(machines.inventory), "-e", machines.given]
            + ["-e", "version=" + NEW],
            cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        while process.poll() is None:
            acting = log.read_text().partition("PLAY [Do the steps, in the order of the plan]")[2]
            for name in machines.names[1:]:
                if f". Stop {name}:" in acting:
                    engine.containers.get(f"waent-mol-{SCENARIO}-{name}").kill()
                    return process.wait(timeout=300), name
            time.sleep(0.1)
        raise Wrong("the run ended before a machine could die:\n" + log.read_text()[-5000:])
    finally:
        end_group(process)


def boot(machines: Machines, engine: docker.DockerClient, name: str) -> None:
    """Have a machine back. It makes itself a new SSH key whenever it boots, which its owner would have to accept."""
    machine = engine.containers.get(f"waent-mol-{SCENARIO}-{name}")
    machine.start()
    deadline = time.monotonic() + 60
    while True:
        told = machine.exec_run(["cat", "/run/sshd.pid", "/etc/ssh/ssh_host_ed25519_key.pub"])
        if told.exit_code == 0:
            break
        if time.monotonic() > deadline:
            raise Wrong(f"{name} does not come back: {told.output!r}")
        time.sleep(0.5)
    key = " ".join(told.output.decode().split()[1:3])
    known = machines.directory / "known_hosts"
    lines = known.read_text().splitlines()
    mine = [line.split()[0] if machines.address(name) in line.split()[0] else None for line in lines]
    known.write_text(
        "".join(f"{host} {key}\n" if host else line + "\n" for host, line in zip(mine, lines, strict=True))
    )
    machines.start_engine(name)


def versions(machines: Machines, names: t.Iterable[str]) -> set[str]:
    """The tags of all nodes on these machines that run."""
    found: set[str] = set()
    for name in names:
        told = machines.run(name, "docker ps --filter label=waent.fleet.kind --format '{{.Image}}'")
        found |= {line.rpartition(":")[2] for line in told.splitlines() if "mariadb" not in line}
    return found


def work(machines: Machines, engine: docker.DockerClient, gateway: str, log: Path) -> None:
    """The whole story. Raises Wrong."""
    site = machines.playbook("site.yml")
    check("three machines run a cluster", site.code == OK, site.output)
    webapps = tuple(
        f"https://{machines.address(name)}:9090"
        for name in machines.names
        if "webapp" in machines.run(name, "docker ps --format '{{.Names}}'")
    )
    options = Options(
        webapps=webapps[:1], gateway=gateway, password=good.SECRETS["wa_admin_password"], rate=10, seconds=1200
    )
    with Probe(options) as probe:
        code, victim = upgrade_and_kill(machines, engine, log)
        told = log.read_text()
        check(f"{victim} died when its turn came, and the run stops", code not in (OK, None), told)
        check("it says which machine is lost, and what to do", "[HOST_LOST]" in told and "run this again" in told, told)
        check("it tells no traceback", "Traceback" not in told, told)
        others = [name for name in machines.names if name != victim]
        check("the others run old and new nodes", versions(machines, others) == {OLD, NEW})
        away = machines.playbook("upgrade.yml", "-e", "version=" + NEW)
        check(
            "with it away the next run is refused",
            away.code == FAILED and "Nothing was changed" in away.output,
            away.output,
        )
        check(
            "and says which machine cannot be reached",
            f"{victim}" in "".join(away.told("HOST_NOT_READ")),
            away.output,
        )
        boot(machines, engine, victim)
        end = machines.playbook("upgrade.yml", "-e", "version=" + NEW, "-e", "wa_upgrade_settle_seconds=60")
        check("with it back the run goes on to the end", end.code == OK, end.output)
        check("every node is new", versions(machines, machines.names) == {NEW})
    report = probe.report
    text = f"lost {report.lost}, twice {report.twice}, bans {report.bans}"
    check(f"nothing lost, nothing twice, nobody banned, {report.accepted} messages accepted", report.ok, text)


def main() -> int:
    os.environ["PATH"] = environment()["PATH"]  # testinfra calls ansible-inventory by its name
    engine = docker.from_env(timeout=120)
    with tempfile.TemporaryDirectory() as directory:
        machines = Machines(Path(directory))
        gateway = None
        try:
            machines.create()
            for name in machines.names:
                machines.start_engine(name)
            gateway = engine.containers.run(
                GATEWAY, name="upgh-gateway", network=f"waent-mol-{SCENARIO}", detach=True,
                environment={"WAEMU_TIME_DIVISOR": str(DIVISOR), "WAEMU_REGISTRATION_CODE": "123456"},
            )  # fmt: skip
            gateway.reload()
            address = gateway.attrs["NetworkSettings"]["Networks"][f"waent-mol-{SCENARIO}"]["IPAddress"]
            machines.declare(f"http://{address}:5222")
            work(machines, engine, f"http://{address}:8080", Path(directory) / "run.log")
        except Wrong as wrong:
            print(wrong)
            return 1
        finally:
            if gateway is not None:
                gateway.remove(force=True)
            machines.destroy()
    return 0


if __name__ == "__main__":
    sys.exit(main())
