# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as it was read, node by node: the one model of all plans. Internal to waent.fleet. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot

DEAD, STANDBY, OWNER = 0, 1, 2
"""What it costs to take a coreapp away: nothing, a spare, a failover. Cheap ones go first."""

BEGUN, DONE = "begun", "done"
"""How far the schema upgrade is, by its one-shot container: it was started; it ended with code 0."""


@dataclass(frozen=True)
class NodeState:
    """A node of the cluster as it was read.

    key: its name in the health endpoint. alive: its container runs, and a coreapp or master reports without an error, a
    webapp answers. primary: it is the primary master. shards: those it owns, without the control shard. slot: its
    place. version: what its container is made for, None where there is no container. differs: its container is not as
    desired for another reason than its version, for example an image that was rebuilt. other_tokens: a webapp with
    another key for tokens than the desired one, so that it refuses the tokens of one that has that. remount: the media
    share of its host has to be unmounted and mounted again, for which it has to stop.
    """

    key: str
    kind: str
    alive: bool
    primary: bool = False
    shards: frozenset[int] = frozenset()
    slot: Slot | None = None
    version: Version | None = None
    differs: bool = False
    other_tokens: bool = False
    remount: bool = False

    @property
    def cost(self) -> int:
        """DEAD, STANDBY or OWNER, for a coreapp."""
        if self.shards:
            return OWNER
        return STANDBY if self.alive else DEAD

    def outdated(self, desired: Version) -> bool:
        """Whether its container has to be recreated."""
        return self.version != desired or self.differs


@dataclass(frozen=True)
class ClusterState:
    """The configured number of shards, the nodes, and how far the schema upgrade to the desired version is.

    schema: None, BEGUN or DONE.
    """

    shards: int
    nodes: tuple[NodeState, ...]
    schema: str | None = None

    def of(self, kind: str) -> list[NodeState]:
        """The nodes of a kind, in the order of their keys."""
        return sorted((node for node in self.nodes if node.kind == kind), key=lambda node: node.key)
