# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of sentences."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.text import (
    amount,
    enumerate_all,
    enumerate_some,
    first_words,
    not_text,
    stated,
)


def test_amounts_and_lists():
    assert [amount(count, "rack") for count in (0, 1, 2)] == ["0 racks", "1 rack", "2 racks"]
    assert [enumerate_all(items) for items in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
    assert (stated("wa_x", None), stated("wa_x", 3)) == ("wa_x is not set", "wa_x is 3")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (True, "true or false"),
        (612, "a number"),
        (1.5, "a number"),
        (datetime.date(2024, 1, 2), "wa_x is 2024-01-02, a date"),
        (["a"], "not a list"),
        ({"a": 1}, "not a map"),
        (b"a", "something else"),
    ],
)
def test_what_yaml_made_of_a_value(value, what):
    assert what in not_text("wa_x", value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One sentence.", "One sentence"),
        ("https://h1 answered 401.\nMore.", "https://h1 answered 401"),
        (
            "After 22 s. Still missing:\n  [A] of the one.\n  [B] of the other.",
            "After 22 s. Still missing: [A] of the one",
        ),
        ("Still missing:", "Still missing"),
        ("", ""),
    ],
)
def test_what_a_message_says_first(text, words):
    assert first_words(text) == words


def test_of_a_long_list_the_first_are_named_and_the_rest_counted():
    found = [enumerate_some("abcdef"[:count], 3) for count in (1, 3, 4, 6)]
    assert found == ["a", "a, b and c", "a, b, c and d", "a, b, c and 3 more"]
