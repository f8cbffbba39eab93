"""Downtime of 2->4 shards at the product's own times, as a sender sees it; and of 4->2, killed and run again.

    .venv/bin/python benchmarks/reshard_downtime.py

Set-shards takes the product 45 to 60 s without service; ours on top of it may be 5 s. The second run is killed 10 s
into set-shards and run again at once, while all coreapps restart: that must not cost a second restart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Run, Shape
from waemu.probe.report import Report, table

PRODUCT_SECONDS = 60.0
OURS_SECONDS = 5.0
RATE = 20.0


def show(what: str, cluster: LiveCluster, shards: int, run: Run, report: Report) -> bool:
    """Print one result; True when it is as it has to be."""
    if run.code != OK:
        raise Failed("{0} failed:\n{1}".format(what, run.output))
    faults = cluster.faults(shards)
    good = report.ok and not faults and report.longest_window <= PRODUCT_SECONDS + OURS_SECONDS
    print("{0} {1}: longest window {2:.1f} s of {3:.0f} s that are allowed; {4:.1f} s for the playbook".format(
        "ok " if good else "BAD", what, report.longest_window, PRODUCT_SECONDS + OURS_SECONDS, run.seconds
    ))  # fmt: skip
    print(table(report), *faults, sep="\n", flush=True)
    return good


def main() -> int:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as home:
        cluster = LiveCluster(Path(home), Shape("rsd", 26000, 2, divisor=1, max_connections=2000))
        try:
            cluster.start()
            with cluster.probe(shards=2, rate=RATE) as probe:
                run = cluster.reshard(4)
            good = show("2 to 4", cluster, 4, run, probe.report)
            with cluster.probe(shards=2, rate=RATE) as probe:
                killed = cluster.reshard_killed_in_restart(2, seconds=10)
                if killed.code != KILLED:
                    raise Failed("the run that was to be killed ended by itself:\n" + killed.output)
                run = cluster.reshard(2)
            good &= show("4 to 2, killed and run again", cluster, 2, run, probe.report)
        finally:
            cluster.remove()
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
