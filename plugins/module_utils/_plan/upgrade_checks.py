# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why nodes may not be replaced, by what was read of hosts and API. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.health import ACT, WAIT
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import unread_coreapps
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import secret_mismatches
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import NodeState

Entry = t.Mapping[str, t.Any]

UPGRADE_FIXES = ("VERSION_DIFFERS", "BUILD_EXPIRED", "WRONG_VERSION")
"""Problems that are the reason to upgrade, or none while versions are mixed."""

COVERED_BY_STATE_UNKNOWN = ("OWNER_UNREAD",)
"""Problems of health that STATE_UNKNOWN reports in its own words, whatever else is wrong."""


def nobody_to_ask(nodes: t.Iterable[NodeState], health: Entry) -> bool:
    """Whether no webapp runs, so that nothing can be read: a run ended while the only one was recreated."""
    return (health.get("cluster") or {}).get("form") != "cluster" and not any(
        n.alive for n in nodes if n.kind == "webapp"
    )


def running_keys(
    placed: t.Iterable[Entry], hosts: t.Iterable[Entry], states: t.Container[str] = ("running",)
) -> set[str]:
    """Keys of the placed nodes whose containers are in one of these states, whether they report or not."""
    running = {(host["name"], c["name"]) for host in hosts for c in host["containers"] if c["state"] in states}
    return {node["key"] for node in placed if (node["host"], node["name"]) in running}


def uncertain_owners(
    nodes: t.Sequence[NodeState], placed: t.Sequence[Entry], hosts: t.Sequence[Entry], shards: int
) -> list[Problem]:
    """Coreapps that run and do not report may own a shard that nobody else is known to own: not to be touched.

    What is stopped owns nothing for sure; what is silent while every shard has another owner does not either.
    """
    owned = {shard for node in nodes for shard in node.shards}
    lost = sorted(set(range(shards)) - owned)
    running = running_keys(placed, hosts)
    alive = {node.key for node in nodes if node.alive}
    silent = [
        node["key"]
        for node in placed
        if node["kind"] == "coreapp" and node["key"] not in alive and node["key"] in running
    ]
    if not lost or not silent:
        return []
    message = (
        "{0} runs and does not report, and may own shard {1}, of which no other owner is known; run {2} when it"
        " reports, or stop it to have a standby take over.".format(
            ", ".join(silent), ", ".join(map(str, lost)), instruction("owner_uncertain")
        )
    )
    return [Problem("OWNER_UNCERTAIN", message, None, None, silent[0])]


def health_problems(nodes: t.Sequence[NodeState], placed: t.Sequence[Entry], health: Entry) -> list[Problem]:
    """Why a rolling upgrade may not begin: the cluster is worse than dead nodes, which are started first, explain."""
    cluster = health.get("cluster") or {}
    keys = {node["key"] for node in placed}
    found = [
        Problem(
            "NODE_UNKNOWN",
            "{0} reports to the cluster, but the inventory has no place for it; add its host to the inventory, or"
            " stop it.".format(node["name"]),
            None,
            None,
            node["name"],
        )
        for node in cluster.get("nodes") or []
        if node["name"] not in keys and node["alive"]
    ]
    dead = any(not node.alive for node in nodes)
    for problem in health.get("problems") or []:
        grave = problem["kind"] == ACT or (problem["kind"] == WAIT and not dead)
        if grave and problem["code"] not in UPGRADE_FIXES + COVERED_BY_STATE_UNKNOWN:
            found.append(Problem(problem["code"], problem["message"], host=problem["host"]))
    unread = unread_coreapps(cluster.get("nodes") or []) if cluster.get("registered") is not False else []
    if unread:
        message = (
            "What {0} owns could not be read from the API. It may only be starting: run {1} in a moment."
            " Other users than admin never get to read it.".format(", or ".join(unread), instruction("state_unknown"))
        )
        found.append(Problem("STATE_UNKNOWN", message))
    return found


def secret_problems(hosts: t.Sequence[Entry]) -> list[Problem]:
    """Nodes that would not understand one that is replaced: a rolling change cannot lead to another WA_SECRET."""
    found = secret_mismatches(hosts)
    if not found:
        return []
    message = (
        "WA_SECRET of {0} is not the declared one, and nodes that do not share it do not understand each other; first"
        " run {1}, VERSION being the one that runs, which recreates all nodes.".format(
            ", ".join(found), instruction("node_secret_differs")
        )
    )
    return [Problem("NODE_SECRET_DIFFERS", message, "wa_extra_environment")]


def table_of_versions(nodes: t.Iterable[NodeState]) -> str:
    """Which versions run on how many nodes, for messages: C(v2.19.4: 3 nodes, v2.19.7: 1 node)."""
    counts: dict[str, int] = {}
    for node in nodes:
        name = str(node.version) if node.version else "no container"
        counts[name] = counts.get(name, 0) + 1
    return ", ".join("{0}: {1} node{2}".format(v, n, "" if n == 1 else "s") for v, n in sorted(counts.items()))
