# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reshard of an environment on AWS: the hosts that go are drained, so that the reshard itself empties them."""

from __future__ import annotations

import random

from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import hosts_of, read_environment
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState
from ansible_collections.waent.fleet.tests.unit.plugins.module_utils._plan.test_reshard import (
    World,
    check_end,
    coreapp,
    plan_reshard,
)
from hypothesis import given, settings
from hypothesis import strategies as st

RAW = {"environment": "production", "name": "waent", "region": "eu-central-1", "cidr": "10.60.0.0/20"}


def environment(shards):
    return read_environment({**RAW, "shards": shards})[0]


def spec(shards, hosts, leaving=()):
    """The cluster on these hosts, as placement has a drained host: it may run anything, and nothing."""
    found = []
    for host in hosts:
        pins = {kind: int(kind in host.kinds) for kind in ("webapp", "master")}
        drained = host.name in leaving
        kinds, counts = (KINDS, dict.fromkeys(KINDS, 0)) if drained else (host.kinds, pins)
        found.append(HostSpec(host.name, host.zone, host.name, host.name, kinds, counts, DEFAULT_PORTS, drained))
    return ClusterSpec(shards, None, FaultTolerance(), False, tuple(found))


def as_installed(shards, hosts, choose):
    """The cluster as site.yml makes it, with its shards at anybody's."""
    nodes = [node for node in place(spec(shards, hosts)).nodes if node.slot.kind == "coreapp"]
    owners = dict(zip(choose.sample([node.key for node in nodes], shards), range(shards)))
    return ClusterState(
        shards,
        tuple(
            coreapp(node.slot, node.key, True, frozenset([owners[node.key]] if node.key in owners else []))
            for node in nodes
        ),
    )


@settings(deadline=None)
@given(st.sampled_from(SHARD_COUNTS), st.sampled_from(SHARD_COUNTS), st.randoms(use_true_random=False))
def test_a_reshard_empties_the_hosts_that_go_and_fills_those_that_were_added(now, then, choose: random.Random):
    zones = ["a", "b", "c"]
    before, after = hosts_of(environment(now), zones), hosts_of(environment(then), zones)
    leaving = [host.name for host in before[len(after) :]]
    desired = spec(then, before if leaving else after, leaving)
    # Ports are opened before and closed after.
    opened = {port for first, last in environment(max(now, then)).ports for port in range(first, last + 1)}
    world = World(as_installed(now, before, choose), choose.choice)
    # Killed after any step, the run again plans what is left: here after each.
    for _step in range(100):
        plan = plan_reshard(world.state(), desired)
        assert plan.problems == ()
        assert {port for node in plan.nodes for port in node.ports} <= opened
        if not plan.steps:
            break
        world.apply(plan.steps[0], plan.nodes)
    check_end(desired, world)
    there = {slot.host for slot in world.slots.values()}
    assert not there & set(leaving)
    assert there <= {host.name for host in after}
    assert len(world.slots) == then + 1
