# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media shares that are mounted again host by host, on a model of a cluster in which anybody may take over."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.batches import batches
from ansible_collections.waent.fleet.plugins.module_utils._plan.remount import stop_order
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import plan_upgrade
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = Version(2, 19, 4)
OLD = Version(2, 19, 2)
QUICK = settings(max_examples=300, deadline=None)


def node(host, kind, index, **changes):
    made = NodeState("{0}:wa-{1}-{2}".format(host, kind, index), kind, True, slot=Slot(host, kind, index), version=NOW)
    return replace(made, **changes)


class World:
    """A cluster that is changed as the tasks of a step do it, with whoever stands by taking over."""

    def __init__(self, state, chance):
        self.shards, self.chance = state.shards, chance
        self.nodes = {one.key: one for one in state.nodes}
        self.unserved: set[int] = set()
        self.hops: dict[str, set[int]] = {}

    def state(self):
        return ClusterState(self.shards, tuple(self.nodes[key] for key in sorted(self.nodes)))

    def stop(self, keys):
        for key in keys:
            self.nodes[key] = replace(self.nodes[key], alive=False, shards=frozenset(), primary=False)
        self.settle()

    def settle(self):
        for shard in range(self.shards):
            idle = sorted(n.key for n in self.nodes.values() if n.kind == "coreapp" and n.alive and not n.shards)
            if shard not in self.owned():
                if not idle:
                    self.unserved.add(shard)
                    continue
                key = self.chance.choice(idle)
                self.nodes[key] = replace(self.nodes[key], shards=frozenset([shard]))
        masters = sorted(n.key for n in self.nodes.values() if n.kind == "master" and n.alive)
        if masters and not any(self.nodes[key].primary for key in masters):
            key = self.chance.choice(masters)
            self.nodes[key] = replace(self.nodes[key], primary=True)

    def owned(self):
        return {shard for n in self.nodes.values() for shard in n.shards}

    def health(self):
        shown = [{"name": n.key, "alive": n.alive, "shards": sorted(n.shards)} for n in self.nodes.values()]
        return {"cluster": {"nodes": shown}}

    def remount(self, step):
        (host,) = {self.nodes[key].slot.host for key in step.nodes}
        assert set(step.nodes) == {n.key for n in self.nodes.values() if n.slot.host == host}
        coreapps = [key for key in step.nodes if self.nodes[key].kind == "coreapp"]
        order = stop_order(coreapps, self.health())
        assert sorted(key for keys in order for key in keys) == sorted(coreapps)
        moved = {shard for key in coreapps for shard in self.nodes[key].shards}
        for keys in order:
            assert sum(bool(self.nodes[key].shards) for key in keys) <= 1, "two owners at once"
            self.stop(keys)
            if not self.unserved:
                hopped = {shard for key in coreapps for shard in self.nodes[key].shards} - moved
                assert not hopped, "a shard moved to a coreapp that goes as well"
        self.stop([key for key in step.nodes if key not in coreapps])
        assert not any(n.alive for n in self.nodes.values() if n.slot.host == host), "somebody still has the mount"
        for key in step.nodes:
            self.nodes[key] = replace(self.nodes[key], alive=True, remount=False)
        self.settle()


@st.composite
def clusters(draw):
    """Two to four hosts with nodes of each kind anywhere; some shares have to be mounted again."""
    hosts = ["a", "b", "c", "d"][: draw(st.integers(2, 4))]
    shards = draw(st.sampled_from([1, 2, 4]))
    nodes = []
    for host in hosts:
        again = draw(st.booleans())
        for kind, most in (("coreapp", 3), ("master", 1), ("webapp", 1)):
            nodes += [node(host, kind, index, remount=again) for index in range(1, draw(st.integers(0, most)) + 1)]
    coreapps = [number for number, one in enumerate(nodes) if one.kind == "coreapp"]
    for shard, number in zip(range(shards), draw(st.permutations(coreapps))):
        nodes[number] = replace(nodes[number], shards=frozenset([shard]))
    for number in [number for number, one in enumerate(nodes) if one.kind == "master"][:1]:
        nodes[number] = replace(nodes[number], primary=True)
    return ClusterState(shards, tuple(nodes))


@QUICK
@given(clusters(), st.integers(0, 2**32))
def test_one_host_at_a_time_and_every_shard_is_served_or_it_is_refused(state, seed):
    again = sorted({one.slot.host for one in state.nodes if one.remount})
    whole = len(state.of("coreapp")) >= state.shards
    plan = plan_upgrade(state, NOW)
    lacking = [
        host
        for host in again
        if sum(one.slot.host != host for one in state.of("coreapp")) < state.shards
        or not any(one.slot.host != host for one in state.of("master"))
    ]
    assert [problem.code for problem in plan.problems] == (["REMOUNT_NO_SPARE"] if lacking else [])
    if lacking or not whole:
        return
    assert sorted(step.nodes[0].partition(":")[0] for step in plan.steps) == again
    world = World(state, random.Random(seed))
    for number, step in enumerate(plan.steps):
        later = plan_upgrade(world.state(), NOW).steps
        assert {one.nodes for one in later} == {one.nodes for one in plan.steps[number:]}
        world.remount(step)
        assert not world.unserved
    assert plan_upgrade(world.state(), NOW).steps == ()


