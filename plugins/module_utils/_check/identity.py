# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number a cluster is registered for, and whose nodes live in it. Internal to waent.fleet: may change. Pure.

Nodes that share a database are one cluster, whoever started them, and one cluster has one number. So before anything
joins a database it has to be known whose it is; the same questions are answered from the API where that is all there
is to ask. What cannot be read is None: unknown is not absent, and no reason to refuse either.

A node's key is C(<advertised host>:<container host name>), as health and the database have it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, PlacedNode, cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._check.without import (
    VARIABLE,
    Signs,
    answering_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, lines_of
from ansible_collections.waent.fleet.plugins.module_utils._common.product import CORE_KINDS, node_key
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING
from ansible_collections.waent.fleet.plugins.module_utils._state.found import adopted_nodes

ALIVE_SECONDS = 75.0
"""A node that lives writes its liveness row every 60 s (reference 3.3), give or take; an older row proves no life."""

OURS, UNREAD, LEFT_OUT, GONE, OTHER = "ours", "unread", "left_out", "gone", "other"
"""Whose a node is: placed by the inventory; perhaps ours, on a host that could not be read; on a host that the run goes
on without; nobody's any more, as the host of the inventory that it names does not run it; somebody else's."""

_NAMED = 5

Row = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Inventory:
    """What is ours.

    nodes: keys of the nodes that are placed, and of our containers that exist. hosts: advertised address to the names
    of the hosts that have it. observed: what was read, by name of the host; one that was not read is missing.
    name_prefix: how names of our containers begin. left_out: names of the hosts that the run goes on without.
    """

    nodes: frozenset[str]
    hosts: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    observed: t.Mapping[str, Observed] = field(default_factory=dict)
    name_prefix: str = "wa"
    left_out: frozenset[str] = frozenset()

    def whose(self, key: str) -> str:
        """The one answer to the question whether a node is ours: OURS, UNREAD, LEFT_OUT, GONE or OTHER."""
        if key in self.nodes:
            return OURS
        address, _colon, name = key.rpartition(":")
        hosts = self.hosts.get(address, ())
        if not hosts:
            return OTHER
        if self.left_out & set(hosts):
            return LEFT_OUT
        if not all(self._was_read(host) for host in hosts):
            return UNREAD if name.startswith(self.name_prefix + "-") else OTHER
        return OTHER if self.runs_here(key) else GONE

    def runs_here(self, key: str) -> bool:
        """Whether one of our hosts was seen to run it."""
        address, _colon, name = key.rpartition(":")
        hosts = [self.observed[host] for host in self.hosts.get(address, ()) if host in self.observed]
        return any(c["state"] in RUNNING and _may_be(c, name) for host in hosts for c in host["containers"])

    def _was_read(self, host: str) -> bool:
        return host in self.observed and bool(self.observed[host]["engine"]["answers"])


def _may_be(container: t.Mapping[str, t.Any], name: str) -> bool:
    """Whether the node with this host name may be the container: one that is unmanaged may have any for its own."""
    if container["name"] == name:
        return True
    hostname = (container.get("names") or {}).get("hostname")
    return hostname == name if hostname else bool(container["product"] and not container["cluster"])


def inventory_from(
    nodes: t.Iterable[PlacedNode],
    hosts: t.Iterable[t.Mapping[str, t.Any]],
    observed: t.Iterable[Observed],
    prefix: str,
    left_out: t.Iterable[str] = (),
) -> Inventory:
    """nodes: as wa_placement returns them. hosts: C({name, address}), all of the inventory. observed: what was read."""
    read = {host["name"]: host for host in observed}
    keys = {node_key(node["address"], node["name"]) for node in nodes if node["kind"] in CORE_KINDS}
    for host in read.values():
        keys |= {node.key for node in adopted_nodes(host)}
        keys |= {
            node_key(container["environment"]["COREAPP_HOSTNAME"], container["name"])
            for container in cluster_nodes(host)
            if container["environment"].get("COREAPP_HOSTNAME")
        }
    by_address: dict[str, tuple[str, ...]] = {}
    for entry in hosts:
        address = str(entry.get("address") or entry["name"])
        by_address[address] = by_address.get(address, ()) + (entry["name"],)
    return Inventory(frozenset(keys), by_address, read, prefix, frozenset(left_out))


