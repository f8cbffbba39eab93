# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster behind HAProxy for all tests of this directory, which run in the order of their files and lines."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from balancer import Balancer  # noqa: E402 - from this directory
from upgrade_cluster import OK, UpgradeCluster  # noqa: E402

NAME, BASE = "upg", 21000


@pytest.fixture(scope="session")
def balancer(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Balancer]:
    """In front of both webapps of the cluster."""
    servers = {
        "{0}-host-{0}-webapp-{1}".format(NAME, number): "127.0.0.1:{0}".format(BASE + 89 + number) for number in (1, 2)
    }
    made = Balancer(tmp_path_factory.mktemp("balancer"), servers)
    yield made
    made.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, balancer: Balancer) -> t.Iterator[UpgradeCluster]:
    """Two shards with a spare, two masters, two webapps, of the old version."""
    made = UpgradeCluster(
        tmp_path_factory.mktemp("upgrade"), name=NAME, base=BASE, shards=2, divisor=10, more=balancer.variables,
        counts={"webapp": 2, "master": 2, "coreapp": 3}, groups={"haproxy": [NAME + "-host"]},
    )  # fmt: skip
    try:
        run = made.play("site.yml")
        assert run.code == OK, run.output
        yield made
    finally:
        made.remove()
