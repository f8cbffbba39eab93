# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster that the tests of reshard.yml and then those of upgrade.yml share; each says what it begins with."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> t.Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed has spoilt its cluster: it is recreated for the next one, so that it fails alone."""
    report = yield
    if report.failed:
        for value in item.funcargs.values():
            if hasattr(value, "spoilt"):
                value.spoilt = True
    return report


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """Two shards, one spare, two masters, two webapps, of the old version, as site.yml makes them."""
    made = LiveCluster(tmp_path_factory.mktemp("cluster"), Shape("live", 21000, shards=2, groups=("haproxy",)))
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def cluster(shared_cluster: LiveCluster, request: pytest.FixtureRequest) -> LiveCluster:
    """The shared cluster in the state that the test asks for: C(@pytest.mark.begins_with(shards=2, version=OLD)).

    Without the mark it is as the test before has left it, unless that one failed.
    """
    mark = request.node.get_closest_marker("begins_with")
    shared_cluster.ready(**(mark.kwargs if mark else {}))
    return shared_cluster
