# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered steps that empty hosts, and why they may not begin. Internal to waent.fleet: may change. Pure.

What must be elsewhere comes first. Then goes what serves nobody, then owners one at a time, each with a switchover,
secondary masters, the primary, and webapps, one at a time as well. Nothing is taken away before its like is there, so
that a run which ends in between leaves at least what the desired state asks for; planned again, it is the rest.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Node
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import plan_problems
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step, switchover
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_checks import health_problems, uncertain_owners
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

Entry = t.Mapping[str, t.Any]


def plan_drain(state: ClusterState, nodes: t.Sequence[Node]) -> list[Step]:
    """The steps after which no node is left that has to go. None where there is none.

    state: the nodes that exist. nodes: as they are placed, those that do not exist yet among them.
    """
    leaving = {node.key for node in nodes if node.leaving}
    if not leaving:
        return []
    created = {node.key: NodeState(node.key, node.slot.kind, True, slot=node.slot) for node in nodes}
    steps = _fill(state, nodes, leaving)
    for step in list(steps):
        state = simulate(state, step, created=created)
    going = [node for node in state.nodes if node.key in leaving]
    for part in (_idle, _owners, _masters, _webapps):
        steps += part(state, going)
    return steps


def _fill(state: ClusterState, nodes: t.Sequence[Node], leaving: t.Container[str]) -> list[Step]:
    """What must be there before anything goes: new nodes, and those that stay and do not report."""
    steps = []
    new = [node for node in nodes if not node.exists]
    if new:
        keys = tuple(sorted(node.key for node in new))
        counts = [(kind, sum(node.slot.kind == kind for node in new)) for kind in KINDS]
        what = enumerate_all(amount(count, kind) for kind, count in counts if count)
        sentence = "Create {0}: {1}; wait until each is there.".format(what, ", ".join(keys))
        steps.append(Step("create", keys, (("alive", list(keys)),), sentence=sentence))
    dead = tuple(sorted(node.key for node in state.nodes if not node.alive and node.key not in leaving))
    if dead:
        sentence = "Start what does not report: {0}; wait until each reports.".format(", ".join(dead))
        steps.append(Step("start", dead, (("alive", list(dead)),), sentence=sentence))
    return steps


def _idle(state: ClusterState, going: t.Sequence[NodeState]) -> list[Step]:
    """What is dead, and standbys: before any owner, so that no shard can move to a coreapp that goes as well."""
    steps = []
    dead = _keys(node for node in going if not node.alive)
    standbys = _keys(node for node in going if node.kind == "coreapp" and node.alive and not node.shards)
    if dead:
        steps.append(_remove(state, dead, "Remove what does not report: {0}.".format(", ".join(dead))))
    if standbys:
        text = "Remove {0} without a shard: {1}.".format(amount(len(standbys), "coreapp"), ", ".join(standbys))
        steps.append(_remove(state, standbys, text))
    return steps


def _owners(state: ClusterState, going: t.Sequence[NodeState]) -> list[Step]:
    steps = []
    for node in going:
        if node.kind == "coreapp" and node.alive and node.shards:
            steps.append(switchover(node.key, node.shards, "a standby elsewhere", "has to go"))
            steps.append(_remove(state, (node.key,), "Remove {0}, which owns nothing any more.".format(node.key)))
    return steps


def _masters(state: ClusterState, going: t.Sequence[NodeState]) -> list[Step]:
    """The primary last, so that it is followed only once."""
    masters = [node for node in going if node.kind == "master" and node.alive]
    steps = []
    for node in sorted(masters, key=lambda node: (node.primary, node.key)):
        role = "the primary master; another master follows it" if node.primary else "a secondary master"
        steps.append(_remove(state, (node.key,), "Remove {0}, {1}.".format(node.key, role)))
    return steps


def _webapps(state: ClusterState, going: t.Sequence[NodeState]) -> list[Step]:
    webapps = [node for node in going if node.kind == "webapp" and node.alive]
    return [_remove(state, (node.key,), "Remove {0}, a webapp.".format(node.key)) for node in webapps]


def _keys(nodes: t.Iterable[NodeState]) -> tuple[str, ...]:
    return tuple(sorted(node.key for node in nodes))


def _remove(state: ClusterState, keys: tuple[str, ...], sentence: str) -> Step:
    return Step("remove", keys, (("absent", list(keys)), ("connected", state.shards)), sentence=sentence)


def drain_problems(
    state: ClusterState, placed: t.Sequence[Entry], hosts: t.Sequence[Entry], health: Entry, why: str
) -> list[Problem]:
    """Why no node may be taken away, by what was read: whose shards are not known, or a cluster that is ill.

    placed: the nodes that exist, as wa_placement returns them. why: the reason where the API showed nothing.
    """
    cluster = health.get("cluster") or {}
    registered = cluster.get("registered")
    known = isinstance(cluster.get("shards"), int) or registered is False
    found = plan_problems(state, cluster.get("nodes") or [], known, why)
    if known:
        found += health_problems(state.nodes, placed, health)
        found += uncertain_owners(state.nodes, placed, hosts, state.shards) if registered else []
    first: dict[tuple[str, str | None], Problem] = {}
    for problem in found:
        first.setdefault((problem.code, problem.host), problem)
    return list(first.values())
