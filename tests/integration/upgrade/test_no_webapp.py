# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml where no webapp runs, so that nobody shows who owns a shard: all of it is done in one run."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.fake_version import fake_version
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, OLD, LiveCluster

pytestmark = pytest.mark.thorough

SHARDS = 2
NEXT_LINE = "v2.21.908"


def check_upgraded(cluster: LiveCluster, version: str) -> None:
    assert (cluster.versions(), cluster.faults(SHARDS)) == ({version}, [])
    before = cluster.nodes()
    again = cluster.upgrade(version)
    assert again.code == OK and cluster.nodes() == before, again.output


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_within_one_line_webapps_come_first_and_owners_are_switched_over(cluster: LiveCluster) -> None:
    with cluster.stopped("webapp"):
        run = cluster.upgrade(NEW)
    assert run.code == OK and "wait for failover" in run.output, run.output
    check_upgraded(cluster, NEW)


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
@pytest.mark.parametrize("kinds", [("webapp",), ("webapp", "coreapp", "master")], ids=["webapps", "all"])
def test_between_lines_what_runs_is_stopped_whether_it_is_seen_or_not(
    cluster: LiveCluster, kinds: tuple[str, ...]
) -> None:
    cluster.declare(wa_db_snapshot="none")
    with fake_version(cluster.engine, NEXT_LINE):
        with cluster.stopped(*kinds):
            run = cluster.upgrade(NEXT_LINE)
        assert run.code == OK, run.output
        check_upgraded(cluster, NEXT_LINE)
