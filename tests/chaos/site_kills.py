# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml killed at every task boundary, and run again: once on a cluster in service, once on an empty machine.

In service every journey changes a variable of every node's environment, so that all are recreated, rolling. On the
empty machine every journey is an installation, until the cluster serves its shards.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.kill_walk import Journey, changes_nothing, walk
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.live_cluster import NODE_KINDS, LiveCluster, Shape

SHARDS = 2
INTERVALS = (5, 30)
CONFIRMED = ("-e", "confirm=yes")
MARK = "CHAOS_JOURNEY"
UNFINISHED = {"SHARDS_DIFFER": ("reshard.yml", "-e", "shards={0}".format(SHARDS))}
"""Registered, and killed before its shards were set: nobody knows whether that cluster serves, so site.yml refuses."""
QUICK = {"wa_health_timeout_seconds": 60}


def marks(cluster: LiveCluster) -> set[str]:
    """What the nodes' environments say."""
    label = "waent.fleet.cluster=" + cluster.shape.prefix
    nodes = [
        one
        for one in cluster.engine.containers.list(all=True, filters={"label": label})
        if one.labels["waent.fleet.kind"] in NODE_KINDS
    ]
    return {dict(line.split("=", 1) for line in one.attrs["Config"]["Env"]).get(MARK, "") for one in nodes}


def faults(cluster: LiveCluster, mark: str) -> list[str]:
    """What is not as a run that nobody disturbed leaves it."""
    found = cluster.faults(SHARDS)
    if marks(cluster) != {mark}:
        found.append("nodes of journeys {0}, expected {1} alone".format(sorted(marks(cluster)), mark))
    if cluster.versions() != {cluster.shape.version}:
        found.append("versions: {0}".format(sorted(cluster.versions())))
    if cluster.intervals() != INTERVALS:
        found.append("intervals are still shortened")
    before = cluster.nodes()
    return found + changes_nothing(cluster, cluster.play("site.yml", *CONFIRMED), before)


@contextlib.contextmanager
def marked(cluster: LiveCluster, mark: str) -> t.Iterator[None]:
    """The inventory wants another environment of every node from now on."""
    cluster.declare(wa_extra_environment={**cluster._given["wa_extra_environment"], MARK: mark})
    yield


@contextlib.contextmanager
def emptied(cluster: LiveCluster) -> t.Iterator[None]:
    """Nothing of the cluster is there when the journey begins."""
    cluster.prepare()
    yield


def recreating(ledger: Ledger, conditions: Conditions) -> None:
    """A cluster in service."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("sitk", 29000, SHARDS, divisor=conditions.divisor, more=QUICK)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            journeys = (
                Journey(
                    "recreate all nodes, time {0}".format(number), "site.yml", CONFIRMED,
                    functools.partial(faults, cluster, str(number)), functools.partial(marked, cluster, str(number)),
                )
                for number in itertools.count(1)
            )  # fmt: skip
            walk(cluster, journeys, ledger, conditions)


def installing(ledger: Ledger, conditions: Conditions) -> None:
    """An empty machine."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("siti", 29000, SHARDS, divisor=conditions.divisor, more=QUICK)
        with LiveCluster(Path(home), shape) as cluster:
            journeys = (
                Journey(
                    "installation {0}".format(number), "site.yml", CONFIRMED, functools.partial(faults, cluster, ""),
                    functools.partial(emptied, cluster), served=False, instructions=UNFINISHED,
                )
                for number in itertools.count(1)
            )  # fmt: skip
            walk(cluster, journeys, ledger, conditions)


RECREATING = Suite("site_kills", "site.yml that recreates all nodes killed at every task, and run again", recreating)
INSTALLING = Suite("install_kills", "site.yml on an empty machine killed at every task, and run again", installing)
