# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as inventory entries for a play, one batch a step. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import SHORTENED, Step
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

Entry = t.Mapping[str, t.Any]

SERVING, REPORTING, PRESENT = "serving", "reporting", "present"
"""What a gate can wait for: every node that should be there serves; reports, and each shard is served; reports."""

PRIMARY_ELECTED, ANSWERING, NOTHING = "primary", "answering", "nothing"
"""There is one primary master; the webapps of the step let somebody log in, whatever else is there; nothing."""


def batches(
    state: ClusterState,
    steps: t.Sequence[Step],
    placed: t.Sequence[Entry],
    desired: Version | None = None,
    first: int = 1,
    shared_tokens: bool = True,
) -> list[list[Entry]]:
    """The steps as one list of entries for each, every entry with what a play has to know of its node.

    C({name, step, action, host, node, sentence, expect, counts_before, shortened, restore, log_in}); node is None for a
    step that has none. first: number of the first step. expect: C({what, shards, nodes, masters, coreapps, webapps}),
    the gate: which nodes, and which webapps by their URL, have to be there after the step. counts_before: requests are
    counted from the beginning of the step, and not only from its gate on (C(counted_from_their_beginning)).
    shortened: the failover timers are, from the first switchover to the last; restore: this is the last. log_in: no
    webapp that the gate asks knows the tokens of before. Of a remount also coreapps: the keys of those that it stops
    one after the other, and vacated: the gate while these are stopped. shared_tokens: the webapps have a declared key
    for tokens; without one each container makes its own.
    """
    switchovers = [number for number, step in enumerate(steps, first) if step.action in SHORTENED]
    by_key = {node["key"]: node for node in placed}
    created = {key: _created(node) for key, node in by_key.items()}
    home = next((node["host"] for node in placed if node["kind"] == "master"), placed[0]["host"] if placed else None)
    counted = counted_from_their_beginning(state, steps)
    found: list[list[Entry]] = []
    for number, step in enumerate(steps, first):
        before, state = state, simulate(state, step, desired, created)
        coreapps = tuple(key for key in step.nodes if by_key[key]["kind"] == "coreapp")
        common = {
            "step": number,
            "action": step.action,
            "sentence": step.sentence,
            "expect": _expect(state, step, by_key),
            "counts_before": number - first in counted,
            "shortened": bool(switchovers) and switchovers[0] <= number <= switchovers[-1],
            "restore": number in switchovers[-1:],
            "log_in": _tokens_change(before, state, step, shared_tokens),
        }
        if step.action == "remount":
            vacated = simulate(before, Step("stop", coreapps, ()))
            common.update(coreapps=list(coreapps), vacated=_expect(vacated, step, by_key))
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


def counted_from_their_beginning(state: ClusterState, steps: t.Sequence[Step]) -> frozenset[int]:
    """The places of the steps whose requests are counted while they are done.

    Such a step costs nobody service: requests that fail meanwhile are a reason to stop as much as those that fail
    afterwards. What those would show of its nodes, the next step sees before it is over. So the counting goes on for
    the whole time after the gate of everything else: a step that costs service, after which other nodes serve; the
    first step with nodes of a kind, which shows whether their new state is any good; and the last one, which no other
    follows.
    """
    kinds = {node.key: node.kind for node in state.nodes}
    found: set[int] = set()
    seen: set[str] = set()
    for place, step in enumerate(steps):
        of_step = {kinds.get(key, "") for key in step.nodes}
        known = bool(of_step) and of_step <= seen
        if step.action == "replace" and known and not step.downtime and place < len(steps) - 1:
            found.add(place)
        if step.action in ("replace", "create", "adopt"):
            seen |= of_step
    return frozenset(found)


def _created(node: Entry) -> NodeState:
    return NodeState(node["key"], node["kind"], True, slot=Slot(node["host"], node["kind"], node["index"]))


def _expect(state: ClusterState, step: Step, by_key: t.Mapping[str, Entry]) -> dict[str, t.Any]:
    alive = {kind: [node.key for node in state.of(kind) if node.alive] for kind in ("master", "coreapp", "webapp")}
    return {
        "what": _gate(state, step, alive),
        "shards": state.shards,
        "nodes": [_as_reported(by_key[key]) for kind in ("master", "coreapp") for key in alive[kind]],
        "masters": len(alive["master"]),
        "coreapps": len(alive["coreapp"]),
        "webapps": [webapp_url(by_key[key]) for key in _of_one_key(state)],
    }


def _as_reported(node: Entry) -> Entry:
    """The API names a node by its host name. A container of ours has its own name for one."""
    return {**node, "name": node["hostname"]} if "hostname" in node else node


def _gate(state: ClusterState, step: Step, alive: t.Mapping[str, t.Sequence[str]]) -> str:
    if not alive["webapp"] or not alive["master"]:
        return ANSWERING if set(alive["webapp"]) & set(step.nodes) else NOTHING
    enough = len(alive["coreapp"]) >= state.shards
    if step.action in ("create", "start"):
        # What a reshard repairs may be without service until set-shards; new nodes only have to be there.
        return REPORTING if enough else PRESENT
    return SERVING if enough else PRIMARY_ELECTED


def _of_one_key(state: ClusterState) -> list[str]:
    """The webapps that a gate can ask with one token: those with the new key as soon as there is one, else all."""
    alive = [node for node in state.of("webapp") if node.alive]
    new = [node.key for node in alive if not node.other_tokens]
    return new or [node.key for node in alive]


def _tokens_change(before: ClusterState, after: ClusterState, step: Step, shared: bool) -> bool:
    """Whether a token of before is worth nothing after the step."""
    webapps = {node.key for node in before.of("webapp")}
    if not webapps & {*step.nodes, *dict(step.gate).get("absent", ())}:
        return False
    return not shared or _has_new_key(before) != _has_new_key(after)


def _has_new_key(state: ClusterState) -> bool:
    return any(node.alive and not node.other_tokens for node in state.of("webapp"))
