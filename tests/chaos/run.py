# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the chaos suites in stretches: each call goes on where the one before stopped, for this state of the code.

    .venv/bin/python tests/chaos/run.py --minutes 30                          all, one suite after the other
    .venv/bin/python tests/chaos/run.py --only reshard_kills --minutes 30     one of them, or some, with commas
    .venv/bin/python tests/chaos/run.py --list                                names, and how many cases are done

One line a case, and a table at the end. Exit code 1 when a case has failed, in this stretch or in an earlier one;
--again tries those that failed once more. Needs what C(make demo) prepares. Results: .cache/chaos.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback
import typing as t

from ansible_collections.waent.fleet.tests.chaos import (
    changed_secrets,
    day_kills,
    emulator_soak,
    reshard_kills,
    reshard_pairs,
    reshard_switchover,
    site_kills,
    upgrade_faults,
    upgrade_hosts,
    upgrade_kills,
)
from ansible_collections.waent.fleet.tests.chaos.attempts import Wrong
from ansible_collections.waent.fleet.tests.chaos.ledger import (
    DIRECTORY,
    Conditions,
    Ledger,
    Suite,
    show,
    state_of_the_code,
)
from ansible_collections.waent.fleet.tests.support.live_cluster import Failed

SUITES = {
    suite.name: suite
    for suite in (
        reshard_kills.SUITE,
        upgrade_kills.ROLLING,
        upgrade_kills.SCHEMA,
        site_kills.RECREATING,
        site_kills.INSTALLING,
        *day_kills.SUITES,
        reshard_pairs.SUITE,
        reshard_switchover.SUITE,
        changed_secrets.SUITE,
        upgrade_faults.SUITE,
        upgrade_hosts.SUITE,
        emulator_soak.SUITE,
    )
}


def names(text: str) -> list[str]:
    """The suites of --only."""
    found = [name for name in text.replace(",", " ").split() if name]
    unknown = [name for name in found if name not in SUITES]
    if unknown:
        known = ", ".join(SUITES)
        raise argparse.ArgumentTypeError("no such suite: {0}; there are: {1}".format(", ".join(unknown), known))
    return found


def table(ledgers: t.Sequence[Ledger]) -> str:
    """How far each suite is."""
    lines = ["{0:<22}{1:>7}{2:>7}{3:>8}{4:>13}{5:>7}".format("suite", "cases", "ok", "failed", "not reached", "left")]
    for ledger in ledgers:
        counts = ledger.counts()
        left = str(counts.left) if counts.complete or ledger.fixed else "{0}+".format(counts.left)
        lines.append(
            "{0:<22}{1:>7}{2:>7}{3:>8}{4:>13}{5:>7}".format(
                ledger.suite, counts.cases or "?", counts.ok, counts.failed, counts.unreached, left
            )
        )
    return "\n".join(lines)


def work(suite: Suite, ledger: Ledger, conditions: Conditions) -> bool:
    """One suite until it is done or the time is over; whether it came to a good end."""
    show("suite", "{0}: {1}".format(suite.name, suite.about))
    try:
        suite.work(ledger, conditions)
    except (Failed, Wrong) as problem:
        show("STOPPED", "{0}: {1}".format(suite.name, problem))
    except (AssertionError, OSError, subprocess.SubprocessError):
        show("STOPPED", "{0}: {1}".format(suite.name, traceback.format_exc()))
    else:
        return True
    return False


def main() -> int:
    """Exit code 1 when a case failed, or a suite could not go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=names, default=[], metavar="SUITE,...", help="these suites; all without")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin nothing new after so many minutes")
    parser.add_argument("--list", action="store_true", help="only show the suites and how far they are")
    parser.add_argument("--again", action="store_true", help="try once more what has failed")
    parser.add_argument("--restart", action="store_true", help="forget what was done in this state of the code")
    parser.add_argument("--divisor", type=float, default=10, help="how many times faster than the product's own times")
    options = parser.parse_args()
    chosen = [SUITES[name] for name in options.only or SUITES]
    state = state_of_the_code()
    ledgers = []
    for suite in chosen:
        ledger = Ledger(DIRECTORY / state, suite.name, suite.cases)
        if options.restart:
            ledger.clear()
            ledger = Ledger(DIRECTORY / state, suite.name, suite.cases)
        if options.again:
            ledger.forget_failures()
        ledgers.append(ledger)
    if options.list:
        for suite in chosen:
            print("{0:<22}{1}".format(suite.name, suite.about))
        print("\n" + table(ledgers))
        return 0
    conditions = Conditions(time.monotonic() + options.minutes * 60, options.divisor)
    good = True
    for suite, ledger in zip(chosen, ledgers):
        if conditions.over:
            break
        if not ledger.complete:
            good &= work(suite, ledger, conditions)
    print("\n{0}\n".format(table(ledgers)))
    failed = sum(ledger.counts().failed for ledger in ledgers)
    for ledger in ledgers:
        for case, result in ledger.results.items():
            if result["outcome"] == "FAILED":
                print("FAILED {0}".format(ledger.label(case)))
    left = sum(ledger.counts().left for ledger in ledgers)
    more = "" if all(ledger.fixed or ledger.complete for ledger in ledgers) else ", and those that runs still find"
    print("{0} failed, {1} left{2}; code {3}".format(failed, left, more, state))
    return 0 if good and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
