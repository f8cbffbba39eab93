# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reshard.yml killed at every task of 2 to 8 and of 8 to 2, and run again: the same end state, nothing lost."""

from __future__ import annotations

import functools
import itertools
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.kill_walk import Journey, changes_nothing, walk
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape

COUNTS = (2, 8)


def faults(cluster: LiveCluster, shards: int) -> list[str]:
    """What is not as a reshard that nobody disturbed leaves it."""
    found = cluster.faults(shards)
    before = cluster.nodes()
    return found + changes_nothing(cluster, cluster.reshard(shards), before)


def journeys(cluster: LiveCluster) -> t.Iterator[Journey]:
    """To and fro, beginning at the first of the counts."""
    for before, after in itertools.cycle([COUNTS, COUNTS[::-1]]):
        title = "{0} to {1}".format(before, after)
        arguments = ("-e", "shards={0}".format(after))
        yield Journey(title, "reshard.yml", arguments, functools.partial(faults, cluster, after), way=title)


def work(ledger: Ledger, conditions: Conditions) -> None:
    """One journey after the other, alternating between the ways as the cluster goes to and fro."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("rsk", 25000, COUNTS[0], divisor=conditions.divisor, max_connections=2000)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            walk(cluster, journeys(cluster), ledger, conditions)


SUITE = Suite("reshard_kills", "reshard.yml killed at every task of 2 to 8 and of 8 to 2, and run again", work)
