# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done of the chaos suites in this state of the code: each call goes on where the one before stopped."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT

DIRECTORY = ROOT / ".cache" / "chaos"
EXERCISED = ("plugins", "roles", "playbooks", "emulator", "tests/chaos", "tests/support", "molecule/resources")
"""What a case runs: results count for as long as none of it changes."""

OK, FAILED, UNREACHED = "ok", "FAILED", "not reached"


def state_of_the_code() -> str:
    """A name for the files that cases run, as they are in the working tree: the commit's, until one is changed."""
    git = ["git", "-C", str(ROOT)]
    trees = [subprocess.check_output([*git, "rev-parse", "HEAD:" + name], text=True) for name in EXERCISED]
    changed = subprocess.check_output([*git, "diff", "HEAD", "--", *EXERCISED], text=True)
    added = subprocess.check_output([*git, "ls-files", "--others", "--exclude-standard", "--", *EXERCISED], text=True)
    contents = [(ROOT / name).read_text(errors="replace") for name in added.splitlines()]
    return hashlib.sha256("\0".join([*trees, changed, added, *contents]).encode()).hexdigest()[:12]


class Counts(t.NamedTuple):
    """Of one suite. complete: whether nothing is left to do, cases that nobody knows yet included."""

    cases: int
    ok: int
    failed: int
    unreached: int
    left: int
    complete: bool


class Ledger:
    """Cases and results of one suite; they are in its file after each one.

    cases: in the order of their numbers, as far as they are known; fixed where they are known from the beginning, else
    the suite notes when it is complete. results: of a case, C({outcome, text}).
    """

    def __init__(self, directory: Path, suite: str, cases: t.Sequence[str] = ()) -> None:
        self.path = directory / "{0}.json".format(suite)
        self.suite, self.fixed = suite, bool(cases)
        kept = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.cases: list[str] = kept.get("cases", list(cases))
        self.results: dict[str, dict[str, str]] = kept.get("results", {})
        self.notes: dict[str, t.Any] = kept.get("notes", {})
        """What a suite itself keeps."""

    def clear(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)

    def forget_failures(self) -> None:
        """Have what failed tried again."""
        kept = {case: result for case, result in self.results.items() if result["outcome"] != FAILED}
        if len(kept) < len(self.results):
            self.results = kept
            ways = {name: {**way, "where": 0} for name, way in self.notes.get("ways", {}).items()}
            self.note(complete=False, ways=ways)

    def know(self, cases: t.Iterable[str]) -> None:
        """Add cases that were found."""
        self.cases += [case for case in dict.fromkeys(cases) if case not in self.cases]
        self._write()

    def note(self, **notes: t.Any) -> None:
        """Keep something for the next stretch."""
        self.notes.update(notes)
        self._write()

    def label(self, case: str) -> str:
        """The case with its number."""
        return "{0} {1}/{2} {3}".format(self.suite, self.cases.index(case) + 1, len(self.cases), case)

    def add(self, case: str, outcome: str, text: str, *, silent: bool = False) -> None:
        """Keep one result, and show it in one line; what a failure has shown follows."""
        self.know([case])
        self.results[case] = {"outcome": outcome, "text": text}
        self._write()
        if not silent:
            show(outcome, "{0}: {1}".format(self.label(case), text))

    @property
    def left(self) -> list[str]:
        """Cases without a result, in order."""
        return [case for case in self.cases if case not in self.results]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.left if self.fixed else bool(self.notes.get("complete"))

    def counts(self) -> Counts:
        """All together."""
        outcomes = [result["outcome"] for result in self.results.values()]
        by_outcome = (outcomes.count(outcome) for outcome in (OK, FAILED, UNREACHED))
        return Counts(len(self.cases), *by_outcome, len(self.left), self.complete)

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"cases": self.cases, "results": self.results, "notes": self.notes}
        self.path.write_text(json.dumps(kept, indent=1))


def show(outcome: str, text: str) -> None:
    """One line for people, with the time."""
    print("{0} {1:<11} {2}".format(time.strftime("%H:%M:%S"), outcome, text), flush=True)


class Conditions(t.NamedTuple):
    """How a stretch is run. deadline: of time.monotonic(), nothing new begins after it. divisor: speed of the clock."""

    deadline: float
    divisor: float

    @property
    def over(self) -> bool:
        """Whether nothing new may begin."""
        return time.monotonic() > self.deadline


class Suite(t.NamedTuple):
    """A set of cases. work: does what is left, until the time is over. cases: none where a first run finds them."""

    name: str
    about: str
    work: t.Callable[[Ledger, Conditions], None]
    cases: t.Sequence[str] = ()
