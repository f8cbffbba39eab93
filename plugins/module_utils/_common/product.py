# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the product, and the names this collection gives to its parts: each of them here and nowhere else.

Internal to waent.fleet: may change in any release. Pure.
"""

from __future__ import annotations

import re
import typing as t

# Nodes and shards

KINDS = ("master", "webapp", "coreapp")
"""The kinds of node, in the order they are placed: what does not depend on the shard count comes first."""

CORE_KINDS = ("master", "coreapp")
"""Those that health shows, by their keys: both are made from the image of the coreapp."""

SHARD_COUNTS = (1, 2, 4, 8, 16, 32)
"""The shard counts the product knows (reference 3.2)."""

CONTROL_SHARD = -1
"""The shard that carries control traffic: with the owner of shard 0 in HA, with the primary master in MC."""

# Ports

CORE_PORTS, WEBAPP_PORTS, DATABASE_PORT = (6250, 6251, 6252, 6253), (443,), 3306
"""Ports inside containers; those of a coreapp or master: messaging, contacts, control, health (reference 2.2)."""

PORTS_INSIDE = {"master": CORE_PORTS, "webapp": WEBAPP_PORTS, "coreapp": CORE_PORTS}

PORTS_PER_CORE = len(CORE_PORTS)
"""So many ports a coreapp or a master publishes."""

DEFAULT_PORTS = {"coreapp": CORE_PORTS[0], "master": CORE_PORTS[-1] + 1, "webapp": 9090}
"""First host port of the first node of each kind on a host (reference 2.2)."""

# Inside of containers

MEDIA_TARGET, DATA_TARGET, DATABASE_TARGET = "/usr/local/wamedia", "/usr/local/waent/data", "/var/lib/mysql"
"""Where the stores are mounted."""

CERTS_TARGET = "/opt/certs"
"""Where the vendor's templates keep the files for TLS to the database (reference 2.3)."""

SCRIPTS = "/opt/whatsapp/bin/"
"""Where the client's images keep their start scripts (reference 2.1)."""

LAUNCH = SCRIPTS + "launch_within_docker.sh"
WAIT_FOR_DATABASE = {"MYSQL": SCRIPTS + "wait_on_mysql.sh", "PGSQL": SCRIPTS + "wait_on_postgres.sh"}

IMAGE_NAME = re.compile(r"/(web|coreapp):v[0-9]")
"""How references of the client's images end; the group is what the image runs."""

TOKEN_KEY = "WA_WEB_JWT_CRYPTO_KEY"
"""A webapp refuses the tokens of one that has another key (reference 2.4)."""

NODE_SECRET = "WA_SECRET"
"""Nodes that do not share it do not understand each other (reference 2.4)."""

DATABASE_PLACE = ("WA_DB_ENGINE", "WA_DB_HOSTNAME", "WA_DB_PORT", "WA_DB_NAME_PREFIX")
"""Variables that say which database a node has: nodes that share it are one cluster."""

SINGLE_CORE = "WACORE_HOSTNAME"
"""Where a webapp of a single instance finds its coreapp (reference 2.4)."""

_ADVERTISING = {"master": "COREAPP", "webapp": "WEBAPP", "coreapp": "COREAPP"}


def advertised(kind: str | None) -> tuple[str, ...]:
    """Names of the variables with which a node of this kind advertises its host and ports; empty for other kinds."""
    prefix = _ADVERTISING.get(kind or "")
    return (prefix + "_HOSTNAME", prefix + "_EXTERNAL_PORTS") if prefix else ()


WEB_ENVIRONMENT = (*advertised("webapp"), "WA_WEB_SERVERNAME", TOKEN_KEY)
"""Variables that a web application is given and a coreapp is not."""

# What this collection calls things on a host

LABELS = "waent.fleet."
"""How the labels begin with which this collection marks what it created: cluster, kind, version."""

LISTENER = "waent-ports"
"""Name of the process that listens for seconds where nodes are going to, by which one that a killed run has left is
known."""

TARGET_LABEL = "waent_fleet_target"
"""The version that a schema upgrade leads to."""

SCHEMA_UPGRADE = "schema-upgrade"
"""Label C(kind) of the container that upgrades the schema and ends."""

_NAME = re.compile(r"-({0})-([0-9]+)\Z".format("|".join(KINDS)))


def container_name(prefix: str, kind: str, index: int) -> str:
    """Name and host name of a node's container. prefix: C(wa_name_prefix). index: from 1, on its host."""
    return "{0}-{1}-{2}".format(prefix, kind, index)


def kind_and_index(container: str) -> tuple[str | None, int | None]:
    """The two from the name of a node's container, None where it has another form."""
    match = _NAME.search(container)
    return (match.group(1), int(match.group(2))) if match else (None, None)


def node_key(address: t.Any, container: t.Any) -> str:
    """A node's name in C(/v1/health), C(/v1/support) and the database. address: the advertised host."""
    return "{0}:{1}".format(address, container)


def planned_key(entry: t.Mapping[str, t.Any]) -> str:
    """The key of a planned node, C({name, address}), or C(host) in place of the address."""
    return node_key(entry.get("address") or entry.get("host") or "", entry.get("name") or "")
