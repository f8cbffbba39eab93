# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published artifact on a machine that has nothing else of the project: no checkout, no collections, its own home.

There is ansible-core, what the artifact itself names (meta/ee-requirements.txt, meta/ee-bindep.txt, its dependencies),
and nothing more; on the host, what README names. The inventory is one that came with it.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import docker
import pytest
import yaml
from ansible_collections.waent.fleet.tests.support import ansible_core_releases as releases
from ansible_collections.waent.fleet.tests.support import checkout, debian13
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE, machine_seen_by
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

DATABASE_IMAGE = "waent/mariadb:10.11"
NAME = "artifact"
PORT = 23500
INSTALLED = Path(".ansible", "collections", "ansible_collections")
VAULT_PASSWORD = "a-password-of-this-test"


def collection_with_needs(name: str, there: Path) -> set[str]:
    """A collection and those it depends on, and so on."""
    manifest = checkout.load(there.joinpath(*name.split("."), "MANIFEST.json"))
    needed = manifest["collection_info"]["dependencies"]
    return {name}.union(*(collection_with_needs(one, there) for one in needed))


class Machine:
    """A machine with the artifact. home: its user's."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = home / "venv"

    def run(self, *command: str) -> Run:
        """Run a program of the environment."""
        started = time.monotonic()
        outside = [*debian13.controller_command(self.home), "--workdir", str(self.home), debian13.controller_image()]
        done = subprocess.run(
            [*outside, str(self.environment / "bin" / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=900, check=False,
        )  # fmt: skip
        return Run(done.returncode, done.stdout, time.monotonic() - started)

    def play(self, playbook: str, inventory: Path, *more: str) -> Run:
        """Run a playbook by the name it has for a user of the collection."""
        return self.run("ansible-playbook", "-i", str(inventory), "waent.fleet." + playbook, *more)

    def install(self, artifact: Path) -> None:
        """As README says, with the package ansible in place of Galaxy and files in place of an index."""
        wheels = releases.wheels_of(releases.NEWEST)
        core = next(line for line in releases.lock_of(releases.NEWEST).read_text().splitlines() if "-core==" in line)
        debian13.make_environment(self.environment, wheels, core, home=self.home)
        from_ansible = releases.collections_of("newest") / "ansible_collections"
        sources = self.home / "galaxy"
        needed = set().union(*(collection_with_needs(name, from_ansible) for name in dependencies()))
        for name in needed:
            shutil.copytree(from_ansible.joinpath(*name.split(".")), sources.joinpath(*name.split(".")))
        found = [str(path) for path in sorted(sources.glob("*/*"))]
        done = self.run("ansible-galaxy", "collection", "install", "--offline", str(artifact), *found)
        assert done.code == OK, done.output
        named = checkout.load(self.collection / "meta" / "execution-environment.yml")["dependencies"]["python"]
        debian13.make_environment(self.environment, wheels, "-r", str(self.collection / named), home=self.home)

    @property
    def collection(self) -> Path:
        """Where the collection lies."""
        return self.home / INSTALLED / "waent" / "fleet"

    def inventory(self, name: str) -> Path:
        """A copy of an inventory that came with the collection."""
        copy = self.home / name
        shutil.copytree(self.collection / "inventories" / name, copy)
        return copy


def dependencies() -> dict[str, str]:
    """Of the collection."""
    named: dict[str, str] = checkout.load(checkout.ROOT / "galaxy.yml")["dependencies"]
    return named


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The machine, with the artifact as it would be published."""
    made = Machine(tmp_path_factory.mktemp("home"))
    done = checkout.run("ansible-galaxy", "collection", "build", "--output-path", str(made.home))
    assert done.returncode == 0, done.stderr
    (artifact,) = made.home.glob("waent-fleet-*.tar.gz")
    releases.environment_of(releases.NEWEST)  # its wheels, and the collections
    made.install(artifact)
    return made


def test_nothing_is_there_that_the_artifact_does_not_name(machine: Machine) -> None:
    """Otherwise the tests below would prove nothing."""
    there = {"{0}.{1}".format(*path.parts[-3:-1]) for path in (machine.home / INSTALLED).glob("*/*/MANIFEST.json")}
    known = releases.collections_of("newest") / "ansible_collections"
    assert there == {"waent.fleet"}.union(*(collection_with_needs(name, known) for name in dependencies()))
    listed = machine.run("python", "-m", "pip", "list", "--format=freeze").output.lower()
    packages = {line.partition("==")[0] for line in listed.splitlines()}
    assert {"ansible-core", "jmespath", "netaddr", "pymysql"} <= packages
    assert packages & {"ansible", "docker", "requests"} == set()


