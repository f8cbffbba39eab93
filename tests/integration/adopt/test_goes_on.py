# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopted from where somebody has stopped: no webapp runs, a run was killed late, or right after something went."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_cluster import (
    PRODUCTION,
    SECOND,
    TWO_MACHINES,
    ComposeCluster,
    ProductionCluster,
    SpreadCluster,
)
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import commands
from ansible_collections.waent.fleet.tests.support.run_reports import run_report

pytestmark = pytest.mark.thorough

YES = ("-e", "confirm=yes")


@pytest.fixture
def cluster(tmp_path: Path) -> t.Iterator[ComposeCluster]:
    """The production set-up in service, and described."""
    with ProductionCluster(tmp_path, PRODUCTION) as made:
        run = made.describe(wa_validate_certs=True)
        assert run.code == OK, run.output
        yield made


def of_kind(cluster: ComposeCluster, part: str) -> list[str]:
    """Names of the containers of the compose files with this part in their names."""
    return [name for name in cluster.containers() if part in name]


def stop(cluster: ComposeCluster, part: str) -> None:
    for name in of_kind(cluster, part):
        cluster.engine.containers.get(name).stop()


def adopted(cluster: ComposeCluster, *arguments: str) -> Run:
    """One run, after which nothing of the compose files is left and all shards are served; one more changes nothing."""
    run = cluster.play("adopt.yml", *YES, *arguments)
    assert run.code == OK, run.output
    assert cluster.containers() == {}
    assert cluster.serves()
    assert len(cluster.nodes()) == sum(cluster.adopted().values())
    again = cluster.play("adopt.yml", *YES)
    assert again.code == OK and set(again.changes.values()) == {0}, again.output
    return run


def test_a_cluster_whose_webapp_has_stopped_is_adopted_in_one_run(cluster: ComposeCluster, tmp_path: Path) -> None:
    """Its authority is not pinned either; what runs says that it is to be adopted, and adopt.yml does that."""
    stop(cluster, "waweb")
    site = cluster.play("site.yml")
    (way_on, *_others) = commands(site.sentences("UNMANAGED_NODES_RUNNING")[0])
    assert way_on.playbook == "adopt", site.output
    before = cluster.containers()
    checked = cluster.play("adopt.yml", *way_on.given(), "--check")
    assert checked.code == OK and "plan again" in checked.output, checked.output
    assert cluster.containers() == before and cluster.nodes() == {}
    path = tmp_path / "run.json"
    adopted(cluster, *way_on.given(), "-e", "wa_report={0}".format(path))
    report = run_report(path)
    steps = report["steps"]
    assert (report["result"], {step["state"] for step in steps}) == ("done", {"done"}), steps
    assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))
    assert all("webapp" in key for key in steps[0]["nodes"]), steps[0]
    assert "switchover" in {step["action"] for step in steps}
    assert len(list(cluster.inventory.glob(".wa_api_ca*"))) == 1, "its authority is pinned"


def test_a_run_that_was_killed_when_the_only_webapp_had_stopped_goes_on(cluster: ComposeCluster) -> None:
    """Beside it, a coreapp whose place was taken is still there, from a run that was killed before."""
    early = cluster.killed("adopt.yml", "Adopt | Remove the container", *YES)
    assert early.code == KILLED, early.output
    (webapp,) = of_kind(cluster, "waweb")
    container = cluster.engine.containers.get(webapp)

    def stopped() -> bool:
        container.reload()
        return container.status == "exited"

    late = cluster.killed_when(stopped, "adopt.yml", *YES)
    assert late.code == KILLED, late.output
    assert len(cluster.containers()) == 2, "the coreapp and the webapp"
    adopted(cluster)


def test_what_a_killed_run_has_removed_a_moment_ago_is_nobody_unknown(cluster: ComposeCluster) -> None:
    """Its liveness row is young for a minute, and other nodes of the compose file still run beside it."""
    before = len(cluster.containers())
    killed = cluster.killed_when(lambda: len(cluster.containers()) < before, "adopt.yml", *YES)
    assert killed.code == KILLED, killed.output
    adopted(cluster)


def test_a_cluster_whose_masters_have_stopped_is_adopted_in_one_run(cluster: ComposeCluster) -> None:
    """Nobody shows the timers that switchovers change, until masters run. With another store nothing begins."""
    stop(cluster, "master")
    before = cluster.containers()
    apart = cluster.play("adopt.yml", *YES, "-e", "wa_media=other")
    assert (apart.code, apart.codes) == (FAILED, ["ADOPT_STORE_DIFFERS"]), apart.output
    assert cluster.containers() == before and cluster.nodes() == {}
    assert "wait for failover" in adopted(cluster).output


def test_an_engine_that_is_stopped_is_started_beside_nodes_of_compose_files(tmp_path: Path) -> None:
    with SpreadCluster(tmp_path, TWO_MACHINES) as cluster:
        described = cluster.describe()
        assert described.code == OK, described.output
        cluster.fleet.stop_engine(SECOND)
        refused = cluster.play("adopt.yml", *YES)
        assert (refused.code, refused.codes) == (FAILED, ["ENGINE_STOPPED"]), refused.output
        (command, *_others) = commands(refused.sentences("ENGINE_STOPPED")[0])
        assert command.playbook == "engine"
        started = cluster.play("engine.yml", *command.given())
        assert started.code == OK, started.output
        run = cluster.play("adopt.yml", *YES)
        assert run.code == OK, run.output
        assert cluster.serves() and len(cluster.nodes()) == sum(cluster.adopted().values())
