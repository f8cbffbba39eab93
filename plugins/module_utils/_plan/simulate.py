# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster is after a step whose gate was reached, as far as that can be predicted. Internal. Pure.

The product promises neither who takes over a shard nor which master becomes primary (reference 3.3, 3.4): here it is
the lowest key. Plans may not depend on it; the tests let anybody take over.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import DONE, ClusterState, NodeState

Nodes = t.Dict[str, NodeState]


def simulate(
    state: ClusterState,
    step: Step,
    desired: Version | None = None,
    created: t.Mapping[str, NodeState] | None = None,
) -> ClusterState:
    """The state after the step. desired: what C(replace) brings nodes to. created: what C(create) makes, by key."""
    if step.action == "remount":
        # Others have taken over before its nodes are back.
        state = simulate(state, Step("stop", step.nodes, ()), desired)
    nodes = {node.key: node for node in state.nodes}
    # A node in whose place another one comes has another key.
    gone = list(dict(step.gate).get("absent", ())) if step.action == "adopt" else []
    primary_went = any(nodes[key].primary for key in (*step.nodes, *gone) if key in nodes)
    for key in gone:
        nodes.pop(key, None)
    for key in step.nodes:
        _act(nodes, step.action, key, desired, created or {})
    shards = dict(step.gate).get("shards", state.shards)
    if step.action == "set_shards":
        _keep_shards(nodes, shards)
    _elect(nodes, step, primary_went)
    _promote(nodes, shards)
    schema = DONE if step.action == "schema_upgrade" else state.schema
    return ClusterState(shards, tuple(nodes[key] for key in sorted(nodes)), schema)


def _act(nodes: Nodes, action: str, key: str, desired: Version | None, created: t.Mapping[str, NodeState]) -> None:
    """What the step does to one of its nodes."""
    if action in ("create", "adopt"):
        nodes[key] = created[key]
    elif action in ("remove", "discard"):
        nodes.pop(key, None)
    elif action == "start":
        nodes[key] = replace(nodes[key], alive=True)
    elif action == "remount":
        nodes[key] = replace(nodes[key], alive=True, shards=frozenset(), primary=False, remount=False)
    elif action == "replace":
        new = replace(nodes[key], version=desired, alive=True, differs=False, other_tokens=False)
        nodes[key] = replace(new, primary=False)
    elif action in ("switchover", "stop"):
        nodes[key] = replace(nodes[key], alive=False, shards=frozenset(), primary=False)


def _keep_shards(nodes: Nodes, shards: int) -> None:
    """After set-shards an owner of a shard that remains is expected to keep it."""
    for key, node in nodes.items():
        kept = frozenset(shard for shard in node.shards if node.alive and shard < shards)
        nodes[key] = replace(node, shards=kept)


def _elect(nodes: Nodes, step: Step, primary_went: bool) -> None:
    """Another master becomes primary where the primary went, or where there is none."""
    masters = sorted(key for key, node in nodes.items() if node.kind == "master" and node.alive)
    if masters and (primary_went or not any(nodes[key].primary for key in masters)):
        others = [key for key in masters if key not in step.nodes]
        first = (others or masters)[0]
        nodes[first] = replace(nodes[first], primary=True)


def _promote(nodes: Nodes, shards: int) -> None:
    """Shards without an owner go to standbys, lowest key first; without a standby they stay without an owner."""
    owned = {shard for node in nodes.values() for shard in node.shards}
    idle = [key for key in sorted(nodes) if nodes[key].kind == "coreapp" and nodes[key].alive and not nodes[key].shards]
    for shard, key in zip(sorted(set(range(shards)) - owned), idle):
        nodes[key] = replace(nodes[key], shards=frozenset([shard]))
