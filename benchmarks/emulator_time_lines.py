"""How long the emulator's time lines take, as ratios to the longest that the product allows.

    .venv/bin/python benchmarks/emulator_time_lines.py [--allowed 1.5]

Promotions, the lease, set-shards: runs the tests of emulator/tests/cluster that play them, on a clock that runs ten
times as fast, and compares each with what its test says it may take at the longest. A real second of the machine is ten
of the product there, so this is for a machine that has nothing else to do; the tests alone compare no longest time.
Exit code 1 when a ratio is above the allowed one, or a test fails. Needs the images of emulator/build.py --postgres.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("emulator/tests/cluster/test_failover.py", "emulator/tests/cluster/test_postgresql.py")


def ratios(file: Path) -> list[tuple[str, float]]:
    """Name of the test and ratio of each time line, in the order in which they were played."""
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    return [(test, float(ratio)) for test, ratio in lines]


def main() -> int:
    """Exit 1 when a time line took too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--allowed", type=float, default=1.5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "ratios")
        file.touch()
        command = [sys.executable, "-m", "pytest", "-q", *TESTS]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "WAEMU_TIME_LINE_RATIOS": str(file)}, check=False)
        found = ratios(file)
    for test, ratio in found:
        print(f"  {ratio:5.2f}  {test}{'' if ratio <= given.allowed else '  MISSED'}")
    return int(done.returncode != 0 or not found or any(ratio > given.allowed for _test, ratio in found))


if __name__ == "__main__":
    sys.exit(main())
