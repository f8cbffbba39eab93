# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrade plans, carried out on a model of a cluster that refuses what the product would not survive."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import (
    choose_strategy,
    plan_upgrade,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import BEGUN, DONE, ClusterState, NodeState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OLD, NEW, NEXT_LINE = Version(2, 19, 4), Version(2, 19, 7), Version(2, 21, 4)
QUICK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class World:
    """A cluster that carries out steps, keeps its own books, and lets anybody who stands by take over."""

    def __init__(self, state, desired, chance=None):
        self.shards, self.desired, self.schema = state.shards, desired, state.schema
        self.nodes = {node.key: node for node in state.nodes}
        self.choose = chance.choice if chance else min
        self.changed_hands: Counter[int] = Counter()
        self.planned_out: set[int] = set()

    def state(self):
        return ClusterState(self.shards, tuple(self.nodes[key] for key in sorted(self.nodes)), self.schema)

    def alive(self, kind):
        return [node for node in self.nodes.values() if node.kind == kind and node.alive]

    def owners(self):
        return {shard: node.key for node in self.nodes.values() for shard in node.shards}

    def put(self, key, **changes):
        self.nodes[key] = replace(self.nodes[key], **changes)

    def promote(self):
        for shard in range(self.shards):
            standbys = sorted(node.key for node in self.alive("coreapp") if not node.shards)
            if shard not in self.owners() and standbys:
                self.put(self.choose(standbys), shards=frozenset([shard]))

    def elect(self):
        masters = sorted(node.key for node in self.alive("master"))
        if masters and not any(self.nodes[key].primary for key in masters):
            self.put(self.choose(masters), primary=True)

    def apply(self, step):
        """Does the step, then reaches its gate, or fails the test."""
        before = {kind: len(self.alive(kind)) for kind in ("coreapp", "master", "webapp")}
        costs = set(dict(step.downtime))
        self.planned_out |= costs
        getattr(self, step.action)(step, costs)
        self.promote()
        self.elect()
        gate = dict(step.gate)
        assert all(self.nodes[key].alive for key in gate.get("alive", []))
        assert not any(self.nodes[key].alive for key in gate.get("away", []))
        for shard in gate.get("owned", []):
            assert self.owners()[shard] not in step.nodes
        if before["coreapp"] >= self.shards > len(self.alive("coreapp")):
            assert costs == set(range(self.shards)), "coreapps became fewer than shards, and the plan did not say so"

    def take_away(self, step, costs):
        """The moment in which all nodes of the step are gone: nothing may be lost that was not planned."""
        down = [self.nodes[key] for key in step.nodes if self.nodes[key].alive]
        lost = {shard for node in down for shard in node.shards}
        assert lost <= costs, "a shard goes out and the plan does not say so"
        if step.action != "stop":
            assert len([node for node in down if node.shards]) <= 1, "two owners at once"
            left = [node for node in self.alive("coreapp") if node.key not in step.nodes]
            gone = [node for node in down if node.kind == "coreapp"]
            assert not gone or len(left) >= self.shards or lost, "too few coreapps are left"
            for kind in ("master", "webapp"):
                others = [node for node in self.nodes.values() if node.kind == kind and node.key not in step.nodes]
                if any(node.kind == kind for node in down) and others:
                    assert any(node.alive for node in others), "the last {0} went".format(kind)
            if any(node.primary for node in down):
                old = [n for n in self.alive("master") if n.key not in step.nodes and n.outdated(self.desired)]
                assert not old or step.action == "stop", "the primary went before a secondary master"
        for key in step.nodes:
            self.put(key, alive=False, shards=frozenset(), primary=False)
        return lost

    def replace(self, step, costs):
        assert step.nodes
        for key in step.nodes:
            assert self.nodes[key].outdated(self.desired) or not self.nodes[key].alive, "restarted for nothing"
        owned = {key: self.nodes[key].shards for key in step.nodes}
        lost = self.take_away(step, costs)
        if lost:
            assert not self.alive("coreapp") or not any(not n.shards for n in self.alive("coreapp"))
        for key in step.nodes:
            self.put(key, alive=True, version=self.desired, differs=False, shards=owned[key] if lost else frozenset())

    def switchover(self, step, costs):
        assert len(step.nodes) == 1
        assert self.take_away(step, costs) == costs
        standbys = [node for node in self.alive("coreapp") if not node.shards]
        assert standbys, "nobody to take over"
        assert not any(node.outdated(self.desired) for node in standbys), "one that is old could take over"
        self.changed_hands.update(costs)

    def stop(self, step, costs):
        self.take_away(step, costs)

    def snapshot(self, step, costs):
        assert self.schema is None, "the snapshot would hold a schema that is half new"

    def cleanup(self, step, costs):
        assert self.alive("coreapp")

    def schema_upgrade(self, step, costs):
        assert not self.alive("coreapp")
        assert not self.alive("master")
        assert self.schema != DONE
        self.schema = DONE


