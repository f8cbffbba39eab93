# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""messages: one line for each thing that is wrong."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.messages import FilterModule

messages = FilterModule().filters()["messages"]
TAKEN = {"problems": [{"code": "PORT_TAKEN", "message": "Port 1 is taken.", "host": "one"}]}


def test_one_result_or_several() -> None:
    assert messages(TAKEN) == ["[PORT_TAKEN] one: Port 1 is taken."]
    assert messages([TAKEN, TAKEN, {"skipped": True}]) == messages(TAKEN)


def test_a_failure_without_problems() -> None:
    assert messages({"failed": True, "msg": "No."}) == ["No."]
    assert messages({"failed": False, "failure": {"message": "Why."}}) == ["Why."]
