# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy in front of the cluster, for all tests of this directory, which run in the order of their files and lines."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster


@pytest.fixture(scope="session")
def balancer(tmp_path_factory: pytest.TempPathFactory, shared_cluster: LiveCluster) -> t.Iterator[Balancer]:
    """In front of all webapps of the cluster, and known to its inventory."""
    made = Balancer(tmp_path_factory.mktemp("balancer"), shared_cluster.balanced_servers())
    shared_cluster.declare(lasting=True, **made.variables)
    yield made
    made.close()
