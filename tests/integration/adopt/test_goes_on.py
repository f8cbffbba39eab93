# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopted from where somebody has stopped: no webapp runs, a run was killed late, or right after something went."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_cluster import PRODUCTION, ComposeCluster, ProductionCluster
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
from ansible_collections.waent.fleet.tests.support.printed import commands
from ansible_collections.waent.fleet.tests.support.run_reports import run_report

pytestmark = pytest.mark.thorough

YES = ("-e", "confirm=yes")


def webapp(cluster: ComposeCluster) -> str:
    """The container of the compose file."""
    (name,) = (name for name in cluster.containers() if name.split("_")[-2] == "waweb")
    return name


def is_adopted(cluster: ComposeCluster) -> None:
    """Nothing of the compose files is left, all shards are served, and one more run changes nothing."""
    assert cluster.containers() == {}
    assert cluster.serves()
    assert len(cluster.nodes()) == sum(cluster.adopted().values())
    again = cluster.play("adopt.yml", *YES)
    assert again.code == OK and set(again.changes.values()) == {0}, again.output


def test_a_cluster_whose_webapp_has_stopped_is_adopted_in_one_run(tmp_path: Path) -> None:
    """Its authority is not pinned either; what runs says that it is to be adopted, and adopt.yml does that."""
    with ProductionCluster(tmp_path, PRODUCTION) as cluster:
        run = cluster.describe(wa_validate_certs=True)
        assert run.code == OK, run.output
        cluster.engine.containers.get(webapp(cluster)).stop()
        site = cluster.play("site.yml")
        (way_on, *_others) = commands(site.sentences("UNMANAGED_NODES_RUNNING")[0])
        assert way_on.playbook == "adopt", site.output
        before = cluster.containers()
        checked = cluster.play("adopt.yml", *way_on.given(), "--check")
        assert checked.code == OK and "plan again" in checked.output, checked.output
        assert cluster.containers() == before and cluster.nodes() == {}
        path = tmp_path / "run.json"
        run = cluster.play("adopt.yml", *way_on.given(), *YES, "-e", "wa_report={0}".format(path))
        assert run.code == OK, run.output
        report = run_report(path)
        steps = report["steps"]
        assert (report["result"], {step["state"] for step in steps}) == ("done", {"done"}), steps
        assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))
        assert (steps[0]["nodes"], "switchover" in {step["action"] for step in steps}) == (
            [key for key in steps[0]["nodes"] if "webapp" in key], True,
        )  # fmt: skip
        assert len(list(cluster.inventory.glob(".wa_api_ca*"))) == 1, "its authority is pinned"
        is_adopted(cluster)


def test_a_run_that_was_killed_when_the_only_webapp_had_stopped_goes_on(tmp_path: Path) -> None:
    """Beside it, a coreapp whose place was taken is still there, from a run that was killed before."""
    with ProductionCluster(tmp_path, PRODUCTION) as cluster:
        run = cluster.describe()
        assert run.code == OK, run.output
        early = cluster.killed("adopt.yml", "Adopt | Remove the container", *YES)
        assert early.code == KILLED, early.output

        def stopped() -> bool:
            return cluster.engine.containers.get(webapp(cluster)).status == "exited"

        late = cluster.killed_when(stopped, "adopt.yml", *YES)
        assert late.code == KILLED, late.output
        assert len(cluster.containers()) == 2, "the coreapp and the webapp"
        run = cluster.play("adopt.yml", *YES)
        assert run.code == OK, run.output
        is_adopted(cluster)


def test_what_a_killed_run_has_removed_a_moment_ago_is_nobody_unknown(tmp_path: Path) -> None:
    """Its liveness row is young for a minute, and other nodes of the compose files still run beside it."""
    with ProductionCluster(tmp_path, PRODUCTION) as cluster:
        run = cluster.describe()
        assert run.code == OK, run.output
        before = len(cluster.containers())
        killed = cluster.killed_when(lambda: len(cluster.containers()) < before, "adopt.yml", *YES)
        assert killed.code == KILLED, killed.output
        run = cluster.play("adopt.yml", *YES)
        assert run.code == OK, run.output
        is_adopted(cluster)