@st.composite
def clusters(draw, versions=(OLD, NEW), desired=NEW, least_spares=1):
    """Any state of a cluster: owners wherever, dead and half-upgraded nodes, sometimes nodes that differ otherwise."""
    shards = draw(st.sampled_from([1, 2, 4, 8]))
    counts = {
        "coreapp": shards + draw(st.integers(least_spares, 4)),
        "master": draw(st.integers(2, 3)),
        "webapp": draw(st.integers(1, 3)),
    }
    nodes = []
    for kind, count in counts.items():
        for index in range(1, count + 1):
            version = draw(st.sampled_from(versions))
            node = NodeState("h:wa-{0}-{1}".format(kind, index), kind, draw(st.integers(0, 6)) > 0, version=version)
            nodes.append(replace(node, differs=draw(st.integers(0, 9)) == 0))
    order = draw(st.permutations([number for number, node in enumerate(nodes) if node.kind == "coreapp"]))
    alive = [number for number in order if nodes[number].alive]
    for shard, number in zip(range(shards), alive):
        nodes[number] = replace(nodes[number], shards=frozenset([shard]))
    masters = [number for number, node in enumerate(nodes) if node.kind == "master" and node.alive]
    if masters:
        first = draw(st.sampled_from(masters))
        nodes[first] = replace(nodes[first], primary=True)
    return ClusterState(shards, tuple(nodes))


def done(steps, leave_out=()):
    """What is done and what it costs, without the words for it."""
    return [(s.action, s.nodes, s.gate, s.downtime) for s in steps if s.action not in leave_out]


def carry_out(state, desired, **options):
    """Do every step of the plan; before each, a new plan must be the rest of the first one."""
    plan = plan_upgrade(state, desired, **options)
    world = World(state, desired)
    # Until the schema upgrade has begun nothing shows that there is a snapshot: it is taken again.
    repeated = ("snapshot", "cleanup")
    for number, step in enumerate(plan.steps):
        again = plan_upgrade(world.state(), desired, **options)
        assert not again.problems
        assert done(again.steps, repeated) == done(plan.steps[number:], repeated)
        world.apply(step)
    check_end(world, desired)
    assert plan_upgrade(world.state(), desired, **options).steps == ()
    return plan, world


def check_end(world, desired):
    for node in world.nodes.values():
        assert node.alive
        assert node.version == desired
        assert not node.differs
    assert sorted(world.owners()) == list(range(world.shards))
    assert len([node for node in world.nodes.values() if node.primary]) == 1


@QUICK
@given(clusters())
def test_a_rolling_plan_is_safe_resumes_and_ends_with_all_nodes_new(state):
    plan, world = carry_out(state, NEW)
    assert plan.strategy == "rolling"
    assert all(times == 1 for times in world.changed_hands.values())


@QUICK
@given(clusters(), st.integers(0, 2**32))
def test_whoever_takes_over_the_plan_made_before_each_step_ends_well(state, seed):
    world = World(state, NEW, random.Random(seed))
    for _number in range(100):
        plan = plan_upgrade(world.state(), NEW)
        assert not plan.problems
        if not plan.steps:
            break
        world.apply(plan.steps[0])
    check_end(world, NEW)
    assert all(times == 1 for times in world.changed_hands.values())


@QUICK
@given(clusters(versions=(OLD,)), st.integers(0, 2**32))
def test_a_plan_made_once_holds_whoever_takes_over(state, seed):
    """A run plans once: who gets the shards and who becomes primary must not matter to the later steps."""
    world = World(state, NEW, random.Random(seed))
    for step in plan_upgrade(state, NEW).steps:
        world.apply(step)
    check_end(world, NEW)


@QUICK
@given(clusters(versions=(OLD, NEW), least_spares=0))
def test_without_a_spare_it_is_refused_or_the_cost_is_shown(state):
    spare = sum(1 for node in state.nodes if node.kind == "coreapp") > state.shards
    old = any(node.kind == "coreapp" and node.alive and node.outdated(NEW) for node in state.nodes)
    plan = plan_upgrade(state, NEW)
    assert [problem.code for problem in plan.problems] == (["NO_SPARE"] if old and not spare else [])
    carry_out(state, NEW, allow_no_ha=True)


@QUICK
@given(clusters(versions=(OLD, Version(2, 19, 6), NEXT_LINE)), st.sampled_from([None, BEGUN, DONE]))
def test_a_schema_plan_is_safe_resumes_and_ends_with_all_nodes_new(state, schema):
    # Nothing of the old line runs once the schema upgrade has begun.
    nodes = state.nodes
    if schema:
        nodes = tuple(
            replace(node, alive=False, shards=frozenset(), primary=False)
            if node.kind != "webapp" and node.version != NEXT_LINE else node
            for node in nodes
        )  # fmt: skip
    state = ClusterState(state.shards, nodes, schema)
    if choose_strategy(state, NEXT_LINE) == "rolling":
        return
    if any(n.alive and n.version == NEXT_LINE and n.kind != "webapp" for n in nodes) and schema != DONE:
        return  # a new node made the new schema, so it is done
    carry_out(state, NEXT_LINE)


