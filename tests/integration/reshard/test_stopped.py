# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reshard.yml where nodes have stopped: what it needs is started first, whatever is served meanwhile."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster

pytestmark = pytest.mark.thorough


@pytest.mark.begins_with(shards=2, version=OLD)
def test_without_masters_they_are_started_before_the_shards_are_given_out(cluster: LiveCluster) -> None:
    with cluster.stopped("master"):
        run = cluster.reshard(4)
    assert run.code == OK, run.output
    assert cluster.faults(4) == []


@pytest.mark.begins_with(shards=4, version=OLD)
@pytest.mark.parametrize("kinds", [("coreapp",), ("master", "coreapp")], ids="-".join)
def test_with_fewer_coreapps_than_shards_it_leads_to_fewer_shards(cluster: LiveCluster, kinds: tuple[str, ...]) -> None:
    """The two that are surplus stay stopped, so that there are never as many as the shards of before."""
    with cluster.stopped(*kinds):
        run = cluster.reshard(2)
        assert run.code == OK, run.output
    assert cluster.faults(2) == []
