# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there as a whole or not at all."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.whole_file import write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as reader:
        write_whole(str(path), "new\n")
        assert (reader.read(), path.read_text()) == ("old", "new\n")
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_replaced_is_left_and_nothing_beside_it(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_whole(str(tmp_path / "taken"), "new")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]