@QUICK
@given(clusters())
def test_without_high_availability_it_is_allowed_and_its_cost_is_shown(state):
    plan = plan_upgrade(state, NOW, allow_no_ha=True)
    assert not plan.problems
    for step in plan.steps:
        assert step.action == "remount"
        host = step.nodes[0].partition(":")[0]
        elsewhere = [one for one in state.of("coreapp") if one.slot.host != host]
        if len(state.of("coreapp")) >= state.shards > len(elsewhere):
            assert len([seconds for _shard, seconds in step.downtime if seconds == 40]) >= 1
            assert "without service" in step.sentence


def two_hosts(**changes):
    """Two shards; a owns both, and b has two standbys."""
    nodes = [
        node(host, kind, index, remount=True)
        for host in ("a", "b")
        for kind, count in (("coreapp", 2), ("master", 1), ("webapp", 1))
        for index in range(1, count + 1)
    ]
    owned = {"a:wa-coreapp-1": frozenset([0]), "a:wa-coreapp-2": frozenset([1])}
    nodes = [replace(one, shards=owned.get(one.key, frozenset()), primary=one.key == "a:wa-master-1") for one in nodes]
    return ClusterState(2, tuple(replace(one, **changes.get(one.key, {})) for one in nodes))


def test_the_words_and_what_it_costs():
    steps = plan_upgrade(two_hosts(), NOW).steps
    assert [step.sentence for step in steps] == [
        "Stop the 4 nodes of b (wa-coreapp-1, wa-coreapp-2, wa-master-1, wa-webapp-1), mount its media share again,"
        " prove it, and start them.",
        "Stop the 4 nodes of a (wa-coreapp-1, wa-coreapp-2, wa-master-1, wa-webapp-1), mount its media share again,"
        " prove it, and start them; a standby elsewhere takes over shards 0, 1 before, about 10 s without service"
        " there.",
    ]
    assert [step.downtime for step in steps] == [(), ((0, 10), (1, 10))]


def test_nodes_that_differ_are_replaced_before_so_that_none_is_restarted_half_way():
    state = two_hosts(**{"b:wa-coreapp-1": {"version": OLD}, "a:wa-webapp-1": {"alive": False}})
    actions = [step.action for step in plan_upgrade(state, NOW).steps]
    assert actions == ["replace", "replace", "remount", "remount"]


def test_the_gates_of_a_step():
    state = two_hosts()
    placed = [
        {
            "key": one.key, "kind": one.kind, "host": one.slot.host, "name": one.key.partition(":")[2],
            "index": one.slot.index, "api_address": one.slot.host, "ports": [9090], "address": one.slot.host,
        }
        for one in state.nodes
    ]  # fmt: skip
    first, last = batches(state, plan_upgrade(state, NOW).steps, placed, NOW)
    assert [entry["host"] for entry in first] == ["b"] * 4 and [entry["host"] for entry in last] == ["a"] * 4
    entry = last[0]
    assert entry["coreapps"] == ["a:wa-coreapp-1", "a:wa-coreapp-2"]
    assert (entry["vacated"]["what"], entry["vacated"]["coreapps"]) == ("serving", 2)
    assert {one["key"] for one in entry["vacated"]["nodes"]} == {
        "b:wa-coreapp-1", "b:wa-coreapp-2", "a:wa-master-1", "b:wa-master-1",
    }  # fmt: skip
    # Until the coreapps are gone, the webapps of the host still answer.
    assert len(entry["vacated"]["webapps"]) == len(entry["expect"]["webapps"]) == 2
    assert (entry["expect"]["what"], entry["expect"]["coreapps"]) == ("serving", 4)
    assert all(one["shortened"] for one in [*first, *last])
    assert [first[0]["restore"], last[0]["restore"]] == [False, True]


HEALTH = [
    {"name": "a:1", "alive": True, "shards": [0]},
    {"name": "a:2", "alive": True, "shards": []},
    {"name": "a:3", "alive": True, "shards": None},
    {"name": "a:4", "alive": False, "shards": [3]},
]


@pytest.mark.parametrize(
    ("coreapps", "nodes", "order"),
    [
        (["a:1", "a:2", "a:3", "a:4"], HEALTH, [["a:2", "a:4"], ["a:1"], ["a:3"]]),
        (["a:1"], HEALTH, [["a:1"]]),
        (["a:2"], HEALTH, [["a:2"]]),
        ([], HEALTH, []),
        # What nobody answers for may own anything.
        (["a:2", "a:1"], [], [["a:1"], ["a:2"]]),
    ],
)
def test_who_is_stopped_in_which_order(coreapps, nodes, order):
    assert stop_order(coreapps, {"cluster": {"nodes": nodes}}) == order


def test_a_health_that_was_not_read_says_nothing():
    assert stop_order(["a:2", "a:1"], {"failed": True}) == [["a:1"], ["a:2"]]
