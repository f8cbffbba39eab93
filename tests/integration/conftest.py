# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster that the tests of reshard.yml and then those of upgrade.yml share; each goes on with what it finds."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from live_cluster import LiveCluster, Shape  # noqa: E402 - from this directory


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """Two shards, one spare, two masters, two webapps, of the old version, as site.yml makes them."""
    made = LiveCluster(tmp_path_factory.mktemp("cluster"), Shape("live", 21000, shards=2, groups=("haproxy",)))
    try:
        made.start()
        yield made
    finally:
        made.remove()
