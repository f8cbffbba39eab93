# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a play stops of itself: the sentence of each reason, filled in."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.filter.stop_message import FilterModule
from ansible_collections.waent.fleet.plugins.module_utils._plan.stops import stop_message


def test_lists_are_joined_and_ends_of_lines_cut() -> None:
    assert stop_message("hosts_lost", hosts=["a", "b"]) == "[HOST_LOST] Lost so far: a, b"
    assert stop_message("host_lost", host="a", why="no answer\n").endswith("any more: no answer")


def test_a_fact_that_is_left_out_is_no_hole_in_a_sentence() -> None:
    with pytest.raises(KeyError):
        stop_message("host_lost", host="a")


def test_the_filter_is_that_function() -> None:
    assert FilterModule().filters() == {"stop_message": stop_message}
