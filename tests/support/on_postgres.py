# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster whose database is a PostgreSQL server that is there already, and no part of it."""

from __future__ import annotations

import contextlib
import time

import docker.errors
import psycopg2
from ansible_collections.waent.fleet.tests.support.engine_ports import run_with_ports
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import write_inventory
from ansible_collections.waent.fleet.tests.support.this_machine import machine_address

IMAGE = "waent/postgres:15"
USER, PASSWORD = "fleet", "canary-pg-4Ls8"
READY_SECONDS = 30


class OnPostgres(LiveCluster):
    """The cluster, its gateway, and beside them a server that no playbook made."""

    def prepare(self, shards: int = 0, version: str = "") -> None:
        """As of every cluster, with the server in place of a database host."""
        super().prepare(shards, version)
        self._remove_server()
        gateway = machine_address(self.engine, IMAGE)
        environment = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD}
        server = run_with_ports(
            self.engine, IMAGE, ["postgres", "-c", "max_connections={0}".format(self.shape.max_connections)],
            name=self._server, environment=environment, ports={"5432/tcp": (gateway, None)},
        )  # fmt: skip
        port = int(server.ports["5432/tcp"][0]["HostPort"])
        self.declare(
            wa_db_engine="PGSQL", wa_db_host=gateway, wa_db_port=port, wa_db_username=USER, wa_db_password=PASSWORD,
            wa_db_check_host=gateway, wa_db_check_port=port,
        )  # fmt: skip
        self.inventory = write_inventory(self.home / "hosts.yml", {self.shape.host: self.shape.host_variables()})
        self._wait(gateway, port)

    @property
    def _server(self) -> str:
        return self.shape.prefix + "-server"

    def _wait(self, host: str, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                return psycopg2.connect(host=host, port=port, user=USER, password=PASSWORD, dbname="postgres").close()
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise Failed("PostgreSQL does not answer: {0}".format(error)) from error
                time.sleep(0.2)

    def recreate(self) -> None:
        """The cluster, on the server that is there. Raises Failed."""
        if self.containers():
            self._clear_away()
        run = self.play("site.yml")
        if run.code != OK:
            raise Failed("site.yml did not make the cluster:\n" + run.output)

    def remove(self) -> None:
        """The server too."""
        try:
            super().remove()
        finally:
            self._remove_server()

    def _remove_server(self) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.containers.get(self._server).remove(force=True, v=True)
