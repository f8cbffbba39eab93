# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a cluster is without service, from readings of it. Internal to waent.fleet. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import PRIMARY, Cluster


def served(cluster: Cluster, shards: int, broken: t.Collection[str]) -> bool:
    """Whether every shard has one owner that is connected, and is none of those that were broken."""
    owners = {
        shard: [node for node in cluster.connected_coreapps if shard in node.owned and node.name not in broken]
        for shard in range(shards)
    }
    return all(len(nodes) == 1 for nodes in owners.values())


def has_primary(cluster: Cluster, broken: t.Collection[str]) -> bool:
    """Whether there is one primary master that was not broken."""
    return len([n for n in cluster.nodes if n.alive and n.role == PRIMARY and n.name not in broken]) == 1


class Stopwatch:
    """How long something was away, from readings: until the first good one after the last bad one."""

    def __init__(self, away: bool = False) -> None:
        """away: the breakage took it away for certain, also where the first reading comes too late to see that."""
        self.good = False
        self.seconds = 0.0
        self._was_bad = away

    def read(self, good: bool, seconds: float) -> None:
        """One reading, so many seconds after the breakage."""
        if not good:
            self._was_bad = True
            self.seconds = seconds
        elif not self.good and self._was_bad:
            self.seconds = seconds
        self.good = good
