# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that adopt nodes of compose files, carried out on a model of hosts and cluster that keeps its own books."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.adopt import adoption, plan_adopt
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import certain
from ansible_collections.waent.fleet.plugins.module_utils._state.found import Database, FoundNode, adopted_nodes
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState
from ansible_collections.waent.fleet.tests.support.compose_containers import coreapp, development, host, single
from hypothesis import given
from hypothesis import strategies as st


def found(kind, number, state="running", first=None, on="h1", **more):
    ports = (first,) if kind == "webapp" else tuple(range(first or 7000, (first or 7000) + 4))
    name = "p_{0}{1}_1".format(kind, number)
    version = parse_version("v2.19.4")
    node = FoundNode(
        on, name, kind, "id-" + name, kind + str(number), ports, ports, "core", version, state, "m", "",
        "net", False, Database("db", 3306),
    )  # fmt: skip
    return replace(node, **more)


def entry(kind, index, on="h1", exists=False, first=6250):
    name = "wa-{0}-{1}".format(kind, index)
    ports = [9090 + index] if kind == "webapp" else list(range(first, first + 4))
    return {"key": on + ":" + name, "name": name, "host": on, "kind": kind, "index": index, "exists": exists,
            "ports": ports}  # fmt: skip


class World:
    """Containers of both sorts, and who owns which shard. It takes over whoever it likes."""

    def __init__(self, shards, ours, compose, chance):
        self.shards, self.chance = shards, chance
        self.kinds = {node["key"]: node["kind"] for node in ours} | {node.key: node.kind for node in compose}
        self.placed = {node["key"]: node for node in ours}
        self.compose = {node.key: node for node in compose}
        self.there = {node["key"] for node in ours if node["exists"]} | set(self.compose)
        self.alive = {key for key in self.there if key not in self.compose or self.compose[key].runs}
        self.owners = {}
        self.primary = None
        self.settle()

    def of(self, kind):
        return sorted(key for key in self.alive if self.kinds[key] == kind)

    def settle(self):
        self.owners = {shard: key for shard, key in self.owners.items() if key in self.alive}
        for shard in range(self.shards):
            standbys = [key for key in self.of("coreapp") if key not in self.owners.values()]
            if shard not in self.owners and standbys:
                self.owners[shard] = self.chance.choice(standbys)
        if self.primary not in self.alive:
            self.primary = self.chance.choice(self.of("master")) if self.of("master") else None

    def state(self):
        def node(key):
            owned = frozenset(shard for shard, owner in self.owners.items() if owner == key)
            # Without an API nobody shows what is no webapp.
            seen = key in self.alive and bool(self.of("webapp"))
            primary = seen and key == self.primary
            return NodeState(key, self.kinds[key], seen, primary, owned if seen else frozenset(), Slot("h1", "", 0))

        return ClusterState(self.shards, tuple(node(key) for key in sorted(self.there)))

    def plan(self, plans_again=True):
        placed = [{**node, "exists": key in self.there} for key, node in self.placed.items()]
        left = [
            replace(node, state="running" if key in self.alive else "exited")
            for key, node in self.compose.items()
            if key in self.there
        ]
        return plan_adopt(self.state(), placed, left, bool(self.of("webapp")), plans_again)

    def run(self, stop_after=None, half=False):
        """As the playbook does it: what is certain, and the rest as it is planned then. The steps as they are done."""
        for again in (True, False):
            steps = self.plan(again)
            now = certain(steps)
            assert again or now == steps, "no third plan follows"
            for number, step in enumerate(now):
                if number == stop_after:
                    self.apply(step, half)
                    return
                self.apply(step)
                yield step
            if now == steps:
                return

    def stop(self, keys):
        owned = {shard for shard, key in self.owners.items() if key in keys}
        self.alive -= set(keys)
        self.settle()
        return owned

    def apply(self, step, half=False):
        """half: the run is killed before the last thing that the step does."""
        assert step.nodes
        gate = dict(step.gate)
        cost = set(dict(step.downtime))
        if step.action in ("switchover", "stop"):
            assert step.action == "stop" or len(step.nodes) == 1
            assert set(step.nodes) <= set(self.compose)
            assert self.stop(step.nodes) <= cost
        elif step.action == "discard":
            assert set(step.nodes) <= set(self.compose), "only containers of compose files"
            assert not {shard for shard, key in self.owners.items() if key in step.nodes}
            self.stop(step.nodes)
            if not half:
                self.there -= set(step.nodes)
        else:
            assert step.action in ("adopt", "create", "start")
            assert set(step.nodes) <= set(self.placed)
            gone = gate.get("absent", [])
            assert self.primary not in gone or len([key for key in gone if self.kinds[key] == "master"]) == 1
            assert self.stop(gone) <= cost
            if half and gone:
                return
            self.there |= set(step.nodes)
            self.alive |= set(step.nodes)
            self.settle()
            if not half and len(gone) == len(step.nodes):
                self.there -= set(gone)


