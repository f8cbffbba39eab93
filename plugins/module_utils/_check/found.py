# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps nodes of compose files from being described as an inventory. Internal to waent.fleet: may change. Pure.

Each sentence says what is there, why that cannot be written down, and what to do about it. Of an environment it names
variables, never their values.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, SINGLE_CORE, advertised
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._state.found import (
    Database,
    FoundNode,
    Observed,
    database_of,
)

Environments = t.Mapping[t.Tuple[str, str], t.Mapping[str, str]]
"""The environment of each node, by host and name of its container, without what its image brings along."""

OWN_OF_A_NODE = frozenset(
    (*(name for kind in KINDS for name in advertised(kind)), "WA_APP_MULTICONNECT", "WA_MASTER_NODE", SINGLE_CORE)
)
"""Variables that may well differ from node to node."""

TLS_FILES = ("WA_DB_SSL_CA", "WA_DB_SSL_CERT", "WA_DB_SSL_KEY")


def database_text(database: Database) -> str:
    """A database in words: C(container x of rack-a-1), C(db.example.com:3306 with the prefix b_)."""
    where = "container {0} of {1}".format(database.container, database.host) if database.container else ""
    where = where or "{0}:{1}".format(database.host or "no host", database.port)
    return where + (" with the prefix {0}".format(database.prefix) if database.prefix else "")


def found_problems(
    nodes: t.Sequence[FoundNode], observed: t.Iterable[Observed], environments: Environments, given: t.Container[str]
) -> list[Problem]:
    """Everything. nodes: of one database, as C(choose) returns them. given: names of variables that are set."""
    observed = list(observed)
    if not nodes:
        return []
    return [
        *_managed(observed, nodes[0].database),
        *_addresses(nodes),
        *_modes(nodes),
        *_versions(nodes),
        *_images(nodes),
        *_stores(nodes),
        *_networks(nodes),
        *_database(nodes[0].database, environments, given),
        *_environments(nodes, environments),
        *_shape(nodes),
    ]


def unread_problems(unread: t.Mapping[str, str]) -> list[Problem]:
    """Unknown is not absent: a host that was not read may have nodes of the cluster."""
    message = (
        "The host could not be read{0}, so which nodes it has is not known; have it answer, or leave it out of"
        " wa_adopt_hosts where it has none."
    )
    return [
        Problem("HOST_NOT_READ", message.format(" ({0})".format(why) if why else ""), "wa_adopt_hosts", None, host)
        for host, why in unread.items()
    ]


def choose(
    nodes: t.Sequence[FoundNode], hosts: t.Sequence[str], prefix: str | None = None
) -> tuple[list[FoundNode], list[Problem]]:
    """The nodes of the one cluster there is. prefix: of its database, where the user has named one."""
    mine = [node for node in nodes if prefix is None or node.database.prefix == prefix]
    databases = sorted({node.database for node in mine})
    if len(databases) > 1:
        message = (
            "There are nodes of {0} databases: {1}. One inventory describes one cluster: name only the hosts of one in"
            " wa_adopt_hosts, or say which prefix its databases have with wa_db_name_prefix."
        ).format(len(databases), enumerate_all(database_text(one) for one in databases))
        return [], [Problem("FOUND_SEVERAL_CLUSTERS", message, "wa_db_name_prefix", prefix)]
    if not mine:
        which = "" if prefix is None else " whose databases have the prefix {0!r}".format(prefix)
        message = (
            "There is no container of the client{0} that this collection has not started itself on {1}; name the hosts"
            " in wa_adopt_hosts on which docker-compose has started some."
        ).format(which, enumerate_all(hosts))
        return [], [Problem("FOUND_NOTHING", message, "wa_adopt_hosts")]
    return mine, []


def _named(nodes: t.Iterable[FoundNode]) -> str:
    return enumerate_all("{0} on {1}".format(node.name, node.host) for node in nodes)


def _managed(observed: t.Iterable[Observed], database: Database) -> list[Problem]:
    """Nodes of ours on the same database: what is found besides is what an adoption has left to do."""
    managed = [
        (container["cluster"], container["name"])
        for host in observed
        for container in host["containers"]
        if container["cluster"] is not None
        and container["kind"] in KINDS
        and database_of(host["name"], container, host["containers"]) == database
    ]
    if not managed:
        return []
    message = (
        "{0} on the same database {1} to the cluster {2} already: the adoption has begun. Go on with the inventory that"
        " was written for it; it is not written again."
    ).format(
        enumerate_all(name for _cluster, name in managed), "belongs" if len(managed) == 1 else "belong", managed[0][0]
    )
    return [Problem("FOUND_MANAGED", message, "wa_adopt_hosts")]


