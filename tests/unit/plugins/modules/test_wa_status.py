# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_status: results of other modules go in, the lines of playbooks/status.yml come out."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.modules import wa_status
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module


def test_a_healthy_cluster(capfd):
    health = {"healthy": True, "table": ["node"], "summary": "all is well", "cluster": {"spares": ["one:a"]}}
    result = run_module(wa_status, capfd, nodes=[{"key": "one:a"}], health=health, notes=["works until 2027-05-27"])
    assert result["lines"] == ["node", "", "all is well", "spare coreapps: one:a", "works until 2027-05-27"]
    assert (result["drift"], result["refusal"], result["problems"]) == ([], "", [])
    assert not result.get("failed")


def test_what_is_wrong_is_said_and_does_not_fail_the_module(capfd):
    preflight = {
        "changes": ["one: recreate wa-db"],
        "problems": [{"code": "A", "message": "It is odd.", "host": "one"}],
    }
    result = run_module(wa_status, capfd, nodes=[], health={"msg": "No answer.", "failed": True}, preflight=preflight)
    assert result["drift"] == ["site.yml would change:", "  one: recreate wa-db"]
    assert result["refusal"] == "No answer.\n[A] one: It is odd."
    assert not result.get("failed")
