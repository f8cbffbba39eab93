# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on AWS as far as it can be had here: stacks in the stand-in, and what they stand for as test hosts.

Each EC2 instance that a stack makes becomes a machine in a container, with an engine of its own, under the address that
the instance has; it goes when the instance is terminated. The database of the stack becomes a server that wants TLS,
with the user and the password that the stack has in its secret. EFS alone has no counterpart, since the kernel of test
hosts may not mount: media are in a volume there.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
import threading
import time
import typing as t
from pathlib import Path

import docker.errors
import docker.types
import yaml
from ansible_collections.waent.fleet.tests.support.aws import Aws
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.live_cluster import CODE, Failed, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from ansible_collections.waent.fleet.tests.support.tls_servers import packed
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS
from docker.models.containers import Container

CIDR = "10.83.16.0/20"
#: Of the quarter that has nothing but NAT, the part in which there are no subnets at all.
BESIDE = "10.83.31.0/24"
DATABASE_ADDRESS = "10.83.31.200"
BASTION = "bastion"
DATABASE_IMAGE = "waent/mariadb:10.11"
MYSQL_UID = 999
PAUSE_SECONDS = 0.3


class Left(t.NamedTuple):
    """What a machine had when it went. removed: name of each container that was removed to when, of the last ones.

    owners: hosts by shard, as the gateway sees it then; C(-1) is the primary master.
    """

    at: float
    containers: list[str]
    removed: dict[str, float]
    owners: dict[int, str]


