# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that compose files have started, from what was read of their hosts. Internal to waent.fleet: may change. Pure.

C(observed) is everywhere what wa_host_info returned as C(host). A node of a compose file has no label of ours, any
name, and a host name that the engine made. Nodes that share a database are one cluster, so what sets clusters apart is
which database a node has: by its name, or, where that is the name of a container beside it, by that container.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    CORE_PORTS,
    DATA_TARGET,
    DATABASE_PORT,
    MEDIA_TARGET,
    PORTS_INSIDE,
    PORTS_PER_CORE,
    node_key,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING

Observed = t.Mapping[str, t.Any]
Container = t.Mapping[str, t.Any]


@dataclass(frozen=True, order=True)
class Database:
    """Which database nodes have.

    host: its name as they know it, in lower case; of a container beside them the inventory's name of their host. port:
    as they reach it; of a container the port of its host, 0 where it has none. container: its name, empty for a
    database that is elsewhere.
    """

    host: str
    port: int
    prefix: str = ""
    container: str = ""


@dataclass(frozen=True)
class FoundNode:
    """One node that a compose file has started, in whatever state.

    host: the inventory's name of its host. address: what it advertises, empty for a single instance. ports: of its
    host, in the order of those inside; empty where not all are published. advertised: what others know. image:
    without its tag; version: None where the tag is none. media, data: volume's name or path on the host, empty without.
    network: what it joins, C(bridge) or C(host) or a name. single: it is half of a single instance. differs: names of
    variables that are not as desired, where it was compared.
    """

    host: str
    name: str
    kind: str
    hostname: str
    address: str
    ports: tuple[int, ...]
    advertised: tuple[int, ...]
    image: str
    version: Version | None
    state: str
    media: str
    data: str
    network: str
    single: bool
    database: Database
    bound: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    extra_hosts: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name in health and in the database. A single instance advertises nothing but its own host name."""
        return node_key(self.address or self.hostname, self.hostname)

    @property
    def runs(self) -> bool:
        """Whether it may be in the middle of its work."""
        return self.state in RUNNING

    @property
    def keeps_ports(self) -> bool:
        """Whether others reach it on ports of its host, so that a container in its place can have the same."""
        if self.kind == "webapp":
            return len(self.ports) == 1
        in_a_row = tuple(range(self.ports[0], self.ports[0] + PORTS_PER_CORE)) if self.ports else ()
        return bool(self.ports) and self.ports == self.advertised == in_a_row


def found_nodes(observed: Observed) -> list[FoundNode]:
    """All of them on one host, in the order of their names. One-shot schema upgrades are none."""
    containers = observed["containers"]
    return [
        _node(observed["name"], container, containers)
        for container in containers
        if container["product"]
        and container["cluster"] is None
        and container["environment"].get("WA_DB_UPGRADE") != "1"
    ]


def _node(host: str, container: Container, containers: t.Sequence[Container]) -> FoundNode:
    environment, names = container["environment"], container["names"]
    single = environment.get("WA_APP_MULTICONNECT") != "1"
    kind = kind_of(container)
    image, _colon, tag = str(container["image"]).rpartition(":")
    return FoundNode(
        host=host,
        name=container["name"],
        kind=kind,
        hostname=names["hostname"],
        address=_address(kind, environment) if not single else "",
        ports=_ports(kind, container),
        advertised=_advertised(kind, environment),
        image=image,
        version=parse_version(tag),
        state=container["state"],
        media=container["mounts"].get(MEDIA_TARGET) or "",
        data=container["mounts"].get(DATA_TARGET) or "",
        network=_network(container),
        single=single,
        database=database_of(host, container, containers),
        bound=tuple(names["bound"]),
        differs=tuple(container["environment_differs"]),
        extra_hosts=names["extra_hosts"],
    )


def kind_of(container: Container) -> str:
    """The kind of a node that no label names."""
    if container["product"] == "web":
        return "webapp"
    return "master" if container["environment"].get("WA_MASTER_NODE") == "1" else "coreapp"


def _address(kind: str, environment: t.Mapping[str, str]) -> str:
    return environment.get("WEBAPP_HOSTNAME" if kind == "webapp" else "COREAPP_HOSTNAME") or ""


def _ports(kind: str, container: Container) -> tuple[int, ...]:
    """The ports of the host, where each of the node's own is published."""
    published = {port["container"]: port["host"] for port in reversed(container["ports"])}
    found = tuple(published[inside] for inside in PORTS_INSIDE[kind] if inside in published)
    return found if len(found) == len(PORTS_INSIDE[kind]) else ()


def _advertised(kind: str, environment: t.Mapping[str, str]) -> tuple[int, ...]:
    """COREAPP_EXTERNAL_PORTS as numbers; without it others are given the ports inside."""
    if kind == "webapp":
        return ()
    words = [word.strip() for word in (environment.get("COREAPP_EXTERNAL_PORTS") or "").split(",")]
    return tuple(int(word) for word in words) if all(word.isdigit() for word in words) else CORE_PORTS


def _network(container: Container) -> str:
    mode = container["names"]["mode"]
    if mode in ("host", "none") or mode.startswith("container:"):
        return str(mode)
    joined = container["networks"] or list(container["names"]["aliases"])
    return str(mode) if mode in joined else (str(joined[0]) if joined else str(mode))


def database_of(host: str, container: Container, containers: t.Iterable[Container]) -> Database:
    """Which database a node has. host: the inventory's name of its host. containers: all of that host."""
    environment = container["environment"]
    name = (environment.get("WA_DB_HOSTNAME") or "").lower()
    said = environment.get("WA_DB_PORT") or ""
    port = int(said) if said.isdigit() else DATABASE_PORT
    prefix = environment.get("WA_DB_NAME_PREFIX") or ""
    beside = _beside(name, container, containers)
    if beside is None:
        return Database(name, port, prefix)
    published = {entry["container"]: entry["host"] for entry in reversed(beside["ports"])}
    return Database(host, published.get(port, 0), prefix, beside["name"])


def _beside(name: str, container: Container, containers: t.Iterable[Container]) -> Container | None:
    """The container that this one finds under a name: by a link, or in a network that both have joined."""
    own = container["names"]
    linked = own["links"].get(name)
    for other in containers:
        if other["name"] == container["name"]:
            continue
        shared = (set(own["aliases"]) & set(other["names"]["aliases"])) - {"bridge"}
        known = {alias.lower() for network in shared for alias in other["names"]["aliases"][network]}
        known |= {other["name"].lower()} if shared else set()
        if other["name"] == linked or name in known:
            return other
    return None


def adopted_nodes(observed: Observed) -> list[FoundNode]:
    """Those of the cluster that is being adopted; none where nothing is.

    Only adopt.yml asks for it (C(asked.adopts), C({db_host, db_port, db_name_prefix})): for everybody else a node
    without a label is somebody else's.
    """
    asked = (observed.get("asked") or {}).get("adopts")
    if not asked:
        return []
    return [node for node in found_nodes(observed) if _is_of(node.database, asked)]


def _is_of(database: Database, asked: t.Mapping[str, t.Any]) -> bool:
    """Whether nodes with this database are of the cluster that is asked for."""
    if database.prefix != str(asked.get("db_name_prefix") or ""):
        return False
    port = str(asked.get("db_port"))
    if database.container:
        # By the port that its host publishes; of one that publishes none nobody else can know where it is.
        return str(database.port) == port or not database.port
    return (database.host, str(database.port)) == (str(asked.get("db_host")).lower(), port)
