# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems as text, and what the result of a module says about them."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    failure_in,
    lines_of,
    summary,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


@given(NAMES, st.sampled_from(["wa-{0}", "{0}-1", "x{0}", "{0}x", "{0}.example.net", "a.{0}", "{0}_1"]))
def test_a_host_whose_name_is_part_of_another_word_keeps_its_place(host, word):
    sentence = "Port 1 is needed by " + word.format(host)
    assert lines_of([{"problems": [{"code": "A", "message": sentence, "host": host}]}]) == [
        "[A] {0}: {1}".format(host, sentence)
    ] or host in ("port", "is", "needed", "by")
    begins = word.format(host) + " is needed."
    assert summary([Problem("A", begins, host=host)]) == "[A] {0}: {1}".format(host, begins) or host in ("is", "needed")


@given(NAMES, st.sampled_from(["{0}", "{0}.", "{0}:", "{0}:wa-coreapp-1", "({0})", "'{0}'"]))
def test_a_host_that_the_sentence_names_is_not_named_twice(host, form):
    sentence = "This is on " + form.format(host)
    assert lines_of([{"problems": [{"code": "A", "message": sentence, "host": host}]}]) == ["[A] " + sentence]


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        ({}, None),
        ({"skipped": True, "msg": "skipped"}, None),
        ({"problems": [], "msg": "fine"}, None),
        ({"problems": [{"code": "A", "message": "x"}], "failed": True, "msg": "1 problem"}, None),
        ({"problems": [], "failure": {"code": "A", "message": "Why."}}, "Why."),
        ({"failed": True}, "The check failed."),
        ({"failed": False, "msg": "missing required arguments"}, "missing required arguments"),
        ({"unreachable": True, "msg": "no route"}, "no route"),
        ({"failed": False, "exception": "Traceback"}, "The check failed."),
    ],
)
def test_only_a_result_with_problems_says_that_nothing_was_found(result, failure):
    assert failure_in(result) == failure
