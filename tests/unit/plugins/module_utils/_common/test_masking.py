# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in parts without secrets: the same however it is cut, and nothing of a secret in it."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common import masking
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import MASK, masked, written_forms
from ansible_collections.waent.fleet.plugins.module_utils._common.masking import (
    LONGEST_LINE,
    Masker,
    without_credentials,
)
from hypothesis import given
from hypothesis import strategies as st

# Few letters, so that values overlap, hold each other and come up again; no asterisk, which masks are made of.
LETTERS = st.sampled_from("ab1_ \n\"'\\/%é=:@.")
VALUES = st.lists(st.text(LETTERS, min_size=1, max_size=12).filter(str.strip), max_size=4)
TEXTS = st.text(LETTERS, max_size=300)


def in_parts(text, cuts, secrets):
    masker = Masker(secrets)
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(text)]):
        found.append(masker.feed(text[begin:end]))
    return "".join(found) + masker.finish()


@st.composite
def texts_with_secrets(draw):
    """Text in which the values stand in several of their forms."""
    values = draw(VALUES)
    text = draw(TEXTS)
    for value in values:
        for form in draw(st.lists(st.sampled_from(sorted(written_forms(value))), max_size=3)):
            place = draw(st.integers(0, len(text)))
            text = text[:place] + form + text[place:]
    return values, text


@given(texts_with_secrets(), st.data())
def test_however_it_is_cut_it_is_masked_as_a_whole_text_is(case, data):
    values, text = case
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    expected = "\n".join(without_credentials(line) for line in masked(text, values).split("\n"))
    assert in_parts(text, cuts, values) == expected


@given(texts_with_secrets(), st.data())
def test_nothing_is_left_of_a_value_of_four_letters_or_more(case, data):
    values, text = case
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    found = in_parts(text, cuts, values).replace(MASK, "\0")
    assert [value for value in values if len(value) >= 4 and value in found] == []


def test_what_has_been_given_out_is_all_but_the_longest_secret_and_a_line():
    masker = Masker(["canary-secret"])
    given_out = sum(len(masker.feed("one line\n")) for _time in range(1000))
    assert 9000 - given_out <= len(base64.b64encode(b"canary-secret")) * 2 + 9
    assert len(masker._text) < 100


@pytest.mark.parametrize("form", [str, json.dumps, lambda value: json.dumps(json.dumps(value)), urllib.parse.quote])
def test_a_secret_of_several_lines_is_found_in_every_form(form):
    secret = '-----BEGIN KEY-----\nabc/def+"ghi"\n-----END KEY-----'
    assert "ghi" not in in_parts("before " + form(secret) + " after\n", [], [secret])


def test_a_line_without_an_end_is_cut_and_not_kept(monkeypatch):
    masker = Masker(["canary"])
    for _part in range(5):
        masker.feed("x" * LONGEST_LINE)
    assert sum(map(len, masker._line)) <= LONGEST_LINE + 1
    assert masker.finish().endswith(masking.LINE_CUT)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET https://user:hidden-1@h/x", "GET https://********@h/x"),
        ("jdbc mysql://root:hid@db:3306", "jdbc mysql://********@db:3306"),
        ("Authorization: Bearer hidden-token-123", "Authorization: Bearer ********"),
        ("authorization: Basic aGlkZGVuOmhpZGRlbg==", "authorization: Basic ********"),
        ('{"token": "hidden", "user": "u"}', '{"token": "********", "user": "u"}'),
        (r"{\"new_password\": \"hidden\"}", r"{\"new_password\": \"********\"}"),
        ("password=hidden&x=1", "password=********&x=1"),
        ("WA_API_KEY=hidden", "WA_API_KEY=********"),
        ("pin: 123456", "pin: ********"),
        ("jwt eyJhbGciOi.eyJzdWIiOi.c2ln-x", "jwt ********"),
        # These say what is wrong, and hide nothing.
        (
            "Access denied for user 'u'@'h' (using password: YES)",
            "Access denied for user 'u'@'h' (using password: YES)",
        ),
        ("mysql://db:3306/x", "mysql://db:3306/x"),
        ("2026-11-29 19:00:00.123 E master req_id=- lost", "2026-11-29 19:00:00.123 E master req_id=- lost"),
        ("shipping: done, spinning: 3", "shipping: done, spinning: 3"),
        ("Basic authentication failed", "Basic authentication failed"),
    ],
)
def test_what_stands_where_credentials_stand(line, expected):
    assert without_credentials(line) == expected
