# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: which known name an unknown one is likely meant to be. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import difflib
import typing as t


def distance(one: str, other: str) -> int:
    """Edits from C(one) to C(other): a letter more, less or other, or two neighbours swapped."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def misspelt(name: str, known: t.Iterable[str]) -> str | None:
    """The known name that C(name) is a slip away from: other case or dashes, one edit, two in a long name."""

    def plain(text: str) -> str:
        return text.lower().replace("-", "_")

    allowed = 2 if len(name) >= 10 else 1
    found = sorted((distance(plain(name), plain(one)), one) for one in known if abs(len(one) - len(name)) <= allowed)
    return found[0][1] if found and found[0][0] <= allowed else None


def nearest(name: str, known: t.Iterable[str]) -> str | None:
    """The known name most like C(name); None where none is like it."""
    return next(iter(difflib.get_close_matches(name, sorted(known), 1, 0.6)), None)
