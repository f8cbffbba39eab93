# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that empty hosts, carried out on a model of a cluster that counts what is left after every step."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, place
from ansible_collections.waent.fleet.plugins.module_utils._plan.drain import drain_problems, plan_drain
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

NONE = dict.fromkeys(KINDS, 0)
LEAST = {"master": 1, "webapp": 1}


def host(name, rack="a", drained=False):
    return HostSpec(name, rack, name, name, KINDS, NONE if drained else {}, DEFAULT_PORTS, drained)


def node(host, kind, index=1, alive=True, **more):
    key = "{0}:wa-{1}-{2}".format(host, kind, index)
    return NodeState(key, kind, alive, slot=Slot(host, kind, index), **more)


class World:
    """A cluster that carries out steps. It keeps its own books and does not ask the planner for anything."""

    def __init__(self, state, chance=None):
        self.shards = state.shards
        self.slots = {n.key: n.slot for n in state.nodes}
        self.alive = {n.key for n in state.nodes if n.alive}
        self.owners = {shard: n.key for n in state.nodes for shard in n.shards}
        self.primary = next((n.key for n in state.nodes if n.primary), None)
        self.choose = chance.choice if chance else min
        self.settle()

    def of(self, kind):
        return sorted(key for key in self.alive if self.slots[key].kind == kind)

    def settle(self):
        """Shards without an owner go to standbys, and another master becomes primary, whoever that is."""
        self.owners = {shard: key for shard, key in self.owners.items() if key in self.alive}
        for shard in range(self.shards):
            standbys = [key for key in self.of("coreapp") if key not in self.owners.values()]
            if shard not in self.owners and standbys:
                self.owners[shard] = self.choose(standbys)
        if self.primary not in self.alive:
            self.primary = self.choose(self.of("master")) if self.of("master") else None

    def state(self):
        owned = {key: frozenset(s for s, owner in self.owners.items() if owner == key) for key in self.slots}
        nodes = [
            NodeState(key, slot.kind, key in self.alive, key == self.primary, owned[key], slot)
            for key, slot in sorted(self.slots.items())
        ]
        return ClusterState(self.shards, tuple(nodes))

    def apply(self, step, nodes):
        assert step.nodes
        owned = {shard for shard, key in self.owners.items() if key in step.nodes}
        if step.action == "create":
            assert not set(step.nodes) & set(self.slots)
            self.slots.update({n.key: n.slot for n in nodes if n.key in step.nodes})
            self.alive |= set(step.nodes)
        elif step.action == "start":
            assert set(step.nodes) <= set(self.slots) - self.alive
            self.alive |= set(step.nodes)
        elif step.action == "switchover":
            assert len(step.nodes) == 1, "one owner at a time"
            assert owned == set(dict(step.downtime)), "the plan says what it costs"
            self.alive -= set(step.nodes)
        else:
            assert step.action == "remove"
            assert not owned, "an owner is never removed"
            assert self.primary not in step.nodes or len(step.nodes) == 1
            for key in step.nodes:
                del self.slots[key]
            self.alive -= set(step.nodes)
        self.settle()
        gate = dict(step.gate)
        assert set(gate.get("alive", [])) <= self.alive
        assert not set(gate.get("absent", [])) & set(self.slots)
        assert not set(gate.get("away", [])) & self.alive


@st.composite
def specs(draw):
    names = ["h{0}".format(number) for number in range(draw(st.integers(2, 5)))]
    drained = set(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2)))
    hosts = tuple(host(name, draw(st.sampled_from("abc")), name in drained) for name in names)
    survive = FaultTolerance(draw(st.sampled_from(["hosts", "racks"])), draw(st.integers(0, 1)))
    return ClusterSpec(draw(st.sampled_from(SHARD_COUNTS[:4])), None, survive, draw(st.booleans()), hosts)


@st.composite
def situations(draw):
    """Any state on these hosts: gaps in the numbers, dead nodes, owners and the primary wherever."""
    spec = draw(specs())
    nodes = [
        node(h.name, kind, index, draw(st.integers(0, 7)) > 0)
        for h in spec.hosts
        for kind in KINDS
        for index in sorted(draw(st.sets(st.integers(1, 3), max_size=3)))
    ]
    alive = draw(st.permutations([n.key for n in nodes if n.kind == "coreapp" and n.alive]))
    owners = dict(zip(alive, range(spec.shards)))
    masters = [n.key for n in nodes if n.kind == "master" and n.alive]
    primary = draw(st.sampled_from(masters)) if masters else None
    return spec, ClusterState(
        spec.shards,
        tuple(
            replace(n, primary=n.key == primary, shards=frozenset([owners[n.key]] if n.key in owners else []))
            for n in nodes
        ),
    )


def planned(spec, world):
    placement = place(spec, list(world.slots.values()))
    return placement, plan_drain(world.state(), placement.nodes)


def enough(spec, world):
    """Whether there is what must be: an owner for every shard, a master, a webapp."""
    return len(world.owners) == spec.shards and all(len(world.of(kind)) >= least for kind, least in LEAST.items())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(situations(), st.integers(0, 2**32))
def test_no_step_leaves_less_than_what_must_be_and_the_hosts_are_empty_in_the_end(situation, seed):
    spec, state = situation
    world = World(state, random.Random(seed))
    placement, steps = planned(spec, world)
    assume(not placement.problems)
    drained = {h.name for h in spec.hosts if h.drained}
    filled = False
    for step in steps:
        filled = filled or step.action not in ("create", "start")
        assert filled == (step.action not in ("create", "start")), "what must be elsewhere comes first"
        before = enough(spec, world)
        world.apply(step, placement.nodes)
        assert enough(spec, world) or not (before or filled), step.sentence
    if steps:
        assert not [slot for slot in world.slots.values() if slot.host in drained]
        assert world.alive == set(world.slots)
        after = place(spec, list(world.slots.values()))
        assert not after.problems
        assert all(n.exists for n in after.nodes), "what is left is what the desired state needs"
    else:
        assert not [n for n in state.nodes if n.slot.host in drained]
    assert planned(spec, world)[1] == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(situations())
