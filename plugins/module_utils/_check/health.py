# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from a healthy cluster, as problems, and whether waiting may help. Internal to waent.fleet. Pure.

Facts: reference 3.1-3.5 and the expected-state function at the end of 3.9. The result is taken from what nodes report,
never from whether a container runs.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import (
    ACCESS_DENIED,
    INTERNAL_ERROR,
    NOT_READY,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import CONTROL_SHARD
from ansible_collections.waent.fleet.plugins.module_utils._common.table import SILENT_ERRORS
from ansible_collections.waent.fleet.plugins.module_utils._common.version import plain_version, same_version
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import (
    CONNECTED,
    CONNECTING,
    DISCONNECTED,
    SECONDARY,
    STATUSES,
    UNINITIALIZED,
    UNREGISTERED,
    Cluster,
    Node,
)

#: Time may fix it; somebody has to act; it serves, yet not as it should.
WAIT, ACT, WARNING = "wait", "act", "warning"

#: Why the health of a webapp could not be read: it refuses whoever asks, or is not trusted.
REFUSING_ERRORS = ("API_AUTH", "API_TLS")

#: How much is asked for: C(present) is every node up with one primary master, whatever is served; C(running) the same,
#: and of a registered number that it is served; C(serving) that it is registered, too.
PRESENT, RUNNING, SERVING = "present", "running", "serving"


@dataclass(frozen=True)
class Finding(Problem):
    """A problem of a running cluster. C(kind) is C(wait), C(act) or C(warning); a warning leaves it healthy."""

    kind: str = ACT


@dataclass(frozen=True)
class Expected:
    """What the caller wants to see; None means no opinion.

    nodes: health key to kind (C(master), C(coreapp)) of every planned node. unseen: those of nodes on hosts that could
    not be read, of which nobody knows whether they exist. gone: keys of nodes that are dead and not waited for.
    version: with or without its v. level: C(present), C(running) or C(serving).
    """

    shards: int | None = None
    masters: int | None = None
    coreapps: int | None = None
    spares: int | None = None
    version: str | None = None
    nodes: t.Mapping[str, str] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
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
    elif expected.level != PRESENT:
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
    """The count that is expected: as configured, else as expected, else as many as coreapps are connected."""
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


def _counting(cluster: Cluster, expected: Expected) -> list[Node]:
    """All but what was removed, neither planned nor alive: the API shows that for minutes more."""
    return [
        node
        for node in cluster.nodes
        if node.alive or (node.name not in expected.gone and (not expected.nodes or node.name in expected.nodes))
    ]


def _node_findings(cluster: Cluster, expected: Expected) -> list[Finding]:
    """What single nodes report about themselves."""
    nodes = _counting(cluster, expected)
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
        [node for node in nodes if node.alive and node.gateway_status not in STATUSES],
        "STATUS_UNKNOWN",
        "A gateway status that this collection does not know is shown for {0}.",
        ACT,
    )
    return found


def _error_findings(code: int | None, nodes: list[Node], registered: bool | None) -> list[Finding]:
    first = nodes[0].errors[0]
    said = ": ".join(part for part in (first.title, first.details) if part).rstrip(".") or "no explanation"
    said = said.replace("{", "(").replace("}", ")")
    if code == NOT_READY:
        # Before registration this is how coreapps look; there is nothing to wait for on their side.
        if registered is False:
            return []
        return _about(nodes, "NODE_STARTING", "{0} is not ready (1011 Service not ready).", WAIT)
    if code == ACCESS_DENIED and "expired" in said.lower():
        sentence = "The build of {0} has expired and does not work any more: upgrade to a newer version."
        return _about(nodes, "BUILD_EXPIRED", sentence, ACT)
    sentence = "{0} does not answer as it should: error " + "{0} ({1}).".format(code, said)
    return _about(nodes, "NODE_UNREACHABLE" if code == INTERNAL_ERROR else "NODE_ERROR", sentence, WAIT)


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
        if name not in shown and name not in expected.unseen
    ]
    unplanned = [node for node in cluster.nodes if expected.nodes and node.name not in expected.nodes]
    found += _about(unplanned, "NODE_UNPLANNED", "The API shows nodes that are not planned: {0}.", WARNING)
    if not cluster.nodes:
        found.append(Finding("NO_NODES", "The API shows no node at all: no master or coreapp has started.", kind=WAIT))
    found += _number_findings("masters", len(present(cluster.masters)), expected.masters)
    found += _number_findings("coreapps", len(present(cluster.coreapps, cluster.registered)), expected.coreapps)
    return found


def present(nodes: t.Iterable[Node], registered: bool | None = None) -> list[Node]:
    """The nodes that count as there: before registration coreapps show 1011 in place of a status (reference 3.5)."""
    return [
        node
        for node in nodes
        if node.alive or (registered is False and node.errors and node.errors[0].code == NOT_READY)
    ]


def _number_findings(what: str, seen: int, expected: int | None) -> list[Finding]:
    if expected is None or seen == expected:
        return []
    if seen < expected:
        text = "{0} of {1} {2} answer.".format(seen, expected, what)
        return [Finding("TOO_FEW_" + what.upper(), text, variable=what, value=seen, kind=WAIT)]
    text = "{0} {1} answer, and {2} are expected.".format(seen, what, expected)
    return [Finding("TOO_MANY_" + what.upper(), text, variable=what, value=seen, kind=WARNING)]


