# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single values as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import (
    bad_number,
    blank_problems,
    invalid_address,
    whole_number,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (16, 16), ("16", 16), (True, None), (2.0, None), ("2.0", None), (-1, None), ("-1", None), ("", None),
     (None, None), (" 2", None), ("\u0662", None), ([2], None)],
)  # fmt: skip
def test_whole_number(value, expected):
    assert whole_number(value) == expected


@given(st.integers(0, 10**9 - 1))
def test_a_whole_number_has_one_spelling(number):
    assert whole_number(number) == whole_number(str(number)) == number


def test_blanks_at_either_end_are_reported_by_name():
    found = blank_problems({"wa_b": "x ", "wa_a": "\tx", "wa_c": "x y", "wa_d": 1}, "h1")
    assert [(p.code, p.variable, p.host) for p in found] == [
        ("WA_VALUE_BLANKS", "wa_a", "h1"),
        ("WA_VALUE_BLANKS", "wa_b", "h1"),
    ]


@pytest.mark.parametrize(
    ("text", "bad"), [("10.0.0.1", False), ("10.0.0.300", True), ("h1", False), ("fe80::1", False)]
)
def test_numbers_that_are_no_addresses(text, bad):
    assert bad_number(text) is bad
    assert text in invalid_address(text).message