def test_a_run_that_ended_anywhere_goes_on_with_the_rest(situation):
    spec, state = situation
    world = World(state)
    placement, steps = planned(spec, world)
    assume(not placement.problems and steps)
    for number, step in enumerate(steps):
        again = planned(spec, world)[1]
        assert [(s.action, s.nodes) for s in again] == [(s.action, s.nodes) for s in steps[number:]]
        world.apply(step, placement.nodes)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(situations())
def test_nodes_of_other_hosts_are_left_alone(situation):
    spec, state = situation
    drained = {h.name for h in spec.hosts if h.drained}
    placement, steps = planned(spec, World(state))
    assume(not placement.problems)
    gone = {key for step in steps if step.action in ("remove", "switchover") for key in step.nodes}
    assert gone == {n.key for n in state.nodes if n.slot.host in drained}


# Cases


def cluster(*drained, hosts=("a1", "b1", "c1")):
    """Two shards, a1 with the primary master and an owner, b1 with an owner, c1 with a standby."""
    nodes = (
        node("a1", "coreapp", shards=frozenset([0])), node("a1", "master", primary=True), node("a1", "webapp"),
        node("b1", "coreapp", shards=frozenset([1])), node("b1", "master"), node("b1", "webapp"),
        node("c1", "coreapp"),
    )  # fmt: skip
    spec = ClusterSpec(2, None, FaultTolerance(), False, tuple(host(h, h[0], h in drained) for h in hosts))
    return spec, World(ClusterState(2, nodes))


def actions(steps):
    return [(step.action, *step.nodes) for step in steps]


def test_an_owner_the_primary_and_a_webapp_leave_their_host_in_this_order():
    _placement, steps = planned(*cluster("a1"))
    assert actions(steps)[1:] == [
        ("switchover", "a1:wa-coreapp-1"),
        ("remove", "a1:wa-coreapp-1"),
        ("remove", "a1:wa-master-1"),
        ("remove", "a1:wa-webapp-1"),
    ]
    assert steps[0].action == "create"
    assert sorted(key.partition(":")[2].split("-")[1] for key in steps[0].nodes) == ["coreapp", "master"]
    assert not [key for key in steps[0].nodes if key.startswith("a1:")]
    assert [step.sentence for step in steps[1:]] == [
        "Stop a1:wa-coreapp-1, which owns shard 0 and has to go, and wait for failover: a standby elsewhere takes over,"
        " about 10 s without service there.",
        "Remove a1:wa-coreapp-1, which owns nothing any more.",
        "Remove a1:wa-master-1, the primary master; another master follows it.",
        "Remove a1:wa-webapp-1, a webapp.",
    ]


def test_a_standby_costs_nothing():
    _placement, steps = planned(*cluster("c1"))
    assert actions(steps)[1:] == [("remove", "c1:wa-coreapp-1")]
    assert not [step for step in steps if step.downtime]


def test_secondary_masters_go_before_the_primary_and_owners_one_by_one():
    nodes = (
        node("a1", "coreapp", 1, shards=frozenset([0])), node("a1", "coreapp", 2, shards=frozenset([1])),
        node("a1", "coreapp", 3), node("a1", "master", 1, primary=True), node("a1", "master", 2),
        node("a1", "webapp", 1), node("a1", "webapp", 2), node("a1", "coreapp", 4, alive=False),
    )  # fmt: skip
    spec = ClusterSpec(2, None, FaultTolerance(), False, (host("a1", drained=True), host("b1")))
    _placement, steps = planned(spec, World(ClusterState(2, nodes)))
    assert actions(steps)[1:] == [
        ("remove", "a1:wa-coreapp-4"),
        ("remove", "a1:wa-coreapp-3"),
        ("switchover", "a1:wa-coreapp-1"),
        ("remove", "a1:wa-coreapp-1"),
        ("switchover", "a1:wa-coreapp-2"),
        ("remove", "a1:wa-coreapp-2"),
        ("remove", "a1:wa-master-2"),
        ("remove", "a1:wa-master-1"),
        ("remove", "a1:wa-webapp-1"),
        ("remove", "a1:wa-webapp-2"),
    ]


def test_what_stays_and_is_dead_is_started_before_anything_goes():
    spec, world = cluster("c1")
    world.alive.discard("b1:wa-master-1")
    _placement, steps = planned(spec, world)
    assert actions(steps)[1:] == [("start", "b1:wa-master-1"), ("remove", "c1:wa-coreapp-1")]


def test_a_cluster_without_drained_hosts_and_an_empty_one_have_nothing_to_do():
    assert planned(*cluster())[1] == []
    assert planned(*cluster("d1", hosts=("a1", "b1", "c1", "d1")))[1] == []


@pytest.mark.parametrize(
    ("cluster_shown", "expected"),
    [
        ({}, ["STATE_UNKNOWN"]),
        ({"form": "cluster", "shards": None, "registered": True, "nodes": []}, ["STATE_UNKNOWN"]),
        ({"form": "cluster", "shards": None, "registered": False, "nodes": []}, []),
    ],
)
def test_nothing_is_taken_away_without_knowing_who_owns_what(cluster_shown, expected):
    _spec, world = cluster("a1")
    found = drain_problems(world.state(), [], [], {"cluster": cluster_shown, "problems": []}, "why")
    assert [problem.code for problem in found] == expected
