# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reshard plans, carried out on a model of a cluster that refuses what the product would not survive."""

from __future__ import annotations

import itertools
import random

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, place
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import plan_reshard as plan_placed
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import OWNER, ClusterState, NodeState
from ansible_collections.waent.fleet.tests.support.sample import sampled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def plan_reshard(state, spec):
    """The plan for a cluster of which nothing but the coreapps was read."""
    return plan_placed(state, spec, place(spec, [node.slot for node in state.nodes]))


def coreapp(slot, key, alive, shards=frozenset()):
    """A coreapp as it was read."""
    return NodeState(key, "coreapp", alive, shards=shards, slot=slot)


class World:
    """A cluster that carries out steps. It keeps its own books and does not ask the planner for anything."""

    def __init__(self, state, choose=None):
        self.shards = state.shards
        self.slots = {node.key: node.slot for node in state.nodes}
        self.alive = {node.key for node in state.nodes if node.alive}
        self.owners = {shard: node.key for node in state.nodes for shard in node.shards}
        self.created: set[str] = set()
        # Who gets a shard: the lowest key, or anybody.
        self.choose = choose or min
        self.scatter = choose is not None

    def state(self):
        coreapps = tuple(
            coreapp(
                slot, key, key in self.alive, frozenset(shard for shard, owner in self.owners.items() if owner == key)
            )
            for key, slot in sorted(self.slots.items())
        )
        return ClusterState(self.shards, coreapps)

    def promote(self):
        for shard in range(self.shards):
            standbys = sorted(self.alive - set(self.owners.values()))
            if shard not in self.owners and standbys:
                self.owners[shard] = self.choose(standbys)

    def apply(self, step, nodes):
        """Does the step and reaches its gate, or fails the test."""
        enough = len(self.alive) >= self.shards
        getattr(self, step.action)(step, nodes)
        gate = dict(step.gate)
        assert set(gate.get("alive", [])) <= self.alive
        assert gate.get("shards", self.shards) == self.shards
        assert not set(gate.get("absent", [])) & set(self.slots)
        assert gate.get("connected", len(self.owners)) == len(self.owners)
        for shard in gate.get("owned", []):
            assert self.owners[shard] not in step.nodes
        if enough:
            assert len(self.alive) >= self.shards

    def create(self, step, nodes):
        slots = {node.key: node.slot for node in nodes}
        for key in step.nodes:
            assert key not in self.slots
            self.slots[key] = slots[key]
        self.alive |= set(step.nodes)
        self.created |= set(step.nodes)
        self.promote()

    def start(self, step, _nodes):
        assert set(step.nodes) <= set(self.slots) - self.alive
        self.alive |= set(step.nodes)
        self.promote()

    def set_shards(self, step, _nodes):
        shards = dict(step.gate)["shards"]
        assert shards in SHARD_COUNTS
        assert shards != self.shards, "a repeated call restarts everything"
        assert len(self.alive) >= shards, "coreapps must be >= shards"
        assert set(dict(step.downtime)) == set(range(self.shards))
        self.shards = shards
        self.owners = {} if self.scatter else {s: k for s, k in self.owners.items() if s < shards and k in self.alive}
        self.promote()

    def switchover(self, step, _nodes):
        (key,) = step.nodes
        mine = {shard for shard, owner in self.owners.items() if owner == key}
        assert mine == set(dict(step.downtime)), "the plan says what it costs"
        assert len(mine) == 1
        self.alive.discard(key)
        self.owners = {shard: owner for shard, owner in self.owners.items() if owner != key}
        self.promote()
        assert len(self.owners) == self.shards, "a shard was left without an owner"

    def remove(self, step, _nodes):
        assert step.nodes
        assert not set(step.nodes) & set(self.owners.values()), "standbys only"
        assert not set(step.nodes) & self.created, "what was just made is not removed"
        for key in step.nodes:
            del self.slots[key]
        self.alive -= set(step.nodes)


@st.composite
def specs(draw, most_hosts=4, most_shards=8):
    hosts = []
    for number in range(draw(st.integers(1, most_hosts))):
        counts = {"coreapp": draw(st.integers(0, 6))} if draw(st.integers(0, 5)) == 0 else {}
        name = "h{0}".format(number)
        hosts.append(HostSpec(name, draw(st.sampled_from("abc")), name, name, KINDS, counts, DEFAULT_PORTS))
    shards = draw(st.sampled_from([count for count in SHARD_COUNTS if count <= most_shards]))
    survive = FaultTolerance(draw(st.sampled_from(["hosts", "racks"])), draw(st.integers(0, 1)))
    return ClusterSpec(shards, None, survive, draw(st.booleans()), tuple(hosts))


