# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as the API shows it: nodes, roles, shards and their owners. Internal to waent.fleet. Pure.

Facts: reference 3.1-3.5. What differs from a healthy cluster is found by C(_check/health.py).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    CONTROL_SHARD,
    CORE_KINDS,
    kind_and_index,
)

PRIMARY = "primary_master"
SECONDARY = "secondary_master"
COREAPP = "coreapp"

CONNECTED = "connected"
CONNECTING = "connecting"
DISCONNECTED = "disconnected"
UNINITIALIZED = "uninitialized"
UNREGISTERED = "unregistered"
STATUSES = (CONNECTED, CONNECTING, DISCONNECTED, UNINITIALIZED, UNREGISTERED)
_WIDEST_RANGE = 64


@dataclass(frozen=True)
class NodeError:
    """What a node, or the web application on its behalf, reports in place of a status."""

    code: int | None
    title: str
    details: str


@dataclass(frozen=True)
class Node:
    """One master or coreapp as C(/v1/health) and C(/v1/support) show it.

    name: the key in health, C(<advertised host>:<container host name>). role, gateway_status: None when not reported.
    shards: what it owns, None when support was not read or says nothing about this node. version: None when unknown.
    """

    name: str
    role: str | None = None
    gateway_status: str | None = None
    errors: tuple[NodeError, ...] = ()
    shards: tuple[int, ...] | None = None
    socket_conn: str | None = None
    version: str | None = None
    planned_kind: str | None = None

    @property
    def host(self) -> str:
        """The advertised host."""
        return self.name.rpartition(":")[0]

    @property
    def container(self) -> str:
        """The container's own host name."""
        return self.name.rpartition(":")[2]

    @property
    def kind(self) -> str | None:
        """C(master) or C(coreapp): by role, else as planned, else by the way this collection names containers."""
        if self.role in (PRIMARY, SECONDARY):
            return "master"
        if self.role == COREAPP:
            return "coreapp"
        if self.planned_kind:
            return self.planned_kind
        named = kind_and_index(self.container)[0]
        return named if named in CORE_KINDS else None

    @property
    def alive(self) -> bool:
        """It reports a status of its own, and no error in its place. This is what alive means everywhere."""
        return not self.errors and self.gateway_status is not None

    @property
    def owned(self) -> tuple[int, ...]:
        """The shards it owns without the control shard."""
        return tuple(shard for shard in self.shards or () if shard != CONTROL_SHARD)


@dataclass(frozen=True)
class Cluster:
    """A cluster as it was read.

    form: C(cluster), C(single) (one coreapp without master), or C(unreadable). version: of the web application.
    shards: the configured count, None when it was not read. oddities: what in the answers could not be understood.
    registered_number: digits as support shows them, None when it does not. registered_at: seconds since 1970; every
    registration makes new identity keys (reference 4.3), so it is when those were made. None when support does not say.
    """

    form: str
    version: str | None = None
    shards: int | None = None
    nodes: tuple[Node, ...] = ()
    support_read: bool = False
    oddities: tuple[str, ...] = ()
    registered_number: str | None = None
    registered_at: int | None = None

    @property
    def masters(self) -> list[Node]:
        """Nodes of kind master, silent ones included."""
        return [node for node in self.nodes if node.kind == "master"]

    @property
    def coreapps(self) -> list[Node]:
        """Nodes of kind coreapp, silent ones included."""
        return [node for node in self.nodes if node.kind == "coreapp"]

    @property
    def primaries(self) -> list[Node]:
        """Masters that say they are the primary."""
        return [node for node in self.nodes if node.role == PRIMARY]

    @property
    def connected_coreapps(self) -> list[Node]:
        """Coreapps with a connection to WhatsApp."""
        return [node for node in self.nodes if node.role == COREAPP and node.gateway_status == CONNECTED]

    @property
    def live_coreapps(self) -> list[Node]:
        """Coreapps that answer."""
        return [node for node in self.coreapps if node.alive]

    @property
    def spares(self) -> list[Node]:
        """Coreapps that stand by: they answer, own nothing and are not connected."""
        return [node for node in self.live_coreapps if not node.owned and node.gateway_status == DISCONNECTED]

    @property
    def registered(self) -> bool | None:
        """Whether a number is registered; None when no node says anything about it."""
        statuses = {node.gateway_status for node in self.nodes if node.alive}
        if UNREGISTERED in statuses:
            return False
        if statuses & {CONNECTED, CONNECTING, DISCONNECTED}:
            return True
        return None

    @property
    def owners(self) -> dict[int, list[str]]:
        """Shard to the names of the nodes that say they own it; empty when support was not read."""
        found: dict[int, list[str]] = {}
        for node in self.nodes:
            for shard in node.shards or ():
                found.setdefault(shard, []).append(node.name)
        return dict(sorted(found.items()))

    def as_dict(self) -> dict[str, t.Any]:
        """What modules return as C(cluster): lists of flat dictionaries, for a query language to pick from."""
        primary = self.primaries
        return {
            "form": self.form,
            "version": self.version,
            "shards": self.shards,
            "registered": self.registered,
            "registered_number": self.registered_number,
            "primary_master": primary[0].name if len(primary) == 1 else None,
            "nodes": [_node_dict(node) for node in self.nodes],
            "owners": [{"shard": shard, "nodes": names} for shard, names in self.owners.items()],
            "spares": [node.name for node in self.spares],
            "connected_coreapps": [node.name for node in self.connected_coreapps],
        }


