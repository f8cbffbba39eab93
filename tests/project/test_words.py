# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words: the project is written in those of its field."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tools import words


def test_no_old_word_is_used() -> None:
    assert [str(finding) for finding in words.find()] == []


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("makes it anew", "anew"),
        ("__wa_wanted.shards", "wanted"),
        ("-e strategy=rolling", "-e strategy="),
        ("Hand over the shards", "Hand over"),
        ("hand_overs.yml", "hand_overs"),
        ("import_playbook: roll.yml", "roll.yml"),
        ("a fail-over takes", "fail-over"),
        ("asks the API again", "asks the API"),
        ("The engine is asked for it", "engine is asked"),
        ("name: Say what is wrong", "Say what"),
        ("docker_clean_up: true", "clean_up"),
        ("class Look(t.NamedTuple):", "Look"),
        ("gives the token back", "gives the token back"),
    ],
)
def test_an_old_word_is_found(text: str, old: str) -> None:
    assert [finding.old for finding in words.old_words("docs/page.md", 1, text)] == [old]


@pytest.mark.parametrize(
    "text",
    [
        "unwanted",
        "amended and recommended",
        "a storyteller",
        "_rollout.yml",
        "the user is asked, and says yes",
        "wa_reshard_plan, __wa_plan",
        "Run the same command again",
        "News of the day",
        "import requests",
    ],
)
def test_other_words_are_left_alone(text: str) -> None:
    assert list(words.old_words("docs/page.md", 1, text)) == []


def test_what_the_product_says_is_quoted_word_for_word() -> None:
    text = 'The answer is "shard ownership is handed over" and told once.'
    assert [finding.old for finding in words.old_words("docs/product.md", 1, text)] == ["told"]


def test_a_finding_names_file_line_old_and_new() -> None:
    (found,) = words.old_words("docs/page.md", 7, "a forecast")
    assert str(found) == "docs/page.md:7: 'forecast': write planned changes"