# --- Which number ----------------------------------------------------------------------------------------------------


def ending(number: str) -> str:
    """The last four digits: enough to know a number by, too few to give it away."""
    return number[-4:]


def number_problem(registered: str | None, desired: str | None) -> Problem | None:
    """Another number is registered than the declared one. Both are digits with country code; None: unknown."""
    if not registered or not desired or registered == desired:
        return None
    alike = " (the digits before those differ)" if ending(registered) == ending(desired) else ""
    return Problem(
        "OTHER_NUMBER_REGISTERED",
        "The cluster is registered for the number that ends in {0}, and wa_cc with wa_phone_number ends in {1}{2}; one"
        " cluster has one number. Set wa_cc and wa_phone_number to the registered number, or give the other number a"
        " database of its own with wa_db_name_prefix.".format(ending(registered), ending(desired), alike),
        "wa_phone_number",
    )


def shards_problem(
    registered: bool | None, configured: int | None, desired: int | None, may_reshard: bool = False
) -> Problem | None:
    """A cluster in service keeps its number of shards, but for reshard.yml.

    Before a number is registered there is no service: the count in the database is only where it begins, and
    whoever registers the number sets it.
    """
    if may_reshard or not registered or not configured or not desired or configured == desired:
        return None
    unfinished = ""
    if configured == 1:
        unfinished = " That also finishes a new cluster whose first run ended before its shards were set."
    return Problem(
        "SHARDS_DIFFER",
        "wa_shards is {0}, but the running cluster has {1} shard{2}. site.yml does not change that: set wa_shards to"
        " {1} in the inventory, or run {4}.{3}".format(
            desired,
            configured,
            "" if configured == 1 else "s",
            unfinished,
            instruction("shards_differ", shards=desired),
        ),
        "wa_shards",
        desired,
    )


# --- Whose nodes -----------------------------------------------------------------------------------------------------


def suspects(rows: t.Iterable[Row] | None, inventory: Inventory) -> list[str]:
    """Keys of nodes that must not live and may, by the age of their rows alone: to be watched for a sign."""
    rows = list(rows or ())
    unknown = [key for key in unknown_nodes(rows, inventory) if not inventory.runs_here(key)]
    return sorted(unknown + _young_nodes(rows, inventory, LEFT_OUT))


def unknown_nodes(rows: t.Iterable[Row] | None, inventory: Inventory) -> list[str]:
    """Keys of the nodes that are not ours and whose rows are young. rows: C({node, age_seconds}); None: not read."""
    return _young_nodes(rows or (), inventory, OTHER)


def _young_nodes(rows: t.Iterable[Row], inventory: Inventory, whose: str) -> list[str]:
    return sorted(row["node"] for row in rows if _young(row) and inventory.whose(row["node"]) == whose)


def live_unknown_nodes(nodes: t.Iterable[t.Mapping[str, t.Any]], inventory: Inventory) -> list[str]:
    """The same from the API, where a node that is alive lives, whatever was seen of its host. nodes: of the cluster."""
    return _live_nodes(nodes, inventory, (OTHER, GONE))


def _live_nodes(nodes: t.Iterable[t.Mapping[str, t.Any]], inventory: Inventory, whose: t.Container[str]) -> list[str]:
    return sorted(
        node["name"]
        for node in nodes
        if node["alive"] and ":" in node["name"] and inventory.whose(node["name"]) in whose
    )