def state_line(cluster: Cluster) -> str:
    """The cluster in one line, for messages: how many of what, who is primary, which shards are owned."""
    if cluster.form != "cluster":
        return "form {0}".format(cluster.form)
    primary = ", ".join("{0} {1}".format(n.name, n.gateway_status or "silent") for n in cluster.primaries) or "none"
    statuses: dict[str, int] = {}
    for node in cluster.coreapps:
        status = node.gateway_status if node.alive else "error {0}".format(_first_code(node))
        statuses[status or "silent"] = statuses.get(status or "silent", 0) + 1
    coreapps = ", ".join("{0} {1}".format(count, status) for status, count in sorted(statuses.items())) or "none"
    return "primary master: {0}; secondary masters: {1}; coreapps: {2}; shards set: {3}".format(
        primary,
        len([node for node in cluster.nodes if node.role == SECONDARY]),
        coreapps,
        "not read" if cluster.shards is None else cluster.shards,
    )


def _first_code(node: Node) -> str:
    return str(node.errors[0].code) if node.errors else "none"


# --- Reading ---------------------------------------------------------------------------------------------------------


def observe(
    health: t.Any,
    support: t.Any = None,
    account_shards: t.Any = None,
    *,
    versions: t.Mapping[str, str] | None = None,
    kinds: t.Mapping[str, str] | None = None,
) -> Cluster:
    """The cluster behind the parsed bodies of /v1/health, /v1/support and /v1/account/shards.

    Any JSON value is accepted in any place: what cannot be understood ends in C(oddities). C(None) means not read.
    versions: health key to version, where another source knows them. kinds: health key to planned kind.
    """
    odd: list[str] = []
    entries = _health_entries(health, odd)
    form = "unreadable" if entries is None else "single" if "" in entries else "cluster"
    details = _support_entries(support)
    nodes = tuple(
        _node(name, entry, details.get(name), odd, versions or {}, kinds or {})
        for name, entry in sorted((entries or {}).items())
    )
    return Cluster(
        form=form,
        version=_version(health),
        shards=_configured_shards(account_shards),
        nodes=nodes,
        support_read=bool(details),
        oddities=tuple(odd),
        registered_number=_registered_number(support),
        registered_at=_registered_at(support),
    )


def _health_entries(body: t.Any, odd: list[str]) -> dict[str, t.Any] | None:
    health = body.get("health") if isinstance(body, dict) else None
    if not isinstance(health, dict):
        odd.append("health is not an object")
        return None
    if isinstance(health.get("gateway_status"), str) or isinstance(health.get("errors"), list):
        return {"": health}
    return {str(name): entry for name, entry in health.items()}