def _master_findings(cluster: Cluster) -> list[Finding]:
    primaries = cluster.primaries
    if not primaries and cluster.nodes:
        return [
            Finding(
                "NO_PRIMARY_MASTER",
                "There is no primary master: no failover, no registration and no settings until one is elected.",
                kind=WAIT,
            )
        ]
    if len(primaries) > 1:
        sentence = "More than one master says it is the primary: {0}."
        return [Finding("TWO_PRIMARY_MASTERS", sentence.format(_names(primaries)), kind=ACT)]
    if len(cluster.masters) == 1:
        sentence = "There is only one master ({0}): failover of a coreapp takes 2 minutes in place of 30 seconds."
        return [Finding("ONE_MASTER", sentence.format(_names(primaries)), kind=WARNING)]
    return []


def unaware_findings(seen: t.Mapping[str, Cluster]) -> list[Finding]:
    """Which webapps do not show a registration that was confirmed, by the address of each and what it shows."""
    found = []
    for url, cluster in seen.items():
        if cluster.registered:
            continue
        behind = [node.name or "the client" for node in cluster.nodes if node.gateway_status == UNREGISTERED]
        why = "unregistered is still shown for " + _names(behind) if behind else "no node reports a status"
        text = "The number is registered, and {0} does not show it yet: {1}.".format(url, why)
        found.append(Finding("REGISTRATION_UNSEEN", text, kind=WAIT))
    return found


def _unregistered_findings(expected: Expected) -> list[Finding]:
    if expected.level != SERVING:
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
    expected_status = expected_counts(shards, len(cluster.coreapps), len(cluster.masters)).primary_gateway_status
    for node in cluster.primaries if len(cluster.primaries) == 1 else []:
        if node.alive and node.gateway_status != expected_status:
            text = "The primary master {0} is {1}; with {2} shard(s) it has to be {3}.".format(
                node.name, node.gateway_status, shards, expected_status
            )
            code = "PRIMARY_MASTER_NOT_CONNECTED" if expected_status == CONNECTED else "PRIMARY_MASTER_CONNECTED"
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
    version = plain_version(expected.version)
    found = []
    if cluster.version is not None and not same_version(cluster.version, version):
        text = "The web application runs {0}, and {1} is expected.".format(cluster.version, "v" + version)
        found.append(Finding("WRONG_VERSION", text, variable="version", value=cluster.version, kind=ACT))
    nodes = _counting(cluster, expected)
    wrong = [node for node in nodes if node.version and not same_version(node.version, version)]
    sentence = "Another version than v" + version.replace("{", "").replace("}", "") + " runs on {0}."
    return found + _about(wrong, "WRONG_VERSION", sentence, ACT)


def webapp_findings(webapps: t.Sequence[t.Mapping[str, t.Any]], expected: Expected) -> list[Finding]:
    """Web applications that are silent or of another version. webapps: C({url, answers, version, error})."""
    found = [_without_health(webapp) for webapp in webapps if not webapp["answers"]]
    versions = [webapp["version"] for webapp in webapps if webapp["version"]]
    if expected.version is None:
        if len(set(versions)) > 1:
            text = "The web applications run different versions: {0}.".format(", ".join(sorted(set(versions))))
            found.append(Finding("MIXED_VERSIONS", text, kind=WARNING))
        return found
    # The first one's version is the cluster's, and checked with it.
    for webapp in webapps:
        version = webapp["version"]
        if version and version != versions[0] and not same_version(version, expected.version):
            text = "The web application at {0} runs {1}, and v{2} is expected."
            text = text.format(webapp["url"], version, plain_version(expected.version))
            found.append(Finding("WRONG_VERSION", text, variable="version", value=version, kind=ACT))
    return found


def _without_health(webapp: t.Mapping[str, t.Any]) -> Finding:
    if webapp["error"] in SILENT_ERRORS:
        return Finding("WEBAPP_SILENT", "The web application at {0} does not answer.".format(webapp["url"]), kind=WAIT)
    text = "The web application at {0} answers, and does not show its health ({1})."
    kind = ACT if webapp["error"] in REFUSING_ERRORS else WAIT
    return Finding("WEBAPP_WITHOUT_HEALTH", text.format(webapp["url"], webapp["error"]), kind=kind)


def key_findings(urls: t.Sequence[str]) -> list[Finding]:
    """The static key was refused there, and a login was not."""
    if not urls:
        return []
    text = (
        "The key in wa_api_key is not the one that the webapp at {0} runs with; correct it, or run {1}, which"
        " gives it to the webapps.".format(_names(sorted(urls)), instruction("api_key_refused"))
    )
    return [Finding("API_KEY_REFUSED", text, variable="wa_api_key", kind=ACT)]


def database_findings(problems: t.Iterable[Problem]) -> list[Finding]:
    """The database's problems as findings. Headroom and missing drivers do not make a running cluster unhealthy."""
    mild = ("DB_CONNECTIONS_LOW", "DB_DRIVER_MISSING", "LIVENESS_STALE")
    return [
        Finding(p.code, p.message, p.variable, p.value, p.host, kind=WARNING if p.code in mild else WAIT)
        for p in problems
    ]
