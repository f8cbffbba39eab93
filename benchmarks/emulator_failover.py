"""How long one of 8 shards is away when its owner is killed, and that the other seven notice nothing.

    .venv/bin/python benchmarks/emulator_failover.py [--shards 8] [--repetitions 20] [--divisor 10]

First once at true timings (goal: 30 to 40 s for that shard, no failed send on the others), then so many times with the
clock running faster, each within its scaled window and a second for the machine. Exit code 1 when a window or another
shard is off, a message was lost or came twice, or the number was banned. Needs the images of emulator/build.py.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time

from ansible_collections.waent.fleet.tests.support.emulator_rig import Failed, Rig
from waemu.probe import Probe, Report

SHORTEST, LONGEST = 30.0, 40.0  # product seconds
MACHINE = 1.0  # real seconds that a busy machine may add when the clock runs fast


def fail_over(rig: Rig, shard: int, rate: float) -> Report:
    """Kill the owner of a shard while the probe sends; returns when another one is connected."""
    with Probe(rig.options(rate=rate, seconds=600)) as probe:
        time.sleep(2)
        owner = rig.owners()[shard]
        rig.containers[owner].kill()
        rig.until(f"another owner of shard {shard}", lambda: rig.owners().get(shard, owner) != owner, 90)
        time.sleep(2)
    rig.containers[owner].start()
    key = f"{owner}:{owner}"
    rig.until(f"{owner} back", lambda: rig.nodes().get(key, {}).get("gateway_status") == "disconnected", 90)
    return probe.report


def measure(rig: Rig, shard: int, rate: float) -> tuple[float, list[str]]:
    """Product seconds the shard was away, and what was wrong."""
    report = fail_over(rig, shard, rate)
    wrong = [f"shard {other} failed too" for other in report.failing_shards if other != shard]
    wrong += [] if report.ok else [f"lost {len(report.lost)}, twice {len(report.twice)}, bans {len(report.bans)}"]
    away = report.longest_window * rig.divisor
    slack = MACHINE * rig.divisor if rig.divisor > 1 else 0.0
    if not SHORTEST - slack <= away <= LONGEST + slack:
        wrong.append(f"{away:.1f} s is not {SHORTEST:.0f} to {LONGEST:.0f} s")
    return away, wrong


def series(divisor: float, shards: int, repetitions: int, seed: int) -> int:
    """Run repetitions on one cluster; returns how many went wrong."""
    choose, took, bad = random.Random(seed), [], 0
    with Rig("failover", divisor=divisor) as rig:
        rig.start(masters=2, coreapps=shards + 2, webapps=2)
        rig.register()
        rig.set_shards(shards)
        for number in range(1, repetitions + 1):
            shard = choose.randrange(shards)
            away, wrong = measure(rig, shard, 40.0)
            took.append(away)
            bad += bool(wrong)
            print(f"  {number:3d}  shard {shard}  {away:5.1f} s  {'; '.join(wrong) or 'ok'}", flush=True)
    print(
        f"divisor {divisor:g}: {repetitions} failovers, median {statistics.median(took):.1f} s, "
        f"{min(took):.1f} to {max(took):.1f} s, {bad} wrong",
        flush=True,
    )
    return bad


def main() -> int:
    """Exit 1 when something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--divisor", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    try:
        bad = series(1.0, given.shards, 1, given.seed)
        if given.repetitions:
            bad += series(given.divisor, given.shards, given.repetitions, given.seed)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