def typical(version=OLD):
    """Two shards, two spares, two masters, two webapps."""
    owned = {3: frozenset([0]), 4: frozenset([1])}
    return ClusterState(
        2,
        tuple(
            NodeState("h:c{0}".format(n), "coreapp", True, False, owned.get(n, frozenset()), version=version)
            for n in (1, 2, 3, 4)
        )
        + tuple(NodeState("h:m{0}".format(n), "master", True, primary=n == 1, version=version) for n in (1, 2))
        + tuple(NodeState("h:w{0}".format(n), "webapp", True, version=version) for n in (1, 2)),
    )  # fmt: skip


def test_the_order_of_a_rolling_upgrade():
    plan = plan_upgrade(typical(), NEW)
    assert [(step.action, step.nodes) for step in plan.steps] == [
        ("replace", ("h:c1",)),
        ("replace", ("h:c2",)),
        ("switchover", ("h:c3",)),
        ("replace", ("h:c3",)),
        ("switchover", ("h:c4",)),
        ("replace", ("h:c4",)),
        ("replace", ("h:m2",)),
        ("replace", ("h:m1",)),
        ("replace", ("h:w1",)),
        ("replace", ("h:w2",)),
    ]
    assert [dict(step.downtime) for step in plan.steps if step.downtime] == [{0: 10}, {1: 10}]
    assert not plan.warnings


def test_the_order_of_a_schema_upgrade():
    plan = plan_upgrade(typical(), NEXT_LINE)
    assert plan.strategy == "schema"
    assert [(step.action, len(step.nodes)) for step in plan.steps] == [
        ("snapshot", 0),
        ("cleanup", 0),
        ("stop", 4),
        ("stop", 2),
        ("schema_upgrade", 0),
        ("replace", 2),
        ("replace", 4),
        ("replace", 1),
        ("replace", 1),
    ]
    assert dict(plan.steps[2].downtime).keys() == {0, 1}


def test_the_desired_state_is_an_empty_plan():
    assert plan_upgrade(typical(), OLD).steps == ()
    assert plan_upgrade(typical(), OLD).problems == ()


@pytest.mark.parametrize(
    ("runs", "desired", "strategy", "codes"),
    [
        (NEW, OLD, "auto", ["DOWNGRADE"]),
        (NEXT_LINE, OLD, "auto", ["DOWNGRADE"]),
        (NEXT_LINE, OLD, "schema", ["DOWNGRADE"]),
        (OLD, NEXT_LINE, "rolling", ["STRATEGY_NEEDS_SCHEMA"]),
        (OLD, NEW, "schema", []),
    ],
)
def test_what_is_refused(runs, desired, strategy, codes):
    plan = plan_upgrade(typical(runs), desired, strategy)
    assert [problem.code for problem in plan.problems] == codes
    assert bool(plan.steps) is not bool(codes)


def test_half_an_upgrade_within_a_line_can_be_rolled_back_and_half_a_schema_upgrade_cannot():
    state = typical()
    half = replace(state, nodes=(replace(state.nodes[0], version=NEW),) + state.nodes[1:])
    plan, _world = carry_out(half, OLD)
    assert [step.nodes for step in plan.steps] == [("h:c1",)]
    moved = replace(state, nodes=(replace(state.nodes[0], version=NEXT_LINE),) + state.nodes[1:])
    assert [problem.code for problem in plan_upgrade(moved, OLD).problems] == ["DOWNGRADE"]


def test_one_master_is_refused_or_named():
    state = typical()
    alone = replace(state, nodes=tuple(node for node in state.nodes if node.key != "h:m2"))
    assert [problem.code for problem in plan_upgrade(alone, NEW).problems] == ["NO_SECOND_MASTER"]
    plan = plan_upgrade(alone, NEW, allow_no_ha=True)
    assert any("until it is back" in step.sentence for step in plan.steps)


def test_the_only_webapp_goes_and_the_plan_says_so():
    state = typical()
    alone = replace(state, nodes=tuple(node for node in state.nodes if node.key != "h:w2"))
    last = plan_upgrade(alone, NEW).steps[-1]
    assert (last.nodes, set(dict(last.downtime))) == (("h:w1",), {0, 1})
    assert "the only one" in last.sentence


def test_a_long_jump_is_warned_about():
    assert plan_upgrade(typical(), Version(2, 23, 4)).warnings == ()
    warnings = plan_upgrade(typical(), Version(2, 25, 1)).warnings
    assert [warning.code for warning in warnings] == ["VERSION_JUMP"]


def test_a_rebuilt_image_replaces_only_what_runs_the_old_one():
    state = typical()
    nodes = tuple(replace(node, differs=node.kind == "webapp") for node in state.nodes)
    plan, _world = carry_out(replace(state, nodes=nodes), OLD)
    assert [step.nodes for step in plan.steps] == [("h:w1",), ("h:w2",)]
