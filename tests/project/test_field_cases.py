# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/field.md: every case that operators have met names a test that is there."""

from __future__ import annotations

import ast
import re

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "field.md").read_text().splitlines()
    if re.match(r"\| F?\d", line)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition(":")[0])
def test_the_test_of_a_case_exists(row: list[str]) -> None:
    case, now, test = row
    path, name = test.strip("`").split("::")
    functions = {one.name for one in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(one, ast.FunctionDef)}
    assert name in functions and name.startswith("test_")
    assert case and now


def test_no_case_is_twice_for_the_same_reason() -> None:
    assert len({(row[0], row[2]) for row in ROWS}) == len(ROWS) > 40
