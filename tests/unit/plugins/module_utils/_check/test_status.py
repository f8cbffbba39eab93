# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster from results that may have failed."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._check.status import (
    UNHEALTHY,
    cluster_lines,
    drift_lines,
    refusal,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import lines_of

NODES = [{"key": "one:wa-coreapp-1"}, {"key": "one:wa-coreapp-2"}]
HEALTH = {
    "healthy": True, "table": ["node", "wa-coreapp-1"], "summary": "all is well", "problems": [],
    "cluster": {"spares": ["one:wa-coreapp-2", "elsewhere:wb-coreapp-1"]},
}  # fmt: skip
PROBLEM = {"code": "PORT_TAKEN", "message": "Port 1 is taken.", "host": "one", "variable": None, "value": None}
FINDING = {"code": "NODE_MISSING", "message": "wa-coreapp-1 is missing.", "host": "wa-coreapp-1", "kind": "wait"}


def test_a_node_of_somebody_else_is_no_spare():
    lines = cluster_lines(HEALTH, {"notes": ["unknown"]}, NODES)
    assert lines == ["node", "wa-coreapp-1", "", "all is well", "spare coreapps: one:wa-coreapp-2", "unknown"]
    assert "spare coreapps: none" in cluster_lines({**HEALTH, "cluster": {}}, {}, NODES)


def test_a_cluster_that_could_not_be_read():
    assert cluster_lines({"failed": True, "msg": "No answer."}, {}, NODES) == ["", "No answer."]
    assert refusal({"failed": True, "msg": "No answer."}, {}, {}) == "No answer."
    assert refusal({"failure": {"code": "A", "message": "Why."}, "problems": []}, {}, {}) == "Why."
    assert refusal({}, {}, {}) == UNHEALTHY


def test_what_site_yml_would_change():
    settings = {"changes": [
        {"name": "heartbeat_interval", "before": 5, "after": 7},
        {"name": "media.auto_download", "before": None, "after": ["image"]},
        {"name": "pass_through", "before": False, "after": True},
    ]}  # fmt: skip
    assert drift_lines({"changes": ["one: recreate wa-db"]}, settings) == [
        "site.yml would change:",
        "  one: recreate wa-db",
        "  setting heartbeat_interval from 5 to 7",
        "  setting media.auto_download from nothing to ['image']",
        "  setting pass_through from false to true",
    ]
    assert drift_lines({"changes": []}, {"skipped": True}) == []


def test_everything_that_is_wrong_is_reported_once():
    assert refusal(HEALTH, {"problems": []}, {"problems": []}) == ""
    assert refusal(HEALTH, {"problems": [PROBLEM]}, {"problems": [PROBLEM]}) == "[PORT_TAKEN] one: Port 1 is taken."
    lines = refusal({**HEALTH, "healthy": False, "problems": [FINDING]}, {}, {"problems": [PROBLEM]}).splitlines()
    assert lines == ["[NODE_MISSING] wa-coreapp-1 is missing.", "[PORT_TAKEN] one: Port 1 is taken."]


def test_warnings_leave_a_cluster_healthy():
    assert refusal({**HEALTH, "problems": [{**FINDING, "kind": "warning"}]}, {}, {}) == ""


def test_lines_of_results_that_did_not_run():
    assert lines_of([{}, {"skipped": True}, {"failed": True}]) == ["The check failed."]
