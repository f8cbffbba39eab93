"""How long site.yml takes on three racks, fresh and again, beside the plain way on the same machines by hand.

By hand: a compose file on each machine, `ssh MACHINE docker-compose up -d` on all of them at once, then curl: log in,
register, set the shards, wait until health is as it should be. Both ways have the same machines (those of the scenario
racks: six in three racks and one for the database), pull the same images from the same registry, at the product's own
times, from nothing to four shards connected, and run again on what they made.

    .venv/bin/python benchmarks/racks_vs_compose.py [--rounds 1]

Needs docker-compose of this machine's Debian release and its package source, and what `make demo` prepares.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from ansible_collections.waent.fleet.tests.support.container_hosts import PLAYBOOKS
from ansible_collections.waent.fleet.tests.support.emulator_rig import START
from ansible_collections.waent.fleet.tests.support.plain_api import PlainApi
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, play

ROOT = Path(__file__).resolve().parent.parent
INVENTORIES = ("molecule/resources/inventory/cluster.yml", "molecule/racks/inventory/hosts.yml")
SCENARIO = "racksbench"
VERSION = "v2.19.4"
SHARDS = 4
FRESH_RATIO, AGAIN_SECONDS = 1.5, 20
NEW_PASSWORD = "Bench-Password-1"
POLL_SECONDS = 0.5


class Machines:
    """The machines of the scenario racks, with a gateway and a registry of their own."""

    def __init__(self, home: Path) -> None:
        self.home, self.inventory = home, home / "inventory"
        self._environment = {"MOLECULE_SCENARIO_NAME": SCENARIO, "MOLECULE_EPHEMERAL_DIRECTORY": str(home)}
        self.known: dict[str, t.Any] = {}

    def __enter__(self) -> t.Self:
        self.inventory.mkdir()
        for file in INVENTORIES:
            shutil.copy(ROOT / file, self.inventory / Path(file).name)
        self._make("create.yml")
        self.known = yaml.safe_load((self.inventory / "generated.yml").read_text())["all"]
        self.play("engine")
        self.give_compose()
        return self

    def __exit__(self, *_: object) -> None:
        self._make("destroy.yml")

    def _make(self, playbook: str) -> None:
        done = play(f"{PLAYBOOKS}/{playbook}", "-i", str(self.inventory), **self._environment)
        if done.code != OK:
            sys.exit(done.output[-3000:])

    @property
    def names(self) -> list[str]:
        return sorted(self.known["hosts"])

    def address(self, name: str) -> str:
        """What the machine is reached by."""
        address: str = self.known["hosts"][name]["ansible_host"]
        return address

    def play(self, playbook: str, *arguments: str) -> float:
        """Seconds that a playbook of the collection took; ends the benchmark when it fails."""
        began = time.monotonic()
        done = play(f"playbooks/{playbook}.yml", "-i", str(self.inventory), *arguments)
        if done.code != OK:
            sys.exit(f"{playbook}.yml failed:\n{done.output[-4000:]}")
        return time.monotonic() - began

    def ssh(self, name: str, command: str, given: bytes = b"") -> str:
        """Run a command as root on a machine, as a person at a terminal would."""
        variables = self.known["vars"]
        words = ["ssh", "-i", variables["ansible_ssh_private_key_file"]]
        words += [*shlex.split(variables["ansible_ssh_common_args"]), f"fleet@{self.address(name)}"]
        done = subprocess.run([*words, "sudo sh -c " + shlex.quote(command)], input=given, capture_output=True)
        if done.returncode:
            sys.exit(f"{name}: {command[:200]} failed:\n{done.stdout.decode()[-2000:]}{done.stderr.decode()[-2000:]}")
        return done.stdout.decode()

    def on_all(self, work: t.Callable[[str], t.Any]) -> list[t.Any]:
        """Do something for all machines at once."""
        with ThreadPoolExecutor(len(self.names)) as pool:
            return list(pool.map(work, self.names))

    def give_compose(self) -> None:
        """Install docker-compose with what it depends on; the machines have no package source."""
        words = ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts"]
        words += ["--no-breaks", "--no-replaces", "--no-enhances", "docker-compose"]
        listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        needed = {line for line in listed.splitlines() if line[:1].isalpha()}
        there = set(self.ssh(self.names[0], "dpkg-query -W -f '${Package}\\n'").split())
        packages = self.home / "packages"
        packages.mkdir()
        missing = sorted(needed - there)
        subprocess.run(["apt-get", "download", *missing], cwd=packages, check=True, capture_output=True)
        archive = subprocess.run(["tar", "-c", "."], cwd=packages, check=True, capture_output=True).stdout
        install = "mkdir -p /tmp/p && cd /tmp/p && tar -x && dpkg -i *.deb && rm -r /tmp/p && docker-compose version"
        self.on_all(lambda name: self.ssh(name, install, archive))

    def clear(self) -> None:
        """No container, volume, network or image of either way is left, so that the next one pulls again."""
        remove = "docker ps -aq | xargs -r docker rm -fv; docker volume ls -q | xargs -r docker volume rm;"
        self.on_all(lambda name: self.ssh(name, remove + " docker network prune -f; docker image prune -af"))

    def containers(self, name: str) -> int:
        """How many run there."""
        return len(self.ssh(name, "docker ps -q").split())


class ByHand:
    """The plain way: one compose file for each machine, and curl."""

    def __init__(self, machines: Machines, expected: t.Mapping[str, t.Mapping[str, int]]) -> None:
        self.machines, self.expected = machines, expected
        self.database = machines.address("database-1")
        webapp = next(machines.address(name) for name, nodes in expected.items() if "webapp" in nodes)
        self.api = PlainApi(f"https://{webapp}:9090", POLL_SECONDS)

    def services(self, name: str) -> dict[str, t.Any]:
        """What a person writes into the compose file of a machine."""
        if name == "database-1":
            password = self.machines.known["vars"]["wa_db_password"]
            return {
                "db": {
                    "image": "docker.whatsapp.biz/waent/mariadb:10.11",
                    "environment": {"MYSQL_ROOT_PASSWORD": password},
                    "command": ["--max-connections=2000"],
                    "ports": ["3306:3306"],
                    "restart": "always",
                    "volumes": ["mysqlData:/var/lib/mysql"],
                }
            }
        made = {}
        for place, kind in enumerate(kind for kind, count in sorted(self.expected[name].items()) if count):
            made[kind] = self.webapp(name) if kind == "webapp" else self.core(name, kind, 6250 + 10 * place)
        return made

    def node(self, image: str, ports: list[str], more: t.Mapping[str, str]) -> dict[str, t.Any]:
        return {
            "image": f"docker.whatsapp.biz/{image}:{VERSION}",
            "command": START,
            "restart": "unless-stopped",
            "cap_drop": ["MKNOD"],
            "ports": ports,
            "volumes": ["whatsappMedia:/usr/local/wamedia"],
            "environment": {
                "WA_DB_ENGINE": "MYSQL",
                "WA_DB_HOSTNAME": self.database,
                "WA_DB_PORT": "3306",
                "WA_DB_USERNAME": "root",
                "WA_DB_PASSWORD": self.machines.known["vars"]["wa_db_password"],
                "WA_APP_MULTICONNECT": "1",
                "WAEMU_TIME_DIVISOR": "1",
                "WAEMU_GATEWAY_URL": f"http://{self.machines.known['vars']['test_gateway_address']}:5222",
                **more,
            },
        }

    def webapp(self, name: str) -> dict[str, t.Any]:
        more = {"WEBAPP_HOSTNAME": self.machines.address(name), "WEBAPP_EXTERNAL_PORTS": "9090"}
        return self.node("web", ["9090:443"], {**more, "WA_WEB_JWT_CRYPTO_KEY": "one-key-for-all-webapps-of-it"})

    def core(self, name: str, kind: str, first: int) -> dict[str, t.Any]:
        more = {"COREAPP_HOSTNAME": self.machines.address(name)}
        more["COREAPP_EXTERNAL_PORTS"] = ",".join(str(first + n) for n in range(4))
        ports = [f"{first + n}:{6250 + n}" for n in range(4)]
        return self.node("coreapp", ports, {**more, **({"WA_MASTER_NODE": "1"} if kind == "master" else {})})

    def write(self) -> None:
        """Before the clock starts, as a person has written them before."""

        def one(name: str) -> None:
            services = self.services(name)
            used = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
            file = {"version": "3", "services": services, "volumes": {volume: {} for volume in sorted(used)}}
            self.machines.ssh(name, "mkdir -p /opt/wa && cat >/opt/wa/docker-compose.yml", json.dumps(file).encode())

        self.machines.on_all(one)

    def up(self) -> float:
        """Seconds for all machines at once."""
        began = time.monotonic()
        self.machines.on_all(lambda name: self.machines.ssh(name, "cd /opt/wa && docker-compose up -d"))
        return time.monotonic() - began

    def fresh(self) -> float:
        """Seconds from nothing to four shards connected."""
        began = time.monotonic()
        self.up()
        api = self.api
        api.log_in(NEW_PASSWORD)
        number = {"cc": "1", "phone_number": "5550100201"}
        api.register({**number, "method": "sms", "cert": self.machines.known["vars"]["wa_cert"]})
        api.until("one shard", lambda: self.connected() == 1)
        shards = {**number, "shards": SHARDS}
        api.until("shards", lambda: api.call("POST", "/account/shards", shards)[0] == 201)
        api.until("four shards", lambda: self.connected() == SHARDS)
        return time.monotonic() - began

    def connected(self) -> int:
        """How many coreapps are."""
        nodes = self.api.health()
        return sum(node.get("role") == "coreapp" and node.get("gateway_status") == "connected" for node in nodes)


def expected_nodes() -> dict[str, dict[str, int]]:
    """What the scenario says must run where."""
    inventory = yaml.safe_load((ROOT / INVENTORIES[1]).read_text())
    hosts = inventory["all"]["hosts"]
    return {name: given["test_expected_nodes"] for name, given in hosts.items() if "test_expected_nodes" in given}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {}

    def note(what: str, seconds: float) -> None:
        found.setdefault(what, []).append(seconds)
        print(f"{what}: {seconds:.1f} s", flush=True)

    with tempfile.TemporaryDirectory() as home, Machines(Path(home)) as machines:
        by_hand = ByHand(machines, expected_nodes())
        by_hand.write()
        for number in range(1, rounds + 1):
            print(f"round {number}", flush=True)
            machines.clear()
            note("compose fresh", by_hand.fresh())
            note("compose again", by_hand.up())
            nodes = sum(machines.on_all(machines.containers))
            machines.clear()
            note("site fresh", machines.play("site"))
            note("site again", machines.play("site"))
            ours = sum(machines.on_all(machines.containers))
            if ours != nodes:
                sys.exit(f"By hand {nodes} containers ran, and {ours} with site.yml: nothing can be compared.")
    medians = {what: statistics.median(seconds) for what, seconds in found.items()}
    ratio = medians["site fresh"] / medians["compose fresh"]
    print(f"site fresh beside compose fresh: {ratio:.2f} (goal {FRESH_RATIO})")
    print(f"site again: {medians['site again']:.1f} s (goal {AGAIN_SECONDS} s)")


if __name__ == "__main__":
    main()
