# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered steps of a reshard, and why it may not begin. Internal to waent.fleet: may change in any release. Pure.

New coreapps first, then set-shards, and only when all coreapps are back the surplus goes, and never an owner: one among
the surplus loses its shard in a switchover first (reference 6.5).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Node, Placement, Scheduler, Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step, downtime, listed, switchover
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

SET_SHARDS_SECONDS = 60
"""All coreapps restart: 45 to 60 s without service (reference 3.4)."""


@dataclass(frozen=True)
class ReshardPlan:
    """The steps, every coreapp they name as it is placed, and what forbids to begin."""

    steps: tuple[Step, ...]
    nodes: tuple[Node, ...] = ()
    problems: tuple[Problem, ...] = ()


def plan_reshard(state: ClusterState, spec: ClusterSpec, placement: Placement) -> ReshardPlan:
    """The steps to C(spec.shards) and to the coreapps that number needs. None when the state is the desired one.

    placement: of all that exists, since where a new coreapp goes depends on masters and webapps, too.
    """
    nodes = tuple(node for node in placement.nodes if node.slot.kind == "coreapp")
    placed = {node.key for node in nodes}
    problems = [problem for problem in placement.problems if not _other_kind(problem)]
    problems += [_unknown(coreapp) for coreapp in state.of("coreapp") if coreapp.key not in placed]
    if problems:
        return ReshardPlan((), nodes, tuple(problems))
    steps = _grow(state, spec, nodes)
    created = {node.key: NodeState(node.key, "coreapp", True, slot=node.slot) for node in nodes}
    for step in steps:
        state = simulate(state, step, created=created)
    resharded = state.shards != spec.shards
    if resharded:
        steps.append(_set_shards(state, spec.shards))
        state = simulate(state, steps[-1])
    steps += _shrink(state, spec, nodes, resharded)
    return ReshardPlan(tuple(steps), nodes)


def _other_kind(problem: Problem) -> bool:
    """Masters and webapps are none of a reshard's business: it neither adds nor removes them."""
    return problem.variable in ("wa_masters", "wa_webapps")


def _unknown(coreapp: NodeState) -> Problem:
    return Problem(
        "NODE_UNKNOWN",
        "{0} is a coreapp of the cluster, but the inventory has no place for it; add its host to wa_coreapp_hosts, or"
        " remove it by hand.".format(coreapp.key),
        "wa_coreapp_hosts",
        None,
        coreapp.key,
    )


def _grow(state: ClusterState, spec: ClusterSpec, nodes: t.Sequence[Node]) -> list[Step]:
    """What must be there before set-shards: a master, missing coreapps, and dead ones that are not going to be removed.

    Of masters one is enough, which becomes the primary: it gives the shards to coreapps. Without it nobody would.
    """
    steps = []
    masters = state.of("master")
    if masters and not any(master.alive for master in masters):
        keys = tuple(sorted(master.key for master in masters))
        sentence = "Start {0}, one of which becomes the primary; wait until each reports.".format(
            listed("master", keys)
        )
        steps.append(Step("start", keys, (("alive", list(keys)),), sentence=sentence))
    new = tuple(node.key for node in nodes if not node.exists)
    if new:
        sentence = "Create {0}; wait until each is a standby.".format(listed("coreapp", new))
        steps.append(Step("create", new, (("alive", list(new)),), sentence=sentence))
    gone = surplus(state, spec, nodes)
    dead = tuple(sorted(c.key for c in state.of("coreapp") if not c.alive and c.slot not in gone))
    if dead:
        sentence = "Start what does not report: {0}; wait until each reports.".format(", ".join(dead))
        steps.append(Step("start", dead, (("alive", list(dead)),), sentence=sentence))
    return steps


