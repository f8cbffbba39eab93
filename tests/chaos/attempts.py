# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases that are functions: what they check, and what becomes of one in the ledger."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, OK, Ledger
from ansible_collections.waent.fleet.tests.support.live_cluster import Failed
from waemu.probe import Report


class Wrong(Exception):
    """A case did not end as it should."""


def check(what: str, holds: t.Any, evidence: str = "") -> None:
    """Raises Wrong where something does not hold."""
    if not holds:
        raise Wrong(f"not so: {what}\n{evidence[-5000:]}")


def nothing_lost(report: Report) -> None:
    """What holds for every case."""
    text = f"lost {report.lost}, twice {report.twice}, bans {report.bans}"
    check(f"nothing lost, nothing twice, nobody banned, {report.accepted} messages accepted", report.ok, text)


def attempt(ledger: Ledger, name: str, case: t.Callable[..., str | None], *arguments: t.Any) -> bool:
    """Play one case, and keep how it ended; what it returns is shown."""
    started = time.monotonic()
    try:
        found = case(*arguments)
    except (Wrong, Failed) as wrong:
        ledger.add(name, FAILED, f"{time.monotonic() - started:.0f} s\n{wrong}")
        return False
    ledger.add(name, OK, f"{time.monotonic() - started:.0f} s" + (f"; {found}" if found else ""))
    return True