@st.composite
def clusters(draw, spec, most=5):
    """Any state of a cluster on these hosts: gaps in the numbers, dead nodes, owners wherever."""
    coreapps = []
    for host in spec.hosts:
        for index in sorted(draw(st.sets(st.integers(1, most), max_size=most))):
            slot = Slot(host.name, "coreapp", index)
            key = "{0}:wa-coreapp-{1}".format(host.name, index)
            coreapps.append(coreapp(slot, key, draw(st.integers(0, 7)) > 0))
    alive = [node for node in coreapps if node.alive]
    shards = draw(st.sampled_from([count for count in SHARD_COUNTS if count <= max(1, len(alive))]))
    owners = dict(zip((c.key for c in draw(st.permutations(alive))), range(shards)))
    return ClusterState(
        shards,
        tuple(coreapp(c.slot, c.key, c.alive, frozenset([owners[c.key]] if c.key in owners else [])) for c in coreapps),
    )


@st.composite
def situations(draw, **sizes):
    spec = draw(specs(**sizes))
    return spec, draw(clusters(spec))


def carry_out(spec, world):
    """Plans once and does every step; yields a new plan before each step, and at the end."""
    plan = plan_reshard(world.state(), spec)
    for number, step in enumerate(plan.steps):
        yield plan.steps[number:], plan_reshard(world.state(), spec)
        world.apply(step, plan.nodes)
    yield (), plan_reshard(world.state(), spec)


def without_note(steps):
    """Steps without the note that they were predicted."""
    return [(s.action, s.nodes, s.gate, s.downtime, s.sentence) for s in steps]


def check_end(spec, world):
    """The desired number of shards, all of them owned, and exactly the coreapps that the desired state needs."""
    state = world.state()
    assert state.shards == spec.shards == len(world.owners)
    assert world.alive == set(world.slots)
    placement = place(spec, list(world.slots.values()))
    assert all(node.exists and not node.surplus for node in placement.nodes if node.slot.kind == "coreapp")


def check_order(plan):
    """Nodes first, then set-shards, then idle surplus, then its owners one by one, each removed when it is none."""
    order = [step.action for step in plan.steps]
    rest = [action for action in ("create", "start", "set_shards") if action in order]
    assert order[: len(rest)] == rest
    shrinking = order[len(rest) :]
    if shrinking[:1] == ["remove"]:
        shrinking = shrinking[1:]
    assert shrinking == ["switchover", "remove"] * (len(shrinking) // 2)
    assert all(len(step.nodes) == 1 for step in plan.steps if step.action == "switchover")


def check_plan(spec, state):
    """All that must hold for a plan, whatever the state: it is safe, it resumes, it ends in the desired state."""
    plan = plan_reshard(state, spec)
    if plan.problems:
        assert plan.steps == ()
        return
    check_order(plan)
    world = World(state)
    for rest, again in carry_out(spec, world):
        assert not again.problems
        assert without_note(again.steps) == without_note(rest)
    check_end(spec, world)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations())
def test_every_plan_is_safe_resumes_and_ends_as_desired(situation):
    check_plan(*situation)


def random_situation(seed):
    """As C(situations), ten times as fast and without the search for a smallest example."""
    chance = random.Random(seed)
    hosts = tuple(
        HostSpec(
            "h{0}".format(number), chance.choice("abc"), "h{0}".format(number), "h{0}".format(number), KINDS,
            {"coreapp": chance.randint(0, 6)} if chance.random() < 0.15 else {}, DEFAULT_PORTS,
        )
        for number in range(chance.randint(1, 5))
    )  # fmt: skip
    survive = FaultTolerance(chance.choice(["hosts", "racks"]), chance.randint(0, 2))
    spec = ClusterSpec(chance.choice(SHARD_COUNTS[:5]), None, survive, chance.random() < 0.5, hosts)
    coreapps = [
        coreapp(Slot(host.name, "coreapp", index), "{0}:wa-coreapp-{1}".format(host.name, index), chance.random() < 0.9)
        for host in hosts
        for index in range(1, 6)
        if chance.random() < 0.6
    ]
    alive = [node.key for node in coreapps if node.alive]
    shards = chance.choice([count for count in SHARD_COUNTS if count <= max(1, len(alive))])
    owners = dict(zip(chance.sample(alive, len(alive)), range(shards)))
    return spec, ClusterState(
        shards,
        tuple(coreapp(c.slot, c.key, c.alive, frozenset([owners[c.key]] if c.key in owners else [])) for c in coreapps),
    )


