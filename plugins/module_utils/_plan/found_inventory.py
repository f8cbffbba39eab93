# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that describes nodes of compose files as they are. Internal to waent.fleet: may change. Pure.

Placing the nodes of that inventory gives the nodes that were found, on their hosts, with their ports and stores. Names
are ours: nobody looks a node up by the name of its container. What cannot be kept moves, and says so: ports that others
did not use anyway, or that do not lie as far apart as this collection lays them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.found import (
    OWN_OF_A_NODE,
    TLS_FILES,
    Environments,
    choose,
    found_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import means_this_machine, names_a_host
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    CORE_KINDS,
    DATABASE_PORT,
    DEFAULT_PORTS,
    KINDS,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, ports_of
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME, OWN_ENVIRONMENT
from ansible_collections.waent.fleet.plugins.module_utils._state.found import FoundNode, Observed, found_nodes

Variables = t.Mapping[str, t.Any]

OF_COMPOSE = frozenset(("ORCHESTRATION", "WA_RUNNING_ENV_VERSION"))
"""Variables by which the compose files say that they are what started a node."""

OF_HOSTS = ("wa_address", "wa_api_address", "rack")
"""Variables of a host that are taken over beside how Ansible connects to it."""

CONNECTION = (
    "ansible_host", "ansible_port", "ansible_user", "ansible_connection", "ansible_become", "ansible_become_method",
    "ansible_become_user", "ansible_python_interpreter", "ansible_ssh_private_key_file", "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
)  # fmt: skip
"""How Ansible reaches a host, without secrets: taken over as it is."""

COUNTRY_CODES_OF_TWO = frozenset((
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
))  # fmt: skip
"""Country codes with two digits; 1 and 7 have one, all others three (ITU-T E.164)."""

SHIFT = 100
"""How far further on ports are looked for, where what is usual is taken."""


@dataclass(frozen=True)
class HostFacts:
    """What is known of a host besides. addresses: its own, the best first. variables: those that the user has set."""

    addresses: tuple[str, ...] = ()
    variables: Variables = field(default_factory=dict)


@dataclass(frozen=True)
class FoundInventory:
    """An inventory. hosts: variables by host. groups: hosts by kind. variables: of the cluster, by name; comments: what
    is said above one. secrets: variables that nobody else may read. missing: names of those that the user has to write.
    notes: what the reader should know before acting on it.
    """

    hosts: Variables
    groups: t.Mapping[str, t.Sequence[str]]
    variables: Variables
    comments: t.Mapping[str, str]
    secrets: Variables
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def addresses_of(facts: t.Mapping[str, t.Any]) -> list[str]:
    """A host's own addresses from its network facts, the best first: of its default route, of the engine's bridge."""
    bridge = (facts.get("ansible_docker0") or {}).get("ipv4") or {}
    found = [(facts.get("ansible_default_ipv4") or {}).get("address"), bridge.get("address")]
    return [str(address) for address in found if address]


def describe(
    observed: t.Sequence[Observed],
    environments: Environments,
    hosts: t.Mapping[str, HostFacts],
    database: t.Mapping[str, t.Any],
    given: Variables,
) -> tuple[FoundInventory | None, list[Problem]]:
    """The inventory, or why there is none. database: what wa_database_info returned as C(database), empty without.

    given: public variables that the user has set, by name; they are kept as they are.
    """
    nodes, problems = choose(
        [node for host in observed for node in found_nodes(host)],
        [host["name"] for host in observed],
        given.get("wa_db_name_prefix"),
    )
    problems += found_problems(nodes, observed, environments, given)
    shards = _shards(nodes, database, given)
    if nodes and shards is None:
        problems.append(_shards_unknown())
    if problems or not nodes or shards is None:
        return None, problems
    environments = {key: value for key, value in environments.items() if key in {(n.host, n.name) for n in nodes}}
    layout = {host["name"]: _layout(host, [n for n in nodes if n.host == host["name"]]) for host in observed}
    return _inventory(nodes, layout, environments, hosts, database, shards, given), []


def _shards(nodes: t.Sequence[FoundNode], database: t.Mapping[str, t.Any], given: Variables) -> int | None:
    read = whole_number(given.get("wa_shards")) or database.get("configured_shards")
    return 1 if nodes and nodes[0].single else read


def _shards_unknown() -> Problem:
    message = (
        "How many shards the cluster has is not known, as its database could not be read from here; set"
        " wa_db_check_host and wa_db_check_port to where this machine reaches it, or wa_shards to their number."
    )
    return Problem("FOUND_SHARDS_UNKNOWN", message, "wa_shards")


# Ports


class Layout(t.NamedTuple):
    """The nodes of one host. ports: first port by kind. kept: the kinds whose nodes have the ports they had."""

    counts: dict[str, int]
    ports: dict[str, int]
    kept: frozenset[str]


def first_port(nodes: t.Sequence[FoundNode]) -> int | None:
    """The first port from which the nodes of one kind on a host lie as this collection lays them; None where not."""
    if not nodes or not all(node.keeps_ports for node in nodes):
        return None
    first = min(node.ports[0] for node in nodes)
    kind = nodes[0].kind
    laid = [ports_of(Slot("", kind, index), {kind: first}) for index in range(1, len(nodes) + 1)]
    return first if sorted(node.ports for node in nodes) == laid else None


def _layout(observed: Observed, nodes: t.Sequence[FoundNode]) -> Layout:
    by_kind = {kind: [node for node in nodes if node.kind == kind] for kind in KINDS}
    counts = {kind: len(found) for kind, found in by_kind.items() if found}
    kept = {kind: first for kind, first in ((kind, first_port(by_kind[kind])) for kind in KINDS) if first}
    # A single instance gets what high availability needs besides.
    single = bool(nodes) and nodes[0].single
    room = {**counts, **(dict.fromkeys(CORE_KINDS, 2) if single else {})}
    lacking = {kind: count for kind, count in room.items() if kind not in kept}
    names = {node.name for node in nodes}
    taken = {entry["port"] for entry in observed["listeners"] if entry["container"] not in names}
    taken |= {port for kind, first in kept.items() for port in _range(kind, first, counts[kind])}
    shift = 0
    while any(taken & set(_range(kind, DEFAULT_PORTS[kind] + shift, count)) for kind, count in lacking.items()):
        shift += SHIFT
    moved = {kind: DEFAULT_PORTS[kind] + shift for kind in lacking}
    return Layout(counts, {**kept, **moved}, frozenset(kept))


def _range(kind: str, first: int, count: int) -> set[int]:
    """The ports of so many nodes of a kind."""
    return {port for index in range(1, count + 1) for port in ports_of(Slot("", kind, index), {kind: first})}


# The inventory


def _inventory(
    nodes: t.Sequence[FoundNode],
    layout: t.Mapping[str, Layout],
    environments: Environments,
    hosts: t.Mapping[str, HostFacts],
    database: t.Mapping[str, t.Any],
    shards: int,
    given: Variables,
) -> FoundInventory:
    single = nodes[0].single
    names = [name for name, found in layout.items() if sum(found.counts.values())]
    comments: dict[str, str] = {}
    of_hosts = {
        name: _host(layout[name], [n for n in nodes if n.host == name], hosts.get(name, HostFacts()), single)
        for name in names
    }
    groups = {kind: [name for name in names if single or layout[name].counts.get(kind)] for kind in KINDS}
    variables: dict[str, t.Any] = {"wa_version": str(nodes[0].version), "wa_shards": shards, "wa_survive": {}}
    variables.update(_availability(nodes, shards, comments))
    variables.update(_images(nodes))
    variables.update(_stores(nodes, of_hosts, comments))
    variables.update(_networks(nodes, comments))
    where, secrets = _database(nodes, environments, of_hosts, hosts, comments)
    variables.update(where)
    secrets.update(_environment(environments))
    variables.update(_number(database, given, comments))
    variables.update({name: value for name, value in given.items() if not _is_secret(name)})
    secrets.update({name: value for name, value in given.items() if _is_secret(name)})
    missing = _missing(variables, secrets, layout)
    variables = {name: variables[name] for name in variables if name not in missing}
    return FoundInventory(
        of_hosts, groups, variables, comments, secrets, missing, tuple(_notes(nodes, layout, single, missing))
    )


def _is_secret(name: str) -> bool:
    return name in BY_NAME and BY_NAME[name].secret


def _missing(variables: Variables, secrets: Variables, layout: t.Mapping[str, Layout]) -> tuple[str, ...]:
    """What no container and no database says, and the nodes need to be worked with."""
    needed = ["wa_cc", "wa_phone_number", "wa_cert", "wa_admin_password"]
    if sum(one.counts.get("webapp", 0) for one in layout.values()) > 1:
        needed.append("wa_jwt_key")
    return tuple(name for name in needed if not (variables.get(name) or secrets.get(name)))


def _address(nodes: t.Sequence[FoundNode], facts: HostFacts) -> str | None:
    """By which the nodes of other hosts reach this one."""
    said = facts.variables.get("wa_address")
    if said:
        return str(said)
    cores = [node for node in nodes if node.kind in CORE_KINDS]
    kept = sorted({node.address for node in cores or nodes if node.keeps_ports and node.address})
    if kept:
        return kept[0]
    connected = str(facts.variables.get("ansible_host") or "")
    candidates = [connected, *facts.addresses]
    return next((one for one in candidates if names_a_host(one) and not means_this_machine(one)), None)


def _host(layout: Layout, nodes: t.Sequence[FoundNode], facts: HostFacts, single: bool) -> dict[str, t.Any]:
    found = {key: facts.variables[key] for key in CONNECTION if key in facts.variables}
    address = _address(nodes, facts)
    found.update({"wa_address": address} if address else {})
    found.update({key: facts.variables[key] for key in OF_HOSTS[1:] if facts.variables.get(key)})
    counts = {} if single else layout.counts
    found.update({"wa_{0}s".format(kind): count for kind, count in counts.items() if count})
    usual = {kind: first for kind, first in layout.ports.items() if first != DEFAULT_PORTS[kind]}
    found.update({"wa_{0}_port".format(kind): first for kind, first in usual.items()})
    bound = sorted({address for node in nodes for address in node.bound})
    if len(bound) == 1 and all(node.bound for node in nodes):
        found["wa_publish_address"] = bound[0]
    return found


def _availability(nodes: t.Sequence[FoundNode], shards: int, comments: dict[str, str]) -> dict[str, t.Any]:
    counts = {kind: sum(node.kind == kind for node in nodes) for kind in KINDS}
    if nodes[0].single or (counts["master"] >= 2 and counts["coreapp"] > shards):
        return {}
    comments["wa_allow_no_ha"] = "{0} and {1} for {2}: nobody takes over when one is lost.".format(
        amount(counts["master"], "master"), amount(counts["coreapp"], "coreapp"), amount(shards, "shard")
    )
    return {"wa_allow_no_ha": True}


def _images(nodes: t.Sequence[FoundNode]) -> dict[str, str]:
    kinds = {"webapp": "web", "coreapp": "coreapp"}
    images = {one: next((node.image for node in nodes if node.kind == one), "") for one in kinds}
    images["coreapp"] = images["coreapp"] or next(node.image for node in nodes if node.kind == "master")
    registries = {image[: -len("/" + kinds[one])] for one, image in images.items() if image.endswith("/" + kinds[one])}
    if len(registries) == 1 and all(image.endswith("/" + kinds[one]) for one, image in images.items()):
        return {"wa_image_registry": registries.pop()}
    return {"wa_{0}_image".format(one): image for one, image in images.items() if image}


def _stores(
    nodes: t.Sequence[FoundNode], of_hosts: t.Mapping[str, dict[str, t.Any]], comments: dict[str, str]
) -> dict[str, t.Any]:
    """One for all where all hosts have the same, else each host its own."""
    found: dict[str, t.Any] = {}
    for key, variable in (("media", "wa_media"), ("data", "wa_data")):
        stores = {node.host: getattr(node, key) for node in nodes if getattr(node, key)}
        if len(set(stores.values())) == 1 and set(stores) == set(of_hosts):
            found[variable] = next(iter(stores.values()))
            comments[variable] = "As it is: what is in it stays."
        else:
            for host, store in stores.items():
                of_hosts[host][variable] = store
    return found


def _networks(nodes: t.Sequence[FoundNode], comments: dict[str, str]) -> dict[str, t.Any]:
    """Nodes that find each other by names of a network have to be in it for as long as some of them are left."""
    found: dict[str, t.Any] = {}
    inside = [node for node in nodes if node.kind != "webapp" and not node.single and not node.keeps_ports]
    if inside:
        found["wa_network"] = inside[0].network
        comments["wa_network"] = (
            "The network of the compose file: by its names nodes that are not adopted yet are found."
        )
    extra: dict[str, str] = {}
    for node in nodes:
        extra.update(node.extra_hosts)
    if extra:
        found["wa_extra_hosts"] = dict(sorted(extra.items()))
    return found


def _database(
    nodes: t.Sequence[FoundNode],
    environments: Environments,
    of_hosts: t.Mapping[str, dict[str, t.Any]],
    hosts: t.Mapping[str, HostFacts],
    comments: dict[str, str],
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    database = nodes[0].database
    first = next((one for one in environments.values() if one.get("WA_DB_USERNAME")), {})
    found: dict[str, t.Any] = {"wa_db_engine": first.get("WA_DB_ENGINE") or "MYSQL"}
    found["wa_db_host"], found["wa_db_port"] = database.host, database.port or DATABASE_PORT
    if database.container:
        found["wa_db_host"] = of_hosts[database.host].get("wa_address") or database.host
        found.update(database_check(hosts.get(database.host, HostFacts())))
        comments["wa_db_host"] = (
            "Container {0} of {1}, by the port that its host publishes. It stays as it is, with the compose file."
        ).format(database.container, database.host)
    found["wa_db_username"] = first.get("WA_DB_USERNAME") or ""
    found["wa_db_name_prefix"] = database.prefix
    idle = [whole_number(one.get("WA_DB_CONNECTION_IDLE_TIMEOUT")) for one in environments.values()]
    if any(idle):
        found["wa_db_idle_timeout_ms"] = next(value for value in idle if value)
    return found, {"wa_db_password": first.get("WA_DB_PASSWORD") or ""}


def reading_access(
    observed: t.Sequence[Observed],
    environments: Environments,
    hosts: t.Mapping[str, HostFacts],
    given: Variables,
) -> dict[str, t.Any]:
    """The variables by which the database of the nodes is read, before there is an inventory; empty where not known."""
    if not observed:
        return {}
    nodes, problems = choose(
        [node for host in observed for node in found_nodes(host)],
        [host["name"] for host in observed],
        given.get("wa_db_name_prefix"),
    )
    if problems or (nodes[0].database.container and not nodes[0].database.port and "wa_db_host" not in given):
        return {}
    chosen = {(node.host, node.name) for node in nodes}
    mine = {key: value for key, value in environments.items() if key in chosen}
    of_hosts = {
        name: _host(Layout({}, {}, frozenset()), [n for n in nodes if n.host == name], facts, False)
        for name, facts in hosts.items()
    }
    found, secrets = _database(nodes, mine, of_hosts, hosts, {})
    found = {"wa_db_check_host": found["wa_db_host"], "wa_extra_hosts": {}, **found, **secrets, **given}
    found.update({"wa_db_check_port": found["wa_db_port"]} if "wa_db_check_port" not in given else {})
    return {**dict.fromkeys(("wa_db_ssl_ca", "wa_db_ssl_cert", "wa_db_ssl_key"), ""), **found}


def database_check(facts: HostFacts) -> dict[str, t.Any]:
    """How this machine reaches a database whose port a host publishes, where not as the nodes do."""
    connected = str(facts.variables.get("ansible_host") or "")
    if facts.variables.get("ansible_connection") == "local":
        connected = connected or "127.0.0.1"
    return {"wa_db_check_host": connected} if connected and names_a_host(connected) else {}


def _environment(environments: Environments) -> dict[str, t.Any]:
    """What else nodes were given. It may hold secrets, so all of it is kept with them."""
    secrets: dict[str, t.Any] = {}
    extra: dict[str, str] = {}
    for values in environments.values():
        for name, value in values.items():
            variable = OWN_ENVIRONMENT.get(name)
            if variable in ("wa_api_key", "wa_jwt_key") and value:
                secrets[str(variable)] = value
            if name not in OWN_ENVIRONMENT and name not in OWN_OF_A_NODE | OF_COMPOSE | set(TLS_FILES):
                extra[name] = value
    return {**secrets, **({"wa_extra_environment": dict(sorted(extra.items()))} if extra else {})}


def country_code(number: str) -> str:
    """The country code with which a number begins."""
    if number[:1] in ("1", "7"):
        return number[:1]
    return number[:2] if number[:2] in COUNTRY_CODES_OF_TWO else number[:3]


def _number(database: t.Mapping[str, t.Any], given: Variables, comments: dict[str, str]) -> dict[str, t.Any]:
    number = database.get("registered_number")
    if not number:
        return {}
    code = str(given.get("wa_cc") or country_code(number))
    if not number.startswith(code):
        return {}
    comments["wa_cc"] = "The number that the database says is registered."
    return {"wa_cc": code, "wa_phone_number": number[len(code) :]}


def _notes(
    nodes: t.Sequence[FoundNode], layout: t.Mapping[str, Layout], single: bool, missing: t.Sequence[str]
) -> t.Iterator[str]:
    counts = [amount(sum(node.kind == kind for node in nodes), kind) for kind in ("webapp", "master", "coreapp")]
    if single:
        yield (
            "Found: a single instance on {0}. High availability needs 2 masters and 2 coreapps at least; they are"
            " placed on the hosts of wa_master_hosts and wa_coreapp_hosts, so add hosts there, or leave all on one."
        ).format(enumerate_all(sorted({node.host for node in nodes})))
    else:
        yield "Found: {0} on {1}.".format(enumerate_all(counts), enumerate_all(sorted({node.host for node in nodes})))
    for host, found in layout.items():
        moved = [kind for kind in KINDS if found.counts.get(kind) and kind not in found.kept]
        if moved and not single:
            yield "{0}: the ports of its {1} change, to those from {2}.".format(
                host,
                enumerate_all(kind + "s" for kind in moved),
                enumerate_all("{0} for {1}s".format(found.ports[kind], kind) for kind in moved),
            )
    stopped = [node for node in nodes if not node.runs]
    if stopped:
        yield "These do not run, and count as nodes all the same: {0}.".format(
            enumerate_all("{0} on {1} ({2})".format(node.name, node.host, node.state) for node in stopped)
        )
    if not any(node.media for node in nodes):
        yield "No node has a media store; this collection gives them one, wa_media."
    if missing:
        yield "Still to be written: {0}.".format(enumerate_all(missing))
