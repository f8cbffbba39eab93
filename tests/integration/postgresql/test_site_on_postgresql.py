# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml with a PostgreSQL server that is there already: it is checked, and the cluster is made on it."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import write_inventory
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address

IMAGE = "waent/postgres:15"
USER, PASSWORD = "fleet", "canary-pg-4Ls8"
SHAPE = Shape("pgs", 28300, shards=1, webapps=1)


class OnPostgres(LiveCluster):
    """The cluster, and beside it a server that does not belong to it."""

    def start(self) -> None:
        gateway = machine_address(self.engine, IMAGE)
        environment = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD}
        self.server = self.engine.containers.run(
            IMAGE, name=SHAPE.prefix + "-server", detach=True, environment=environment,
            ports={"5432/tcp": (gateway, None)},
        )  # fmt: skip
        self.server.reload()
        port = int(self.server.ports["5432/tcp"][0]["HostPort"])
        self._given = SHAPE.variables("")
        self.declare(
            wa_db_engine="PGSQL", wa_db_host=gateway, wa_db_port=port, wa_db_username=USER, wa_db_password=PASSWORD,
            wa_db_check_host=gateway, wa_db_check_port=port,
            wa_extra_environment={"WAEMU_TIME_DIVISOR": str(SHAPE.divisor)},
        )  # fmt: skip
        self.inventory = write_inventory(self.home / "hosts.yml", {SHAPE.host: SHAPE.host_variables()})
        self._wait(gateway, port)

    def _wait(self, host: str, port: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                return psycopg2.connect(host=host, port=port, user=USER, password=PASSWORD, dbname="postgres").close()
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def recreate(self) -> None:
        """The cluster, on the server that is there."""
        if self.containers():
            self._clear_away()
        run = self.play("site.yml")
        assert run.code == OK, run.output

    def remove(self) -> None:
        try:
            self.uninstall()
        finally:
            self.server.remove(force=True, v=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OnPostgres]:
    """The server runs; of the cluster there is nothing yet."""
    made = OnPostgres(Path(tmp_path_factory.mktemp("postgres")), SHAPE)
    made.start()
    yield made
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
