# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered steps from a cluster as it is to the one that is wanted. Internal to waent.fleet: may change. Pure.

A plan is data: it is shown before anything is done, and made again from what is read after every step, so that a run
that was killed goes on where the cluster stands. Reshard (reference 6.5): new coreapps first, then set-shards, and
only when all coreapps are back the surplus goes, and never an owner: one among the surplus hands its shard over first.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Node, Scheduler, Slot, place

SET_SHARDS_SECONDS = 60
"""All coreapps restart: 45 to 60 s without service (reference 3.4)."""

FAILOVER_SECONDS = 35
"""A standby takes a shard over from an owner that is gone (reference 3.3)."""

DEAD, STANDBY, OWNER = 0, 1, 2
"""What it costs to take a coreapp away: nothing, a spare, a fail-over. Cheap ones go first."""


@dataclass(frozen=True)
class Coreapp:
    """A coreapp that exists. alive: it reports and is no error. shards: those it owns, without the control shard."""

    slot: Slot
    key: str
    alive: bool
    shards: frozenset[int] = frozenset()

    @property
    def cost(self) -> int:
        """DEAD, STANDBY or OWNER."""
        if self.shards:
            return OWNER
        return STANDBY if self.alive else DEAD


@dataclass(frozen=True)
class ClusterState:
    """What a reshard has to know: the configured shard count and the coreapps that exist."""

    shards: int
    coreapps: tuple[Coreapp, ...]


@dataclass(frozen=True)
class Step:
    """One thing to do, what to wait for before the next one, and what it costs.

    action: C(create), C(start), C(set_shards), C(hand_over) or C(remove). nodes: health keys of the nodes it touches.
    gate: what must hold before the next step, as names and values: C(alive) keys that report without an error,
    C(shards) configured count, C(connected) number of connected coreapps, C(owned) shards that have an owner other
    than the nodes of the step, C(absent) keys that are gone.
    downtime: expected seconds without service by shard. predicted: which nodes it is depends on who owns a shard after
    set-shards, which nobody knows before; the plan made then is the one that counts.
    """

    action: str
    nodes: tuple[str, ...]
    gate: tuple[tuple[str, t.Any], ...]
    downtime: tuple[tuple[int, int], ...] = ()
    sentence: str = ""
    predicted: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return; shards are text where they are keys, as JSON wants it."""
        return {
            "action": self.action,
            "nodes": list(self.nodes),
            "gate": dict(self.gate),
            "downtime": {str(shard): seconds for shard, seconds in self.downtime},
            "sentence": self.sentence,
            "predicted": self.predicted,
        }


@dataclass(frozen=True)
class ReshardPlan:
    """The steps, every coreapp they name as it is placed, and what forbids to begin."""

    steps: tuple[Step, ...]
    nodes: tuple[Node, ...] = ()
    problems: tuple[Problem, ...] = ()

    def keys_of(self, *actions: str) -> list[str]:
        """Health keys of the nodes that steps of these kinds touch, in the order of the steps."""
        return [key for step in self.steps if step.action in actions for key in step.nodes]


def plan_reshard(state: ClusterState, wanted: ClusterSpec) -> ReshardPlan:
    """The steps to C(wanted.shards) and to the coreapps that number needs. None when all is as wanted."""
    placement = place(wanted, [coreapp.slot for coreapp in state.coreapps])
    nodes = tuple(node for node in placement.nodes if node.slot.kind == "coreapp")
    placed = {node.key for node in nodes}
    problems = [problem for problem in placement.problems if not _other_kind(problem)]
    problems += [_unknown(coreapp) for coreapp in state.coreapps if coreapp.key not in placed]
    if problems:
        return ReshardPlan((), nodes, tuple(problems))
    steps = _grow(state, wanted, nodes)
    for step in steps:
        state = foresee(state, step, nodes)
    resharded = state.shards != wanted.shards
    if resharded:
        steps.append(_set_shards(state, wanted.shards))
        state = foresee(state, steps[-1], nodes)
    steps += _shrink(state, wanted, resharded)
    return ReshardPlan(tuple(steps), nodes)


def _other_kind(problem: Problem) -> bool:
    """Masters and webapps are none of a reshard's business: it neither adds nor removes them."""
    return problem.variable in ("wa_masters", "wa_webapps")


