# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml on a cluster of real containers, at ten times the speed, while messages are sent through HAProxy.

One cluster for all tests: it is upgraded, killed in the middle, run again, upgraded to a broken image, and rolled back;
in another order, or after a test that failed, it is recreated for the next one. The gateway's ledger is the witness
that no message was lost and no shard had two owners. All places to be killed in are tests/chaos/upgrade_kills.py.
"""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.fake_version import fake_version
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED
from ansible_collections.waent.fleet.tests.support.printed import commands_after
from waemu.probe import Report

BROKEN = "v2.19.907"
# What a core, or a webapp that has lost its core, answers for a shard between two owners. On this clock a busy machine
# makes shards change hands by itself: that not one request fails is for tests/chaos/upgrade_faults.py, at true times.
BETWEEN_OWNERS = {"HTTP 500 code 1014", "HTTP 500 code 1023", "HTTP 503 code 1011", "HTTP 503 code 1018"}

STOPPED_OWNER = re.compile(r"^    msg: '?\d+\. Stop \S+, which\s+owns\s+shard\s+(\d+)", re.MULTILINE)


@pytest.fixture
def broken(cluster: LiveCluster) -> t.Iterator[None]:
    """A version whose coreapp ends at once."""
    with fake_version(cluster.engine, BROKEN, "echo no such library; exit 3"):
        yield


def steps(output: str) -> list[str]:
    """The first words of the steps of the plan that was shown."""
    return re.findall(r"^\d+\. (\w+)", output, re.MULTILINE)


def check_nothing_lost(report: Report) -> None:
    """Every message that was accepted came through once, and nobody was banned."""
    assert (report.lost, report.twice, report.bans) == ([], [], [])


@pytest.mark.begins_with(shards=2, version=OLD)
def test_check_mode_shows_the_plan_and_touches_nothing(cluster: LiveCluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade(NEW, "--check")
    assert run.code == OK, run.output
    assert steps(run.output) == ["Replace"] + ["Stop", "Replace"] * 2 + ["Replace"] * 4
    assert cluster.nodes() == before


@pytest.mark.begins_with(shards=2, version=OLD)
def test_killed_in_a_fail_over_and_run_again_it_ends_with_all_new_and_nothing_lost(
    cluster: LiveCluster, balancer: Balancer
) -> None:
    with cluster.probe(webapps=[balancer.url]) as probe:
        taken_over = "Switchover | Wait until a standby has taken over"
        killed = cluster.killed("upgrade.yml", taken_over, "-e", "version=" + NEW)
        assert killed.code == KILLED, killed.output
        status = cluster.play("status.yml")
        assert status.code == FAILED and "UPGRADE_UNFINISHED" in status.codes, status.output
        assert "upgrade.yml -e version=" + NEW in status.sentences("UPGRADE_UNFINISHED")[0]
        assert not {"VERSION_DIFFERS", "WRONG_VERSION"} & set(status.codes), status.output
        assert cluster.versions() == {OLD, NEW}
        run = cluster.upgrade(NEW)
    assert run.code == OK, run.output
    assert cluster.versions() == {NEW}
    assert "TASK [waent.fleet.rollout : Restore timers | Set both to what they were" in run.output
    assert cluster.intervals() == (5, 30)
    assert run.sessions <= 1, "one login serves the whole run"
    report = probe.report
    assert report.accepted > 100
    check_nothing_lost(report)
    begun = STOPPED_OWNER.findall(killed.output) + STOPPED_OWNER.findall(run.output)
    assert sorted(begun) == ["0", "1"], "each shard is switched over once"
    assert report.errors.keys() <= BETWEEN_OWNERS, "a request failed that no shard without an owner explains"


@pytest.mark.begins_with(shards=2, version=NEW)
def test_the_same_version_again_changes_nothing(cluster: LiveCluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade("2.19.7")
    assert run.code == OK, run.output
    assert run.changes == {"localhost": 0, cluster.shape.host: 0}
    assert cluster.nodes() == before


@pytest.mark.thorough
@pytest.mark.begins_with(shards=2, version=NEW)
def test_nodes_that_were_silent_for_minutes_do_not_stop_the_run_that_starts_them(cluster: LiveCluster) -> None:
    """As after a schema upgrade that failed and is looked into before it is run again: no master is there either."""
    assert cluster.faults(2) == []
    spare = cluster.spare()
    masters = [name for name in cluster.nodes() if "-master-" in name]
    for name in (*masters, spare):
        cluster.engine.containers.get(name).stop()
    cluster.have_been_silent(spare, 150)
    run = cluster.upgrade(NEW)
    assert run.code == OK, run.output
    assert set(steps(run.output)) == {"Run"}, run.output
    assert cluster.faults(2) == []


@pytest.mark.begins_with(shards=2, version=NEW)
def test_site_recreates_nodes_that_differ_in_the_same_careful_order(cluster: LiveCluster, balancer: Balancer) -> None:
    """Other ports for the coreapps."""
    before = cluster.nodes()
    cluster.declare(wa_version=NEW, wa_coreapp_port=cluster.shape.port + 350)
    with cluster.probe(webapps=[balancer.url]) as probe:
        run = cluster.play("site.yml")
    assert run.code == OK, run.output
    assert "Nodes that differ from the desired state are recreated, rolling:" in run.output
    assert steps(run.output) == ["Replace", "Stop", "Replace", "Stop", "Replace"]
    changed = {name for name, node in cluster.nodes().items() if node != before[name]}
    assert changed == {name for name in before if "-coreapp-" in name}
    assert cluster.faults(2) == []
    assert cluster.intervals() == (5, 30)
    check_nothing_lost(probe.report)
    assert sorted(STOPPED_OWNER.findall(run.output)) == ["0", "1"], "each shard is switched over once"
    assert probe.report.errors.keys() <= BETWEEN_OWNERS, probe.report.errors


@pytest.mark.begins_with(shards=2, version=NEW)
def test_a_broken_image_stops_it_with_the_old_nodes_serving_and_the_way_back_is_open(
    cluster: LiveCluster, balancer: Balancer, broken: None
) -> None:
    before = cluster.nodes()
    with cluster.probe(webapps=[balancer.url]) as probe:
        run = cluster.upgrade(BROKEN, "-e", "wa_health_timeout_seconds=10")
        assert run.code == FAILED, run.output
        assert "[UPGRADE_STOPPED]" in run.output, run.output
        assert "no such library" in run.output
        changed = [name for name, node in cluster.nodes().items() if node != before[name]]
        assert len(changed) == 1, "one standby was tried, and no more"
        _again, leads_back = commands_after(run.output, "[UPGRADE_STOPPED]")[:2]
        assert leads_back.playbook == "upgrade"
        back = cluster.play("upgrade.yml", *leads_back.given(version=NEW))
    assert back.code == OK, back.output
    assert cluster.versions() == {NEW}
    check_nothing_lost(probe.report)
    assert probe.report.errors.keys() <= BETWEEN_OWNERS, probe.report.errors
