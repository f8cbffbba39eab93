"""Changed secrets of a cluster in service: site.yml foretells them by name and goes node by node, under load.

    .venv/bin/python benchmarks/changed_secrets.py

Two shards, two webapps, ten times the product's speed, about five minutes. First another JWT key and API key, then a
secret that every node gets, then WA_SECRET, which nodes cannot have one after the other. Each time check mode has to
name what changes, no message may be lost, no output may show a value, and a second run changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Shape
from waemu.probe.report import table

ROLLED = "Nodes that are not as wanted are made anew"
CORES, WEBAPPS = 5, 2


class Change(t.NamedTuple):
    """A change of the inventory. names: variables that must be foretold; nodes: how many are made anew."""

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


def faults(cluster: LiveCluster, change: Change) -> list[str]:
    """Make one change; what went otherwise than it had to."""
    cluster.declare(**change.variables)
    before = cluster.containers()
    told = run(cluster, "--check")
    found = ["check mode does not name " + name for name in change.names if name not in told]
    if cluster.containers() != before:
        found.append("check mode changed something")
    began = time.monotonic()
    with cluster.probe(cluster.shape.shards) as probe:
        said = run(cluster, "-vvv")
    seconds = time.monotonic() - began
    report = probe.report
    cluster._token = ""
    anew = [name for name, made in cluster.containers().items() if before.get(name, ("",))[0] != made[0]]
    if len(anew) != change.nodes:
        found.append("made anew: {0}, expected {1} containers".format(sorted(anew), change.nodes))
    if (ROLLED in said) != change.rolled:
        found.append("{0}gone through node by node".format("not " if change.rolled else ""))
    if report.lost or report.twice or report.bans:
        found.append("lost {0}, twice {1}, bans {2}".format(len(report.lost), len(report.twice), report.bans))
    found += cluster.faults(cluster.shape.shards)
    after = cluster.containers()
    run(cluster)
    if cluster.containers() != after:
        found.append("a second run changed something")
    print("{0}: {1:.0f} s, {2} sends, {3} failed".format(change.title, seconds, report.sends, report.failed))
    print(table(report), flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=28000, help="first port of the cluster")
    parser.add_argument("--prefix", default="sec", help="first word of all that is made")
    options = parser.parse_args()
    cluster = LiveCluster(Path(tempfile.mkdtemp()), Shape(options.prefix, options.port, shards=2))
    found: list[str] = []
    try:
        cluster.start()
        for change in changes(cluster._given["wa_extra_environment"]):
            found += ["{0}: {1}".format(change.title, fault) for fault in faults(cluster, change)]
    except Failed as error:
        found.append(str(error))
    finally:
        cluster.remove()
    print("\n".join(found) or "All as it had to be.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
