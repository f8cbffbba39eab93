# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of AWS: templates as linters see them, and playbooks against an account on this machine."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.aws import Aws


@pytest.fixture
def aws(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Aws]:
    """An account of its own, with nothing in it."""
    made = Aws(tmp_path_factory.mktemp("aws"))
    try:
        yield made
    finally:
        made.stop()
