# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of an instruction, and that a shell reads from them what was meant. What they name: tests/project."""

from __future__ import annotations

import json
import shlex
import typing as t

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import (
    INSTRUCTIONS,
    facts_of,
    instruction,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1)
VALUES = st.lists(TEXT) | st.dictionaries(TEXT, TEXT | st.integers())


@pytest.mark.parametrize(
    ("name", "facts", "words"),
    [
        ("first_password", {}, "playbooks/site.yml"),
        ("shards_differ", {"shards": 4}, "playbooks/reshard.yml -e shards=4"),
        ("engine_silent", {}, "the playbook again"),
        ("code_refused", {}, "the playbook again with -e wa_registration_code=CODE"),
        ("code_refused_another", {}, "-e wa_registration_code="),
        ("tags_not_allowed", {"option": "--tags"}, "the playbook again without --tags"),
        ("host_not_read", {"hosts": ["a", "b"]}, """-e '{"wa_without_hosts": ["a", "b"]}'"""),
        ("survive_impossible", {"survive": {}}, """-e '{"wa_survive": {}}'"""),
    ],
)
def test_words(name: str, facts: dict[str, t.Any], words: str) -> None:
    assert instruction(name, **facts) == words


@given(VALUES)
def test_a_shell_passes_what_was_meant(value: t.Any) -> None:
    option, argument = shlex.split(instruction("host_not_read", hosts=value))
    assert (option, json.loads(argument)) == ("-e", {"wa_without_hosts": value})


@given(TEXT)
def test_a_shell_passes_text_as_it_is(text: str) -> None:
    _playbook, option, argument = shlex.split(instruction("version_differs", version=text))
    assert (option, argument) == ("-e", "version=" + text)


@pytest.mark.parametrize("name", [name for name in INSTRUCTIONS if facts_of(name)])
def test_a_fact_that_lacks_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        instruction(name)


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(KeyError):
        instruction("never_mind")
