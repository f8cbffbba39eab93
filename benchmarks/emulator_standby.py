"""How long a standby coreapp takes from docker run until health shows it, on a machine that is at rest. Goal: 3 s.

    .venv/bin/python benchmarks/emulator_standby.py [--repetitions 10]

A registered cluster of one master, one coreapp and one webapp at true timings gets one coreapp more, which is removed
again, so many times. Exit code 1 when one took longer than 3 s. Needs the images of emulator/build.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from ansible_collections.waent.fleet.tests.support.emulator_rig import Failed, Rig

GOAL = 3.0
KIND = "coreapp99"


def one_more(rig: Rig) -> float:
    """Seconds from docker run to health; the container is removed again."""
    started = time.monotonic()
    container = rig.node(KIND)
    rig.until("in health", lambda: _in_health(rig), 60, every=0.02)
    took = time.monotonic() - started
    container.remove(force=True, v=True)
    del rig.containers[KIND]
    rig.until("gone", lambda: not _in_health(rig), 60)
    return took


def _in_health(rig: Rig) -> bool:
    return "gateway_status" in rig.nodes().get(f"{KIND}:{KIND}", {})


def measure(repetitions: int) -> list[float]:
    """Seconds, one for each repetition. Raises Failed."""
    took = []
    with Rig("up") as rig:
        rig.start(masters=1, coreapps=1, webapps=1)
        rig.register()
        for _ in range(repetitions):
            time.sleep(3)  # at rest
            took.append(one_more(rig))
    return took


def main() -> int:
    """Exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=10)
    given = parser.parse_args()
    try:
        took = measure(given.repetitions)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print("  ".join(f"{seconds:.2f}" for seconds in took))
    print(
        f"standby coreapp, docker run to health: median {statistics.median(took):.2f} s, longest {max(took):.2f} s,"
        f" goal {GOAL:.0f} s: {'ok' if max(took) <= GOAL else 'MISSED'}"
    )
    return int(max(took) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
