# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster as one document, for machines. Internal to waent.fleet. Pure.

Its form is the user's interface: docs/status-report.schema.json describes it, and FORMAT_VERSION changes with every
member that goes or changes its meaning. New members do not change it. It holds no secret, and no phone number.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check import status
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

FORMAT, FORMAT_VERSION = "waent.fleet.status", 1


def report(reports: status.Reports, *, cluster_name: str, time: str, shards: int | None) -> dict[str, t.Any]:
    """The document. time: when it was read, in UTC. shards: the declared number."""
    cluster = reports.health.get("cluster") or {}
    wrong = status.problems(reports)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "time": time,
        "cluster_name": cluster_name,
        "healthy": not wrong,
        "problems": [_problem(problem) for problem in wrong],
        "warnings": [_problem(problem) for problem in status.warnings(reports)],
        "api_read": (cluster.get("form") or "unreadable") != "unreadable",
        "registered": cluster.get("registered"),
        "shards": {"set": cluster.get("shards"), "declared": shards},
        "nodes": [_node(row) for row in status.rows(reports)],
        "spares": status.spares(reports),
        "media_shares": list(reports.media_share.get("rows") or ()),
        "backups": list(reports.backups.get("rows") or ()),
        "unread_hosts": sorted(reports.unread),
        "changes": status.drift(reports),
        "notes": status.notes(reports),
    }


def _problem(problem: Problem) -> dict[str, t.Any]:
    return {"code": problem.code, "host": problem.host, "message": problem.message}


def _node(row: t.Sequence[str]) -> dict[str, t.Any]:
    rack, host, name, role, state, shards, version = (None if cell == "-" else cell for cell in row)
    owned = [int(shard) for shard in shards.split(",")] if shards else []
    return {
        "rack": rack,
        "host": host,
        "name": name,
        "role": role,
        "status": state,
        "shards": owned,
        "version": version,
    }
