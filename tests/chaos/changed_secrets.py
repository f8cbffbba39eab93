# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changed secrets of a cluster in service: check mode names them, site.yml goes node by node, under load.

Two shards, two webapps, about five minutes. First another JWT key and API key, then a
secret that every node gets, then WA_SECRET, which nodes cannot have one after the other. Each time check mode has to
name what changes, no message may be lost, no output may show a value, and a second run changes nothing.
"""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.attempts import Wrong, attempt
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Shape

ROLLED = "Nodes that differ from the desired state are recreated, rolling:"
CORES, WEBAPPS = 5, 2


class Change(t.NamedTuple):
    """A change of the inventory. names: variables that check mode must name; nodes: how many are recreated."""

    title: str
    variables: dict[str, t.Any]
    names: tuple[str, ...]
    nodes: int
    rolled: bool = True


def changes(environment: dict[str, str]) -> list[Change]:
    """In the order in which they are made; each keeps what the ones before have changed."""
    keys = {"wa_jwt_key": "canary-second-jwt-key-2Xw8", "wa_api_key": "canary-second-api-key-7Rt"}
    every = {**environment, "LOG_SHIPPING_TOKEN": "canary-of-every-node-9Kq"}
    secret = {"wa_extra_environment": {**every, "WA_SECRET": "canary-between-nodes-4Hn"}}
    names = ("WA_API_KEY", "WA_WEB_JWT_CRYPTO_KEY")
    return [
        Change("another JWT key and API key", keys, names, WEBAPPS),
        Change("a secret of every node", {"wa_extra_environment": every}, ("LOG_SHIPPING_TOKEN",), CORES + WEBAPPS),
        Change("a secret between the nodes", secret, ("WA_SECRET",), CORES + WEBAPPS, rolled=False),
    ]


def run(cluster: LiveCluster, *more: str) -> str:
    """site.yml to a good end; its output, in which no secret may be. Raises Failed."""
    done = cluster.play("site.yml", "-e", "confirm=yes", *more)
    if "canary" in done.output:
        raise Failed("site.yml shows a secret:\n" + done.output)
    if done.code != OK:
        raise Failed("site.yml failed:\n" + done.output)
    return done.output


def make(cluster: LiveCluster, change: Change) -> str:
    """Make one change, and say what it cost. Raises Failed, and Wrong where something went otherwise than it had to."""
    cluster.declare(**change.variables)
    before = cluster.containers()
    planned = run(cluster, "--check")
    found = ["check mode does not name " + name for name in change.names if name not in planned]
    if cluster.containers() != before:
        found.append("check mode changed something")
    with cluster.probe(cluster.shape.shards) as probe:
        said = run(cluster, "-vvv")
    report = probe.report
    cluster._token = ""
    recreated = [name for name, made in cluster.containers().items() if before.get(name, ("",))[0] != made[0]]
    if len(recreated) != change.nodes:
        found.append("recreated: {0}, expected {1} containers".format(sorted(recreated), change.nodes))
    if (ROLLED in said) != change.rolled:
        found.append("{0}gone through node by node".format("not " if change.rolled else ""))
    if report.lost or report.twice or report.bans:
        found.append("lost {0}, twice {1}, bans {2}".format(len(report.lost), len(report.twice), report.bans))
    found += cluster.faults(cluster.shape.shards)
    after = cluster.containers()
    run(cluster)
    if cluster.containers() != after:
        found.append("a second run changed something")
    if found:
        raise Wrong("; ".join(found))
    return "{0} sends, {1} failed".format(report.sends, report.failed)


def work(ledger: Ledger, conditions: Conditions) -> None:
    """The changes that are left; those that were made in an earlier stretch are repeated first."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("sec", 28000, shards=2, divisor=conditions.divisor)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            for change in changes(cluster._given["wa_extra_environment"]):
                if conditions.over:
                    return
                if change.title in ledger.left:
                    if not attempt(ledger, change.title, make, cluster, change):
                        return
                else:
                    cluster.declare(**change.variables)
                    run(cluster)


SUITE = Suite(
    "changed_secrets", "changed secrets are named, rolled under load, and shown nowhere", work,
    [change.title for change in changes({})],
)  # fmt: skip