@pytest.mark.parametrize("states", sampled([2_000, 10_000], [2_000]))
def test_thousands_of_states(states):
    planned = 0
    for seed in range(states):
        spec, state = random_situation(seed)
        planned += bool(plan_reshard(state, spec).steps)
        try:
            check_plan(spec, state)
        except AssertionError as error:
            raise AssertionError("seed {0}: {1}".format(seed, error)) from error
    assert planned > 0.4 * states, "most of the states must have something to plan"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations(), st.integers(0, 2**32))
def test_whoever_gets_the_shards_planning_again_ends_as_desired(situation, seed):
    """Set-shards may put shards anywhere. A run that reads and plans before each step copes with that."""
    spec, state = situation
    world = World(state, choose=random.Random(seed).choice)
    resharded = 0
    for _round in range(100):
        plan = plan_reshard(world.state(), spec)
        if plan.problems or not plan.steps:
            break
        check_order(plan)
        resharded += plan.steps[0].action == "set_shards"
        world.apply(plan.steps[0], plan.nodes)
    assert resharded <= 1
    if not plan.problems:
        check_end(spec, world)


def ways_to_shrink(state, spec):
    """By brute force: the largest sets of coreapps whose removal leaves what the desired state needs."""
    slots = [node.slot for node in state.nodes]
    for size in range(len(slots), -1, -1):
        fitting = [
            gone
            for gone in itertools.combinations(state.nodes, size)
            if _fits(spec, [slot for slot in slots if slot not in {node.slot for node in gone}])
        ]
        if fitting:
            return fitting
    return []


