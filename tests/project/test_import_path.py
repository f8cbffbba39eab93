# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import path stands in pyproject.toml and nowhere else: what tests share is imported by its full name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, name_of, tracked

EDITS = re.compile(r"\bsys\.path\b|\bPYTHONPATH\b")
SCRIPTS = [path for path in tracked("benchmarks/*.py", "tests/chaos/*.py") if "argparse" in path.read_text()]


def test_nothing_edits_the_import_path() -> None:
    editing = [
        str(path.relative_to(ROOT))
        for path in tracked("tests/**.py", "benchmarks/*.py", "tools/*", "emulator/tests/**.py", "molecule/**.py")
        if path != Path(__file__).resolve() and EDITS.search(path.read_text())
    ]
    assert editing == []


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_a_script_starts_by_its_path(script: Path, tmp_path: Path) -> None:
    """From any directory, by the path file that tools/venv.sh has written."""
    command = [sys.executable, str(script), "--help"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
