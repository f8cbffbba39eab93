# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest part of what is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.plugins.module_utils._io.tail import Tail
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 60))
def test_the_end_is_kept_and_the_rest_is_counted(blocks, size):
    with tempfile.TemporaryDirectory() as home:
        tail = Tail(home + "/x", size)
        for block in blocks:
            tail.write(block)
        whole = b"".join(blocks)
        assert b"".join(tail.blocks()) == whole[max(0, len(whole) - size) :]
        assert (tail.total, tail.dropped) == (len(whole), max(0, len(whole) - size))
        assert list(Path(home).iterdir()) == []
