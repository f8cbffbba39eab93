# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comment, a docstring or a page points to is there: sections of the fact sheet (docs/product.md), and tests."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, has_test, tracked

SHEET = ROOT / "docs" / "product.md"
NUMBER = r"\d{1,2}(?:\.\d{1,2})?(?!\d)"
MANY = rf"{NUMBER}(?:(?:, (?:and )?| and |-){NUMBER})*"
NAMED = rf"\breference ({MANY})"
POINTERS = re.compile(rf"{NAMED}|(?<!C)\(({MANY})(?=[):;,])|# ({MANY}): ")
QUESTION = re.compile(r"\bQ\d+\b")  # of a list that was never published
CODE = [path for path in tracked("*.py") if path.name != Path(__file__).name]  # which speaks of wrong ones below
TEXTS = tracked("*.yml", "*.md", "*.j2", "*.sh", "*.ini", "*.toml")


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Comments and docstrings, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield token.start[0], token.string


def pointers(text: str) -> Iterator[str]:
    """Sections that a text names: C(reference 3.1), C((4.3, 4.4)), C(# 3.6: ...); a lone number only after the word."""
    for whole, inside, comment in POINTERS.findall(text):
        found = re.findall(NUMBER, whole or inside or comment)
        yield from (number for number in found if whole or "." in number)


def sections() -> set[str]:
    """Numbers of the headings."""
    return set(re.findall(rf"^##+ ({NUMBER})\.? ", SHEET.read_text(), re.MULTILINE))


def dangling(source: str, known: set[str]) -> list[tuple[int, str]]:
    """Line and number of what is not there."""
    return [
        (line, number)
        for line, text in prose(source)
        for number in [*pointers(text), *QUESTION.findall(text)]
        if number not in known
    ]


def named(path: Path) -> str:
    """How a test names the file it is about."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("file", CODE, ids=named)
def test_no_code_points_to_a_section_that_is_not_there(file: Path) -> None:
    assert dangling(file.read_text(), sections()) == []


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_no_other_text_does(file: Path) -> None:
    """There a number needs the word before it: prices and versions stand in brackets too."""
    text = file.read_text()
    found = [number for many in re.findall(NAMED, text) for number in re.findall(NUMBER, many)]
    assert [number for number in found if number not in sections()] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# reference 3.1 and 4.3", []),
        ("# reference 11 says so", ["11"]),
        ('"""A rule (reference 1, 11 Q19)."""', ["11", "Q19"]),
        ("# (4.3, 4.44)", ["4.44"]),
        ("X = 1  # 3.10: seconds", ["3.10"]),
        ("# (11 Q2)", ["Q2"]),
        ("X = float(9.9)", []),
        ("# the first 200 of (2 s)", []),
    ],
)
def test_what_counts_as_a_pointer(line: str, expected: list[str]) -> None:
    assert [number for _line, number in dangling(line + "\n", sections())] == expected


def test_every_test_that_a_page_names_is_there() -> None:
    named = {one for page in tracked("docs/*.md") for one in re.findall(r"`(tests/\S+::\w+)`", page.read_text())}
    assert len(named) > 20
    assert [one for one in sorted(named) if not has_test(one)] == []
