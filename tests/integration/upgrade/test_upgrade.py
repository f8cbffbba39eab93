# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml on a cluster of real containers, at ten times the speed, while messages are sent through HAProxy.

One cluster for all tests, so their order matters: it is upgraded, killed in the middle, run again, upgraded to a broken
image, and rolled back. The gateway's ledger is the witness that no message was lost and no shard had two owners.
"""

from __future__ import annotations

import re
import typing as t

import pytest
from balancer import Balancer
from upgrade_cluster import FAILED, NEW, OK, OLD, UpgradeCluster, steps

BROKEN = "v2.19.907"
# What a core, or a webapp that has lost its core, answers for a shard between two owners.
BETWEEN_OWNERS = {"HTTP 500 code 1014", "HTTP 500 code 1011", "HTTP 500 code 1018", "HTTP 503 code 1018"}

STOPPED_OWNER = re.compile(r"^    msg: '?\d+\. Stop \S+, which\s+owns\s+shard\s+(\d+)", re.MULTILINE)


@pytest.fixture
def broken(cluster: UpgradeCluster) -> t.Iterator[None]:
    """A version whose coreapp ends at once."""
    cluster.make_version(BROKEN, "echo no such library; exit 3")
    yield
    cluster.forget_version(BROKEN)


def test_check_mode_shows_the_plan_and_touches_nothing(cluster: UpgradeCluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade(NEW, "--check")
    assert run.code == OK, run.output
    assert steps(run.output) == ["Replace"] + ["Stop", "Replace"] * 2 + ["Replace"] * 4
    assert cluster.nodes() == before


def test_killed_in_a_fail_over_and_run_again_it_ends_with_all_new_and_nothing_lost(
    cluster: UpgradeCluster, balancer: Balancer
) -> None:
    with cluster.probe(webapps=[balancer.url]) as probe:
        killed = cluster.kill_upgrade(NEW, "Hand over | Reach the gate")
        assert cluster.versions() == {OLD, NEW}
        run = cluster.upgrade(NEW)
    assert run.code == OK, run.output
    assert cluster.versions() == {NEW}
    assert "TASK [waent.fleet.upgrade : Put back | Set the intervals" in run.output
    settings = cluster.settings()
    assert (settings["heartbeat_interval"], settings["unhealthy_interval"]) == (5, 30)
    report = probe.report
    assert report.accepted > 100
    assert (report.lost, report.twice, report.bans) == ([], [], [])
    begun = STOPPED_OWNER.findall(killed) + STOPPED_OWNER.findall(run.output)
    assert sorted(begun) == ["0", "1"], "each shard is handed over once"
    assert report.errors.keys() <= BETWEEN_OWNERS, "a request failed that no shard without an owner explains"


def test_the_same_version_again_changes_nothing(cluster: UpgradeCluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade("2.19.7")
    assert run.code == OK, run.output
    assert {name: numbers["changed"] for name, numbers in run.recap.items()} == {cluster.host: 0}
    assert cluster.nodes() == before


def test_a_broken_image_stops_it_with_the_old_nodes_serving_and_the_way_back_is_open(
    cluster: UpgradeCluster, balancer: Balancer, broken: None
) -> None:
    before = cluster.nodes()
    with cluster.probe(webapps=[balancer.url]) as probe:
        run = cluster.upgrade(BROKEN, "-e", "wa_health_timeout_seconds=10")
        assert run.code == FAILED, run.output
        assert "[UPGRADE_STOPPED]" in run.output, run.output
        assert "no such library" in run.output
        changed = [name for name, node in cluster.nodes().items() if node != before[name]]
        assert len(changed) == 1, "one standby was tried, and no more"
        back = cluster.upgrade(NEW)
    assert back.code == OK, back.output
    assert cluster.versions() == {NEW}
    report = probe.report
    assert (report.failed, report.lost, report.twice, report.bans) == (0, [], [], [])