@pytest.mark.parametrize("inventory", ["single", "racks"])
def test_an_example_is_checked_without_a_filter_or_a_driver_missing(machine: Machine, inventory: str) -> None:
    """Nobody answers at the example's addresses: that is all there is to say."""
    copy = machine.inventory(inventory)
    (copy / "group_vars" / "all" / "vault.yml").write_text(yaml.safe_dump({
        **SECRETS, "ansible_host": "127.0.0.1", "ansible_port": 9, "wa_api_address": "127.0.0.1",
        "wa_db_check_host": "127.0.0.1", "wa_db_check_port": 9, "wa_webapp_port": 9,
    }))  # fmt: skip
    done = machine.play("site", copy, "--check", "-e", "ansible_host=127.0.0.1")
    shutil.rmtree(copy)
    assert done.code == FAILED, done.output
    assert {"HOST_NOT_READ", "DB_UNREACHABLE"} == set(done.codes), done.output


# --- to a healthy cluster ---------------------------------------------------------------------------------------------


@pytest.fixture
def database() -> t.Iterator[str]:
    """A database elsewhere; the address under which hosts and nodes reach it."""
    engine = docker.from_env(timeout=120)
    container = engine.containers.run(
        DATABASE_IMAGE, detach=True, name=NAME + "-database", labels={debian13.LABEL: NAME},
        environment={
            "MYSQL_ROOT_PASSWORD": "root-" + SECRETS["wa_db_password"],
            "MYSQL_USER": "waent",
            "MYSQL_PASSWORD": SECRETS["wa_db_password"],
        },
        ports={"3306/tcp": PORT},
    )  # fmt: skip
    try:
        address = machine_seen_by(container)
        grant = "GRANT ALL ON *.* TO waent@'%'; SELECT 'granted'"
        deadline = time.monotonic() + PATIENCE
        while True:
            environment = {"MYSQL_PWD": "root-" + SECRETS["wa_db_password"]}
            done = container.exec_run(["mariadb", "--batch", "-e", grant], environment=environment)
            if b"granted" in done.output:
                break
            assert time.monotonic() < deadline, done.output
            time.sleep(0.5)
        yield address
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def host(machine: Machine) -> t.Iterator[dict[str, t.Any]]:
    """How the host is reached that the containers shall run on."""
    made = debian13.Host(machine.home)
    yield made.variables()
    made.remove()


def write_own_values(machine: Machine, inventory: Path, address: str, host: dict[str, t.Any]) -> None:
    """What a user has to write: the host's address, the database, the secrets; and how fast the emulator shall be."""
    hosts = checkout.load(inventory / "hosts.yml")
    hosts["all"]["hosts"] = {"wa-1": {**host, "wa_address": address, "rack": "a"}}
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    given = inventory / "group_vars" / "all"
    own = {
        "wa_db_host": address, "wa_db_port": PORT, "wa_registration_code": "123456",
        "wa_cluster_name": NAME, "wa_name_prefix": NAME, "wa_network": NAME, "wa_media": NAME + "Media",
        "wa_webapp_port": PORT + 90, "wa_coreapp_port": PORT + 100, "wa_master_port": PORT + 200,
        "wa_disk_free_mb": 100, "wa_extra_environment": {"WAEMU_TIME_DIVISOR": "10"},
    }  # fmt: skip
    (given / "own.yml").write_text(yaml.safe_dump(own))
    (given / "vault.yml").write_text(yaml.safe_dump(SECRETS))
    (machine.home / "password").write_text(VAULT_PASSWORD)
    vault = ["--vault-password-file", str(machine.home / "password")]
    sealed = machine.run("ansible-vault", "encrypt", *vault, str(given / "vault.yml"))
    assert sealed.code == OK, sealed.output


@pytest.mark.thorough
def test_the_example_becomes_a_healthy_cluster(machine: Machine, database: str, host: dict[str, t.Any]) -> None:
    inventory = machine.inventory("single")
    write_own_values(machine, inventory, database, host)
    vault = ["--vault-password-file", str(machine.home / "password")]
    try:
        first = machine.play("site", inventory, *vault)
        assert first.code == OK, first.output
        again = machine.play("site", inventory, *vault)
        assert (again.code, set(again.changes.values())) == (OK, {0}), again.output
        status = machine.play("status", inventory, *vault)
        assert status.code == OK, status.output
        assert NAME + "-webapp-1" in status.output
        outputs = first.output + again.output + status.output
        assert {name for name, value in SECRETS.items() if value in outputs} == set()
    finally:
        removed = machine.play("uninstall", inventory, *vault, "-e", "confirm=yes", "-e", "wa_remove_data=true")
        shutil.rmtree(inventory)
    assert removed.code == OK, removed.output
