# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the bodies of the API; test_check_health.py has the recorded ones."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import STATUSES, observe
from ansible_collections.waent.fleet.tests.support.cluster_bodies import healthy_bodies
from hypothesis import given
from hypothesis import strategies as st


@given(st.sampled_from([*STATUSES, "odd", None]), st.lists(st.builds(dict, code=st.integers(0, 2000)), max_size=2))
def test_a_node_is_alive_by_what_it_reports_itself(status, errors):
    entry = {"role": "coreapp", "gateway_status": status, "errors": errors}
    cluster = observe({"health": {"a:wa-coreapp-1": entry}})
    (node,), (shown,) = cluster.nodes, cluster.as_dict()["nodes"]
    assert node.alive == shown["alive"] == (status is not None and not errors)
    assert cluster.live_coreapps == [node] * node.alive


def test_kind_of_a_silent_node_comes_from_the_plan():
    health = {"health": {"a:odd-name": {"errors": [{"code": 1011}]}, "b:wa-master-2": {"errors": [{"code": 1014}]}}}
    cluster = observe(health, kinds={"a:odd-name": "coreapp"})
    assert [node.kind for node in cluster.nodes] == ["coreapp", "master"]


def test_registered_number_is_read_from_support():
    health, support, account = healthy_bodies(1, 2, 2)
    support["support"]["debug_info"] = "+1 555-0100"
    assert observe(health, support, account).registered_number == "15550100"
    support["support"]["debug_info"] = "unregistered"
    assert observe(health, support, account).registered_number is None


def test_per_node_part_of_support_one_level_down():
    health, support, account = healthy_bodies(2, 3, 2)
    nested = {"support": {"nodes": support["support"], "schema": {"config": 3}}}
    assert observe(health, nested, account).owners == observe(health, support, account).owners


@pytest.mark.parametrize("ranges, owned", [([[0, 0], [2, 3]], [0, 2, 3]), ([[-1, -1]], [-1]), ([], []), ([5], [5])])
def test_ranges_are_inclusive(ranges, owned):
    body = {"support": {"a:x": {"shards": ranges}}}
    cluster = observe({"health": {"a:x": {"gateway_status": "connected", "role": "coreapp"}}}, body)
    assert list(cluster.nodes[0].shards) == owned
    assert cluster.oddities == ()


@pytest.mark.parametrize("ranges", [[["a", "b"]], [[3, 1]], [[0, 10**9]], [[-5, 2]], ["x"], [None], [{}], [[True, 1]]])
def test_ranges_that_are_none(ranges):
    body = {"support": {"a:x": {"shards": ranges}}}
    cluster = observe({"health": {"a:x": {"gateway_status": "connected", "role": "coreapp"}}}, body)
    assert cluster.nodes[0].shards == ()
    assert len(cluster.oddities) == 1
