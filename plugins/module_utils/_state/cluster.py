# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what the API's answers say about a cluster, what they should say, and the difference as problems.

No I/O, no clock. Internal to waent.fleet: may change in any release. Facts: reference 3.1-3.5 and the expected-state
function at the end of 3.9. The verdict is taken from what nodes report, never from whether a container runs.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

#: The shard that carries control traffic: with the owner of shard 0 in HA, with the primary master in MC.
CONTROL_SHARD = -1

PRIMARY = "primary_master"
SECONDARY = "secondary_master"
COREAPP = "coreapp"

CONNECTED = "connected"
CONNECTING = "connecting"
DISCONNECTED = "disconnected"
UNINITIALIZED = "uninitialized"
UNREGISTERED = "unregistered"
_STATUSES = (CONNECTED, CONNECTING, DISCONNECTED, UNINITIALIZED, UNREGISTERED)

#: Time may mend it; somebody has to act; it serves, yet not as it should.
WAIT, ACT, WARNING = "wait", "act", "warning"

#: How much is asked for: C(running) is every node up with one primary master, registered or not.
RUNNING, SERVING = "running", "serving"

_ACCESS_DENIED = 1005
_NOT_READY = 1011
_KIND_IN_NAME = re.compile(r"-(master|coreapp)-\d+$")
_WIDEST_RANGE = 64


@dataclass(frozen=True)
class Finding(Problem):
    """A problem of a running cluster. C(kind) is C(wait), C(act) or C(warning); a warning leaves it healthy."""

    kind: str = ACT


@dataclass(frozen=True)
class NodeError:
    """What a node, or the web application on its behalf, reports in place of a status."""

    code: int | None
    title: str
    details: str


@dataclass(frozen=True)
class Node:
    """One master or coreapp as C(/v1/health) and C(/v1/support) show it.

    name: the key in health, C(<advertised host>:<container host name>). role, gateway_status: None when not told.
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
        match = _KIND_IN_NAME.search(self.container)
        return match.group(1) if match else None

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


@dataclass(frozen=True)
class Expected:
    """What the caller wants to see; None means no opinion.

    nodes: health key to kind (C(master), C(coreapp)) of every planned node. version: with or without its v.
    level: C(running) or C(serving).
    """

    shards: int | None = None
    masters: int | None = None
    coreapps: int | None = None
    spares: int | None = None
    version: str | None = None
    nodes: t.Mapping[str, str] = field(default_factory=dict)
    level: str = SERVING


@dataclass(frozen=True)
class Counts:
    """How many of what a healthy cluster shows, and what its primary master's gateway status is."""

    connected_coreapps: int
    primary_masters: int
    secondary_masters: int
    primary_gateway_status: str


def expected_counts(shards: int, coreapps: int, masters: int) -> Counts:
    """The expected-state function of reference 3.9: in HA the primary master is disconnected, in MC connected."""
    return Counts(
        connected_coreapps=min(shards, coreapps),
        primary_masters=min(1, masters),
        secondary_masters=max(0, masters - 1),
        primary_gateway_status=CONNECTED if shards > 1 else DISCONNECTED,
    )


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


# --- Judging ---------------------------------------------------------------------------------------------------------


def findings(cluster: Cluster, expected: Expected) -> list[Finding]:
    """Everything that differs from a healthy cluster, all at once. Empty means healthy without reservation."""
    if cluster.form != "cluster":
        return _form_findings(cluster)
    found = [
        Finding("ANSWER_NOT_UNDERSTOOD", "The API's answer could not be understood: {0}.".format(odd), kind=ACT)
        for odd in cluster.oddities
    ]
    found += _node_findings(cluster, expected)
    found += _missing_findings(cluster, expected)
    if any(node.gateway_status == UNINITIALIZED for node in cluster.nodes):
        return found + _version_findings(cluster, expected)
    found += _master_findings(cluster)
    if cluster.registered is False:
        found += _unregistered_findings(expected)
    else:
        shards = _shard_count(cluster, expected)
        found += _connection_findings(cluster, expected, shards)
        found += _owner_findings(cluster, shards)
        found += _spare_findings(cluster, expected, shards)
    return found + _version_findings(cluster, expected)


def healthy(found: t.Iterable[Finding]) -> bool:
    """True when nothing was found that is worse than a warning."""
    return all(finding.kind == WARNING for finding in found)


