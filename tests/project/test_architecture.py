# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of the architecture: every place it names is there, and every place worth naming is named."""

from __future__ import annotations

import re

from ansible_collections.waent.fleet.tests.support.checkout import ROOT, tracked

TEXT = (ROOT / "docs" / "architecture.md").read_text()
TABLE = TEXT.partition("## Where do I change")[2].partition("\n## ")[0]
PATHS = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
FILES = re.compile(r"`(\w+\.(?:py|yml))`")


def test_every_path_exists() -> None:
    assert [path for path in PATHS.findall(TABLE) if not (ROOT / path).exists()] == []
    # Elsewhere a room is enough: _state/secrets.py.
    known = "\n".join(str(path) for path in tracked("*"))
    assert [path for path in PATHS.findall(TEXT) if path not in known] == []


def test_every_file_exists() -> None:
    known = {path.name for path in tracked("*")}
    assert [name for name in FILES.findall(TEXT) if name not in known] == []


def test_every_room_is_described() -> None:
    rooms = {path.name for path in (ROOT / "plugins" / "module_utils").glob("_*") if path.is_dir()} - {"__pycache__"}
    described = re.findall(r"^\| `(_\w+)` \|", TEXT, re.MULTILINE)
    assert set(described) == rooms


def test_every_row_answers() -> None:
    rows = [line.split(" | ") for line in TABLE.splitlines() if line.startswith("| ") and "|---" not in line][1:]
    assert len(rows) >= 14
    assert [row[0] for row in rows if not PATHS.search(row[1])] == []
