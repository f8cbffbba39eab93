# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/reference, one page for each module, filter and role, from what these say of themselves: C(make docs).

With C(--check) nothing is written: it fails where the committed pages are not what would be written, and where the
documentation breaks a rule of antsibull-docs, for example by naming a module that does not exist.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
FRESH = ROOT / ".cache" / "reference"
TOOLS = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)])}


def antsibull_docs(*arguments: str) -> bool:
    """Run antsibull-docs, showing what it says; whether it was content."""
    command = [str(TOOLS / "antsibull-docs"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=False).returncode == 0


def write_pages(directory: Path) -> bool:
    """Write all pages into an empty directory; whether every one could be."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return antsibull_docs(
        "--config-file",
        "tools/antsibull-docs.cfg",
        "collection",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
        "--output-format",
        "simplified-rst",
        "--dest-dir",
        str(directory),
        "waent.fleet",
    )


def differences(committed: Path, fresh: Path) -> list[str]:
    """One sentence for each page that is missing, left over or out of date."""
    compared = filecmp.dircmp(committed, fresh)
    _, changed, unreadable = filecmp.cmpfiles(committed, fresh, compared.common_files, shallow=False)
    return (
        [f"{name} is missing" for name in compared.right_only]
        + [f"{name} belongs to nothing" for name in compared.left_only]
        + [f"{name} is out of date" for name in changed + unreadable]
    )


def check() -> int:
    """Compare with what is committed; returns the process's exit code."""
    content = write_pages(FRESH)
    PAGES.mkdir(parents=True, exist_ok=True)
    found = differences(PAGES, FRESH)
    for sentence in found:
        print(f"docs/reference: {sentence}")
    if found:
        print("make docs writes them anew.")
    follows_rules = antsibull_docs("lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".")
    return 0 if content and follows_rules and not found else 1


def main() -> int:
    """Returns the process's exit code."""
    if sys.argv[1:] == ["--check"]:
        return check()
    return 0 if write_pages(PAGES) else 1


if __name__ == "__main__":
    sys.exit(main())
