"""How light the emulator is: 33 coreapps, 3 masters, 3 webapps and a database at true timings on one engine.

    .venv/bin/python benchmarks/emulator_lightness.py [--coreapps 33] [--shards 32]

Prints how long set-shards takes until all shards are connected (goal 120 s), the proportional set size of all
containers (goal under 4 GB), and the resident size of a standby coreapp (goal 80 MB). Needs the images of
emulator/build.py, and root to read the memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.emulator_rig import Failed, Rig

GOALS = {"connected": 120.0, "total": 4096.0, "standby": 80.0}


def memory(rig: Rig, kind: str) -> tuple[float, float]:
    """Proportional and resident set size of all processes of a container, MB."""
    pss = rss = 0
    for process in rig.containers[kind].top()["Processes"]:
        for line in Path(f"/proc/{process[1]}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1])
            elif line.startswith("Rss:"):
                rss += int(line.split()[1])
    return pss / 1024, rss / 1024


def main() -> int:
    """Exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coreapps", type=int, default=33)
    parser.add_argument("--shards", type=int, default=32)
    given = parser.parse_args()
    with Rig("light") as rig:
        try:
            started = time.monotonic()
            rig.start(masters=3, coreapps=given.coreapps, webapps=3)
            begun = time.monotonic() - started
            rig.register()
            rig.until("all nodes", lambda: len(rig.nodes()) == given.coreapps + 3, 300)
            registered = time.monotonic() - started
            connected = rig.set_shards(given.shards)
            owners = set(rig.owners().values())
            standby = next(kind for kind in rig.containers if kind.startswith("coreapp") and kind not in owners)
            sizes = {kind: memory(rig, kind) for kind in rig.containers}
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
    total = sum(pss for kind, (pss, _) in sizes.items() if kind != "gateway")
    rows = [
        ("docker run of all containers", begun, "s", None),
        ("... until registered and all nodes in health", registered, "s", None),
        (f"set-shards {given.shards} until all connected", connected, "s", GOALS["connected"]),
        ("all containers, proportional set size", total, "MB", GOALS["total"]),
        ("standby coreapp, resident", sizes[standby][1], "MB", GOALS["standby"]),
        ("standby coreapp, proportional", sizes[standby][0], "MB", None),
        ("database, proportional", sizes["db"][0], "MB", None),
    ]
    for what, value, unit, goal in rows:
        aim = "" if goal is None else f"goal {goal:.0f} {unit}: {'ok' if value <= goal else 'MISSED'}"
        print(f"{what:48} {value:8.1f} {unit:3} {aim}")
    return int(any(goal is not None and value > goal for _, value, _, goal in rows))


if __name__ == "__main__":
    sys.exit(main())