@st.composite
def worlds(draw):
    """Any cluster of compose files, of which a part may be adopted already, and a part may have stopped."""
    shards = draw(st.sampled_from((1, 2, 4)))
    counts = {
        "master": draw(st.integers(1, 3)),
        "webapp": draw(st.integers(1, 2)),
        "coreapp": shards + draw(st.integers(0, 2)),
    }
    compose, ours = [], []
    for kind, count in counts.items():
        done = draw(st.integers(0, count)) if draw(st.booleans()) else 0
        for number in range(1, count + 1):
            ours.append(entry(kind, number, exists=number <= done))
            state = draw(st.sampled_from(("running", "running", "running", "exited")))
            if number > done or draw(st.booleans()):
                # Where there is one of ours the container of the compose file was stopped, and not yet removed.
                compose.append(found(kind, number, "exited" if number <= done else state))
    chance = random.Random(draw(st.integers(0, 1000)))
    return World(shards, ours, compose, chance)


@given(worlds(), st.integers(0, 30), st.booleans())
def test_every_node_becomes_ours_and_a_killed_run_goes_on(world, stop_after, half):
    least = {kind: min(1, len(world.of(kind))) for kind in KINDS}
    alone = {kind: len(world.of(kind)) == 1 for kind in KINDS}
    spare = len(world.of("coreapp")) > world.shards
    for step in world.run(stop_after, half):
        for kind in ("master", "webapp"):
            assert alone[kind] or len(world.of(kind)) >= least[kind]
        if spare and step.action != "stop":
            assert len(world.owners) == world.shards, step
    list(world.run())
    assert world.there == set(world.placed), "and nothing of a compose file is left"
    assert world.alive == set(world.placed)
    assert world.plan() == []


@given(worlds())
def test_what_runs_is_adopted_in_the_order_that_costs_least(world):
    order = []
    owners = set(world.owners.values())
    for step in world.plan():
        gone = [key for key in dict(step.gate).get("absent", []) if key in world.alive]
        if step.action == "adopt" and gone:
            kinds = {(world.kinds[key], key in owners, key == world.primary) for key in gone}
            assert len(kinds) == 1, "one step does not touch several sorts"
            order.append(next(iter(kinds)))
    ranks = [
        ("coreapp", False, False), ("coreapp", True, False), ("master", False, False), ("master", False, True),
        ("webapp", False, False),
    ]  # fmt: skip
    assert [ranks.index(one) for one in order] == sorted(ranks.index(one) for one in order)


def test_the_steps_of_the_development_set_up():
    compose = [found("webapp", 1, first=9090), *(found("master", n) for n in (1, 2)),
               *(found("coreapp", n) for n in (1, 2, 3))]  # fmt: skip
    ours = [entry("webapp", 1), *(entry("master", n) for n in (1, 2)), *(entry("coreapp", n) for n in (1, 2, 3))]
    key = {node.name: node.key for node in compose}
    states = [
        NodeState(node.key, node.kind, True, node.name == "p_master1_1",
                  frozenset({"p_coreapp1_1": [0], "p_coreapp2_1": [1]}.get(node.name, [])))
        for node in compose
    ]  # fmt: skip
    steps = plan_adopt(ClusterState(2, tuple(states)), ours, compose)
    assert [step.sentence for step in steps] == [
        "Adopt 1 coreapp without a shard: p_coreapp3_1 as h1:wa-coreapp-3.",
        "Stop {0}, which owns shard 0 and is to be adopted, and wait for failover: a standby takes over, about 10 s"
        " without service there.".format(key["p_coreapp1_1"]),
        "Adopt p_coreapp1_1 as h1:wa-coreapp-1, which owns nothing any more; it is a standby from then on.",
        "Stop {0}, which owns shard 1 and is to be adopted, and wait for failover: a standby takes over, about 10 s"
        " without service there.".format(key["p_coreapp2_1"]),
        "Adopt p_coreapp2_1 as h1:wa-coreapp-2, which owns nothing any more; it is a standby from then on.",
        "Adopt p_master2_1 as h1:wa-master-2, a secondary master.",
        "Adopt p_master1_1 as h1:wa-master-1, the primary master; another master follows it.",
        "Adopt p_webapp1_1 as h1:wa-webapp-1, a webapp, the only one: no API for about 30 s.",
    ]


