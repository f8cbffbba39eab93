# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the acceptance tests check: the containers of a cluster, read on its hosts, and its API.

They read the hosts and the product's API, never through the collection: a mistake of ours must not hide itself.

    pytest --connection=ansible --ansible-inventory=inventories/local tests/acceptance/desired_state
"""

from __future__ import annotations

import json
import typing as t
from collections import Counter

import jinja2
import pytest
from ansible_collections.waent.fleet.tests.support.product_api import Api
from testinfra.utils.ansible_runner import AnsibleRunner
from waemu.probe import Options, Probe

LABEL = "waent.fleet.cluster"
KINDS = ("webapp", "master", "coreapp")
PROBE_SECONDS = 3600
"""Longer than any test: a probe is stopped."""

# Hosts whose inventory does not say what they must run: one machine with everything on it.
ONE_OF_EVERYTHING = {"webapp": 1, "master": 2, "coreapp": 2}


class Variables:
    """Inventory variables of one host, templates in them resolved, role defaults not among them."""

    def __init__(self, raw: t.Mapping[str, t.Any]) -> None:
        self._raw = raw

    def get(self, name: str, default: t.Any = None) -> t.Any:
        """The variable's value, or the default where the inventory does not have it."""
        return self._filled(self._raw.get(name, default))

    def _filled(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: self._filled(entry) for key, entry in value.items()}
        if isinstance(value, str) and "{{" in value:
            return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(value).render(self._raw)
        return value

    def __getitem__(self, name: str) -> t.Any:
        if name not in self._raw:
            raise KeyError(name)
        return self.get(name)


class Container:
    """One container as C(docker inspect) shows it."""

    def __init__(self, inspected: t.Mapping[str, t.Any]) -> None:
        self.inspected = inspected
        self.name: str = inspected["Name"].lstrip("/")
        self.labels: dict[str, str] = inspected["Config"]["Labels"] or {}
        self.kind: str = self.labels.get("waent.fleet.kind", "")
        self.environment = dict(pair.split("=", 1) for pair in inspected["Config"]["Env"])

    @property
    def published(self) -> dict[int, int]:
        """Container port to host port."""
        found: dict[int, int] = {}
        for inside, bindings in (self.inspected["NetworkSettings"]["Ports"] or {}).items():
            outside = {int(binding["HostPort"]) for binding in bindings or []}
            if outside:
                (found[int(inside.split("/")[0])],) = outside
        return found

    def mount(self, target: str) -> dict[str, t.Any]:
        """The mount at this path of the container; KeyError where there is none."""
        for mount in self.inspected["Mounts"]:
            if mount["Destination"] == target:
                found: dict[str, t.Any] = mount
                return found
        raise KeyError(target)


class Machine:
    """One host of the inventory. shell: testinfra's way onto it."""

    def __init__(self, name: str, shell: t.Any, variables: Variables) -> None:
        self.name, self.shell, self.variables = name, shell, variables

    @property
    def address(self) -> str:
        """What other nodes reach this host by; the first half of its nodes' keys in health."""
        return str(self.variables.get("wa_address", self.name))

    @property
    def expected_nodes(self) -> Counter[str]:
        """How many nodes of each kind it must run, as the scenario says it in so many words."""
        return Counter(self.variables.get("test_expected_nodes", ONE_OF_EVERYTHING))

    def containers(self) -> list[Container]:
        """All containers of the cluster, stopped ones included, read now."""
        label = "{0}={1}".format(LABEL, self.variables.get("wa_cluster_name", "waent"))
        ids = self.shell.check_output("docker ps --all --quiet --filter label=%s", label).split()
        if not ids:
            return []
        return [Container(one) for one in json.loads(self.shell.check_output("docker inspect " + " ".join(ids)))]


class Cluster:
    """All hosts of the inventory, for tests that are about the cluster and not about one host."""

    def __init__(self, inventory: str | None) -> None:
        self.inventory = inventory
        self._runner = AnsibleRunner.get_runner(inventory)

    def machine(self, name: str) -> Machine:
        """One host by its name in the inventory."""
        return Machine(name, self._runner.get_host(name), Variables(self._runner.get_variables(name)))

    def machines(self, group: str = "wa_cluster") -> list[Machine]:
        """The hosts of a group."""
        return [self.machine(name) for name in self._runner.get_hosts(group)]

    @property
    def shards(self) -> int:
        """The desired shard count."""
        return int(self.machines()[0].variables.get("wa_shards", 1))

    @property
    def speed(self) -> float:
        """How much faster than the product's this cluster's clock runs."""
        extra = self.machines()[0].variables.get("wa_extra_environment", {})
        return float(extra.get("WAEMU_TIME_DIVISOR", 1))

    @property
    def slack(self) -> float:
        """Real seconds that the machine's own delays may add to a time of the product."""
        return float(self.machines()[0].variables.get("test_slack_seconds", 0))

    def webapps(self) -> dict[str, Machine]:
        """The machines that run one, by its URL."""
        found = [machine for machine in self.machines("wa_webapp_hosts") if machine.expected_nodes["webapp"]]
        return {"https://{0}:{1}".format(*self._api_of(machine)): machine for machine in found}

    def probe(self) -> Probe:
        """A sender of messages through all webapps, with the gateway beside the cluster as its witness."""
        variables = self.machines()[0].variables
        gateway = "http://{0}:8080".format(variables["test_gateway_address"])
        password = variables["wa_admin_password"]
        return Probe(Options(tuple(self.webapps()), gateway, password=password, seconds=PROBE_SECONDS))

    def expected_nodes(self) -> Counter[str]:
        """Nodes of the whole cluster by kind."""
        return sum((machine.expected_nodes for machine in self.machines()), Counter())

    def api(self, machine: Machine | None = None) -> Api:
        """The API of the first webapp on a host, by default on the first host that has one; not yet logged in."""
        machine = machine or self.machines("wa_webapp_hosts")[0]
        return Api(*self._api_of(machine), machine.variables["wa_admin_password"])

    @staticmethod
    def _api_of(machine: Machine) -> tuple[str, int]:
        """Address and port of its first webapp."""
        variables = machine.variables
        address = variables.get("wa_api_address", variables.get("ansible_host", machine.name))
        return address, int(variables.get("wa_webapp_port", 9090))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster of the inventory that pytest was given."""
    return Cluster(request.config.option.ansible_inventory)


@pytest.fixture(scope="module")
def machine(host: t.Any, cluster: Cluster) -> Machine:
    """The host under test."""
    return cluster.machine(host.backend.host)


@pytest.fixture(scope="module")
def variables(machine: Machine) -> Variables:
    """The inventory's variables of the host under test."""
    return machine.variables


@pytest.fixture(scope="module")
def containers(machine: Machine) -> list[Container]:
    """The cluster's containers on the host under test."""
    return machine.containers()


@pytest.fixture(scope="module")
def nodes(containers: list[Container]) -> list[Container]:
    """The cluster's nodes on the host under test: its containers without the database."""
    return [container for container in containers if container.kind in KINDS]


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> t.Iterator[Api]:
    """The cluster's API, as somebody who has the admin's password."""
    with cluster.api() as opened:
        yield opened
