# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container has logged, without secrets."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.log_lines import log_lines
from hypothesis import given
from hypothesis import strategies as st

SECRETS = st.lists(st.text("abcDEF012\n/+", min_size=4, max_size=12).map("Zz{0}".format), min_size=1, max_size=3)
WORDS = st.text("mnop ", max_size=6)


@given(SECRETS, st.lists(WORDS, max_size=4), st.data())
def test_no_secret_is_shown_wherever_it_stands(secrets, words, data) -> None:
    said = [word + data.draw(st.sampled_from(["", *secrets])) for word in words]
    cut = data.draw(st.integers(0, len(said)))
    lines = {name: "\n".join(part).split("\n") for name, part in (("out", said[:cut]), ("err", said[cut:]))}
    shown = "\n".join(log_lines({"stdout_lines": lines["out"], "stderr_lines": lines["err"]}, [secrets]))
    assert not any(secret in shown for secret in secrets)


def test_both_streams_in_order_and_nothing_of_a_command_that_was_not_run() -> None:
    assert log_lines({"stdout_lines": ["a", "b"], "stderr_lines": ["c"]}, ["canary"]) == ["a", "b", "c"]
    assert log_lines({"skipped": True}, []) == []


def test_what_was_said_before_keeps_its_place_when_more_comes() -> None:
    before = ["x canary-1", "", "y"]
    first, second = (log_lines({"stdout_lines": lines}, ["canary-1"]) for lines in (before, [*before, "z"]))
    assert second[: len(first)] == first
