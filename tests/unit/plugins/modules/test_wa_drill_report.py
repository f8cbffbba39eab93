# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_drill_report as a process, the way Ansible runs modules that have no action plugin."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

PLAN = {
    "drill": "coreapp", "target": "a:wa-coreapp-1", "begun": "2026-11-28T10:00:00Z", "restores": False,
    "predicted": {"service": 35, "primary": None, "documented_service": 35, "documented_primary": None},
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "codes"), [(34.0, []), (50.0, ["DRILL_TOO_LONG"])])
def test_the_report_says_what_is_wrong_and_does_not_fail(seconds, codes):
    part = {"seconds": seconds, "back": True}
    result = run_module_process("wa_drill_report", plan=PLAN, watched={"service": part, "primary": part})
    assert not result.get("failed")
    assert [problem["code"] for problem in result["report"]["problems"]] == codes
    assert result["report"]["outages"][0]["measured"] == seconds
    assert all(code in result["refusal"] for code in codes)
