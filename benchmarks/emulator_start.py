"""How much work a webapp's start is, in multiples of loading the packages that it cannot do without.

    .venv/bin/python benchmarks/emulator_start.py [--repetitions 5]

Processor time from the start of the process to its first answer, without a database, over that of a Python that loads
aiohttp, SQLAlchemy, cryptography, PyJWT and msgspec; the ratio says the same on a slow machine as on a fast one.
Goal: at most 1.5. Exit code 1 when the median misses it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from ansible_collections.waent.fleet.tests.support.webapp_process import WebappProcess, free_port, webapp_variables
from waemu.environment import DbEnv

GOAL = 1.5
PACKAGES = "import aiohttp.web, cryptography.x509, jwt, msgspec, sqlalchemy.ext.asyncio"


def children_seconds() -> float:
    """Processor time of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def loading() -> float:
    """Processor seconds of a Python that loads the packages."""
    before = children_seconds()
    subprocess.run([sys.executable, "-c", PACKAGES], check=True)
    return children_seconds() - before


def starting(home: Path) -> float:
    """Processor seconds of a webapp until it answers."""
    nowhere = DbEnv(engine="MYSQL", hostname="127.0.0.1", port=free_port(), username="wa", password="nobody-listens")
    webapp = WebappProcess(home, webapp_variables(nowhere))
    try:
        asyncio.run(webapp.until("/", 200, PATIENCE))
        fields = Path(f"/proc/{webapp.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    finally:
        webapp.stop()


def main() -> int:
    """Exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    loading()  # from the disk into memory
    ratios = []
    for _ in range(given.repetitions):
        with tempfile.TemporaryDirectory() as home:
            started, loaded = starting(Path(home)), loading()
        ratios.append(started / loaded)
        print(f"  start {started:.2f} s, packages {loaded:.2f} s, ratio {ratios[-1]:.2f}", flush=True)
    median = statistics.median(ratios)
    print(f"median {median:.2f}, goal {GOAL:.1f}: {'ok' if median <= GOAL else 'MISSED'}")
    return int(median > GOAL)


if __name__ == "__main__":
    sys.exit(main())
