# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What status.yml shows of backups on a schedule, and what is wrong with them. Internal to waent.fleet. Pure.

Red is a backup that somebody relies on and that is not made. Only root may see the files of the service, so as another
user the age of the last one is unknown, and that is said.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_status import age
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.table import aligned

Seen = t.Mapping[str, t.Any]
"""What wa_host_info returns as C(backup)."""

COLUMNS = ("host", "timer", "last run", "last backup", "backups")
SLACK_SECONDS = 15 * 60
"""More than the service is given for one backup."""

WARNING = "warning"


class BackupStatus(t.NamedTuple):
    """rows: one for each host, for machines. lines: the same for people. problems: with their kind."""

    rows: list[dict[str, t.Any]]
    lines: list[str]
    problems: list[dict[str, t.Any]]


def backup_status(seen: t.Mapping[str, Seen], declared: str, unread: str = "") -> BackupStatus:
    """seen: by host, of those that have a timer. declared: the host that the inventory names; empty for none.

    unread: why that one could not be read, empty where it was.
    """
    rows = [_row(host, one) for host, one in seen.items()]
    problems = [problem for host, one in seen.items() for problem in _problems(host, one)]
    if declared and declared not in seen:
        text = "wa_backup_host is {0}, which has no timer that makes backups; run {1}, which installs it."
        missing = Problem("BACKUP_TIMER_MISSING", text.format(declared, instruction("backup_timer")), host=declared)
        text = "Whether {0} still makes backups is not known: it could not be read ({1})."
        unknown = Problem("BACKUP_UNKNOWN", text.format(declared, unread), host=declared)
        problems.append({**(unknown if unread else missing).as_dict(), "kind": WARNING})
    return BackupStatus(rows, _lines(rows), problems)


def _row(host: str, seen: Seen) -> dict[str, t.Any]:
    since = seen["last_run_seconds"]
    made = seen["last_backup_seconds"]
    return {
        "host": host,
        "timer": seen["name"],
        "waits": bool(seen["waits"]),
        "failed": bool(seen["failed"]) or _made_none(seen),
        "last_run_age_seconds": None if since is None else round(since),
        "last_backup_age_seconds": None if made is None else round(made),
        "backups": seen["backups"],
    }


def _made_none(seen: Seen) -> bool:
    """Whether the timer has run, and no file is as young as that. Not known where nobody may see the files."""
    since, made = seen["last_run_seconds"], seen["last_backup_seconds"]
    if since is None or seen["backups"] is None or since < SLACK_SECONDS:
        return False
    return made is None or made > since + SLACK_SECONDS


def _problems(host: str, seen: Seen) -> list[dict[str, t.Any]]:
    found = []
    made = seen["last_backup_seconds"]
    last = "the last backup is {0} old".format(age(round(made))) if made is not None else "there is no backup"
    if seen["backups"] is None:
        last = "how old the last backup is can be seen by root only"
    if seen["failed"] or _made_none(seen):
        text = "The backup on a schedule failed when it ran last; {0}. journalctl -u {1} says why. Then run {2}."
        found.append(Problem("BACKUP_FAILED", text.format(last, seen["name"], instruction("backup_timer")), host=host))
    if not seen["waits"]:
        text = "The timer {0} waits for nothing, so no backup is made any more; {1}. Run {2}, which starts it."
        found.append(
            Problem("BACKUP_TIMER_OFF", text.format(seen["name"], last, instruction("backup_timer")), host=host)
        )
    return [problem.as_dict() for problem in found]


def _lines(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    if not rows:
        return []
    cells = [
        [
            row["host"],
            "waits" if row["waits"] else "off",
            _ago(row["last_run_age_seconds"], "never") + (", failed" if row["failed"] else ""),
            "unknown" if row["backups"] is None else _ago(row["last_backup_age_seconds"], "none"),
            "unknown" if row["backups"] is None else str(row["backups"]),
        ]
        for row in rows
    ]
    return ["", "backups on a schedule", *aligned([COLUMNS, *cells])]


def _ago(seconds: int | None, otherwise: str) -> str:
    return otherwise if seconds is None else "{0} ago".format(age(seconds))
