# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read to an upgrade plan, and from the plan to batches of nodes. Internal to waent.fleet. Pure.

Nodes are what wa_placement returned as C(nodes), hosts what wa_host_info returned as C(host), health what
wa_cluster_health returned.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.health import ACT, WAIT
from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import TOKEN_KEY
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import unread_coreapps
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import must_recreate, strangers
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import (
    UpgradeNode,
    UpgradePlan,
    UpgradeState,
    foresee,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import PRIMARY

Entry = t.Mapping[str, t.Any]

UPGRADE_MENDS = ("VERSION_DIFFERS", "BUILD_EXPIRED", "WRONG_VERSION")
"""Problems that are the reason to upgrade, or none while versions are mixed."""

TOLD_BY_STATE_UNKNOWN = ("OWNER_UNREAD",)
"""Problems of health that this file tells by itself, whatever else is wrong."""

SERVING, PRIMARY_ELECTED, NOTHING = "serving", "primary", "nothing"
"""What a gate can ask for: everything that should be there serves, there is one primary master, nothing."""


def read_nodes(
    nodes: t.Sequence[Entry], hosts: t.Sequence[Entry], health: Entry, wanted: Version, anew: t.Collection[str] = ()
) -> list[UpgradeNode]:
    """The planned nodes as they are. anew: keys of those known to differ from what is wanted."""
    by_host = {host["name"]: host for host in hosts}
    reported = {node["name"]: node for node in health["cluster"].get("nodes") or []}
    answers = {webapp["url"] for webapp in health.get("webapps") or [] if webapp["answers"]}
    return [
        _node(node, by_host.get(node["host"]), reported.get(node["key"]), webapp_url(node) in answers, wanted, anew)
        for node in nodes
    ]


def _node(
    node: Entry, host: Entry | None, shown: Entry | None, answers: bool, wanted: Version, anew: t.Collection[str]
) -> UpgradeNode:
    container = next((c for c in cluster_nodes(host) if c["name"] == node["name"]), None) if host else None
    version = parse_version(container["version"]) if container else None
    running = container is not None and container["state"] == "running"
    reports = shown is not None and not shown["errors"] and shown["gateway_status"] is not None
    alive = running and (answers if node["kind"] == "webapp" else reports)
    differs = node["key"] in anew
    if host and container and version == wanted:
        differs = differs or must_recreate(host, node, container)
    other_tokens = container is not None and TOKEN_KEY in container["environment_differs"]
    shards = frozenset(s for s in (shown or {}).get("shards") or () if s >= 0) if alive else frozenset()
    primary = alive and shown is not None and shown["role"] == PRIMARY
    return UpgradeNode(node["key"], node["kind"], version, alive, primary, shards, differs, other_tokens)


def nobody_to_ask(nodes: t.Iterable[UpgradeNode], health: Entry) -> bool:
    """Whether no webapp runs, so that nothing can be read: a run ended while the only one was made anew."""
    return health["cluster"].get("form") != "cluster" and not any(n.alive for n in nodes if n.kind == "webapp")


def uncertain_owners(
    nodes: t.Sequence[UpgradeNode], placed: t.Sequence[Entry], hosts: t.Sequence[Entry], shards: int
) -> list[Problem]:
    """Coreapps that run and do not report may own a shard that nobody else is known to own: not to be touched.

    What is stopped owns nothing for sure; what is silent while every shard has another owner does not either.
    """
    owned = {shard for node in nodes for shard in node.shards}
    lost = sorted(set(range(shards)) - owned)
    running = {(host["name"], c["name"]) for host in hosts for c in cluster_nodes(host) if c["state"] == "running"}
    alive = {node.key for node in nodes if node.alive}
    silent = [
        node["key"]
        for node in placed
        if node["kind"] == "coreapp" and node["key"] not in alive and (node["host"], node["name"]) in running
    ]
    if not lost or not silent:
        return []
    message = (
        "{0} runs and does not report, and may own shard {1}, of which no other owner is known; run this again when it"
        " reports, or stop it to have a standby take over.".format(", ".join(silent), ", ".join(map(str, lost)))
    )
    return [Problem("OWNER_UNCERTAIN", message, None, None, silent[0])]


def health_problems(nodes: t.Sequence[UpgradeNode], placed: t.Sequence[Entry], health: Entry) -> list[Problem]:
    """Why a rolling upgrade may not begin: the cluster is worse than dead nodes, which are started first, explain."""
    cluster = health["cluster"]
    keys = {node["key"] for node in placed}
    found = [
        Problem(
            "NODE_UNKNOWN",
            "{0} reports to the cluster, but the inventory has no place for it; add its host to the inventory, or end"
            " it.".format(node["name"]),
            None,
            None,
            node["name"],
        )
        for node in cluster.get("nodes") or []
        if node["name"] not in keys and not node["errors"] and node["gateway_status"] is not None
    ]
    dead = any(not node.alive for node in nodes)
    for problem in health.get("problems") or []:
        grave = problem["kind"] == ACT or (problem["kind"] == WAIT and not dead)
        if grave and problem["code"] not in UPGRADE_MENDS + TOLD_BY_STATE_UNKNOWN:
            found.append(Problem(problem["code"], problem["message"], host=problem["host"]))
    unread = unread_coreapps(cluster) if cluster.get("registered") is not False else []
    if unread:
        message = (
            "What {0} owns could not be read from the API. It may only be starting: run this again in a moment."
            " Other users than admin never get to read it.".format(", or ".join(unread))
        )
        found.append(Problem("STATE_UNKNOWN", message))
    return found


def stranger_problems(hosts: t.Sequence[Entry]) -> list[Problem]:
    """Nodes that would not understand one that is replaced: one after the other is no way to another WA_SECRET."""
    found = strangers(hosts)
    if not found:
        return []
    message = (
        "WA_SECRET of {0} is not the declared one, and nodes that do not share it do not understand each other; run"
        " site.yml with the version that runs first, which makes all nodes anew.".format(", ".join(found))
    )
    return [Problem("NODE_SECRET_DIFFERS", message, "wa_extra_environment")]


def batches(state: UpgradeState, plan: UpgradePlan, placed: t.Sequence[Entry], wanted: Version) -> list[list[Entry]]:
    """The plan as one list of entries for each step, every entry with what a play has to know of its node.

    C({name, step, action, host, node, sentence, expect, lowered, last}); node is None for a step that has none. expect:
    C({what, nodes, masters, coreapps, webapps}), the gate: which nodes, and which webapps by their URL, have to be
    there after the step. lowered: the intervals are, from the first hand-over to the last; last: it is that one.
    """
    handed_over = [number for number, step in enumerate(plan.steps, 1) if step.action == "hand_over"]
    by_key = {node["key"]: node for node in placed}
    home = next((node["host"] for node in placed if node["kind"] == "master"), placed[0]["host"] if placed else None)
    found: list[list[Entry]] = []
    for number, step in enumerate(plan.steps, 1):
        state = foresee(state, step, wanted)
        common = {
            "step": number,
            "action": step.action,
            "sentence": step.sentence,
            "expect": _expect(state, by_key),
            "lowered": bool(handed_over) and handed_over[0] <= number <= handed_over[-1],
            "last": number in handed_over[-1:],
        }
        entries: list[Entry] = [
            dict(
                common,
                name="{0} on {1}, step {2}".format(node["name"], node["host"], number),
                host=node["host"],
                node=node,
            )
            for node in (by_key[key] for key in step.nodes)
        ]
        whole = dict(common, name="{0}, step {1}".format(step.action, number), host=home, node=None)
        found.append(entries or [whole])
    return found


def _expect(state: UpgradeState, by_key: t.Mapping[str, Entry]) -> dict[str, t.Any]:
    alive = {kind: [node.key for node in state.of(kind) if node.alive] for kind in ("master", "coreapp", "webapp")}
    what = NOTHING
    if alive["webapp"] and alive["master"]:
        what = SERVING if len(alive["coreapp"]) >= state.shards else PRIMARY_ELECTED
    return {
        "what": what,
        "nodes": [by_key[key] for kind in ("master", "coreapp") for key in alive[kind]],
        "masters": len(alive["master"]),
        "coreapps": len(alive["coreapp"]),
        "webapps": [webapp_url(by_key[key]) for key in _of_one_key(state)],
    }


def _of_one_key(state: UpgradeState) -> list[str]:
    """The webapps that a gate can ask with one token: those with the new key as soon as there is one, else all."""
    alive = [node for node in state.of("webapp") if node.alive]
    new = [node.key for node in alive if not node.other_tokens]
    return new or [node.key for node in alive]


def table_of_versions(nodes: t.Iterable[UpgradeNode]) -> str:
    """Which versions run on how many nodes, for messages: C(v2.19.4: 3 nodes, v2.19.7: 1 node)."""
    counts: dict[str, int] = {}
    for node in nodes:
        name = str(node.version) if node.version else "no container"
        counts[name] = counts.get(name, 0) + 1
    return ", ".join("{0}: {1} node{2}".format(v, n, "" if n == 1 else "s") for v, n in sorted(counts.items()))
