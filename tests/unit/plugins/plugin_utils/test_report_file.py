# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a report: whole, or not there."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.plugin_utils.report_file import not_written, write_report


def test_a_report_is_written_in_one_piece_and_everybody_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text("old")
    write_report(str(path), {"healthy": True})
    assert json.loads(path.read_text()) == {"healthy": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 and [one.name for one in tmp_path.iterdir()] == ["status.json"]


def test_nothing_is_left_where_a_report_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError) as caught:
        write_report(str(tmp_path / "taken"), {"healthy": True})
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]
    problem = not_written("/x", caught.value)
    assert (problem.code, problem.variable) == ("REPORT_NOT_WRITTEN", "wa_report") and "/x" in problem.message
