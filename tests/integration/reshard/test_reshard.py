# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reshard.yml on a cluster of real containers, ten times faster than the product, while messages are sent through it.

In this order each test finds the shards that it begins with; in another order, or after one that failed, the cluster is
recreated for it. All 30 ways are tests/chaos/reshard_pairs.py, all places to be killed in tests/chaos/reshard_kills.py.
"""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.fake_version import broken_image
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster, Run
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after

EXPIRED = base64.b64encode(json.dumps({"vname": "canary", "expires": "2020-02-29"}).encode()).decode()


def check(cluster: LiveCluster, run: Run, shards: int, report: t.Any) -> None:
    """It ended well, the cluster is exactly in the desired state, and every accepted message came through once."""
    assert run.code == OK, run.output
    assert cluster.faults(shards) == []
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])
    written = shards == cluster.shape.shards
    assert ("Write wa_shards: {0} into the inventory".format(shards) in run.output) == (not written)
    assert run.sessions <= 1, "one login serves the whole run"


@pytest.mark.begins_with(shards=2, version=OLD)
@pytest.mark.parametrize("wrong", ["3", ""])
def test_a_number_that_is_none_is_refused_with_what_is_allowed(cluster: LiveCluster, wrong: str) -> None:
    run = cluster.reshard(wrong)
    assert (run.code, run.codes) == (FAILED, ["WA_SHARDS_INVALID"])
    assert "nothing was changed" in run.output.lower()
    (sentence,) = run.sentences("WA_SHARDS_INVALID")
    assert "wa_shards" in sentence
    assert wrong in sentence
    assert "1, 2, 4, 8, 16 and 32" in sentence


@pytest.mark.begins_with(shards=2, version=OLD)
def test_all_that_forbids_it_is_reported_at_once_before_anything_is_changed(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = cluster.reshard(32, "-e", "wa_cert=" + EXPIRED)
    assert (run.code, run.codes) == (FAILED, ["DB_CONNECTIONS_TOO_FEW", "CERT_EXPIRED"])
    assert "Nothing was changed." in run.output
    (sentence,) = run.sentences("CERT_EXPIRED")
    assert sentence.startswith("wa_cert expired on 2020-02-29")
    assert EXPIRED not in run.output
    (sentence,) = run.sentences("DB_CONNECTIONS_TOO_FEW")
    assert "the database allows 500" in sentence
    assert "wa_database_max_connections" in sentence
    assert (cluster.containers(), cluster.shards()) == (before, 2)


@pytest.mark.begins_with(shards=2, version=OLD)
def test_check_mode_shows_the_plan_and_changes_nothing(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = cluster.reshard(4, "--check")
    assert run.code == OK, run.output
    said = " ".join(run.output.split())  # long lines are folded
    assert "Create 2 coreapps: {0}-4, {0}-5".format("live-local:live-coreapp") in said
    assert "Set shards from 2 to 4: all 5 coreapps restart by themselves, 45 to 60 s without service" in said
    assert run.changes == {"localhost": 0, cluster.shape.host: 0}
    assert (cluster.containers(), cluster.shards()) == (before, 2)


@pytest.mark.begins_with(shards=2, version=OLD)
def test_more_shards(cluster: LiveCluster) -> None:
    before = cluster.containers()
    with cluster.probe(shards=2) as probe:
        run = cluster.reshard(4)
    check(cluster, run, 4, probe.report)
    after = cluster.containers()
    assert {name: after[name][0] for name in before} == {name: identity for name, (identity, _start) in before.items()}
    others = [name for name in before if "-coreapp-" not in name]
    assert {name: after[name] for name in others} == {name: before[name] for name in others}, "nor were they restarted"


@pytest.mark.begins_with(shards=4, version=OLD)
def test_the_same_number_again_changes_nothing(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = cluster.reshard(4)
    assert run.code == OK, run.output
    assert "nothing to do" in run.output
    assert run.changes == {"localhost": 0, cluster.shape.host: 0}
    assert cluster.containers() == before


@pytest.mark.begins_with(shards=4, version=OLD)
def test_site_refuses_the_number_that_the_inventory_still_has(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = cluster.play("site.yml")
    assert (run.code, run.codes) == (FAILED, ["SHARDS_DIFFER"])
    (sentence,) = run.sentences("SHARDS_DIFFER")
    assert "set wa_shards to 4 in the inventory" in sentence
    assert cluster.containers() == before


@pytest.mark.begins_with(shards=4, version=OLD)
def test_killed_while_the_coreapps_restart_and_run_again_it_ends_with_fewer_shards(cluster: LiveCluster) -> None:
    with cluster.probe(shards=1) as probe:
        killed = cluster.reshard_killed_in_restart(1)
        assert killed.code == KILLED, killed.output
        assert len(cluster.coreapps()) == 5, "after the call, before the surplus goes"
        run = cluster.reshard(1)
    check(cluster, run, 1, probe.report)


@pytest.mark.thorough
@pytest.mark.begins_with(shards=1, version=OLD)
def test_killed_between_new_coreapps_and_set_shards_and_run_again(cluster: LiveCluster) -> None:
    with cluster.probe(shards=1) as probe:
        killed = cluster.reshard_killed(2, "Create | Reach the gate")
        assert killed.code == KILLED, killed.output
        assert (cluster.shards(), len(cluster.coreapps())) == (1, 3)
        run = cluster.reshard(2)
    check(cluster, run, 2, probe.report)


@pytest.fixture
def broken(cluster: LiveCluster) -> t.Iterator[str]:
    """Repository of an image of the version that runs, whose coreapps end at once."""
    with broken_image(cluster, "coreapp", "echo no such library; exit 3") as repository:
        yield repository


@pytest.mark.begins_with(shards=1, version=OLD)
def test_a_coreapp_that_does_not_start_stops_it_with_evidence_and_a_way_on(cluster: LiveCluster, broken: str) -> None:
    before = cluster.containers()
    with cluster.probe(shards=1) as probe:
        run = cluster.reshard(2, "-e", "wa_coreapp_image=" + broken, "-e", "wa_health_timeout_seconds=10")
        assert run.code == FAILED, run.output
        said = " ".join(run.output.split())
        assert "[RESHARD_STOPPED] The reshard to 2 shards stopped at step 1: Create 1 coreapp" in said
        assert "no such library" in said
        assert "No node was changed." in said
        again, back = commands_after(run.output, "[RESHARD_STOPPED]")[:2]
        assert (again, back.playbook) == (Command("", {}), "reshard")
        assert cluster.shards() == 1
        assert {name: node for name, node in cluster.containers().items() if name in before} == before
        run = cluster.play("reshard.yml", *back.given(shards="1"))
        assert run.code == OK, run.output
        assert cluster.containers() == before
        run = cluster.reshard(2)
    check(cluster, run, 2, probe.report)
