# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_report of runs on a cluster that serves: what they plan, do, and leave when they are killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED
from ansible_collections.waent.fleet.tests.support.run_reports import codes, run_report


@pytest.mark.begins_with(shards=2, version=OLD)
def test_a_reshard_that_is_planned_killed_and_led_back(cluster: LiveCluster, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    writes = ("-e", "wa_report={0}".format(path))

    run = cluster.reshard(4, *writes, "--check")
    report = run_report(path)
    assert (run.code, report["result"], report["playbook"], report["check"]) == (OK, "planned", "reshard", True)
    assert (report["target"], report["cluster_name"]) == (4, cluster.shape.prefix)
    assert [step["state"] for step in report["steps"]] == ["planned"] * len(report["steps"]) != []
    assert report["steps"][0]["sentence"] in " ".join(run.output.split())
    planned = [step["sentence"] for step in report["steps"]]

    killed = cluster.killed("reshard.yml", "Create | Reach the gate", "-e", "shards=4", *writes)
    report = run_report(path)
    assert (killed.code, report["result"], report["check"]) == (KILLED, "running", False)
    assert [step["state"] for step in report["steps"]] == ["begun"] + ["planned"] * (len(report["steps"]) - 1)
    assert [step["sentence"] for step in report["steps"]] == planned
    assert report["changed"] != {}

    run = cluster.reshard(2, *writes)
    report = run_report(path)
    assert (run.code, report["result"], report["problems"]) == (OK, "done", [])
    assert {step["state"] for step in report["steps"]} == {"done"}


@pytest.mark.begins_with(shards=2, version=OLD)
def test_what_site_would_change_and_what_upgrade_refuses(cluster: LiveCluster, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    writes = ("-e", "wa_report={0}".format(path))
    other = json.dumps({"wa_extra_hosts": {cluster.shape.host: "host-gateway", "one.more": "192.0.2.1"}})
    run = cluster.play("site.yml", *writes, "-e", other, "--check")
    report = run_report(path)
    assert (run.code, report["result"], report["playbook"], report["target"]) == (OK, "planned", "site", None), report
    assert any("recreate" in sentence for sentence in report["changes"])

    run = cluster.upgrade("v2.19.1", *writes)
    report = run_report(path)
    assert (run.code, report["result"], report["steps"], report["changed"]) == (FAILED, "refused", [], {})
    assert "DOWNGRADE" in codes(report), report