def _unknown(coreapp: Coreapp) -> Problem:
    return Problem(
        "NODE_UNKNOWN",
        "{0} is a coreapp of the cluster, but the inventory has no place for it; add its host to wa_coreapp_hosts, or"
        " remove it by hand.".format(coreapp.key),
        "wa_coreapp_hosts",
        None,
        coreapp.key,
    )


def _grow(state: ClusterState, wanted: ClusterSpec, nodes: t.Sequence[Node]) -> list[Step]:
    """What must be there before set-shards: missing coreapps, and dead ones that are not going to be removed."""
    steps = []
    new = tuple(node.key for node in nodes if not node.exists)
    if new:
        sentence = "Create {0}: {1}; wait until each stands by.".format(amount(len(new), "coreapp"), ", ".join(new))
        steps.append(Step("create", new, (("alive", list(new)),), sentence=sentence))
    gone = surplus(state, wanted)
    dead = tuple(sorted(c.key for c in state.coreapps if not c.alive and c.slot not in gone))
    if dead:
        sentence = "Start what does not report: {0}; wait until each is back.".format(", ".join(dead))
        steps.append(Step("start", dead, (("alive", list(dead)),), sentence=sentence))
    return steps


def surplus(state: ClusterState, wanted: ClusterSpec) -> set[Slot]:
    """The coreapps to take away: as many as the wish can spare, dead ones first, then standbys, owners last."""
    cost = {coreapp.slot: coreapp.cost for coreapp in state.coreapps}
    deal = Scheduler(wanted, "coreapp", sorted(cost), {})
    deal.run()
    return deal.surplus(lambda slot: cost[slot])


def _set_shards(state: ClusterState, shards: int) -> Step:
    alive = sorted(coreapp.key for coreapp in state.coreapps if coreapp.alive)
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
    downtime = tuple((shard, SET_SHARDS_SECONDS) for shard in range(state.shards))
    return Step("set_shards", (), gate, downtime, sentence)


def _shrink(state: ClusterState, wanted: ClusterSpec, predicted: bool) -> list[Step]:
    """Standbys of the surplus go first, so that no shard can move to one; then its owners, one at a time."""
    gone = surplus(state, wanted)
    going = sorted((c for c in state.coreapps if c.slot in gone), key=lambda coreapp: coreapp.key)
    idle = [coreapp for coreapp in going if not coreapp.shards]
    steps = [_remove(idle, wanted, predicted)] if idle else []
    for coreapp in going:
        if coreapp.shards:
            steps += [_hand_over(coreapp, predicted), _remove([coreapp], wanted, predicted)]
    return steps


def _remove(coreapps: t.Sequence[Coreapp], wanted: ClusterSpec, predicted: bool) -> Step:
    keys = tuple(coreapp.key for coreapp in coreapps)
    sentence = "Remove {0} without a shard: {1}.".format(amount(len(keys), "coreapp"), ", ".join(keys))
    gate = (("absent", list(keys)), ("connected", wanted.shards))
    return Step("remove", keys, gate, sentence=sentence, predicted=predicted)


def _hand_over(coreapp: Coreapp, predicted: bool) -> Step:
    shards = sorted(coreapp.shards)
    sentence = (
        "Stop {0}, which owns {1} {2} and is not needed where it is; a standby takes over, about {3} s without service"
        " on that shard. No other choice of nodes costs less.".format(
            coreapp.key,
            "shard" if len(shards) == 1 else "shards",
            ", ".join(str(shard) for shard in shards),
            FAILOVER_SECONDS,
        )
    )
    downtime = tuple((shard, FAILOVER_SECONDS) for shard in shards)
    return Step("hand_over", (coreapp.key,), (("owned", shards),), downtime, sentence, predicted)


