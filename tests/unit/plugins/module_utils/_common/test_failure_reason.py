# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason of a hidden failure is reported, and no secret with it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.waent.fleet.plugins.filter.failure_reason import FilterModule
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import (
    MASK,
    MOST_CHARACTERS,
    masked,
    reasons,
)
from hypothesis import given
from hypothesis import strategies as st

WRITERS = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON, all characters": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"env": ["A=" + value]})),
    "Python": repr,
    "Python list": lambda value: repr(["A=" + value]),
    "address": lambda value: "https://u:" + quote(value, safe="") + "@h/",
    "path": quote,
    "form": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=40)


@given(SECRETS, st.sampled_from(sorted(WRITERS)))
def test_a_secret_is_masked_however_it_is_written(secret, writer):
    text = "begin {0} end".format(WRITERS[writer](secret))
    shown = masked(text, [secret])
    assert MASK in shown
    assert WRITERS[writer](secret) not in shown


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("user root, password hunter22", ["hunter22"], "user root, password ********"),
        ("abcd-efgh and abcd", ["abcd", "abcd-efgh"], "******** and ********"),
        ("nothing known", ["", None, True, False], "nothing known"),
        ("pin 123456 at 1234567", [123456], "pin ******** at ********7"),
        ("port 12, 123 and pin 12.", ["12"], "port ********, 123 and pin ********."),
        ("no secrets", [], "no secrets"),
        (
            "level debug of token-12345 and nested",
            [{"LOG": "debug", "TOKEN": "token-12345"}, [["nested"]]],
            "level debug of ******** and ********",
        ),
    ],
)
def test_what_is_masked(text, secrets, shown):
    assert masked(text, secrets) == shown


@pytest.mark.parametrize(
    ("result", "reported"),
    [
        ({"msg": "Conflict with s3cret. "}, ["[CODE] Conflict with ********."]),
        ({"msg": "[API_UNREACHABLE] No answer."}, ["[API_UNREACHABLE] No answer."]),
        ({"msg": "x", "failure": {"code": "A_B", "message": "[A_C] y"}}, ["[A_C] y"]),
        ({"msg": "x", "failure": {"code": "API_AUTH", "message": "Not s3cret."}}, ["[API_AUTH] Not ********."]),
        ({"msg": "", "module_stderr": "Traceback s3cret"}, ["[CODE] Traceback ********"]),
        (
            {
                "msg": "One or more items failed",
                "results": [
                    {"failed": False, "msg": "fine", "item": {"name": "a"}},
                    {"failed": True, "msg": "bad", "item": {"name": "b", "env": "s3cret"}, "ansible_loop_var": "item"},
                    {"failed": True, "msg": "bad", "wa_node": "c-s3cret", "ansible_loop_var": "wa_node"},
                ],
            },
            ["[CODE] b: bad", "[CODE] c-********: bad"],
        ),
        ({"msg": "the loop itself", "results": []}, ["[CODE] the loop itself"]),
        ({"unreachable": True, "msg": "no route"}, ["[CODE] no route"]),
    ],
)
def test_what_is_reported(result, reported):
    assert reasons(result, ["s3cret"], "CODE") == reported


@pytest.mark.parametrize("more", [{}, {"msg": "", "stderr": "", "exception": "(traceback unavailable)"}])
def test_a_failure_without_words_names_the_switch_that_shows_more(more):
    assert "wa_secure_logging=false" in reasons({"failed": True, **more}, [], "CODE")[0]


def test_a_traceback_is_a_word():
    trace = "Traceback (most recent call last):\n  x"
    assert reasons({"failed": True, "msg": "", "exception": trace}, [], "CODE") == ["[CODE] " + trace]


def test_a_secret_where_the_text_is_cut_is_not_shown_in_part():
    words = "x" * (MOST_CHARACTERS - 3) + "s3cret-s3cret"
    assert "s3c" not in reasons({"msg": words}, ["s3cret-s3cret"], "CODE")[0]


def test_the_filter_gives_one_line_for_each_reason():
    failure_reason = FilterModule().filters()["failure_reason"]
    results = [{"failed": True, "msg": "a", "item": "x"}, {"failed": True, "msg": "b", "item": "y"}]
    assert failure_reason({"results": results}, [], "CODE") == "[CODE] x: a\n[CODE] y: b"
