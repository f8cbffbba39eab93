# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""status.yml on a healthy cluster, and on one of which the inventory says something else."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED


def table(output: str) -> dict[str, list[str]]:
    """The rows that were shown, by node: role, gateway status, shard, version."""
    found = re.findall(r"^ +- '?\S+ +\S+ +(\S+-\d+) +(.*?)'?$", output, re.MULTILINE)
    rows = {name: re.split(r"\s{2,}", rest) for name, rest in found}
    return {name: row for name, row in rows.items() if len(row) == 4}


@pytest.mark.begins_with(shards=2, version=OLD)
def test_versions_roles_owners_spares_and_expiry_are_shown(cluster: LiveCluster) -> None:
    assert cluster.faults(2) == []
    run = cluster.play("status.yml", "-e", "wa_expiry_warning_days=100000")
    assert run.code == OK, run.output
    rows = table(run.output)
    assert len(rows) == 7
    assert {row[-1] for row in rows.values()} == {OLD}
    roles = sorted(row[0] for row in rows.values())
    assert roles == ["coreapp"] * 3 + ["primary_master", "secondary_master"] + ["webapp"] * 2
    owned = sorted(row[2] for row in rows.values() if row[0] == "coreapp")
    assert owned == ["-", "0", "1"]
    spare = next(name for name, row in rows.items() if row[0] == "coreapp" and row[2] == "-")
    assert "spare coreapps: {0}:{1}".format(cluster.shape.host, spare) in run.output
    assert run.output.count("[BUILD_EXPIRES_SOON]") == 2, "of both images, so many days ahead"
    assert re.search(r"coreapp:{0} works until \d{{4}}-\d\d-\d\d".format(OLD), run.output)
    assert "site.yml would change" not in run.output


@pytest.mark.begins_with(shards=2, version=OLD)
def test_what_differs_from_the_inventory_is_reported_and_it_ends_red(cluster: LiveCluster) -> None:
    """Another version, other settings, other shards, a node that was stopped, and one that nobody declared."""
    stopped = cluster.engine.containers.get(cluster.shape.prefix + "-master-2")
    stopped.stop()
    try:
        declared = {
            "wa_version": "v2.19.7",
            "wa_settings": {"heartbeat_interval": 7},
            "wa_shards": 1,
            "wa_coreapps": 2,
            "wa_allow_no_ha": True,
        }
        run = cluster.play("status.yml", "-e", json.dumps(declared))
    finally:
        stopped.start()
    assert run.code == FAILED, run.output
    assert {"VERSION_DIFFERS", "SHARDS_DIFFER"} <= set(run.codes), run.codes
    assert cluster.shape.prefix + "-master-2" in run.output.partition("site.yml would change:")[2], run.output
    assert "heartbeat_interval" in run.output, run.output
