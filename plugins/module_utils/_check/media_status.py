# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What status.yml shows of the media share of each host, and what is wrong with it. Internal. Pure.

Nothing is written for it. The last proof lies on the share itself, so a host that reads it through its own mount sees
the share that was proved, and hosts that read different ones see different shares.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    host_problems,
    proof_problem,
    split_problem,
    unread_problem,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.table import aligned
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare

if t.TYPE_CHECKING:
    from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Answer, Limits

COLUMNS = ("host", "server", "free", "inodes", "proved")


class ShareStatus(t.NamedTuple):
    """rows: one for each host, for machines. lines: the same for people. problems: what is wrong."""

    rows: list[dict[str, t.Any]]
    lines: list[str]
    problems: list[Problem]


def share_status(share: MediaShare, seen: t.Mapping[str, Answer], uid: int, limits: Limits) -> ShareStatus:
    """seen: by host what wa_host_info returns as C(media_share)."""
    of_hosts = {host: host_problems(share, host, answer, uid, limits) for host, answer in seen.items()}
    sound = [host for host, problems in of_hosts.items() if not problems]
    for host in sound:
        unproved = proof_problem(share, host, seen[host])
        unread = unread_problem(share, host, seen[host])
        of_hosts[host] += [one for one in (unproved, unread) if one]
    by_proof: dict[str, list[str]] = {}
    for host in sound:
        by_proof.setdefault((seen[host]["proof"] or {}).get("run", ""), []).append(host)
    by_proof.pop("", None)
    split = [split_problem(share, list(by_proof.values()))] if len(by_proof) > 1 else []
    split_hosts = {host for hosts in by_proof.values() for host in hosts} if split else set()
    rows = [_row(share, host, answer, of_hosts[host], host in split_hosts) for host, answer in seen.items()]
    return ShareStatus(rows, _lines(share, rows), [one for found in of_hosts.values() for one in found] + split)


def _row(share: MediaShare, host: str, answer: Answer, problems: t.Sequence[Problem], split: bool) -> dict[str, t.Any]:
    unknown = {one.code for one in problems} == {"MEDIA_SHARE_DENIED"}
    proved = None if unknown else not problems and not split
    return {
        "host": host,
        "server": share.server,
        "path": share.path,
        "free_mb": answer.get("free_mb") if answer.get("mount") else None,
        "free_inodes": answer.get("free_inodes") if answer.get("mount") else None,
        "proved": proved,
        "proof_age_seconds": round(answer["proof"]["age_seconds"]) if answer.get("proof") else None,
    }


def _lines(share: MediaShare, rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    if not rows:
        return []
    cells = [
        [
            row["host"],
            row["server"],
            "-" if row["free_mb"] is None else "{0} MB".format(row["free_mb"]),
            "-" if row["free_inodes"] is None else str(row["free_inodes"]),
            _proved_text(row),
        ]
        for row in rows
    ]
    return ["", "media share {0} at {1}".format(share.source, share.path), *aligned([COLUMNS, *cells])]


def _proved_text(row: t.Mapping[str, t.Any]) -> str:
    if row["proved"] is None:
        return "unknown"
    return "{0} ago".format(age(row["proof_age_seconds"])) if row["proved"] else "no"


def age(seconds: int) -> str:
    """A time that has passed, in its largest unit: C(3 h)."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return "{0} {1}".format(seconds // length, unit)
    return "{0} s".format(max(seconds, 0))
