# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which known name an unknown one is likely meant to be."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import distance, misspelt, nearest
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    "one, other, edits", [("", "", 0), ("ab", "ba", 1), ("abc", "ac", 1), ("abc", "adc", 1), ("a", "xyz", 3)]
)
def test_distance(one, other, edits):
    assert distance(one, other) == edits


@given(WORDS, WORDS)
def test_distance_is_the_same_both_ways_and_no_more_than_the_longer_word(one, other):
    assert distance(one, other) == distance(other, one) <= max(len(one), len(other))
    assert (distance(one, other) == 0) == (one == other)


def test_misspelt_is_a_slip_and_nearest_is_likeness():
    known = ["wa_cc", "wa_shards", "wa_phone_number"]
    assert misspelt("wa_shard", known) == "wa_shards"
    assert misspelt("wa_ccs", known) == "wa_cc"
    assert misspelt("wa_id", known) is None
    assert nearest("wa_number", known) == "wa_phone_number"
    assert nearest("something", known) is None
