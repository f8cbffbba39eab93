# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of sentences: amounts, lists, and what is said about a value. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import datetime
import typing as t


def not_text(name: str, value: t.Any) -> str:
    """The sentence for a value that YAML read as something else than text."""
    shown = str(value) if isinstance(value, datetime.date) else repr(value)
    if isinstance(value, (list, dict)):
        return "{0} is {1}; allowed is text, not a {2}.".format(
            name, shown, "list" if isinstance(value, list) else "map"
        )
    kinds = ((bool, "true or false"), (int, "a number"), (float, "a number"), (datetime.date, "a date"))
    what = next((word for kind, word in kinds if isinstance(value, kind)), "something else")
    return (
        "{0} is {1}, {2} for YAML and not text; put it in quotes, since unquoted digits and words may change"
        " (0612 is read as 394, 12:30 as 750, no as false).".format(name, shown, what)
    )


def stated(variable: str, value: t.Any) -> str:
    """The beginning of a refusal: C(wa_x is 3), C(wa_x is not set)."""
    return variable + (" is not set" if value is None else " is {0!r}".format(value))


def amount(count: int, singular: str) -> str:
    """C(1 rack), C(2 racks)."""
    return "{0} {1}{2}".format(count, singular, "" if count == 1 else "s")


def enumerate_all(items: t.Iterable[t.Any]) -> str:
    """C(a), C(a and b), C(a, b and c)."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def enumerate_some(items: t.Iterable[t.Any], most: int = 5) -> str:
    """The same of the first C(most), with how many more there are: C(a, b and 7 more). One more is named itself."""
    texts = [str(item) for item in items]
    more = len(texts) - most
    return enumerate_all([*texts[:most], "{0} more".format(more)] if more > 1 else texts)


def one_line(text: str, most: int = 300) -> str:
    """What a program said, as a part of a sentence."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= most else line[: most - 3] + "..."


def first_words(text: str) -> str:
    """What a message of several lines says first; where it announces a list, with the first entry of that."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1]).rstrip(".:")