def surplus(state: ClusterState, spec: ClusterSpec, nodes: t.Sequence[Node]) -> set[Slot]:
    """The coreapps to remove: as many as the desired state can spare, dead ones first, then standbys, owners last.

    nodes: the coreapps as placed.
    """
    cost = {coreapp.slot: coreapp.cost for coreapp in state.of("coreapp") if coreapp.slot}
    scheduler = Scheduler(spec, "coreapp", sorted(cost), {})
    scheduler.slots = [node.slot for node in nodes]
    return scheduler.surplus(lambda slot: cost[slot])


def _set_shards(state: ClusterState, shards: int) -> Step:
    alive = sorted(coreapp.key for coreapp in state.of("coreapp") if coreapp.alive)
    sentence = (
        "Set shards from {0} to {1}: all {2} restart by themselves, 45 to {3} s without service on every shard; wait"
        " until all are back and {4}.".format(
            state.shards,
            shards,
            amount(len(alive), "coreapp"),
            SET_SHARDS_SECONDS,
            "1 is connected" if shards == 1 else "{0} are connected".format(shards),
        )
    )
    gate = (("shards", shards), ("alive", alive), ("connected", shards))
    return Step("set_shards", (), gate, downtime(range(state.shards), SET_SHARDS_SECONDS), sentence)


def _shrink(state: ClusterState, spec: ClusterSpec, nodes: t.Sequence[Node], predicted: bool) -> list[Step]:
    """Standbys of the surplus go first, so that no shard can move to one; then its owners, one at a time."""
    gone = surplus(state, spec, nodes)
    going = sorted((c for c in state.of("coreapp") if c.slot in gone), key=lambda coreapp: coreapp.key)
    idle = [coreapp for coreapp in going if not coreapp.shards]
    steps = [_remove(idle, spec, predicted)] if idle else []
    for coreapp in going:
        if coreapp.shards:
            # No other choice of nodes costs less: owners are the last that the surplus takes.
            why = "is not needed where it is"
            steps.append(switchover(coreapp.key, coreapp.shards, "a standby", why, predicted))
            steps.append(_remove([coreapp], spec, predicted))
    return steps


def _remove(coreapps: t.Sequence[NodeState], spec: ClusterSpec, predicted: bool) -> Step:
    keys = tuple(coreapp.key for coreapp in coreapps)
    sentence = "Remove {0} without a shard: {1}.".format(amount(len(keys), "coreapp"), ", ".join(keys))
    gate = (("absent", list(keys)), ("connected", spec.shards))
    return Step("remove", keys, gate, sentence=sentence, predicted=predicted)


def plan_problems(
    state: ClusterState, reported: t.Iterable[t.Mapping[str, t.Any]], known: bool, why: str = ""
) -> list[Problem]:
    """Why no plan may be made from what was read.

    reported: nodes as wa_cluster_health shows them. known: whether the API showed the number of shards. why: the reason
    where it showed nothing at all.
    """
    nodes = list(reported)
    keys = {node.key for node in state.of("coreapp")}
    # What was removed stays visible in the API for some minutes; only a node that is alive is an unknown one.
    found = [
        _unknown_container(node["name"])
        for node in nodes
        if node["kind"] == "coreapp" and node["name"] not in keys and node["alive"]
    ]
    unread = unread_coreapps(nodes)
    if not known or unread:
        owners = ", and who owns them ({0}),".format(", ".join(unread)) if unread else ""
        advice = ": " + why if why else "; coreapps that are starting report it in a moment; only admin may read it"
        message = "The number of shards{0} could not be read from the API; a guess could stop an owner{1}."
        found.append(Problem("STATE_UNKNOWN", message.format(owners, advice)))
    return found


def unread_coreapps(reported: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Names of the coreapps that are alive, and of which the API did not show what they own."""
    return sorted(n["name"] for n in reported if n["kind"] == "coreapp" and n["shards"] is None and n["alive"])


def _unknown_container(key: str) -> Problem:
    return Problem(
        "NODE_UNKNOWN",
        "{0} reports to the cluster, but no such container was found on the hosts of the inventory; add its host to"
        " wa_coreapp_hosts, or stop it.".format(key),
        "wa_coreapp_hosts",
        None,
        key,
    )