def _support_entries(body: t.Any) -> dict[str, dict[str, t.Any]]:
    """The per-node part of support: the entries that look like a node's, at the top or one level down."""
    support = body.get("support") if isinstance(body, dict) else None
    if not isinstance(support, dict):
        return {}
    found: dict[str, dict[str, t.Any]] = {}
    for name, entry in support.items():
        if not isinstance(entry, dict):
            continue
        if _is_node_entry(entry):
            found[str(name)] = entry
        else:
            found.update({str(k): v for k, v in entry.items() if isinstance(v, dict) and _is_node_entry(v)})
    return found


def _is_node_entry(entry: dict[str, t.Any]) -> bool:
    return isinstance(entry.get("shards"), list)


def _node(
    name: str,
    entry: t.Any,
    detail: dict[str, t.Any] | None,
    odd: list[str],
    versions: t.Mapping[str, str],
    kinds: t.Mapping[str, str],
) -> Node:
    if not isinstance(entry, dict):
        odd.append("the health of {0} is not an object".format(name or "the client"))
        entry = {}
    detail = detail or {}
    return Node(
        name=name,
        role=_string(entry.get("role")) or _string(detail.get("role")),
        gateway_status=_string(entry.get("gateway_status")),
        errors=_node_errors(entry.get("errors")),
        shards=_ranges(detail["shards"], name, odd) if "shards" in detail else None,
        socket_conn=_string(detail.get("socket_conn")),
        version=_string(detail.get("version")) or versions.get(name),
        planned_kind=kinds.get(name),
    )


def _node_errors(value: t.Any) -> tuple[NodeError, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        NodeError(_whole(item.get("code")), _string(item.get("title")) or "", _string(item.get("details")) or "")
        if isinstance(item, dict)
        else NodeError(None, str(item), "")
        for item in value
    )


def _ranges(value: t.Any, name: str, odd: list[str]) -> tuple[int, ...]:
    """C([[0,0],[2,3]]) as (0, 2, 3): inclusive ranges of shard numbers."""
    shards: set[int] = set()
    for item in value if isinstance(value, list) else []:
        first, last = (item + [None, None])[:2] if isinstance(item, list) else (item, item)
        low, high = _whole(first), _whole(last)
        if low is None or high is None or not CONTROL_SHARD <= low <= high <= low + _WIDEST_RANGE:
            odd.append("the shards of {0} are not ranges of numbers".format(name))
            continue
        shards.update(range(low, high + 1))
    return tuple(sorted(shards))


def _configured_shards(body: t.Any) -> int | None:
    account = body.get("account") if isinstance(body, dict) else None
    if isinstance(account, list) and account:
        account = account[0]
    return _whole(account.get("shards")) if isinstance(account, dict) else None


def _version(body: t.Any) -> str | None:
    meta = body.get("meta") if isinstance(body, dict) else None
    return _string(meta.get("version")) if isinstance(meta, dict) else None


def _registered_number(body: t.Any) -> str | None:
    support = body.get("support") if isinstance(body, dict) else None
    info = _string(support.get("debug_info")) if isinstance(support, dict) else None
    digits = re.sub(r"[+\s-]", "", info or "")
    return digits if re.match(r"^\d{5,20}$", digits) else None


def _registered_at(body: t.Any) -> int | None:
    support = body.get("support") if isinstance(body, dict) else None
    keys = support.get("e2e") if isinstance(support, dict) else None
    stamp = _whole(keys.get("identity_timestamp")) if isinstance(keys, dict) else None
    return stamp if stamp is not None and stamp > 0 else None


def _string(value: t.Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: t.Any) -> int | None:
    """An int, also where it is written as a numeric string; never a bool."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.match(r"^-?[0-9]{1,12}\Z", value):
        return int(value)
    return None


def _node_dict(node: Node) -> dict[str, t.Any]:
    return {
        "name": node.name,
        "host": node.host,
        "container": node.container,
        "kind": node.kind,
        "alive": node.alive,
        "role": node.role,
        "gateway_status": node.gateway_status,
        "shards": None if node.shards is None else list(node.shards),
        "socket_conn": node.socket_conn,
        "version": node.version,
        "errors": [{"code": e.code, "title": e.title, "details": e.details} for e in node.errors],
    }