def _form_findings(cluster: Cluster) -> list[Finding]:
    if cluster.form == "single":
        return [
            Finding(
                "SINGLE_INSTANCE",
                "The API shows a single instance, not a cluster: WA_APP_MULTICONNECT has to be 1 on every node.",
                variable="WA_APP_MULTICONNECT",
                kind=ACT,
            )
        ]
    return [Finding("HEALTH_UNREADABLE", "GET /v1/health answered something that is not a health report.", kind=WAIT)]


def _shard_count(cluster: Cluster, expected: Expected) -> int:
    """The count to judge by: as configured, else as expected, else as many as coreapps are connected."""
    return cluster.shards or expected.shards or max(1, len(cluster.connected_coreapps))


def _names(nodes: t.Sequence[Node] | t.Sequence[str]) -> str:
    """Up to five names, and how many more."""
    names = [node.name if isinstance(node, Node) else node for node in nodes]
    more = ", and {0} more".format(len(names) - 5) if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _about(nodes: t.Sequence[Node], code: str, sentence: str, kind: str) -> list[Finding]:
    """One finding about all these nodes; C(sentence) has C({0}) where their names go. None when there are no nodes."""
    if not nodes:
        return []
    host = nodes[0].name if len(nodes) == 1 else None
    return [Finding(code, sentence.format(_names(nodes)), host=host, kind=kind)]


def _node_findings(cluster: Cluster, expected: Expected) -> list[Finding]:
    """What single nodes report about themselves.

    A node that is not planned and does not answer is what was removed: the API shows it for some minutes more
    (reference 11, Q6), and _missing_findings warns of it.
    """
    nodes = [node for node in cluster.nodes if node.alive or not expected.nodes or node.name in expected.nodes]
    by_code: dict[int | None, list[Node]] = {}
    for node in nodes:
        if node.errors:
            by_code.setdefault(node.errors[0].code, []).append(node)
    found = []
    for code, failing in sorted(by_code.items(), key=lambda item: (item[0] is None, item[0] or 0)):
        found += _error_findings(code, failing, cluster.registered)
    found += _about(
        [node for node in nodes if node.gateway_status == UNINITIALIZED],
        "SCHEMA_UPGRADING",
        "The database schema is being created or upgraded ({0} uninitialized): look again in some minutes.",
        WAIT,
    )
    found += _about(
        [node for node in nodes if not node.errors and node.gateway_status is None],
        "NODE_SILENT",
        "No gateway status is shown for {0}.",
        WAIT,
    )
    found += _about(
        [node for node in nodes if node.alive and node.gateway_status not in _STATUSES],
        "STATUS_UNKNOWN",
        "A gateway status that this collection does not know is shown for {0}.",
        ACT,
    )
    return found


def _error_findings(code: int | None, nodes: list[Node], registered: bool | None) -> list[Finding]:
    first = nodes[0].errors[0]
    said = ": ".join(part for part in (first.title, first.details) if part).rstrip(".") or "no explanation"
    said = said.replace("{", "(").replace("}", ")")
    if code == _NOT_READY:
        # Before registration this is how coreapps look; there is nothing to wait for on their side.
        if registered is False:
            return []
        return _about(nodes, "NODE_STARTING", "{0} is still starting (1011 Service not ready).", WAIT)
    if code == _ACCESS_DENIED and "expired" in said.lower():
        sentence = "The build of {0} has expired and does not work any more: upgrade to a newer version."
        return _about(nodes, "BUILD_EXPIRED", sentence, ACT)
    sentence = "{0} does not answer as it should: error " + "{0} ({1}).".format(code, said)
    return _about(nodes, "NODE_UNREACHABLE" if code == 1014 else "NODE_ERROR", sentence, WAIT)


def _missing_findings(cluster: Cluster, expected: Expected) -> list[Finding]:
    """Nodes that should be there, by name and by number."""
    shown = {node.name for node in cluster.nodes}
    found = [
        Finding(
            "NODE_MISSING",
            "The planned {0} {1} is not shown by the API: it has not started, or cannot reach the database.".format(
                kind, name
            ),
            host=name,
            kind=WAIT,
        )
        for name, kind in sorted(expected.nodes.items())
        if name not in shown
    ]
    unplanned = [node for node in cluster.nodes if expected.nodes and node.name not in expected.nodes]
    found += _about(unplanned, "NODE_UNPLANNED", "The API shows nodes that are not planned: {0}.", WARNING)
    if not cluster.nodes:
        found.append(Finding("NO_NODES", "The API shows no node at all: no master or coreapp has started.", kind=WAIT))
    found += _number_findings("masters", len(_present(cluster.masters)), expected.masters)
    found += _number_findings("coreapps", len(_present(cluster.coreapps, cluster.registered)), expected.coreapps)
    return found


