# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of many logs: times and levels as they are written, groups, and a time line that is bounded."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.causes import ERROR, HINT, PLAIN, WARNING
from ansible_collections.waent.fleet.plugins.module_utils._check.log_events import Events, moment, read_line, shape_of
from hypothesis import given
from hypothesis import strategies as st

AT = datetime.datetime(2026, 11, 29, 19, 0, 0, tzinfo=datetime.timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("text", "time", "level"),
    [
        ("2026-11-29T19:00:00.500000000Z 2026-11-29 18:59:59.100 E master req_id=- lost", AT + 0.5, ERROR),
        ("2026-11-29 19:00:00.250 W web req_id=1 slow", AT + 0.25, WARNING),
        ("2026/11/29 19:00:00 [emerg] bind() failed", AT, ERROR),
        ("2026-11-29T20:00:00+01:00 plain", AT, PLAIN),
        ("2026-11-29T17:30:00-0130 plain", AT, PLAIN),
        ("2026-11-29 19:00:00: (server.c.1) server started", AT, PLAIN),
        ("no time at all", None, PLAIN),
        ("2026-13-45 19:00:00 E no such day", None, ERROR),
        ("Segmentation fault", None, HINT),
    ],
)
def test_time_and_level_of_a_line(text, time, level):
    found = read_line(text)
    assert (found.time, found.level) == (time, level)


def test_lines_that_say_the_same_but_for_numbers_are_one_group():
    one = "2026-11-29T19:00:00.5Z 2026-11-29 19:00:00.1 E core req_id=a1 No answer of node 3 after 250 ms"
    other = "2026-11-29T19:01:00.5Z 2026-11-29 19:01:00.1 E core req_id=b2 No answer of node 14 after 9 ms"
    assert shape_of(one) == shape_of(other)
    assert shape_of(one) != shape_of(one.replace("No answer", "An answer"))


def test_groups_have_errors_first_and_say_who_and_when():
    events = Events()
    events.add_log("h1", "a", "h1/a/container.log", ["2026-11-29 19:00:00 W slow 1", "2026-11-29 19:00:01 E dead 1"])
    events.add_log("h2", "b", "h2/b/container.log", ["2026-11-29 19:00:09 E dead 2", "2026-11-29 19:00:10 I fine"])
    first, second = events.groups
    assert (first.example.line.level, first.count, first.nodes) == (ERROR, 2, {"h1:a": 1, "h2:b": 1})
    assert (first.first, first.last) == (AT + 1, AT + 9)
    assert second.example.line.level == WARNING
    assert [event.node for event in events.time_line] == ["a", "a", "b", "b"]
    assert events.counts == {"h1:a": {WARNING: 1, ERROR: 1}, "h2:b": {ERROR: 1, PLAIN: 1}}


def test_a_line_of_a_stack_trace_has_the_time_of_the_line_before():
    events = Events()
    events.add_log("h", "a", "p", ["2026-11-29 19:00:00 E Traceback", "  File x, line 3"])
    assert [event.line.time for event in events.time_line] == [AT, AT]


def test_what_a_node_writes_to_the_engine_and_to_a_file_counts_once():
    events = Events()
    events.add_log("h", "a", "c", ["2026-11-29T19:00:00.5Z 2026-11-29 19:00:00.1 E web broke"], engine=True)
    events.add_log("h", "a", "w", ["2026-11-29 19:00:00.1 E web broke", "2026-11-29 18:00:00.1 E web broke"])
    events.add_log("h", "b", "w", ["2026-11-29 19:00:00.1 E web broke"])
    assert [(event.node, event.path) for event in events.time_line] == [("a", "w"), ("b", "w"), ("a", "c")]


LINES = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from("EWI"), st.sampled_from("abcdefgh")), max_size=120)


@given(LINES, st.integers(1, 40), st.integers(1, 5))
def test_however_many_lines_there_are_what_is_kept_is_bounded_and_the_most_important(lines, most_events, most_groups):
    events = Events(most_groups, most_events)
    for number, (second, letter, word) in enumerate(lines):
        text = "{0} {1} {2}".format(moment(AT + second)[:-1], letter, word)
        events.add_log("h", "n{0}".format(number % 3), "p", [text])
    kept = events.time_line
    assert len(kept) == min(len(lines), most_events)
    assert len(kept) + events.left_out == len(lines)
    assert [event.line.time for event in kept] == sorted(event.line.time for event in kept)
    levels = sorted(("IWE".index(letter) for _second, letter, _word in lines), reverse=True)
    assert sorted((event.line.level for event in kept), reverse=True) == [
        {0: PLAIN, 1: WARNING, 2: ERROR}[level] for level in levels[:most_events]
    ]
    assert len(events.groups) <= most_groups
    counted = sum(group.count for group in events.groups) + events.groups_left_out
    assert counted == sum(letter != "I" for _second, letter, _word in lines)
    assert events.lines == len(lines)


def test_a_moment():
    assert moment(AT + 0.25) == "2026-11-29 19:00:00.250Z"
    assert moment(None) == ""
