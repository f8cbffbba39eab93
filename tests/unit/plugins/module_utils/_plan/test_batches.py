# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps count requests from their beginning: none whose end has to be watched for the whole time."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.batches import counted_from_their_beginning
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import plan_upgrade
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = Version(2, 19, 4), Version(2, 19, 7)


def cluster(coreapps=6, shards=4, masters=3, webapps=3, new=()):
    """A cluster that serves; new: keys of nodes that have the new version."""
    kinds = {"coreapp": coreapps, "master": masters, "webapp": webapps}
    nodes = []
    for kind, count in kinds.items():
        for number in range(count):
            key = "h:{0}{1}".format(kind, number)
            shard = frozenset([number] if kind == "coreapp" and number < shards else [])
            primary = kind == "master" and number == 0
            nodes.append(NodeState(key, kind, True, primary, shard, version=NEW if key in new else OLD))
    return ClusterState(shards, tuple(sorted(nodes, key=lambda node: node.key)))


def test_the_steps_of_an_upgrade_with_standbys():
    state = cluster()
    steps = plan_upgrade(state, NEW).steps
    counted = counted_from_their_beginning(state, steps)
    shown = [(step.action, step.nodes[0][2:-1], place in counted) for place, step in enumerate(steps)]
    assert shown == [
        ("replace", "coreapp", False),  # the first that has the new version
        ("replace", "coreapp", True),
        *[("switchover", "coreapp", False), ("replace", "coreapp", True)] * 4,
        ("replace", "master", False), ("replace", "master", True), ("replace", "master", True),
        ("replace", "webapp", False), ("replace", "webapp", True),
        ("replace", "webapp", False),  # no step follows that would see what comes of it
    ]  # fmt: skip


KEYS = ["h:{0}{1}".format(kind, number) for kind in ("coreapp", "master", "webapp") for number in range(3)]
STATES = st.builds(
    cluster, st.integers(2, 6), st.sampled_from([1, 2, 4]), st.integers(1, 3), st.integers(1, 3),
    st.sets(st.sampled_from(KEYS)),
)  # fmt: skip


@given(STATES)
def test_no_step_that_costs_service_shows_a_version_first_or_comes_last_is_one(state):
    steps = plan_upgrade(state, NEW, "rolling", allow_no_ha=True).steps
    kinds = {node.key: node.kind for node in state.nodes}
    counted = counted_from_their_beginning(state, steps)
    assert counted <= set(range(len(steps) - 1))
    for place in counted:
        step = steps[place]
        assert step.action == "replace" and step.downtime == ()
        before = {kinds[key] for one in steps[:place] if one.action == "replace" for key in one.nodes}
        assert {kinds[key] for key in step.nodes} <= before


def test_a_step_without_nodes_is_none():
    steps = [Step("replace", ("h:master0",), ()), Step("snapshot", (), ()), Step("replace", ("h:master1",), ())]
    assert counted_from_their_beginning(cluster(), steps) == frozenset()
