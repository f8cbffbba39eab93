# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes requirements/*.txt, every package with its version, from requirements/*.in: C(make lock).

pip itself resolves, as if nothing were installed, so that what happens to lie in an environment never gets into a lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


#: Older releases of ansible-core that the collection works with, for the check "versions".
CORES = ("core-2.17", "core-2.18")


def resolved(direct: Path, constraints: list[Path]) -> list[str]:
    """C(name==version) of everything that pip would install for one file, sorted by name."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
    command += ["--disable-pip-version-check", "--report", "-", "-r", str(direct)]
    for constraint in constraints:
        command += ["-c", str(constraint)]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    packages = [entry["metadata"] for entry in json.loads(report)["install"]]
    return [f"{p['name']}=={p['version']}" for p in sorted(packages, key=lambda p: p["name"].lower())]


def main() -> None:
    done: list[Path] = []
    for name in ("demo", "test", *CORES):
        lock = REQUIREMENTS / f"{name}.txt"
        # The test set contains the demo's, so it takes the versions that the demo got; the older ones stand alone.
        lines = resolved(REQUIREMENTS / f"{name}.in", [] if name in CORES else done)
        lock.write_text(f"# Written by `make lock` from {name}.in. Do not edit.\n" + "\n".join(lines) + "\n")
        done.append(lock)
        print(f"{lock.relative_to(REQUIREMENTS.parent)}: {len(lines)} packages")


if __name__ == "__main__":
    main()
