# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a playbook can be killed: each moment in which a task begins, named so that it is found again in the next run.

No name of a play or task stands here: all come from a run that nobody disturbed, and from those that were killed.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter

RECOVERY = "after a kill"
WHERE = ("changes", "batches", "everywhere")
"""Where to kill: at a task that follows one which changed something; in plays that run in batches; at every task."""

# What differs between two runs that do the same.
VARYING = (
    (re.compile(r"\bv\d+(\.\d+)+"), "VERSION"),
    (re.compile(r"-(webapp|master|coreapp)-\d+"), r"-\1-N"),
)


def without_varying(name: str) -> str:
    """A task's name without the versions and node names that a template has put into it."""
    for pattern, word in VARYING:
        name = pattern.sub(word, name)
    return name


class Boundaries:
    """Names boundaries while a playbook runs.

    A boundary is C(play|batches left|task|which time in this batch). It counts from the end of a play that runs in
    batches, since a run that goes on after a kill has fewer of them. Of plays with one name the second one says so.
    recorded: the boundaries of the run that nobody disturbed; what is none of them happens because of a kill, and is
    the same however many batches are left.
    """

    def __init__(self, recorded: t.Container[str] = ()) -> None:
        self.recorded = recorded
        self.in_batches = False
        self._play, self._left = "", 0
        self._plays: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def play(self, name: str, batches: int) -> None:
        """A play begins, or the next batch of it. batches: of the whole play, 0 where it does not run in batches."""
        goes_on = batches > 0 and self._play == name and self._left > 1
        self._left = self._left - 1 if goes_on else batches
        self._plays[name] += not goes_on
        self._play, self.in_batches = name, batches > 0
        self._seen.clear()

    def task(self, name: str) -> str:
        """A task begins; the name of this boundary."""
        name = without_varying(name)
        self._seen[name] += 1
        left = "{0} left".format(self._left) if self.in_batches else ""
        times = self._plays[self._play]
        play = self._play if times == 1 else "{0}, time {1}".format(self._play, times)
        boundary = "{0}|{1}|{2}|{3}".format(play, left, name, self._seen[name])
        if not self.recorded or boundary in self.recorded:
            return boundary
        return "{0}|{1}|{2}|{3}".format(play, RECOVERY, name, self._seen[name])

    def due(self, where: str, changed: bool) -> bool:
        """Whether the boundary that was named last is one of those to kill at. changed: by the task before it."""
        return {"changes": changed, "batches": self.in_batches, "everywhere": True}[where]
