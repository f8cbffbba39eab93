# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_status: results of other modules go in, the lines of playbooks/status.yml and its report come out."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.modules import wa_status
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module
from ansible_collections.waent.fleet.tests.unit.plugins.module_utils._check.test_status import HEALTH, NODES


def test_a_healthy_cluster(capfd):
    result = run_module(wa_status, capfd, nodes=NODES, health=HEALTH, notes=["works until 2027-05-27"])
    assert result["lines"][-1] == "works until 2027-05-27" and "spare coreapps: one:wa-coreapp-2" in result["lines"]
    assert (result["drift"], result["refusal"], result["problems"]) == ([], "", [])
    assert result["document"]["healthy"] and not result.get("failed")


def test_what_is_wrong_is_said_and_does_not_fail_the_module(capfd):
    preflight = {
        "plan": [{"action": "recreate", "why": [], "sentence": "one: recreate wa-db"}],
        "problems": [{"code": "A", "message": "It is odd.", "host": "one"}],
    }
    away = {"failed": True, "failure": {"code": "API_UNREACHABLE", "message": "No answer."}}
    result = run_module(wa_status, capfd, nodes=[], health=away, preflight=preflight)
    assert result["drift"] == ["site.yml would change:", "  one: recreate wa-db"]
    assert result["refusal"] == "[API_UNREACHABLE] No answer.\n[A] one: It is odd."
    assert [problem["code"] for problem in result["document"]["problems"]] == ["API_UNREACHABLE", "A"]
    assert not result.get("failed")
