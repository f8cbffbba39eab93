# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failover timers: what they are restored to, whatever a run that was killed left behind."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import ACTIONS, Step
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import PRODUCT, failover_timers, timer_problems
from hypothesis import given
from hypothesis import strategies as st

SHORT = {"heartbeat_interval": 1, "unhealthy_interval": 3}


def timers(heartbeat, unhealthy):
    return {"heartbeat_interval": heartbeat, "unhealthy_interval": unhealthy}


SECONDS = st.integers(4, 100)


@pytest.mark.parametrize(
    ("declared", "actual", "restored", "left"),
    [
        ({}, {}, PRODUCT, False),
        ({}, {**timers(7, 40), "media": {}}, timers(7, 40), False),
        ({}, SHORT, PRODUCT, True),
        ({}, timers(1, 40), timers(5, 40), True),
        ({"unhealthy_interval": 50}, SHORT, timers(5, 50), True),
        ({"heartbeat_interval": 6}, {"heartbeat_interval": 9}, timers(6, 30), False),
    ],
)
def test_what_the_timers_are_restored_to(declared, actual, restored, left):
    found = failover_timers(SHORT, declared, actual)
    assert (found.restored, found.left) == (restored, left)


@given(SECONDS, SECONDS)
def test_a_run_killed_anywhere_does_not_lose_what_somebody_set(heartbeat, unhealthy):
    """Declared values survive any number of kills: with neither, one or both timers short."""
    declared = timers(heartbeat, unhealthy)
    for actual in (declared, {**declared, "heartbeat_interval": 1}, SHORT):
        assert failover_timers(SHORT, declared, actual).restored == declared


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("declared", [{}, {"heartbeat_interval": 6}, timers(6, 40)], ids=len)
@pytest.mark.parametrize("unread", ["", "[API_DOWN] No answer."])
def test_timers_that_were_not_read_are_not_taken_for_those_of_the_product(action, declared, unread):
    """Unknown is not absent: without them, and without declared ones, nothing that shortens them may begin."""
    found = timer_problems([Step(action, ("h:c1",), ())], declared, unread)
    refused = action in ("switchover", "remount") and bool(unread) and len(declared) < 2
    assert [problem.code for problem in found] == (["SETTINGS_UNREAD"] if refused else [])
    if refused:
        assert unread in found[0].message
        assert "wa_settings" in found[0].message
        assert (
            "declare unhealthy_interval in" if declared else "declare heartbeat_interval and unhealthy_interval in"
        ) in (found[0].message)
