# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this directory share: real hosts, the same as Molecule's, made once for all of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ContainerHosts]:
    """Two machines, one and two; an engine runs on the first."""
    made = ContainerHosts(tmp_path_factory.mktemp("fleet"), ("one", "two"))
    try:
        made.create()
        made.start_engine("one")
        yield made
    finally:
        made.destroy()
