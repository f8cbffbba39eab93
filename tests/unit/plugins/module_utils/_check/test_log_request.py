# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which span of time is meant, what is collected, and who gets how much."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.log_request import (
    pieces,
    seconds_since,
    share,
    since_problems,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3h", 10800), ("90m", 5400), ("45s", 45), ("2d", 172800), ("30d", 2592000), (" 3h ", 10800)],
)
def test_a_span(text, seconds):
    assert seconds_since(text) == seconds
    assert since_problems(text) == []


@pytest.mark.parametrize(
    "text", ["", "3", 3, "h", "3 h", "-3h", "3x", "0m", "31d", "3h\n2", "9999999d", ["3h"], "3h; reboot", "٣h"]
)
def test_what_is_no_span_is_refused_with_what_is_allowed(text):
    assert seconds_since(text) is None
    (problem,) = since_problems(text)
    assert (problem.code, problem.variable) == ("SINCE_INVALID", "since")
    assert "such as 90m or 3h" in problem.message


def test_not_given_is_not_wrong():
    assert since_problems(None) == []


def test_what_is_collected_of_each_kind():
    found = pieces([{"name": "b", "kind": "coreapp"}, {"name": "a", "kind": "webapp"}, {"name": "db", "kind": None}])
    assert [(piece.container, piece.what) for piece in found] == [
        ("a", "inspect"), ("b", "inspect"), ("db", "inspect"), ("a", "log"), ("b", "log"), ("db", "log"),
        ("a", "web"), ("a", "lighttpd"), ("b", "crash"),
    ]  # fmt: skip


@given(
    st.integers(1, 10**8), st.integers(1, 10**9), st.floats(0, 1000), st.lists(st.floats(0, 1), min_size=1, max_size=40)
)
def test_no_piece_takes_what_those_after_it_need_and_all_keep_to_the_bounds(size, host_size, seconds, used):
    left_size, left_seconds = host_size, seconds
    for number, part in enumerate(used):
        got = share(size, left_size, left_seconds, len(used) - number)
        assert 0 <= got.size <= size and got.seconds <= left_seconds + 1e-6
        # Whatever the pieces before have taken, an equal part of the whole is left for each.
        assert got.size >= min(size, host_size // len(used) - 1)
        left_size -= int(got.size * part)
        left_seconds -= got.seconds * part
    assert left_size >= 0