def left_out_problems(
    inventory: Inventory,
    signs: t.Mapping[str, Signs],
    rows: t.Iterable[Row] | None,
    nodes: t.Iterable[t.Mapping[str, t.Any]],
) -> list[Problem]:
    """Hosts that the run goes on without, and that are not dead. signs: of life, by host.

    rows: of the database. nodes: of the API, empty where it was not read; what it shows is newer than the rows.
    """
    nodes = list(nodes)
    alive = _live_nodes(nodes, inventory, (LEFT_OUT,)) if nodes else _young_nodes(rows or (), inventory, LEFT_OUT)
    message = (
        "{0} is left out (" + VARIABLE + ") and does not answer Ansible, but its nodes live: {1}. They would go on with"
        " the version, the shards and the secrets that the rest of the cluster leaves behind. Switch the machine off,"
        " or cut it off from the network, and run {2}."
    )
    again = instruction("without_host_lives")
    found = answering_problems(signs)
    for host in sorted(inventory.left_out - {problem.host for problem in found}):
        keys = [key for key in alive if host in inventory.hosts.get(key.rpartition(":")[0], ())]
        keys += signs[host].webapps if host in signs else ()
        if keys:
            found.append(Problem("WITHOUT_HOST_LIVES", message.format(host, _some(keys), again), VARIABLE, host, host))
    return found


def unknown_nodes_problem(
    keys: t.Sequence[str], inventory: Inventory, rows: t.Iterable[Row] | None, database: str, name_prefix: str
) -> Problem | None:
    """Nodes that live in this cluster and are not ours, in one sentence that names both sides.

    rows: of the database, None where the API was read instead of it. database: C(host:port), for the message.
    """
    if not keys:
        return None
    home = rows is None or any(_young(row) and row["node"] in inventory.nodes for row in rows)
    prefix = "wa_db_name_prefix {0}".format(name_prefix) if name_prefix else "an empty wa_db_name_prefix"
    sides = {"others": _some(keys), "ours": _some(sorted(inventory.nodes)), "db": database, "prefix": prefix}
    if home:
        text = (
            "The inventory places no such node, yet it takes part in this cluster: {others}; the nodes of the inventory"
            " are {ours}. Add its host to the inventory, or stop its container there; if the host was retired, add it"
            " with wa_drained: true, and run {run}, which removes its nodes. If it is another number's, give that"
            " number a wa_db_name_prefix of its own (this one has {prefix})."
        )
        sides["run"] = instruction("node_unknown")
        return Problem("NODE_UNKNOWN", text.format(**sides), "wa_db_name_prefix", name_prefix)
    text = (
        "The databases at {db} with {prefix} are in use by nodes that the inventory does not place: {others}; it places"
        " {ours}, which would join their cluster. Give this number a wa_db_name_prefix of its own; if it is the same"
        " cluster, add the hosts of those nodes to the inventory, or stop their containers."
    )
    return Problem("DATABASE_OF_OTHER_CLUSTER", text.format(**sides), "wa_db_name_prefix", name_prefix)


def _young(row: Row) -> bool:
    return row["age_seconds"] is not None and row["age_seconds"] <= ALIVE_SECONDS


def _some(keys: t.Sequence[str]) -> str:
    more = ", and {0} more".format(len(keys) - _NAMED) if len(keys) > _NAMED else ""
    return (", ".join(keys[:_NAMED]) or "none") + more


# --- Together --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DesiredIdentity:
    """What is declared. number: with country code, empty for no opinion. database, name_prefix: for messages.

    left_out: signs of life, by host that the run goes on without.
    """

    number: str = ""
    shards: int | None = None
    may_reshard: bool = False
    database: str = ""
    name_prefix: str = ""
    left_out: t.Mapping[str, Signs] = field(default_factory=dict)


