# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml with a PostgreSQL server that is there already: it is checked, and the cluster is made on it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Shape
from ansible_collections.waent.fleet.tests.support.on_postgres import OnPostgres

SHAPE = Shape("pgs", 28300, shards=1, webapps=1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OnPostgres]:
    """The server runs; of the cluster there is nothing yet."""
    made = OnPostgres(Path(tmp_path_factory.mktemp("postgres")), SHAPE)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def test_a_wrong_password_is_reported_before_anything_is_made(cluster: OnPostgres) -> None:
    run = cluster.play("site.yml", "-e", "wa_db_password=canary-wrong-1")
    assert run.codes == ["DB_REFUSED"], run.output
    assert cluster.containers() == {}


def test_from_nothing_to_a_healthy_cluster_and_again_without_a_change(cluster: OnPostgres) -> None:
    run = cluster.play("site.yml")
    assert run.code == OK, run.output
    assert "DB_DRIVER_MISSING" not in run.output
    nodes = cluster.containers()
    assert len(nodes) == 5
    again = cluster.play("site.yml")
    assert (again.code, cluster.containers()) == (OK, nodes), again.output
    assert set(again.changes.values()) == {0}


def test_status_reads_the_database_too(cluster: OnPostgres) -> None:
    if cluster.spoilt or not cluster.containers():
        cluster.recreate()
    run = cluster.play("status.yml")
    assert run.code == OK, run.output
    assert "DB_" not in run.output