def foresee(state: ClusterState, step: Step, nodes: t.Iterable[Node]) -> ClusterState:
    """The state after a step whose gate was reached, as far as it can be foreseen.

    Set-shards: an owner of a shard that remains is expected to keep it, and the others to go to the lowest keys; the
    product promises neither (reference 3.4). Hand-over: the lowest standby takes the shard.
    """
    coreapps = {coreapp.key: coreapp for coreapp in state.coreapps}
    if step.action == "create":
        slots = {node.key: node.slot for node in nodes}
        coreapps.update({key: Coreapp(slots[key], key, True) for key in step.nodes})
        coreapps = _serve(coreapps, state.shards)
    elif step.action == "start":
        coreapps.update({key: replace(coreapps[key], alive=True) for key in step.nodes})
        coreapps = _serve(coreapps, state.shards)
    elif step.action == "remove":
        coreapps = {key: coreapp for key, coreapp in coreapps.items() if key not in step.nodes}
    elif step.action == "hand_over":
        for key in step.nodes:
            coreapps[key] = replace(coreapps[key], alive=False, shards=frozenset())
        coreapps = _serve(coreapps, state.shards)
    shards_now = dict(step.gate).get("shards", state.shards)
    if step.action == "set_shards":
        coreapps = _deal_shards(coreapps, shards_now)
    return ClusterState(shards_now, tuple(coreapps[key] for key in sorted(coreapps)))


def _deal_shards(coreapps: t.Mapping[str, Coreapp], shards: int) -> dict[str, Coreapp]:
    dealt = dict(coreapps)
    for key, coreapp in dealt.items():
        keeps = frozenset(shard for shard in coreapp.shards if coreapp.alive and shard < shards)
        dealt[key] = replace(coreapp, shards=keeps)
    return _serve(dealt, shards)


def _serve(coreapps: t.Mapping[str, Coreapp], shards: int) -> dict[str, Coreapp]:
    """Shards without an owner go to standbys, lowest key first; without a standby they stay without an owner."""
    given = dict(coreapps)
    owned = {shard for coreapp in given.values() for shard in coreapp.shards}
    standbys = [key for key in sorted(given) if given[key].cost == STANDBY]
    for shard, key in zip(sorted(set(range(shards)) - owned), standbys):
        given[key] = replace(given[key], shards=frozenset([shard]))
    return given


def read_state(
    cluster: t.Mapping[str, t.Any], running: t.Iterable[Slot], wanted: ClusterSpec
) -> tuple[ClusterState | None, list[Problem]]:
    """The state from what the API shows and what exists on the hosts, or why it cannot be told.

    cluster: as wa_cluster_health returns it. running: nodes that exist. A coreapp is alive when it reports a status
    and no error; one that exists and does not report is dead.
    """
    reported = {node["name"]: node for node in cluster.get("nodes") or [] if node["kind"] == "coreapp"}
    addresses = {host.name: host.address for host in wanted.hosts}
    slots = {}
    for slot in running:
        if slot.kind == "coreapp":
            name = "{0}-coreapp-{1}".format(wanted.name_prefix, slot.index)
            slots["{0}:{1}".format(addresses.get(slot.host, slot.host), name)] = slot
    # What was removed is shown by the API for some minutes more; only a node that answers is a stranger.
    problems = [_stranger(key) for key in sorted(reported) if key not in slots and _alive(reported[key])]
    unread = unread_coreapps(cluster)
    if not isinstance(cluster.get("shards"), int) or unread:
        problems.append(
            Problem(
                "STATE_UNKNOWN",
                "The number of shards{0} could not be read from the API; a plan made from a guess could stop an owner."
                " Coreapps that are starting tell it in a moment; the number is told to admin only.".format(
                    ", and who owns them ({0}),".format(", ".join(unread)) if unread else ""
                ),
            )
        )
    if problems:
        return None, problems
    coreapps = []
    for key, slot in sorted(slots.items()):
        node = reported.get(key)
        alive = node is not None and _alive(node)
        owned = frozenset(shard for shard in (node or {}).get("shards") or [] if shard >= 0)
        coreapps.append(Coreapp(slot, key, alive, owned if alive else frozenset()))
    return ClusterState(cluster["shards"], tuple(coreapps)), []


def unread_coreapps(cluster: t.Mapping[str, t.Any]) -> list[str]:
    """Names of the coreapps that answer, and of which the API did not tell what they own. cluster: as in read_state."""
    nodes = cluster.get("nodes") or []
    return sorted(n["name"] for n in nodes if n["kind"] == "coreapp" and n["shards"] is None and _alive(n))


def _alive(node: t.Mapping[str, t.Any]) -> bool:
    return node["gateway_status"] is not None and not node["errors"]


def _stranger(key: str) -> Problem:
    return Problem(
        "NODE_UNKNOWN",
        "{0} reports to the cluster, but no such container was found on the hosts of the inventory; add its host to"
        " wa_coreapp_hosts, or end it.".format(key),
        "wa_coreapp_hosts",
        None,
        key,
    )