def _present(nodes: list[Node], registered: bool | None = None) -> list[Node]:
    """The nodes that count as there: before registration coreapps show 1011 in place of a status (reference 3.5)."""
    return [
        node
        for node in nodes
        if node.alive or (registered is False and node.errors and node.errors[0].code == _NOT_READY)
    ]


def _number_findings(what: str, seen: int, wanted: int | None) -> list[Finding]:
    if wanted is None or seen == wanted:
        return []
    if seen < wanted:
        text = "{0} of {1} {2} answer.".format(seen, wanted, what)
        return [Finding("TOO_FEW_" + what.upper(), text, variable=what, value=seen, kind=WAIT)]
    text = "{0} {1} answer, and {2} are expected.".format(seen, what, wanted)
    return [Finding("TOO_MANY_" + what.upper(), text, variable=what, value=seen, kind=WARNING)]


def _master_findings(cluster: Cluster) -> list[Finding]:
    primaries = cluster.primaries
    if not primaries and cluster.nodes:
        return [
            Finding(
                "NO_PRIMARY_MASTER",
                "There is no primary master: no fail-over, no registration and no settings until one is elected.",
                kind=WAIT,
            )
        ]
    if len(primaries) > 1:
        sentence = "More than one master says it is the primary: {0}."
        return [Finding("TWO_PRIMARY_MASTERS", sentence.format(_names(primaries)), kind=ACT)]
    if len(cluster.masters) == 1:
        sentence = "There is only one master ({0}): fail-over of a coreapp takes 2 minutes in place of 30 seconds."
        return [Finding("ONE_MASTER", sentence.format(_names(primaries)), kind=WARNING)]
    return []


def _unregistered_findings(expected: Expected) -> list[Finding]:
    if expected.level == RUNNING:
        return []
    return [Finding("UNREGISTERED", "The number is not registered yet: see waent.fleet.wa_account.", kind=ACT)]


def _connection_findings(cluster: Cluster, expected: Expected, shards: int) -> list[Finding]:
    """Who has a connection to WhatsApp and who should: numbers, the primary master, the secondary ones."""
    found = []
    if expected.shards is not None and cluster.shards is not None and cluster.shards != expected.shards:
        text = "The cluster is set to {0} shards, and {1} are expected.".format(cluster.shards, expected.shards)
        found.append(Finding("SHARD_COUNT_DIFFERS", text, variable="shards", value=cluster.shards, kind=ACT))
    connected = len(cluster.connected_coreapps)
    if connected < shards:
        text = "{0} of {1} coreapps that are needed are connected to WhatsApp.".format(connected, shards)
        connecting = [node for node in cluster.coreapps if node.gateway_status == CONNECTING]
        text += " Connecting: {0}.".format(_names(connecting)) if connecting else ""
        found.append(Finding("TOO_FEW_CONNECTED", text, kind=WAIT))
    if connected > shards:
        text = "{0} coreapps are connected for {1} shard(s): {2}. Two connections for one shard get a number banned."
        text = text.format(connected, shards, _names(cluster.connected_coreapps))
        found.append(Finding("TOO_MANY_CONNECTED", text, kind=ACT))
    return found + _master_connection_findings(cluster, shards)


def _master_connection_findings(cluster: Cluster, shards: int) -> list[Finding]:
    found: list[Finding] = []
    wanted = expected_counts(shards, len(cluster.coreapps), len(cluster.masters)).primary_gateway_status
    for node in cluster.primaries if len(cluster.primaries) == 1 else []:
        if node.alive and node.gateway_status != wanted:
            text = "The primary master {0} is {1}; with {2} shard(s) it has to be {3}.".format(
                node.name, node.gateway_status, shards, wanted
            )
            code = "PRIMARY_MASTER_NOT_CONNECTED" if wanted == CONNECTED else "PRIMARY_MASTER_CONNECTED"
            found.append(Finding(code, text, host=node.name, kind=WAIT))
    wrong = [node for node in cluster.masters if node.role == SECONDARY and node.gateway_status == CONNECTED]
    found += _about(wrong, "SECONDARY_MASTER_CONNECTED", "Only the primary master may be connected, not {0}.", ACT)
    return found