class AwsCluster(LiveCluster):
    """environment: production or staging. scenario: part of the names of all that is made on this machine."""

    def __init__(self, home: Path, environment: str, scenario: str) -> None:
        super().__init__(home, Shape(prefix="wa", port=0, shards=1))
        self.environment, self.scenario = environment, scenario
        self.label = "waent-" + environment
        self.prefix = "waent-mol-" + scenario
        self.aws = Aws(home)
        self.fleet = ContainerHosts(
            home / "fleet",
            (BASTION,),
            scenario=scenario,
            variables={
                "test_addresses": [{"subnet": CIDR, "iprange": BESIDE}],
                "test_speed": str(self.shape.divisor),
                "wa_registration_code": CODE,
            },
        )
        self.left: dict[str, Left] = {}
        self.trouble: list[str] = []
        self._addresses: dict[str, str] = {}
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._follow, daemon=True)

    # -- what the stacks stand for ------------------------------------------------------------------------------------

    def begin_region(self) -> None:
        """The network with its registry and gateway, the user's inventory, and nothing of the environment."""
        (self.home / "fleet").mkdir()
        self.fleet.create()
        self.gateway_address = self.fleet.gateway_address()
        self.gateway_url = "http://{0}:8080".format(self.gateway_address)
        self.authority = Authority(self.home)
        self._write_inventory()
        self._watch.start()

    def remove(self) -> None:
        """All of it."""
        self._over.set()
        if self._watch.is_alive():
            self._watch.join(PATIENCE)
        self.aws.stop()
        self.fleet.destroy()

    def _write_inventory(self) -> None:
        """inventories/aws as the guide has it copied, and what its user writes into her vault."""
        shutil.copytree(ROOT / "inventories" / "aws", self.home / "inventory")
        self.inventory = str(self.home / "inventory")
        found = self.home / "inventory" / "aws_ec2.yml"
        found.write_text(found.read_text().replace("waent-production", self.label))
        key, known = self.fleet.directory / "key", self.home / "known_hosts"
        ssh = "-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={0} -o IdentitiesOnly=yes -o ControlPath={1}"
        own = {
            **{name: value for name, value in SECRETS.items() if name != "wa_db_password"},
            "wa_aws_environment": self.environment,
            "wa_aws_cidr": CIDR,
            "wa_aws_image": self.aws.image(),
            "ansible_user": "fleet",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": ssh.format(known, self.fleet.directory / "ssh-%h"),
            "wa_db_ssl_ca": str(self.authority.ca),
            # No name server of this machine knows the name of the database.
            "wa_db_check_host": DATABASE_ADDRESS,
            "wa_extra_hosts": "{{ {wa_db_host: '" + DATABASE_ADDRESS + "'} }}",
            "wa_media": "whatsappMedia",
            "wa_media_share": {},
            "wa_disk_free_mb": 100,
            "wa_registration_method": "sms",
            "wa_registration_code": CODE,
            "wa_settings": {"heartbeat_interval": 5, "unhealthy_interval": 30},
            "wa_extra_environment": {
                "WAEMU_TIME_DIVISOR": str(self.shape.divisor),
                "WAEMU_GATEWAY_URL": "http://{0}:5222".format(self.gateway_address),
            },
            **self.shape.hurry(),
        }
        # After main.yml, in the order of their names.
        vault = self.home / "inventory" / "group_vars" / "all" / "vault.yml"
        vault.touch(mode=0o600)
        vault.write_text(yaml.safe_dump(own))
        self.variables = "confirm=yes"

    def _follow(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                self._follow_hosts()
                self._follow_database()
            except Exception as error:  # whoever waits for the thread's work reads it
                self.trouble.append("{0}: {1}".format(type(error).__name__, error))
                return

    def _follow_hosts(self) -> None:
        there = {name: str(host["PrivateIpAddress"]) for name, host in self.aws.hosts().items()}
        for name in sorted(set(there) - set(self._addresses)):
            self._boot(name, there[name])
        for name in sorted(set(self._addresses) - set(there)):
            self._retire(name)

    def _boot(self, name: str, address: str) -> None:
        """A machine like the one that create.yml has made."""
        like = self.engine.containers.get(self.prefix + "-" + BASTION)
        config, host = like.attrs["Config"], like.attrs["HostConfig"]
        one = self.engine.containers.create(
            like.image.id, name=self.machine_name(name), hostname=name, environment=config["Env"],
            labels=config["Labels"], volumes=["/var/lib/docker"], cap_add=host["CapAdd"], cap_drop=host["CapDrop"],
            security_opt=host["SecurityOpt"], sysctls=host["Sysctls"], cgroupns="private", network=self.prefix,
            networking_config={self.prefix: docker.types.EndpointConfig("1.40", ipv4_address=address)},
        )  # fmt: skip
        one.start()
        self._addresses[name] = address

    def _retire(self, name: str) -> None:
        """With its disk, as AWS does; what it had on it is noted before."""
        now = time.time()
        machine = self.engine.containers.get(self.machine_name(name))
        listed = self._on(machine, "docker ps --all --format '{{.Names}}'").split()
        ends = "docker events --since {0} --until {1:.9f} --filter event=destroy --format '{2}'".format(
            int(now) - 3600, now, "{{.Actor.Attributes.name}} {{.TimeNano}}"
        )
        removed = {line.split()[0]: int(line.split()[1]) / 1e9 for line in self._on(machine, ends).splitlines()}
        self.left[name] = Left(now, listed, removed, self.owners())
        machine.remove(force=True, v=True)
        del self._addresses[name]

    def _follow_database(self) -> None:
        found = self.aws.client("rds").describe_db_instances()["DBInstances"]
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.containers.get(self.prefix + "-database")
            return
        outputs = self.aws.outputs(self.label + "-db")
        if not found or "SecretArn" not in outputs:
            return
        secret = self.aws.client("secretsmanager").get_secret_value(SecretId=outputs["SecretArn"])["SecretString"]
        self._start_database(found[0]["Endpoint"]["Address"], **json.loads(secret))

    def _start_database(self, name: str, username: str, password: str) -> None:
        cert, key = self.authority.sign(name)
        options = ["--ssl-ca=/opt/ca.pem", "--ssl-cert=/opt/cert.pem", "--ssl-key=/opt/key.pem"]
        one = self.engine.containers.create(
            DATABASE_IMAGE, [*options, "--require-secure-transport=ON", "--max-connections=600"],
            name=self.prefix + "-database", environment={"MYSQL_ROOT_PASSWORD": password},
            labels=self.engine.containers.get(self.prefix + "-" + BASTION).labels, network=self.prefix,
            networking_config={self.prefix: docker.types.EndpointConfig("1.40", ipv4_address=DATABASE_ADDRESS)},
        )  # fmt: skip
        files = {"ca.pem": self.authority.ca.read_bytes(), "cert.pem": cert.read_bytes(), "key.pem": key.read_bytes()}
        one.put_archive("/opt", packed(files, MYSQL_UID))
        one.start()
        # The first user of RDS may do everything.
        made = "CREATE USER {0}@'%' IDENTIFIED BY '{1}'; GRANT ALL PRIVILEGES ON *.* TO {0}@'%' WITH GRANT OPTION;"
        deadline = time.monotonic() + PATIENCE
        while True:
            done = one.exec_run(
                ["mariadb", "-uroot", "-e", made.format(username, password)], environment={"MYSQL_PWD": password}
            )
            if done.exit_code == 0:
                return
            if time.monotonic() > deadline:
                raise Failed("the database lets nobody in: {0}".format(done.output.decode()))
            time.sleep(0.5)

    # -- the cluster --------------------------------------------------------------------------------------------------

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        """Run a playbook to its end, with this account. Raises Failed."""
        run = super().play(playbook, *more, **{**self.aws.environment(), **extra})
        if self.trouble:
            raise Failed("; ".join(self.trouble) + "\n" + run.output)
        return run

    def begin(self, playbook: str, *more: str, **extra: str) -> t.Any:
        """Start a playbook, with this account."""
        return super().begin(playbook, *more, **{**self.aws.environment(), **extra})

    def machine_name(self, host: str) -> str:
        """Of the container that a host is."""
        return "{0}-{1}".format(self.prefix, host)

    @property
    def hosts(self) -> list[str]:
        """The hosts that there are, by their numbers."""
        return sorted(self._addresses)

    def webapps(self) -> tuple[str, ...]:
        """Of the first two hosts, which are never taken away."""
        return tuple("https://{0}:9090".format(self._addresses[name]) for name in self.hosts[:2])

    def coreapps(self) -> dict[str, str]:
        """Host and name of each coreapp's container to its state."""
        return {
            "{0}/{1}".format(host, name): state
            for host in self.hosts
            for name, (state, _created) in self.nodes_on(host, "coreapp").items()
        }

    def nodes_on(self, host: str, kind: str) -> dict[str, tuple[str, float]]:
        """Name of each node's container to its state, and to when it was made, in seconds since 1970."""
        machine = self.engine.containers.get(self.machine_name(host))
        names = self._on(machine, "docker ps --all --quiet --filter label=waent.fleet.kind=" + kind).split()
        if not names:
            return {}
        found = json.loads(self._on(machine, "docker inspect " + " ".join(names)))
        return {one["Name"].lstrip("/"): (one["State"]["Status"], seconds(one["Created"])) for one in found}

    def owners(self) -> dict[int, str]:
        """Host of the node that is connected for each shard; C(-1) is the primary master's."""
        by_address = {address: name for name, address in self._addresses.items()}
        links = [(link["shards"], link["node"].split(":")[0]) for link in self.connections()]
        return {shard: by_address[address] for shards, address in links for shard in shards}

    def owner_hosts(self) -> set[str]:
        """Hosts with a coreapp that is connected for a shard."""
        return {host for shard, host in self.owners().items() if shard >= 0}

    def stop(self, host: str, node: str) -> None:
        """A node's container, for good."""
        self._on(self.engine.containers.get(self.machine_name(host)), "docker stop --time 1 " + node)

    def start_node(self, host: str, node: str) -> None:
        """A node's container that was stopped."""
        self._on(self.engine.containers.get(self.machine_name(host)), "docker start " + node)

    def boots(self) -> dict[str, float]:
        """When each machine was started, in seconds since 1970."""
        found = {}
        for name in self.hosts:
            started = self.engine.containers.get(self.machine_name(name)).attrs["State"]["StartedAt"]
            found[name] = seconds(started)
        return found

    def set_shards(self) -> list[float]:
        """When WhatsApp was asked for another number of shards, in seconds since 1970."""
        lines = self.engine.containers.get(self.prefix + "-gateway").logs(timestamps=True).decode().splitlines()
        return [seconds(line.split()[0]) for line in lines if "set-shards of" in line]

    def stack_changes(self, kind: str) -> list[float]:
        """When AWS was asked to make, change or delete a stack, in seconds since 1970."""
        name = "{0}-{1}".format(self.label, kind)
        actions = ("CreateStack", "UpdateStack", "DeleteStack")
        return [one["at"] for one in self.aws.calls() if one["stack"] == name and one["action"] in actions]

    def has_engine(self, host: str) -> bool:
        """Whether an engine answers there; on a new machine none has been started yet."""
        done = self.engine.containers.get(self.machine_name(host)).exec_run(["docker", "version"])
        return bool(done.exit_code == 0)

    @staticmethod
    def _on(machine: Container, command: str) -> str:
        done = machine.exec_run(["sh", "-c", command])
        if done.exit_code != 0:
            raise Failed("{0}: {1}: {2}".format(machine.name, command, done.output.decode()))
        return str(done.output.decode())


def seconds(moment: str) -> float:
    """Of a moment as Docker writes it, since 1970."""
    whole, _dot, rest = moment.rstrip("Z").partition(".")
    begun = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return begun + float("0." + (rest or "0"))
