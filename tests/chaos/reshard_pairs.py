# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reshard.yml from every number of shards to every other, 30 ways in one walk, while messages are sent.

Set-shards takes the product 45 to 60 s without service, and that divided by the speed of the clock here; the playbook
and the containers run as fast as the machine lets them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.chaos.ledger import OK as PASSED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Shape

COUNTS = (1, 2, 4, 8, 16, 32)
RATE = 20.0


def way() -> list[int]:
    """Numbers of shards in such an order that every ordered pair is next to each other once (Hierholzer's circuit)."""
    open_ways = {count: [other for other in COUNTS if other != count] for count in COUNTS}
    walk, path = [COUNTS[0]], []
    while walk:
        if open_ways[walk[-1]]:
            walk.append(open_ways[walk[-1]].pop())
        else:
            path.append(walk.pop())
    return path


def one(cluster: LiveCluster, ledger: Ledger, before: int, after: int) -> None:
    """One reshard under load. Raises Failed."""
    with cluster.probe(shards=min(before, after), rate=RATE) as probe:
        run = cluster.reshard(after)
    if run.code != OK:
        ledger.add(pair_text(before, after), FAILED, "it failed:\n" + run.output)
        raise Failed("nobody knows in which state the cluster is")
    report = probe.report
    windows = sum(len(shard.windows) for shard in report.shards)
    text = "{0:.1f} s, longest window {1:.1f} s of {2}; {3} accepted, {4} lost, {5} twice, {6} bans".format(
        run.seconds, report.longest_window, windows, report.accepted,
        len(report.lost), len(report.twice), len(report.bans),
    )  # fmt: skip
    faults = cluster.faults(after)
    bad = faults or report.lost or report.twice or report.bans
    ledger.add(pair_text(before, after), FAILED if bad else PASSED, "; ".join([text, *faults]))
    if bad:
        raise Failed("nobody knows in which state the cluster is")


def pair_text(before: int, after: int) -> str:
    """The case of a pair."""
    return "{0} to {1}".format(before, after)


PAIRS = list(zip(way(), way()[1:]))


def work(ledger: Ledger, conditions: Conditions) -> None:
    """The walk, from the first pair that is left."""
    pairs = [pair for pair in PAIRS if pair_text(*pair) in ledger.left]
    while pairs and not conditions.over:
        shape = Shape("rsp", 24000, pairs[0][0], divisor=conditions.divisor, max_connections=4000)
        with tempfile.TemporaryDirectory() as home, LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            at = shape.shards
            while pairs and pairs[0][0] == at and not conditions.over:
                one(cluster, ledger, *pairs[0])
                at = pairs.pop(0)[1]


SUITE = Suite(
    "reshard_pairs", "reshard.yml for all 30 ordered pairs of shard counts", work, [pair_text(*pair) for pair in PAIRS]
)
