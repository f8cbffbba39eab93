"""Kill upgrade.yml, with all its children, at every task boundary of its steps, and run it again until it is through.

One cluster at ten times the speed with messages going through it. A run is killed when a task begins at which none was
killed before; the next run reads, plans what is left, and is killed one task later. When a run comes to its end, all
nodes have to be new, the intervals back, nothing lost, nothing twice, nobody banned, and one more run changes nothing.

    .venv/bin/python benchmarks/upgrade_kills.py [--every 3] [--skip 0]

--every 3 --skip 1 kills at every third boundary only, from the second one on, for a third of the time: a hundred kills
take half an hour.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import typing as t
from collections import Counter
from pathlib import Path

from emulator_cluster import ROOT

sys.path.insert(0, str(ROOT / "tests" / "integration" / "upgrade"))

from upgrade_cluster import NEW, UpgradeCluster, end_group
from waemu.probe import Report

COUNTS = {"webapp": 2, "master": 2, "coreapp": 3}
SHARDS = 2
NAME, BASE = "upgk", 25000
RUN_SECONDS = 180
TASK = re.compile(r"^TASK \[(.*?)\]", re.MULTILINE)
STEP = re.compile(r"^    msg: '?\d+\. (.*?)'?$", re.MULTILINE)
PLAY = "PLAY [Do the steps, in the order of the plan]"

Boundary = tuple[str, str, int]


def boundaries(output: str) -> list[Boundary]:
    """The tasks that have begun in the steps of the plan: sentence of the step, name of the task, which time."""
    _before, found, acting = output.partition(PLAY)
    if not found:
        return []
    marks = sorted(
        [(match.start(), "task", match.group(1)) for match in TASK.finditer(acting)]
        + [(match.start(), "step", match.group(1)) for match in STEP.finditer(acting)]
    )
    step, seen, begun = "", Counter[str](), []
    for _at, kind, text in marks:
        if kind == "step":
            step, seen = text, Counter()
        else:
            seen[text] += 1
            begun.append((step, text, seen[text]))
    return begun


def run_until_new_boundary(
    cluster: UpgradeCluster, log: Path, done: set[Boundary], every: int, skip: int
) -> Boundary | None:
    """Kill a run at the first boundary that is due; None when it came to its end. Exits where it failed."""
    process = cluster.start_upgrade(NEW, log)
    deadline = time.monotonic() + RUN_SECONDS
    try:
        while True:
            ended = process.poll() is not None
            for boundary in boundaries(log.read_text()):
                if boundary not in done:
                    done.add(boundary)
                    if not ended and len(done) % every == skip % every:
                        return boundary
            if ended:
                break
            if time.monotonic() > deadline:
                sys.exit("no end within {0} s:\n{1}".format(RUN_SECONDS, log.read_text()[-4000:]))
            time.sleep(0.05)
    finally:
        end_group(process)
    if process.returncode:
        sys.exit("the run after {0} boundaries failed:\n{1}".format(len(done), log.read_text()[-4000:]))
    return None


def wrong(cluster: UpgradeCluster, report: Report) -> list[str]:
    """What is not as an upgrade that nobody disturbed leaves it."""
    found = []
    if cluster.versions() != {NEW}:
        found.append("versions: {0}".format(sorted(cluster.versions())))
    settings = cluster.settings()
    if (settings["heartbeat_interval"], settings["unhealthy_interval"]) != (5, 30):
        found.append("intervals are still lowered")
    if not report.ok:
        found.append("lost {0}, twice {1}, bans {2}".format(report.lost, report.twice, report.bans))
    before = cluster.nodes()
    again = cluster.upgrade(NEW)
    changed = {numbers["changed"] for numbers in again.recap.values()}
    if again.code or changed != {0} or cluster.nodes() != before:
        found.append("one more run was not without changes:\n" + again.output[-3000:])
    return found


def work(cluster: UpgradeCluster, home: Path, every: int, skip: int) -> int:
    site = cluster.play("site.yml")
    if site.code:
        sys.exit(site.output[-4000:])
    done: set[Boundary] = set()
    kills: list[Boundary] = []
    started = time.monotonic()
    with cluster.probe(rate=10, seconds=7200) as probe:
        while (boundary := run_until_new_boundary(cluster, home / "run.log", done, every, skip)) is not None:
            kills.append(boundary)
            print(
                "{0:3d} {1:5.0f} s  {2[0]} | {2[1]} | {2[2]}".format(len(kills), time.monotonic() - started, boundary),
                flush=True,
            )
    problems = wrong(cluster, probe.report)
    outages = {shard.shard: [round(w.seconds, 1) for w in shard.windows] for shard in probe.report.shards}
    print(
        "{0} kills at {1} boundaries, {2:.0f} s; outages {3}".format(
            len(kills), len(done), time.monotonic() - started, outages
        )
    )
    print("\n".join(problems) or "the end is that of an upgrade nobody disturbed")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0)
    options: t.Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        cluster = UpgradeCluster(
            home, name=NAME, base=BASE, shards=SHARDS, counts=COUNTS, divisor=10, more={"wa_health_timeout_seconds": 60}
        )
        try:
            return work(cluster, home, options.every, options.skip)
        finally:
            cluster.remove()


if __name__ == "__main__":
    sys.exit(main())
