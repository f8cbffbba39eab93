"""reshard.yml killed at every task boundary of 2->8 and of 8->2, and run again: the same end state, nothing lost.

    .venv/bin/python benchmarks/reshard_kills.py --minutes 5     # goes on where the last call stopped; or --restart

SIGKILL goes to the playbook's process group at the moment a task begins, for the first task, the second one, and so on
until a run reaches its end. Where the killed run has changed nothing yet (same containers, not restarted, same shards,
same owners) the next killed run is the run again. Else the playbook is run again to its end, and the cluster must be
exactly as wanted. Messages are sent all the time; the gateway's ledger says what became of them.
Results: .cache/reshard_kills.json.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.live_cluster import KILLED, OK, Failed, LiveCluster, Shape
from stretches import Results

COUNTS = (2, 8)
SHAPE = Shape("rsk", 25000, COUNTS[0], divisor=10, max_connections=2000)


def snapshot(cluster: LiveCluster) -> t.Any:
    """Everything a reshard could have touched."""
    owners = sorted((link["node"], link["shards"]) for link in cluster.connections())
    return cluster.containers(), cluster.shards(), owners


def kill_once(cluster: LiveCluster, shards: int, boundary: int) -> dict[str, t.Any]:
    """Killed at one boundary, and run again where that changed something. Raises Failed."""
    before = snapshot(cluster)
    with cluster.probe(shards=1) as probe:
        killed = cluster.reshard_killed(shards, str(boundary))
        if killed.code not in (OK, KILLED):
            raise Failed("the run that was to be killed failed by itself:\n" + killed.output)
        untouched = killed.code == KILLED and snapshot(cluster) == before
        seconds = 0.0
        if killed.code == KILLED and not untouched:
            again = cluster.reshard(shards)
            if again.code != OK:
                raise Failed("killed at {0}, the run again failed:\n{1}".format(killed.task, again.output))
            seconds = round(again.seconds, 1)
    faults = [] if untouched else cluster.faults(shards)
    report = probe.report
    return {
        "shards": shards,
        "boundary": boundary,
        "task": killed.task,
        "ended": killed.code == OK,
        "untouched": untouched,
        "again_seconds": seconds,
        "accepted": report.accepted,
        "lost": len(report.lost),
        "twice": len(report.twice),
        "bans": len(report.bans),
        "faults": faults,
    }


def line(result: t.Mapping[str, t.Any]) -> str:
    """One result for people."""
    bad = any(result[name] for name in ("lost", "twice", "bans", "faults"))
    what = "end reached" if result["ended"] else "untouched" if result["untouched"] else "run again {again_seconds} s"
    counts = "{accepted} accepted, {lost} lost, {twice} twice, {bans} bans {faults}".format(**result)
    head = "{0} to {shards}, boundary {boundary:2d} ({task})".format("BAD" if bad else "ok ", **result)
    return "{0}: {1}; {2}".format(head, what.format(**result), counts)


def next_boundary(results: t.Sequence[t.Mapping[str, t.Any]], shards: int, first: int) -> int | None:
    """The lowest one from first on that was not tried; when the end was reached, those before first; None after all."""
    tried = {one["boundary"]: one["ended"] for one in results if one["shards"] == shards}
    beyond = next(number for number in itertools.count(first) if number not in tried)
    before = next((number for number in range(1, first) if number not in tried), None)
    return before if any(tried.values()) else beyond


def walk(cluster: LiveCluster, results: Results, first: int, deadline: float) -> None:
    """One boundary after the other, alternating between the ways as the cluster goes to and fro."""
    at = COUNTS[0]
    while time.monotonic() < deadline:
        shards = COUNTS[1] if at == COUNTS[0] else COUNTS[0]
        boundary = next_boundary(results.all, shards, first)
        if boundary is None:
            if next_boundary(results.all, at, first) is None:
                return
            if cluster.reshard(shards).code != OK:
                raise Failed("reshard to {0} failed".format(shards))
            at = shards
            continue
        result = kill_once(cluster, shards, boundary)
        results.add(result)
        print(line(result), flush=True)
        at = at if result["untouched"] else shards


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing new after so many minutes")
    parser.add_argument("--restart", action="store_true", help="forget what earlier calls found")
    parser.add_argument("--first", type=int, default=1, help="begin with this boundary, try those before it at the end")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    results = Results("reshard_kills", options.restart)
    with tempfile.TemporaryDirectory() as home:
        cluster = LiveCluster(Path(home), SHAPE)
        try:
            cluster.start()
            walk(cluster, results, options.first, deadline)
        finally:
            cluster.remove()
    for shards in COUNTS:
        found = [one for one in results.all if one["shards"] == shards and not one["ended"]]
        bad = [one for one in found if one["lost"] or one["twice"] or one["bans"] or one["faults"]]
        again = sum(not one["untouched"] for one in found)
        print("to {0}: {1} boundaries, {2} run again to the end, {3} bad".format(shards, len(found), again, len(bad)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
