# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences with a code are worded in Python alone, and whoever stops a play gives what its sentence needs."""

from __future__ import annotations

import re

import pytest
from ansible_collections.waent.fleet.plugins.filter import stop_message as documented
from ansible_collections.waent.fleet.plugins.module_utils._plan.stops import STOPS, facts_of, stop_message
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from yaml import safe_load

FILES = sorted([*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/*.yml")])
CODE = re.compile(r"\[[A-Z][A-Z0-9]*_[A-Z0-9_]*\]")
USE = re.compile(r"'(\w+)'\s*\|\s*waent\.fleet\.stop_message\(([^\n]*)\)\s*\}\}")
FACT = re.compile(r"(\w+)=")

USES = [
    pytest.param(reason, set(FACT.findall(facts)), id="{0}:{1}".format(path.stem, reason))
    for path in FILES
    for reason, facts in USE.findall(path.read_text())
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: "{0}/{1}".format(path.parts[-3], path.name))
def test_no_task_words_a_code_itself(path) -> None:
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    assert CODE.findall(text) == []


@pytest.mark.parametrize(("reason", "facts"), USES)
def test_a_task_gives_the_facts_of_its_sentence(reason: str, facts: set[str]) -> None:
    assert facts == facts_of(reason)
    given = dict.fromkeys(facts, "x")
    assert bool(CODE.match(stop_message(reason, **given))) == bool(STOPS[reason][0])
    assert "{" not in stop_message(reason, **given)


def test_every_reason_is_used_and_documented_with_its_facts() -> None:
    assert {use.values[0] for use in USES} == set(STOPS)
    options = safe_load(documented.DOCUMENTATION)["options"]
    assert set(options.pop("_input")["choices"]) == set(STOPS)
    assert set(options) == {fact for reason in STOPS for fact in facts_of(reason)}
