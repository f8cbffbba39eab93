# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered steps by which nodes of compose files become nodes of this collection. Internal: may change. Pure.

A node of a compose file is stopped, one of ours runs in its place, on the same stores and, where others knew them, the
same ports; when the cluster has it, the container of the compose file is removed. Node by node: first what does not
run, standbys, owners, each after a switchover to a standby that is ours already, secondary masters, the primary,
webapps. Planned again from what is read, it is the rest of the old plan: a container of the compose file that stopped
and whose place is taken is only removed.

Of a single instance nobody can take over: it stops as a whole before the first node of the cluster starts.

Where no webapp runs, nobody shows who owns a shard; where no master does, nobody shows the timers that switchovers
change. What gives that comes first then, since it owns nothing, and the rest is planned from what is shown.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import (
    RESTART_SECONDS,
    Step,
    downtime,
    planned_then,
    shards_text,
    switchover,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.found import FoundNode
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

Entry = t.Mapping[str, t.Any]
"""A placed node as wa_placement returns it."""

CONVERSION_SECONDS = 2 * RESTART_SECONDS
"""A single instance stops, masters elect a primary, and a coreapp becomes the owner (reference 3.1, 3.3)."""


class Adoption(t.NamedTuple):
    """What becomes of the nodes of compose files.

    taken: by key of a placed node that does not exist yet the one in whose place it comes. left: those in whose place
    there is a node already, or none is placed. new: keys of placed nodes that come in nobody's place.
    """

    taken: dict[str, FoundNode]
    left: tuple[FoundNode, ...]
    new: tuple[str, ...]


def adoption(placed: t.Iterable[Entry], found: t.Iterable[FoundNode]) -> Adoption:
    """Who comes in whose place: on the same host and of the same kind, by ports where those are kept."""
    lacking = [node for node in placed if not node["exists"]]
    # One that runs has a place to give away; one that stopped may have given it away before a run was killed.
    open_ = sorted(found, key=lambda node: (not node.runs, node.name))
    taken: dict[str, FoundNode] = {}
    for by_ports in (True, False):
        for node in lacking:
            if node["key"] in taken:
                continue
            like = (one for one in open_ if (one.host, one.kind) == (node["host"], node["kind"]))
            match = next((one for one in like if not by_ports or one.ports == tuple(node["ports"])), None)
            if match is not None:
                taken[node["key"]] = match
                open_.remove(match)
    new = tuple(node["key"] for node in lacking if node["key"] not in taken)
    return Adoption(taken, tuple(open_), new)


def plan_adopt(
    state: ClusterState,
    placed: t.Sequence[Entry],
    found: t.Sequence[FoundNode],
    has_api: bool = True,
    plans_again: bool = False,
) -> list[Step]:
    """The steps after which no node of a compose file is left. None where there is none, and all that is placed runs.

    state: the nodes of both sorts that exist. placed: as wa_placement returns them. found: those of compose files.
    has_api: whether a webapp runs; without one what is no webapp counts for dead in the state. plans_again: whether
    another plan can follow. Where it has to, the steps end with one that is predicted.
    """
    if any(node.single for node in found):
        return _convert(state, placed, found)
    changes = adoption(placed, found)
    if plans_again and not (has_api and any(node.alive for node in state.of("master"))):
        first = _first(state, placed, changes, has_api)
        gone = {key for step in first for key in dict(step.gate).get("absent", ())}
        rest = [node for node in found if node.key not in gone]
        if first and (rest or not has_api):
            what = "adopt or remove {0}, by who owns what".format(_names(rest)) if rest else "what is left"
            return [*first, planned_then("adopt", (node.key for node in rest), what)]
    by_key = {node["key"]: node for node in placed}
    created = {
        key: NodeState(key, node["kind"], True, slot=Slot(node["host"], node["kind"], node["index"]))
        for key, node in by_key.items()
    }
    taken_from = {node.key: key for key, node in changes.taken.items()}
    steps = _fill(state, by_key, changes)
    for step in list(steps):
        state = simulate(state, step, created=created)
    going = [node for node in state.nodes if node.key in taken_from]
    adopt = _Adopting(state, by_key, changes.taken, taken_from)
    steps += adopt.standbys(going) + adopt.owners(going) + adopt.masters(going) + adopt.webapps(going)
    left = {node.key: node for node in changes.left}
    return steps + _left(state, [node for node in state.nodes if node.key in left], left)


def _first(state: ClusterState, placed: t.Sequence[Entry], changes: Adoption, has_api: bool) -> list[Step]:
    """What shows the cluster, and costs nothing.

    Where the API shows what is dead, that goes along; else it is webapps, and masters in whose place nothing runs.
    """
    by_key = {node["key"]: node for node in placed}
    if has_api:
        return _fill(state, by_key, changes)
    by_key = {
        key: node
        for key, node in by_key.items()
        if node["kind"] == "webapp" or (node["kind"] == "master" and not node["exists"])
    }
    taken = {
        key: node for key, node in changes.taken.items() if key in by_key and (node.kind == "webapp" or not node.runs)
    }
    mine = Adoption(taken, (), tuple(key for key in changes.new if key in by_key))
    return [_unseen(step) for step in _fill(state, by_key, mine)]


def _unseen(step: Step) -> Step:
    """The same without a number of coreapps that nobody has seen."""
    return replace(step, gate=tuple(one for one in step.gate if one[0] != "connected"))


def _fill(state: ClusterState, by_key: t.Mapping[str, Entry], changes: Adoption) -> list[Step]:
    """What costs nothing: nodes that come in nobody's place, ours that do not report, and the dead of compose files."""
    steps = []
    if changes.new:
        counts = [(kind, sum(by_key[key]["kind"] == kind for key in changes.new)) for kind in KINDS]
        what = enumerate_all(amount(count, kind) for kind, count in counts if count)
        sentence = "Create {0}: {1}; wait until each is there.".format(what, ", ".join(changes.new))
        steps.append(Step("create", changes.new, (("alive", list(changes.new)),), sentence=sentence))
    dead = tuple(node.key for node in state.nodes if not node.alive and node.key in by_key)
    if dead:
        sentence = "Start what does not report: {0}; wait until each reports.".format(", ".join(dead))
        steps.append(Step("start", dead, (("alive", list(dead)),), sentence=sentence))
    gone = {node.key for node in state.nodes if not node.alive}
    stopped = {key: node for key, node in changes.taken.items() if node.key in gone}
    if stopped:
        sentence = "Run what does not report in place of {0}: {1}.".format(_names(stopped.values()), ", ".join(stopped))
        steps.append(_adopt(state, stopped, sentence))
    return steps


class _Adopting:
    """Steps for nodes that run. taken: by our key the node that goes; taken_from: by its key ours."""

    def __init__(
        self,
        state: ClusterState,
        by_key: t.Mapping[str, Entry],
        taken: t.Mapping[str, FoundNode],
        taken_from: t.Mapping[str, str],
    ) -> None:
        self.state, self.by_key, self.taken, self.taken_from = state, by_key, taken, taken_from

    def _step(self, nodes: t.Sequence[NodeState], what: str, cost: tuple[tuple[int, int], ...] = ()) -> Step:
        keys = [self.taken_from[node.key] for node in nodes]
        pairs = ["{0} as {1}".format(self.taken[key].name, key) for key in keys]
        return _adopt(self.state, {key: self.taken[key] for key in keys}, what.format(", ".join(pairs)), cost)

    def standbys(self, going: t.Sequence[NodeState]) -> list[Step]:
        """One first, to see that one of ours works here; it is the spare while the others follow all at once."""
        standbys = [node for node in going if node.kind == "coreapp" and not node.shards]
        ours = any(node.key in self.by_key and node.alive for node in self.state.of("coreapp"))
        batches = [standbys] if ours else [standbys[:1], standbys[1:]]
        text = "Adopt {0} without a shard: {{0}}."
        return [self._step(batch, text.format(amount(len(batch), "coreapp"))) for batch in batches if batch]

    def owners(self, going: t.Sequence[NodeState]) -> list[Step]:
        """One at a time, each after another coreapp has its shards."""
        spare = any(node.alive and not node.shards for node in self.state.of("coreapp"))
        steps = []
        for node in going:
            if node.kind != "coreapp" or not node.shards:
                continue
            if not spare:
                text = "Adopt {{0}}, which owns {0}; nobody can take over, about {1} s without service there.".format(
                    shards_text(node.shards), RESTART_SECONDS
                )
                steps.append(self._step([node], text, downtime(node.shards, RESTART_SECONDS)))
                continue
            steps.append(switchover(node.key, node.shards, "a standby", "is to be adopted"))
            steps.append(self._step([node], "Adopt {0}, which owns nothing any more; it is a standby from then on."))
        return steps

    def masters(self, going: t.Sequence[NodeState]) -> list[Step]:
        """The primary last, so that it is followed by one of ours."""
        masters = [node for node in going if node.kind == "master"]
        alone = len(self.state.of("master")) == 1
        steps = []
        for node in sorted(masters, key=lambda node: (node.primary, node.key)):
            role = "the primary master" if node.primary else "a secondary master"
            effect = "; another master follows it" if node.primary and not alone else ""
            effect = "; until it is there nobody takes over from a coreapp that fails" if alone else effect
            steps.append(self._step([node], "Adopt {{0}}, {0}{1}.".format(role, effect)))
        return steps

    def webapps(self, going: t.Sequence[NodeState]) -> list[Step]:
        """One at a time. The only one there is takes the API with it while it starts."""
        only = len(self.state.of("webapp")) == 1
        cost = downtime(range(self.state.shards), RESTART_SECONDS) if only else ()
        text = "Adopt {{0}}, a webapp{0}.".format(
            ", the only one: no API for about {0} s".format(RESTART_SECONDS) if only else ""
        )
        return [self._step([node], text, cost) for node in going if node.kind == "webapp"]


def _left(state: ClusterState, going: t.Sequence[NodeState], left: t.Mapping[str, FoundNode]) -> list[Step]:
    """Nodes of compose files in whose place nobody comes: what stopped, then standbys, owners, masters, webapps."""
    steps = []
    dead = [node for node in going if not node.alive]
    idle = [node for node in going if node.alive and node.kind == "coreapp" and not node.shards]
    for nodes, what in ((dead, "the place of which is taken"), (idle, "which own nothing")):
        if nodes:
            keys = tuple(node.key for node in nodes)
            text = "Remove {0}, {1}.".format(_names(left[key] for key in keys), what)
            steps.append(_discard(state, keys, text))
    for node in going:
        if node.alive and node.shards:
            steps.append(switchover(node.key, node.shards, "a standby", "has to go"))
            steps.append(
                _discard(
                    state, (node.key,), "Remove {0}, which owns nothing any more.".format(_names([left[node.key]]))
                )
            )
    for kind in ("master", "webapp"):
        for node in sorted((n for n in going if n.alive and n.kind == kind), key=lambda node: (node.primary, node.key)):
            steps.append(_discard(state, (node.key,), "Remove {0}, a {1}.".format(_names([left[node.key]]), kind)))
    return steps


def _convert(state: ClusterState, placed: t.Sequence[Entry], found: t.Sequence[FoundNode]) -> list[Step]:
    """From a single instance to a cluster on the same database: it must be gone before the first coreapp starts."""
    single = [node for node in found if node.single]
    running = [node for node in single if node.runs]
    alive = {node.key for node in state.nodes if node.alive}
    lacking = [node for node in placed if node["key"] not in alive]
    cost = downtime(range(state.shards), CONVERSION_SECONDS)
    steps = []
    if running:
        # The webapp first: it takes no message that nobody sends.
        for kind in ("webapp", "coreapp"):
            keys = tuple(node.key for node in running if node.kind == kind)
            if keys:
                names = _names(node for node in running if node.kind == kind)
                text = "Stop {0}, the {1} of the single instance{2}.".format(
                    names,
                    kind,
                    ": no service from here until the cluster serves, about {0} s".format(CONVERSION_SECONDS)
                    if kind == "webapp"
                    else "",
                )
                steps.append(Step("stop", keys, (("away", list(keys)),), cost if kind == "webapp" else (), text))
    if lacking:
        counts = [(kind, sum(node["kind"] == kind for node in lacking)) for kind in KINDS]
        keys = tuple(node["key"] for node in lacking)
        text = "Run the cluster on the same database, {0}: {1}; wait until it serves.".format(
            enumerate_all(amount(count, kind) for kind, count in counts if count), ", ".join(keys)
        )
        gate = (("alive", list(keys)), ("absent", [node.key for node in single]), ("connected", state.shards))
        steps.append(Step("adopt", keys, gate, sentence=text))
    keys = tuple(node.key for node in single)
    return [*steps, _discard(state, keys, "Remove {0}, which the cluster follows.".format(_names(single)))]


def _names(nodes: t.Iterable[FoundNode]) -> str:
    return enumerate_all("{0} on {1}".format(node.name, node.host) for node in nodes)


def _adopt(
    state: ClusterState, taken: t.Mapping[str, FoundNode], sentence: str, cost: tuple[tuple[int, int], ...] = ()
) -> Step:
    gone = [node.key for node in taken.values()]
    gate = (("alive", list(taken)), ("absent", gone), ("connected", state.shards))
    return Step("adopt", tuple(taken), gate, cost, sentence)


def _discard(state: ClusterState, keys: tuple[str, ...], sentence: str) -> Step:
    return Step("discard", keys, (("absent", list(keys)), ("connected", state.shards)), sentence=sentence)