def _modes(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    single = [node for node in nodes if node.single]
    if not single or len(single) == len(nodes):
        return []
    message = (
        "{0} are halves of a single instance, and {1} of a cluster, on one database: they evict each other, and the"
        " number is banned. Stop those that are not meant, and remove their containers."
    ).format(_named(single), _named(node for node in nodes if not node.single))
    return [Problem("FOUND_MODES_DIFFER", message)]


def _versions(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    unknown = [node for node in nodes if node.version is None]
    if unknown:
        message = "The image of {0} has no tag with a version, such as v2.19.4; start {1} from one that has it.".format(
            _named(unknown), "it" if len(unknown) == 1 else "them"
        )
        return [Problem("FOUND_VERSION_UNKNOWN", message, "wa_version")]
    versions = sorted({node.version for node in nodes if node.version})
    if len(versions) < 2:
        return []
    message = "The nodes have the versions {0}; an inventory has one. Bring all to one of them first: {1}.".format(
        enumerate_all(map(str, versions)), _named(node for node in nodes if node.version != versions[-1])
    )
    return [Problem("FOUND_VERSIONS_DIFFER", message, "wa_version")]


def _images(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    found = []
    for what, kinds in (("web", ("webapp",)), ("coreapp", ("master", "coreapp"))):
        images = sorted({node.image for node in nodes if node.kind in kinds})
        if len(images) > 1:
            message = "The nodes are made from different images, {0}; an inventory has one as wa_{1}_image.".format(
                enumerate_all(images), {"web": "webapp"}.get(what, what)
            )
            found.append(
                Problem("FOUND_IMAGES_DIFFER", message, "wa_{0}_image".format({"web": "webapp"}.get(what, what)))
            )
    return found


def _stores(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    """All nodes of a host have to write to the same media store, whatever it is called on the next host."""
    found = []
    for host in sorted({node.host for node in nodes}):
        for key, variable in (("media", "wa_media"), ("data", "wa_data")):
            stores = sorted({getattr(node, key) for node in nodes if node.host == host} - {""})
            if len(stores) > 1:
                message = (
                    "The nodes here have {0} as their {1} store; a host has one, as {2}. Have them use one of them."
                ).format(enumerate_all(stores), key, variable)
                found.append(Problem("FOUND_STORES_DIFFER", message, variable, None, host))
    return found


def _networks(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    odd = [node for node in nodes if node.network in ("host", "none") or node.network.startswith("container:")]
    if odd:
        message = (
            "{0} {1} no network of Docker's ({2}), and this collection puts nodes into one and publishes their ports."
        ).format(_named(odd), "has" if len(odd) == 1 else "have", enumerate_all(sorted({node.network for node in odd})))
        return [Problem("FOUND_NETWORK", message, "wa_network")]
    found = []
    inside = [node for node in nodes if node.kind != "webapp" and not node.single and not node.keeps_ports]
    hosts = sorted({node.host for node in nodes})
    if inside and len(hosts) > 1:
        message = (
            "{0} advertise{1} ports that are not those of the host: {2} of other hosts cannot reach {3}. Publish four"
            " ports in a row, and name the same ones in COREAPP_EXTERNAL_PORTS."
        ).format(_named(inside), "s" if len(inside) == 1 else "", "nodes", "it" if len(inside) == 1 else "them")
        found.append(Problem("FOUND_PORTS", message, "wa_coreapp_port"))
    networks = sorted({node.network for node in inside})
    if len(networks) > 1:
        message = "The nodes find each other in different networks, {0}; a host has one as wa_network.".format(
            enumerate_all(networks)
        )
        found.append(Problem("FOUND_NETWORK", message, "wa_network"))
    return found


def _addresses(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    """A host is advertised by one address."""
    found = []
    for host in sorted({node.host for node in nodes}):
        kept = (node for node in nodes if node.host == host and node.kind != "webapp" and node.keeps_ports)
        addresses = sorted({node.address for node in kept})
        if len(addresses) > 1:
            message = "The nodes here advertise {0}; a host has one address, as wa_address. Give all the same.".format(
                enumerate_all(addresses)
            )
            found.append(Problem("FOUND_ADDRESSES_DIFFER", message, "wa_address", None, host))
    return found


def _database(database: Database, environments: Environments, given: t.Container[str]) -> list[Problem]:
    if database.container and not database.port and "wa_db_host" not in given:
        message = (
            "The database runs in container {0}, which publishes no port, so nodes outside its network cannot reach it;"
            " publish its port in the compose file and start it again, or set wa_db_host and wa_db_port to where it"
            " can be reached."
        ).format(database.container)
        return [Problem("FOUND_DATABASE_HIDDEN", message, "wa_db_host", None, database.host)]
    used = sorted({name for one in environments.values() for name in TLS_FILES if one.get(name)})
    if used and "wa_db_ssl_ca" not in given:
        message = (
            "The nodes reach the database with TLS ({0}), whose files are in their containers; copy them to the machine"
            " that runs Ansible, and name them in wa_db_ssl_ca, wa_db_ssl_cert and wa_db_ssl_key."
        ).format(enumerate_all(used))
        return [Problem("FOUND_DATABASE_TLS", message, "wa_db_ssl_ca")]
    return []


def _environments(nodes: t.Sequence[FoundNode], environments: Environments) -> list[Problem]:
    """All nodes of a cluster have the same environment, but for what is each one's own."""
    values: dict[str, set[str]] = {}
    for node in nodes:
        for name, value in environments.get((node.host, node.name), {}).items():
            values.setdefault(name, set()).add(value)
    # Which database it is was compared as what it is: a link may have another name on each node.
    differ = sorted(
        name
        for name, found in values.items()
        if len(found) > 1 and name not in OWN_OF_A_NODE and name not in ("WA_DB_HOSTNAME", "WA_DB_PORT")
    )
    if not differ:
        return []
    message = "{0} {1} another value on some nodes; an inventory has one for all. Give all nodes the same.".format(
        enumerate_all(differ), "has" if len(differ) == 1 else "have"
    )
    return [Problem("FOUND_ENVIRONMENT_DIFFERS", message, "wa_extra_environment")]


def _shape(nodes: t.Sequence[FoundNode]) -> list[Problem]:
    """A cluster without a webapp has no API, one without a master nobody who gives out shards."""
    kinds = {node.kind for node in nodes}
    needed = ("webapp", "coreapp") if nodes[0].single else KINDS
    lacks = [kind for kind in needed if kind not in kinds]
    if not lacks:
        return []
    message = (
        "There is no {0} on these hosts; name the hosts that run the rest of the cluster in wa_adopt_hosts.".format(
            " and no ".join(lacks)
        )
    )
    return [Problem("FOUND_INCOMPLETE", message, "wa_adopt_hosts")]
