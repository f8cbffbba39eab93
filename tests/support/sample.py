# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases of one kind: a few are run by C(make test), all of them by C(make test-all)."""

from __future__ import annotations

import typing as t

import pytest


def sampled(
    cases: t.Iterable[t.Any], few: t.Collection[t.Any], name: t.Callable[[t.Any], str] | None = None
) -> list[t.Any]:
    """All cases as parameters of a test or a fixture. few: those that C(make test) runs too. name: of a case, its id.

    Raises ValueError where one of the few is no case.
    """
    listed = list(cases)
    unknown = [case for case in few if case not in listed]
    if unknown:
        raise ValueError(f"No such case: {unknown}.")
    return [_parameter((case,), name(case) if name else None, quick=case in few) for case in listed]


def pairs(first: t.Sequence[t.Any], second: t.Sequence[t.Any]) -> list[t.Any]:
    """Each of the first with each of the second. C(make test) runs every single one of them in one pair at least."""
    longest = max(len(first), len(second))
    quick = {(index % len(first), index % len(second)) for index in range(longest)}
    return [
        _parameter((one, other), None, quick=(row, column) in quick)
        for row, one in enumerate(first)
        for column, other in enumerate(second)
    ]


def _parameter(values: tuple[t.Any, ...], name: str | None, *, quick: bool) -> t.Any:
    return pytest.param(*values, id=name, marks=[] if quick else [pytest.mark.thorough])
