# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster for the tests of certificates.yml and rotate.yml, whose API is verified, and HAProxy in front of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    LiveCluster,
    Shape,
    published_database,
)

PORT = 29300


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """One shard and a spare, two masters, two webapps; its clock is slow enough for nodes that wait for a processor."""
    more = {"wa_validate_certs": True, **published_database(PORT)}
    shape = Shape("sct", PORT, shards=1, divisor=4, more=more, groups=("haproxy",))
    made = LiveCluster(tmp_path_factory.mktemp("secrets"), shape)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def balancer(tmp_path_factory: pytest.TempPathFactory, live: LiveCluster) -> t.Iterator[Balancer]:
    """In front of both webapps."""
    made = Balancer(tmp_path_factory.mktemp("balancer"), live.balanced_servers())
    live.declare(lasting=True, **made.variables)
    yield made
    made.close()
