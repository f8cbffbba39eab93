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


#: Other releases of ansible-core that the collection works with, for the checks "versions" and "versions-all", and the
#: Python they run with where it is not that of .venv.
CORES = {"core-2.17": None, "core-2.18": None, "core-2.20": "3.13", "core-2.21": "3.13"}


def resolved(direct: Path, constraints: list[Path], python: str | None = None) -> list[str]:
    """C(name==version) of everything that pip would install for one file, sorted by name.

    python: the Python it is for, where it is another than this one; then all of it has to be had without a compiler.
    """
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
    command += ["--disable-pip-version-check", "--report", "-", "-r", str(direct)]
    if python:  # pip install asks the Python that it runs with, whatever it resolves for
        command += ["--only-binary=:all:", "--python-version", python, "--ignore-requires-python", "--target", "none"]
    for constraint in constraints:
        command += ["-c", str(constraint)]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    packages = [entry["metadata"] for entry in json.loads(report)["install"]]
    return [f"{p['name']}=={p['version']}" for p in sorted(packages, key=lambda p: p["name"].lower())]


def main() -> None:
    done: list[Path] = []
    for name in ("demo", "test", *CORES):
        lock = REQUIREMENTS / f"{name}.txt"
        # The test set contains the demo's, so it takes the versions that the demo got; the other releases stand alone.
        lines = resolved(REQUIREMENTS / f"{name}.in", [] if name in CORES else done, CORES.get(name))
        lock.write_text(f"# Written by `make lock` from {name}.in. Do not edit.\n" + "\n".join(lines) + "\n")
        done.append(lock)
        print(f"{lock.relative_to(REQUIREMENTS.parent)}: {len(lines)} packages")


if __name__ == "__main__":
    main()