def _fits(spec, slots):
    placement = place(spec, slots)
    coreapps = [node for node in placement.nodes if node.slot.kind == "coreapp"]
    fixed = {host.name: host.counts.get("coreapp") for host in spec.hosts}
    by_host = {host.name: sum(1 for node in coreapps if node.slot.host == host.name) for host in spec.hosts}
    return all(node.exists for node in coreapps) and all(
        fixed[name] in (None, number) for name, number in by_host.items()
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(situations(most_hosts=3, most_shards=2))
def test_no_choice_of_nodes_takes_fewer_switchovers(situation):
    spec, state = situation
    plan = plan_reshard(state, spec)
    actions = [step.action for step in plan.steps]
    if plan.problems or "create" in actions or "set_shards" in actions or len(state.nodes) > 9:
        return
    best = min(sum(1 for c in gone if c.cost == OWNER) for gone in ways_to_shrink(state, spec))
    assert actions.count("switchover") == best


# Cases


def spec_on(hosts, shards, survive=None):
    placeable = tuple(HostSpec(name, name[0], name, name, KINDS, {}, DEFAULT_PORTS) for name in hosts)
    return ClusterSpec(shards, None, survive or FaultTolerance(), False, placeable)


def settled(hosts, shards, survive=None):
    """A healthy cluster as the rollout leaves it."""
    nodes = [n for n in place(spec_on(hosts, shards, survive)).nodes if n.slot.kind == "coreapp"]
    world = World(ClusterState(shards, tuple(coreapp(n.slot, n.key, True) for n in nodes)))
    world.promote()
    return world.state()


def actions(plan):
    return [(step.action, len(step.nodes)) for step in plan.steps]


@pytest.mark.parametrize("before", SHARD_COUNTS)
@pytest.mark.parametrize("after", SHARD_COUNTS)
def test_all_pairs_of_counts(before, after):
    hosts, survive = ["a1", "b1", "c1"], FaultTolerance("racks", 1)
    world = World(settled(hosts, before, survive))
    spec = spec_on(hosts, after, survive)
    plan = plan_reshard(world.state(), spec)
    if before == after:
        assert plan.steps == ()
    for step in plan.steps:
        world.apply(step, plan.nodes)
    check_end(spec, world)


@pytest.mark.parametrize("before", SHARD_COUNTS)
@pytest.mark.parametrize("after", SHARD_COUNTS)
def test_on_one_host_no_shard_has_to_change_hands(before, after):
    plan = plan_reshard(settled(["h"], before), spec_on(["h"], after))
    assert not [step for step in plan.steps if step.action == "switchover"]


def test_growing():
    plan = plan_reshard(settled(["h"], 2), spec_on(["h"], 4))
    create, set_shards = plan.steps
    assert create.nodes == ("h:wa-coreapp-4", "h:wa-coreapp-5")
    assert create.as_dict()["gate"] == {"alive": ["h:wa-coreapp-4", "h:wa-coreapp-5"]}
    assert set_shards.as_dict() == {
        "action": "set_shards",
        "nodes": [],
        "gate": {"shards": 4, "alive": ["h:wa-coreapp-{0}".format(n) for n in range(1, 6)], "connected": 4},
        "downtime": {"0": 60, "1": 60},
        "sentence": "Set shards from 2 to 4: all 5 coreapps restart by themselves, 45 to 60 s without service on every"
        " shard; wait until all are back and 4 are connected.",
        "predicted": False,
    }


def test_shrinking_removes_standbys_after_everybody_is_back():
    plan = plan_reshard(settled(["h"], 4), spec_on(["h"], 1))
    set_shards, remove = plan.steps
    assert set_shards.action == "set_shards"
    assert dict(set_shards.gate)["alive"] == ["h:wa-coreapp-{0}".format(n) for n in range(1, 6)]
    assert (remove.action, remove.nodes) == ("remove", ("h:wa-coreapp-3", "h:wa-coreapp-4", "h:wa-coreapp-5"))
    assert remove.predicted is True
    assert remove.downtime == ()


def test_an_owner_on_the_only_surplus_host_needs_a_switchover_and_the_plan_says_what_it_costs():
    hosts = (
        HostSpec("h1", "a", "h1", "h1", KINDS, {"coreapp": 2}, DEFAULT_PORTS),
        HostSpec("h2", "a", "h2", "h2", KINDS, {"coreapp": 0}, DEFAULT_PORTS),
    )
    spec = ClusterSpec(1, None, FaultTolerance(), False, hosts)
    coreapps = (
        coreapp(Slot("h1", "coreapp", 1), "h1:wa-coreapp-1", True),
        coreapp(Slot("h1", "coreapp", 2), "h1:wa-coreapp-2", True),
        coreapp(Slot("h2", "coreapp", 1), "h2:wa-coreapp-1", True, frozenset([0])),
    )
    over, remove = plan_reshard(ClusterState(1, coreapps), spec).steps
    assert over.as_dict()["downtime"] == {"0": 10}
    assert "Stop h2:wa-coreapp-1, which owns shard 0" in over.sentence
    assert "about 10 s without service" in over.sentence
    assert remove.nodes == ("h2:wa-coreapp-1",)
    assert remove.predicted is False


def test_a_standby_goes_rather_than_an_owner_of_a_higher_number():
    coreapps = tuple(
        coreapp(Slot("h", "coreapp", n), "h:wa-coreapp-{0}".format(n), True, frozenset([0] if n == 4 else []))
        for n in range(1, 5)
    )
    (remove,) = plan_reshard(ClusterState(1, coreapps), spec_on(["h"], 1)).steps
    assert remove.nodes == ("h:wa-coreapp-2", "h:wa-coreapp-3")


def test_dead_coreapps_are_started_or_removed_first_of_all():
    def dead_three(count):
        return ClusterState(
            1,
            tuple(
                coreapp(Slot("h", "coreapp", n), "h:wa-coreapp-{0}".format(n), n != 1, frozenset([0] if n == 2 else []))
                for n in range(1, count + 1)
            ),
        )

    (start,) = plan_reshard(dead_three(2), spec_on(["h"], 1)).steps
    assert (start.action, start.nodes) == ("start", ("h:wa-coreapp-1",))
    (remove,) = plan_reshard(dead_three(3), spec_on(["h"], 1)).steps
    assert (remove.action, remove.nodes) == ("remove", ("h:wa-coreapp-1",))


def test_a_coreapp_the_inventory_does_not_know_forbids_to_begin():
    state = ClusterState(1, (coreapp(Slot("gone", "coreapp", 1), "gone:wa-coreapp-1", True, frozenset([0])),))
    plan = plan_reshard(state, spec_on(["h"], 2))
    assert plan.steps == ()
    assert [problem.code for problem in plan.problems] == ["NODE_UNKNOWN"]


def test_what_cannot_survive_forbids_to_begin():
    plan = plan_reshard(settled(["a1"], 1), spec_on(["a1"], 2, FaultTolerance("racks", 1)))
    assert plan.steps == ()
    assert {problem.code for problem in plan.problems} == {"WA_SURVIVE_IMPOSSIBLE"}