def _owner_findings(cluster: Cluster, shards: int) -> list[Finding]:
    """Each shard owned once, by a connected coreapp; the control shard where it belongs. Needs support."""
    if not cluster.support_read:
        return []
    owners = cluster.owners
    by_name = {node.name: node for node in cluster.nodes}
    found = _ownerless_findings(cluster, shards)
    silent = [node for node in cluster.live_coreapps if node.shards is None]
    found += _about(silent, "OWNER_UNREAD", "Support does not say what {0} owns; it may only be starting.", WAIT)
    for shard, names in owners.items():
        if len(names) > 1:
            text = "Shard {0} has more than one owner: {1}. That gets a number banned.".format(shard, _names(names))
            found.append(Finding("SHARD_TWO_OWNERS", text, value=shard, kind=ACT))
        elif 0 <= shard < shards and by_name[names[0]].gateway_status not in (CONNECTED, CONNECTING):
            text = "Shard {0} is owned by {1}, which is not connected.".format(shard, names[0])
            found.append(Finding("OWNER_NOT_CONNECTED", text, value=shard, host=names[0], kind=WAIT))
        elif shard >= shards:
            text = "{0} owns shard {1}, and there are only {2}.".format(names[0], shard, shards)
            found.append(Finding("SHARD_BEYOND_COUNT", text, value=shard, host=names[0], kind=WAIT))
    greedy = [node for node in cluster.coreapps if len(node.owned) > 1]
    found += _about(greedy, "COREAPP_TWO_SHARDS", "A coreapp may own one shard, not several: {0}.", ACT)
    return found + _control_findings(cluster, shards)


def _ownerless_findings(cluster: Cluster, shards: int) -> list[Finding]:
    owners = cluster.owners
    without = [str(shard) for shard in range(shards) if shard not in owners]
    if not without:
        return []
    text = "Without an owner: {0} {1}.".format("shard" if len(without) == 1 else "shards", _names(without))
    if not cluster.spares:
        text += " No coreapp stands by that could take over."
    return [Finding("SHARD_WITHOUT_OWNER", text, value=",".join(without), kind=WAIT)]


def _control_findings(cluster: Cluster, shards: int) -> list[Finding]:
    owners = cluster.owners
    holders = owners.get(CONTROL_SHARD, [])
    if not holders:
        return [Finding("CONTROL_SHARD_WITHOUT_OWNER", "Nobody owns the control shard (-1).", kind=WAIT)]
    if shards > 1:
        right, who = [node.name for node in cluster.primaries], "the primary master"
    else:
        right, who = owners.get(0, []), "the owner of shard 0"
    if len(holders) > 1 or not right or holders == right:
        return []
    text = "The control shard (-1) is with {0}; with {1} shard(s) it belongs to {2}.".format(holders[0], shards, who)
    return [Finding("CONTROL_SHARD_MISPLACED", text, host=holders[0], kind=WAIT)]


def _spare_findings(cluster: Cluster, expected: Expected, shards: int) -> list[Finding]:
    live, spares = len(cluster.live_coreapps), len(cluster.spares)
    if live < shards:
        text = "{0} coreapps answer for {1} shard(s): every shard needs a coreapp of its own.".format(live, shards)
        return [Finding("FEWER_COREAPPS_THAN_SHARDS", text, variable="coreapps", value=live, kind=WAIT)]
    if expected.spares is not None:
        if spares >= expected.spares:
            return []
        text = "{0} of {1} spare coreapps stand by.".format(spares, expected.spares)
        return [Finding("TOO_FEW_SPARES", text, variable="spares", value=spares, kind=WAIT)]
    if spares:
        return []
    text = "No coreapp stands by: when an owner fails, its shard is down until that node is back."
    return [Finding("NO_SPARE", text, kind=WARNING)]


def _version_findings(cluster: Cluster, expected: Expected) -> list[Finding]:
    if expected.version is None:
        return []
    wanted = plain_version(expected.version)
    found = []
    if cluster.version is not None and plain_version(cluster.version) != wanted:
        text = "The web application runs {0}, and {1} is expected.".format(cluster.version, "v" + wanted)
        found.append(Finding("WRONG_VERSION", text, variable="version", value=cluster.version, kind=ACT))
    wrong = [node for node in cluster.nodes if node.version and plain_version(node.version) != wanted]
    sentence = "Another version than v" + wanted.replace("{", "").replace("}", "") + " runs on {0}."
    return found + _about(wrong, "WRONG_VERSION", sentence, ACT)


def plain_version(version: str) -> str:
    """C(v2.19.4) as C(2.19.4)."""
    return version[1:] if version.startswith("v") else version


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
