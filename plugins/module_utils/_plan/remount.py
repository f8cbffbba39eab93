# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose media share has to be mounted again, one at a time. Internal to waent.fleet: may change. Pure.

The kernel keeps the options of an NFS mount for as long as anybody has it (nfs(5)), so every node of the host has to
stop. Its coreapps go first, those without a shard before owners, each owner with a switchover; the host is then as one
that was lost, which a cluster with C(wa_survive) of one host bears.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import (
    REMOUNT_SECONDS,
    SWITCHOVER_SECONDS,
    Step,
    shards_text,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState


def remounts(state: ClusterState) -> list[Step]:
    """A step for each host. Who owns which shard on the later ones is only predicted; the step itself looks again.

    Hosts without an owner come first: what a shard moves to then need not move again, as far as that can be predicted.
    """
    steps: list[Step] = []
    by_host = _by_host(state)
    while by_host:
        _weight_of_it, host = min((_weight(state, name), name) for name in by_host)
        steps.append(_remount(state, host, by_host[host]))
        # Its shards are with others now.
        state = simulate(state, steps[-1])
        by_host = _by_host(state)
    return steps


def _by_host(state: ClusterState) -> dict[str, list[NodeState]]:
    found: dict[str, list[NodeState]] = {}
    for node in sorted(state.nodes, key=lambda node: node.key):
        if node.remount:
            found.setdefault(_host(node), []).append(node)
    return found


def _host(node: NodeState) -> str:
    return node.slot.host if node.slot else node.key.partition(":")[0]


def _weight(state: ClusterState, host: str) -> tuple[int, bool]:
    """How much it costs to stop the nodes of a host: shards that move, and whether another primary is elected."""
    nodes = [node for node in state.nodes if _host(node) == host]
    return sum(len(node.shards) for node in nodes), any(node.primary for node in nodes)


def _remount(state: ClusterState, host: str, nodes: t.Sequence[NodeState]) -> Step:
    keys = tuple(node.key for node in nodes)
    owned = sorted(shard for node in nodes for shard in node.shards)
    elsewhere = [node for node in state.nodes if _host(node) != host and node.alive]
    standbys = sum(node.kind == "coreapp" and not node.shards for node in elsewhere)
    followed, left = owned[:standbys], owned[standbys:]
    sentence = "Stop the {0} of {1} ({2}), mount its media share again, prove it, and start them".format(
        amount(len(keys), "node"), host, ", ".join(key.rpartition(":")[2] for key in keys)
    )
    cost = dict.fromkeys(followed, SWITCHOVER_SECONDS)
    if followed:
        text = "; a standby elsewhere takes over {0} before, about {1} s without service there"
        sentence += text.format(shards_text(followed), SWITCHOVER_SECONDS)
    if left:
        sentence += "; nobody can take over {0}, about {1} s without service there".format(
            shards_text(left), REMOUNT_SECONDS
        )
        cost.update(dict.fromkeys(left, REMOUNT_SECONDS))
    if any(node.kind == "webapp" for node in nodes) and not any(node.kind == "webapp" for node in elsewhere):
        sentence += "; no webapp is elsewhere: no API for about {0} s".format(REMOUNT_SECONDS)
        cost = dict.fromkeys(range(state.shards), REMOUNT_SECONDS)
    gate = (("alive", list(keys)), ("connected", state.shards))
    return Step("remount", keys, gate, tuple(sorted(cost.items())), sentence + ".")


def remount_problems(state: ClusterState, allow_no_ha: bool) -> list[Problem]:
    """Why no host may be without its nodes, not even for a moment: the others could not do their work.

    Dead nodes are started first, and count.
    """
    if allow_no_ha:
        return []
    found = {}
    for host in _by_host(state):
        coreapps = sum(node.kind == "coreapp" and _host(node) != host for node in state.nodes)
        masters = sum(node.kind == "master" and _host(node) != host for node in state.nodes)
        if coreapps < state.shards or not masters:
            has = "{0} and {1}".format(amount(coreapps, "coreapp"), amount(masters, "master"))
            found[host] = "without {0} there are {1} for {2}".format(host, has, amount(state.shards, "shard"))
    if not found:
        return []
    message = (
        "The media share has to be mounted again, for which the nodes of a host stop, one host at a time, and {0}."
        " Set wa_survive to one host and run {1}; or set wa_allow_no_ha to true and accept about {2} s without service;"
        " or leave the options as they are.".format(
            enumerate_all(list(found.values())), instruction("remount_no_spare"), REMOUNT_SECONDS
        )
    )
    return [Problem("REMOUNT_NO_SPARE", message, "wa_allow_no_ha", allow_no_ha)]


def stop_order(coreapps: t.Collection[str], health: t.Mapping[str, t.Any]) -> list[list[str]]:
    """Which of these coreapps of a host are stopped together, in this order: what owns nothing, then each owner.

    So no shard moves to a coreapp that is going to be stopped as well. health: of wa_cluster_health. One of which it is
    not known what it owns counts as an owner.
    """
    nodes = (health.get("cluster") or {}).get("nodes") or []
    if not nodes:
        return [[key] for key in sorted(coreapps)]
    shards = {node["name"]: node.get("shards") for node in nodes if node.get("alive")}
    idle = [key for key in coreapps if key not in shards or shards[key] == []]
    owners = [key for key in coreapps if key not in idle]
    return [*([sorted(idle)] if idle else []), *([key] for key in sorted(owners))]
