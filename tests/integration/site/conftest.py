# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this directory share: real hosts, the same as Molecule's, made once for all of them."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from fleet import Fleet  # noqa: E402 - from this directory


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fleet]:
    """Two machines, one and two; an engine runs on the first."""
    made = Fleet(tmp_path_factory.mktemp("fleet"), ("one", "two"))
    try:
        made.create()
        made.start_engine("one")
        yield made
    finally:
        made.destroy()
