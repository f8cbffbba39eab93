# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the answer of the person at the terminal."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.action.wa_confirm import verdict


def test_only_the_word_yes_goes_on() -> None:
    assert verdict("yes", "refuse") == {"asked": True}
    assert verdict(" yes\n", "refuse") == {"asked": True}


@pytest.mark.parametrize("answer", ["", "no", "y", "YES", "yes please"])
@pytest.mark.parametrize("unattended", ["proceed", "refuse"])
def test_anything_else_stops_and_says_that_nothing_was_changed(answer: str, unattended: str) -> None:
    result = verdict(answer, unattended)
    assert result["failed"]
    assert result["failure"]["code"] == "NOT_CONFIRMED"
    assert "Nothing was changed" in result["msg"]


def test_nobody_to_ask_is_decided_by_the_playbook() -> None:
    assert verdict(None, "proceed") == {"asked": False}
    assert verdict(None, "refuse")["failure"]["code"] == "NOT_CONFIRMED"
