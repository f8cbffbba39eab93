# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts for tests that are no Molecule scenario, made by the same playbooks."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import yaml
from ansible_collections.waent.fleet.tests.support import machine_power
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, Run, play, write_inventory, write_variables
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from testinfra.utils.ansible_runner import AnsibleRunner

PLAYBOOKS = "molecule/resources/playbooks"
IMAGES = {
    "web:v2.19.4": "docker.whatsapp.biz/web:v2.19.4",
    "coreapp:v2.19.4": "docker.whatsapp.biz/coreapp:v2.19.4",
    "waent/mariadb:10.11": "waent/mariadb:10.11",
}
NEXT_VERSION = {
    "web:v2.19.7": "docker.whatsapp.biz/web:v2.19.7",
    "coreapp:v2.19.7": "docker.whatsapp.biz/coreapp:v2.19.7",
}
DATABASE_IMAGE = "docker.whatsapp.biz/waent/mariadb:10.11"


class ContainerHosts:
    """Machines in containers, reached over SSH by a user who may use sudo.

    scenario: part of the names of all that is made for them. images: what their registry has besides. bare: by its name
    the release of Debian of a machine that has Python and nothing else that the collection needs. variables: further
    ones of create.yml.
    """

    def __init__(
        self,
        directory: Path,
        names: t.Sequence[str],
        scenario: str = "integration",
        images: t.Mapping[str, str] | None = None,
        bare: t.Mapping[str, str] | None = None,
        variables: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        self.directory, self.names, self._bare, self._variables = directory, names, bare or {}, variables or {}
        self.inventory = directory / "inventory"
        self._scenario, self._images = scenario, {**IMAGES, **(images or {})}
        self._environment = {
            "MOLECULE_SCENARIO_NAME": scenario,
            "MOLECULE_EPHEMERAL_DIRECTORY": str(directory),
        }
        self._runs = 0

    def create(self) -> None:
        """Make the machines; what create.yml finds out lies in the inventory's directory afterwards."""
        self.inventory.mkdir()
        plain = {name: {"test_suite": self._bare[name]} if name in self._bare else {} for name in self.names}
        self.write_hosts(plain)
        variables = self.inventory / "group_vars"
        variables.mkdir()
        (variables / "all.yml").write_text(yaml.safe_dump({"test_images": self._images, **self._variables}))
        self._make("create.yml")

    def destroy(self) -> None:
        """Remove the machines and all that belongs to them."""
        self._make("destroy.yml")

    def _make(self, playbook: str) -> None:
        run = play("{0}/{1}".format(PLAYBOOKS, playbook), "-i", str(self.inventory), **self._environment)
        assert run.code == OK, run.output

    def write_hosts(self, hosts: t.Mapping[str, t.Mapping[str, t.Any]], **groups: t.Sequence[str]) -> None:
        """The inventory: which of the machines are used, with which variables, in which groups."""
        write_inventory(self.inventory / "hosts.yml", hosts, test_hosts=list(hosts), **groups)

    def address(self, name: str) -> str:
        """The machine's address, for those who are on the same network."""
        generated = yaml.safe_load((self.inventory / "generated.yml").read_text())
        address: str = generated["all"]["hosts"][name]["ansible_host"]
        return address

    def gateway_address(self) -> str:
        """Of the gateway that create.yml has started, where the variables have it do so."""
        generated = yaml.safe_load((self.inventory / "generated.yml").read_text())
        address: str = generated["all"]["vars"]["test_gateway_address"]
        return address

    def reached(self, name: str) -> dict[str, str]:
        """How Ansible reaches a machine, for an inventory that is written elsewhere."""
        generated = yaml.safe_load((self.inventory / "generated.yml").read_text())["all"]
        shared = ("ansible_user", "ansible_ssh_private_key_file", "ansible_ssh_common_args")
        return {**{key: generated["vars"][key] for key in shared}, **generated["hosts"][name]}

    @contextlib.contextmanager
    def engine_socket(self, name: str) -> t.Iterator[Path]:
        """The socket of a machine's engine, for programs of this machine, through SSH."""
        known = self.reached(name)
        to = "{0}@{1}".format(known["ansible_user"], known["ansible_host"])
        # The path of a socket may have some hundred characters, fewer than a test's directory.
        with tempfile.TemporaryDirectory() as directory:
            socket = Path(directory) / "docker.sock"
            options = ["-i", known["ansible_ssh_private_key_file"], *shlex.split(known["ansible_ssh_common_args"])]
            # A connection of its own, which ends with this process; the first value of an option counts.
            command = ["ssh", "-o", "ControlPath=none", *options, "-o", "ExitOnForwardFailure=yes", "-N"]
            process = subprocess.Popen([*command, "-L", "{0}:/var/run/docker.sock".format(socket), to])
            try:
                deadline = time.monotonic() + PATIENCE
                while not socket.exists():
                    assert process.poll() is None and time.monotonic() < deadline, "no way to the engine of " + name
                    time.sleep(0.1)
                yield socket
            finally:
                process.terminate()
                process.wait()

    def shell(self, name: str) -> t.Any:
        """testinfra's way onto a machine."""
        return AnsibleRunner.get_runner(str(self.inventory)).get_host(name)

    def run(self, name: str, command: str, *arguments: t.Any) -> str:
        """Output of a command on a machine, run as root; it must succeed."""
        shell = self.shell(name)
        with shell.sudo():
            output: str = shell.check_output(command, *(str(argument) for argument in arguments))
        return output

    def start_engine(self, name: str) -> None:
        """Start Docker Engine as a user would who has nothing but the collection."""
        run = play("playbooks/engine.yml", "-i", str(self.inventory), "--limit", name)
        assert run.code == OK, run.output

    def stop_engine(self, name: str) -> None:
        """End a machine's engine, with what it runs; returns when it is gone."""
        self.run(name, "pid=$(cat /var/run/docker.pid); kill $pid; tail --pid=$pid -f /dev/null")

    def site(self, variables: t.Mapping[str, t.Any], *arguments: str, **extra: str) -> Run:
        """Run site.yml for the hosts of the inventory. extra: environment variables."""
        return self.play("site", variables, *arguments, **extra)

    def play(self, playbook: str, variables: t.Mapping[str, t.Any], *arguments: str, **extra: str) -> Run:
        """Run a playbook of the collection for the hosts of the inventory. extra: environment variables."""
        self._runs += 1
        given = write_variables(self.directory / "variables-{0}.json".format(self._runs), variables)
        return play("playbooks/{0}.yml".format(playbook), "-i", str(self.inventory), "-e", given, *arguments, **extra)

    @contextlib.contextmanager
    def dead(self, name: str) -> t.Iterator[None]:
        """The machine takes connections, as its kernel does, and answers nothing: all on it has stopped."""
        with machine_power.frozen([machine_power.machine(self._scenario, name)]):
            yield

    def state(self, name: str) -> dict[str, t.Any]:
        """All that an installation would change on a machine, for comparing before with after."""
        shell = self.shell(name)
        with shell.sudo():
            if shell.run("docker version").rc != 0:
                return {"engine": bool(shell.run("pgrep -x dockerd").stdout), "packages": self._packages(shell)}
            ids = shell.check_output("docker ps --all --quiet --no-trunc").split()
            containers = json.loads(shell.check_output("docker inspect " + " ".join(ids))) if ids else []
            return {
                "engine": True,
                "packages": self._packages(shell),
                "containers": {one["Id"]: (one["Name"], one["State"]["StartedAt"]) for one in containers},
                "networks": sorted(shell.check_output("docker network ls --quiet --no-trunc").split()),
                "volumes": sorted(shell.check_output("docker volume ls --quiet").split()),
                "images": sorted(shell.check_output("docker image ls --all --quiet --no-trunc").split()),
            }

    @staticmethod
    def _packages(shell: t.Any) -> str:
        digest: str = shell.check_output("dpkg-query --show | sha256sum")
        return digest