@given(worlds())
def test_without_an_api_nothing_is_touched_that_runs(world):
    world.stop(world.of("webapp"))
    now, rest = certain(world.plan()), world.plan()[-1]
    left = {key for key in world.compose if key in world.there}
    if not left:
        return
    touched = {key for step in now for key in (*step.nodes, *dict(step.gate).get("absent", []))}
    assert not touched & world.alive
    assert {world.kinds[key] for key in touched & set(world.placed)} in ({"webapp"}, {"webapp", "master"})
    assert not any("connected" in dict(step.gate) for step in now), "nobody knows how many there are"
    # A container whose place is taken is among what is left.
    assert rest.predicted and left - touched <= set(rest.nodes) <= left


@given(worlds())
def test_no_owner_is_stopped_before_a_master_runs(world):
    world.stop(world.of("master"))
    assert "switchover" not in {step.action for step in certain(world.plan())}
    list(world.run())
    assert world.there == world.alive == set(world.placed)


def test_ports_that_are_kept_decide_who_comes_in_whose_place():
    compose = [found("coreapp", 1, first=6258), found("coreapp", 2, first=6250)]
    ours = [entry("coreapp", 1, first=6250), entry("coreapp", 2, first=6258)]
    taken = adoption(ours, compose).taken
    assert {key: node.name for key, node in taken.items()} == {
        "h1:wa-coreapp-1": "p_coreapp2_1",
        "h1:wa-coreapp-2": "p_coreapp1_1",
    }


def test_a_single_instance_is_gone_before_the_first_node_of_the_cluster_starts():
    compose = [found("webapp", 1, first=9090, single=True), found("coreapp", 1, single=True)]
    ours = [entry("webapp", 1), *(entry("master", n) for n in (1, 2)), *(entry("coreapp", n) for n in (1, 2))]
    states = tuple(NodeState(node.key, node.kind, node.kind == "webapp") for node in compose)
    steps = plan_adopt(ClusterState(1, states), ours, compose)
    assert [(step.action, len(step.nodes)) for step in steps] == [
        ("stop", 1),
        ("stop", 1),
        ("adopt", 5),
        ("discard", 2),
    ]
    assert dict(steps[0].downtime) == {0: 60}
    # Killed when it had stopped, and when the cluster was half there.
    stopped = [replace(node, state="exited") for node in compose]
    half = [*(replace(node, alive=False) for node in states), NodeState(ours[1]["key"], "master", True)]
    again = plan_adopt(ClusterState(1, tuple(half)), [{**n, "exists": n is ours[1]} for n in ours], stopped)
    assert [(step.action, len(step.nodes)) for step in again] == [("adopt", 4), ("discard", 2)]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, []),
        ({"db_host": "192.0.2.11", "db_port": 33060, "db_name_prefix": ""}, 6),
        ({"db_host": "192.0.2.11", "db_port": 33061, "db_name_prefix": ""}, []),
        ({"db_host": "192.0.2.11", "db_port": 33060, "db_name_prefix": "b_"}, []),
    ],
)
def test_only_nodes_of_the_same_database_are_adopted_and_only_where_that_is_asked_for(asked, names):
    observed = host("one", development())
    observed["asked"]["adopts"] = asked
    assert len(adopted_nodes(observed)) == (names or 0)
    other = host("one", [coreapp("c", "a", 6250)])
    other["asked"]["adopts"] = {"db_host": "DB.example.com", "db_port": "3306", "db_name_prefix": ""}
    assert [node.key for node in adopted_nodes(other)] == ["a:" + adopted_nodes(other)[0].hostname]
    alone = host("one", single())
    alone["asked"]["adopts"] = {"db_host": "x", "db_port": "33060", "db_name_prefix": ""}
    assert {node.key for node in adopted_nodes(alone)} == {
        "{0}:{0}".format(node.hostname) for node in adopted_nodes(alone)
    }
