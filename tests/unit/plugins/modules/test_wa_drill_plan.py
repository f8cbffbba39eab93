# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_drill_plan as a process, the way Ansible runs modules that have no action plugin."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.observed_host import container, node_container, observed, placed


def run(**more):
    nodes = placed()
    shown = [
        {"name": node["key"], "alive": True, "shards": [], "role": "secondary_master"}
        for node in nodes
        if node["kind"] != "webapp"
    ]
    database = container("wa-db", cluster="waent", kind="database")
    strange = container("wa-db-2", cluster="other", kind="database")
    options = {
        "drill": "database",
        "nodes": nodes,
        "observed": [observed(containers=[*map(node_container, nodes), database, strange])],
        "health": {"healthy": True, "problems": [], "cluster": {"nodes": shown, "shards": 1}, "webapps": []},
        "network": "waent", "cluster_name": "waent", "begun": "2026-11-28T10:00:00Z",
    }  # fmt: skip
    return run_module_process("wa_drill_plan", **{**options, **more})


def test_only_the_database_of_the_cluster_is_stopped():
    result = run()
    assert result["changed"] is False
    assert result["hosts"]["h1"]["commands"] == [["docker", "stop", "wa-db"]]
    assert "docker start 'wa-db'" in result["hosts"]["h1"]["script"]
    assert result["deadline"] == 20


def test_a_production_cluster_is_refused():
    result = run(production=True)
    assert result["failed"] is True
    assert result["failure"]["details"]["codes"] == ["DRILL_ON_PRODUCTION"]
