"""reshard.yml from every number of shards to every other, 30 ways in one walk, while messages are sent.

    .venv/bin/python benchmarks/reshard_pairs.py --minutes 7     # goes on where the last call stopped; or --restart
    .venv/bin/python benchmarks/reshard_pairs.py --table         # only print the table of what is there

The cluster runs ten times faster than the product, so that set-shards takes 4.5 to 6 s of no service; the playbook and
the containers run as fast as the machine lets them. Results: .cache/reshard_pairs.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Shape
from stretches import Results

COUNTS = (1, 2, 4, 8, 16, 32)
DIVISOR = 10
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


def one(cluster: LiveCluster, before: int, after: int) -> dict[str, t.Any]:
    """One reshard under load."""
    with cluster.probe(shards=min(before, after), rate=RATE) as probe:
        run = cluster.reshard(after)
    if run.code != OK:
        raise Failed("{0} to {1} failed:\n{2}".format(before, after, run.output))
    report = probe.report
    windows = [window.seconds for shard in report.shards for window in shard.windows]
    return {
        "before": before,
        "after": after,
        "seconds": round(run.seconds, 1),
        "longest_window": round(report.longest_window, 1),
        "windows": len(windows),
        "accepted": report.accepted,
        "lost": len(report.lost),
        "twice": len(report.twice),
        "bans": len(report.bans),
        "faults": cluster.faults(after),
    }


def table(results: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """For the documentation."""
    head = ["pair", "seconds", "longest window, s", "accepted", "lost", "twice", "bans", "end state"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for found in sorted(results, key=lambda found: (found["before"], found["after"])):
        cells = ["{before} → {after}".format(**found)]
        cells += [str(found[name]) for name in ("seconds", "longest_window", "accepted", "lost", "twice", "bans")]
        lines.append("| " + " | ".join([*cells, "; ".join(found["faults"]) or "exact"]) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing new after so many minutes")
    parser.add_argument("--begin", type=int, default=0, help="leave out so many pairs of the walk")
    parser.add_argument("--end", type=int, help="stop after so many pairs of the walk")
    parser.add_argument("--restart", action="store_true", help="forget what earlier calls found")
    parser.add_argument("--table", action="store_true", help="only print the table")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    results = Results("reshard_pairs", options.restart)
    done = {(found["before"], found["after"]) for found in results.all}
    pairs = [pair for pair in list(zip(way(), way()[1:]))[options.begin : options.end] if pair not in done]
    if pairs and not options.table:
        port = 24000 if options.begin == 0 else 27000  # another walk may be under way
        shape = Shape("rsp{0}".format(options.begin), port, pairs[0][0], divisor=DIVISOR, max_connections=4000)
        with tempfile.TemporaryDirectory() as home:
            cluster = LiveCluster(Path(home), shape)
            try:
                cluster.start()
                at = shape.shards
                while pairs and pairs[0][0] == at and time.monotonic() < deadline:
                    at = pairs[0][1]
                    results.add(one(cluster, *pairs.pop(0)))
                    print(results.all[-1], flush=True)
            finally:
                cluster.remove()
    print(table(results.all))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
