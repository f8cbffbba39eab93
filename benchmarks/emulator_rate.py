"""Whether the emulator carries the product's top documented rate: 250 messages/s through 3 webapps onto 8 shards.

    .venv/bin/python benchmarks/emulator_rate.py [--rate 250] [--seconds 60]

Prints the probe's table and the processor time of each kind of container; exit code 1 when a message failed, was lost
or came twice, or the 99th percentile is over 500 ms. Needs the images of emulator/build.py.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from emulator_cluster import Failed, Rig
from waemu.probe import Probe, table

GOAL_MS = 500.0


def processor_seconds(rig: Rig) -> Counter[str]:
    """Seconds of processor time so far, by kind of container."""
    found: Counter[str] = Counter()
    for kind, container in rig.containers.items():
        usage = container.stats(stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"]
        found[kind.rstrip("0123456789")] += usage / 1e9
    return found


def main() -> int:
    """Exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=250.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--shards", type=int, default=8)
    given = parser.parse_args()
    with Rig("rate") as rig:
        try:
            rig.start(masters=2, coreapps=given.shards + 1, webapps=3)
            rig.register()
            rig.set_shards(given.shards)
            before = processor_seconds(rig)
            report = Probe(rig.options(rate=given.rate, seconds=given.seconds)).run()
            used = processor_seconds(rig) - before
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
    print(table(report))
    print("\nprocessor seconds: " + ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in used.most_common()))
    good = report.ok and not report.failed and not report.skipped and report.p99_ms <= GOAL_MS
    print(f"goal: none failed, lost or twice, p99 under {GOAL_MS:.0f} ms: {'ok' if good else 'MISSED'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