def problems(
    desired: DesiredIdentity, inventory: Inventory, database: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]
) -> list[Problem]:
    """Everything that speaks against acting on this cluster as if it were ours.

    database: what wa_database_info returned as C(database), cluster: what wa_cluster_health returned as C(cluster);
    empty where it was not read. What the API says now is newer than what the database said before.
    """
    registered = registration(database, cluster)
    configured = cluster.get("shards") or database.get("configured_shards")
    rows = database.get("liveness")
    alive = sorted({*unknown_nodes(rows, inventory), *live_unknown_nodes(cluster.get("nodes") or (), inventory)})
    other = number_problem(registered_number(database, cluster), desired.number)
    found = [
        other,
        unknown_nodes_problem(
            alive, inventory, None if cluster.get("nodes") else rows, desired.database, desired.name_prefix
        ),
        # How many shards another number has is none of our business, and reshard.yml would be the wrong advice.
        None if other else shards_problem(registered, configured, desired.shards, desired.may_reshard),
    ]
    return [problem for problem in found if problem is not None] + left_out_problems(
        inventory, desired.left_out, rows, cluster.get("nodes") or ()
    )


def registration(database: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]) -> bool | None:
    """Whether a number is registered; None where it is not known."""
    said = cluster.get("registered")
    said = database.get("registered") if said is None else said
    return None if said is None else bool(said)


def registered_number(database: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]) -> str | None:
    """The number that is registered, digits with country code; None where none is, or where it is not known."""
    if not registration(database, cluster):
        return None
    return cluster.get("registered_number") or database.get("registered_number") or None


def notes(
    database: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any], left_out: t.Collection[str] = ()
) -> list[str]:
    """What stays unknown, for the reader: a number that is not known is not compared. left_out: names of hosts."""
    found = []
    if cluster.get("nodes"):
        if cluster.get("registered") and registered_number(database, cluster) is None:
            found.append("Which number is registered could not be read, neither from the database nor from the API.")
        return found
    if registration(database, cluster) is None and database.get("databases") != []:
        found.append(
            "Which number is registered was not read from the database; the API is queried as soon as the nodes run."
        )
    if left_out and database.get("liveness") is None and database.get("databases") != []:
        found.append(
            "Whether nodes of {0} live was not read from the database; see that the hosts are off.".format(
                ", ".join(left_out)
            )
        )
    return found


OTHER_CODE = "OTHER_CLUSTER"
"""What it is called where anything shows another cluster."""

ARGUMENTS: dict[str, t.Any] = {
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "inventory": {"type": "list", "elements": "dict", "required": True},
    "hosts": {"type": "list", "elements": "dict", "default": []},
    "database": {"type": "dict", "default": {}},
    "cluster": {"type": "dict", "default": {}},
    "left_out": {"type": "dict", "default": {}},
    "number": {"type": "str", "default": ""},
    "shards": {"type": "int"},
    "may_reshard": {"type": "bool", "default": False},
    "name_prefix": {"type": "str", "default": "wa"},
    "db_address": {"type": "str", "default": ""},
    "db_name_prefix": {"type": "str", "default": ""},
}
"""Options of wa_identity."""


def compared(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """C({suspects, registered, notes}), and everything that shows another cluster. params: by ARGUMENTS."""
    left_out = {host: Signs(signs["answers"], tuple(signs["webapps"])) for host, signs in params["left_out"].items()}
    inventory = inventory_from(params["nodes"], params["inventory"], params["hosts"], params["name_prefix"], left_out)
    desired = DesiredIdentity(
        params["number"],
        params["shards"],
        params["may_reshard"],
        params["db_address"],
        params["db_name_prefix"],
        left_out,
    )
    database, cluster = params["database"], params["cluster"]
    result = {
        "suspects": suspects(database.get("liveness"), inventory),
        "registered": registration(database, cluster),
        "notes": notes(database, cluster, left_out),
    }
    return result, problems(desired, inventory, database, cluster)


def of_cluster(asked: t.Mapping[str, t.Any], cluster: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], str]:
    """The same of what the API reports, with C(problems); and what is said where it is another one, else nothing.

    asked: options of wa_identity, of which any may be missing that has a default. cluster: that of wa_cluster_health.
    """
    defaults = {name: option.get("default") for name, option in ARGUMENTS.items()}
    found, wrong = compared({**defaults, **asked, "cluster": cluster})
    result = {**found, "problems": [problem.as_dict() for problem in wrong]}
    lines = ["This is not the cluster that the inventory declares:", *lines_of([result])]
    return result, "\n".join(lines) if wrong else ""
