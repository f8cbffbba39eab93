# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on servers that want TLS: MariaDB with nothing else, PostgreSQL with a client certificate besides."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Shape
from ansible_collections.waent.fleet.tests.support.tls_servers import OnServer, Server, cluster_on


def one_node_each(prefix: str, port: int) -> Shape:
    return Shape(prefix, port, shards=1, webapps=1, masters=1, coreapps=1, more={"wa_allow_no_ha": True})


@pytest.fixture(scope="module")
def on_mysql(mysql: Server, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OnServer]:
    yield from cluster_on(mysql, one_node_each("tlm", 28400), tmp_path_factory.mktemp("mysql"))


@pytest.fixture(scope="module")
def on_postgres(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[OnServer]:
    yield from cluster_on(postgres, one_node_each("tlp", 28500), tmp_path_factory.mktemp("postgres"))


def files_inside(cluster: OnServer) -> set[str]:
    """What every node has where its environment says that the files are, and the rights to it."""
    command = ["sh", "-c", "stat -c '%n %a' /opt/certs/*"]
    nodes = [cluster.engine.containers.get(name) for name in cluster.containers()]
    return {node.exec_run(command).output.decode() for node in nodes}


def test_mysql_without_a_ca_and_with_a_wrong_one(on_mysql: OnServer, tmp_path: Path) -> None:
    run = on_mysql.play("site.yml")
    assert run.codes == ["DB_TLS_REQUIRED"], run.output
    assert "wa_db_ssl_ca" in run.sentences("DB_TLS_REQUIRED")[0]
    run = on_mysql.play("site.yml", "-e", "wa_db_ssl_ca={0}".format(Authority(tmp_path).ca))
    assert run.codes == ["DB_TLS_UNTRUSTED"], run.output
    assert on_mysql.containers() == {}


def test_mysql_from_nothing_to_a_healthy_cluster_and_a_new_ca_is_a_planned_change(
    on_mysql: OnServer, mysql: Server, tmp_path: Path
) -> None:
    on_mysql.declare(wa_db_ssl_ca=str(mysql.authority.ca))
    run = on_mysql.play("site.yml")
    assert run.code == OK, run.output
    assert files_inside(on_mysql) == {"/opt/certs/ca.pem 444\n"}
    again = on_mysql.play("site.yml")
    assert (again.code, set(again.changes.values())) == (OK, {0}), again.output
    both = tmp_path / "both.pem"
    both.write_bytes(mysql.authority.ca.read_bytes() + Authority(tmp_path).ca.read_bytes())
    check = on_mysql.play("site.yml", "--check", "-e", "wa_db_ssl_ca={0}".format(both))
    assert check.code == OK, check.output
    assert "recreate tlm-coreapp-1 (mounts: volume tlm-db-ssl-" in check.output


@pytest.mark.thorough
def test_postgres_from_nothing_to_a_healthy_cluster(on_postgres: OnServer, postgres: Server) -> None:
    run = on_postgres.play("site.yml")
    assert run.codes == ["DB_TLS_REQUIRED"], run.output
    on_postgres.declare(wa_db_ssl_ca=str(postgres.authority.ca))
    run = on_postgres.play("site.yml")
    assert run.codes == ["DB_TLS_CLIENT"], run.output
    assert on_postgres.containers() == {}
    cert, key = postgres.authority.sign("client")
    on_postgres.declare(wa_db_ssl_cert=str(cert), wa_db_ssl_key=str(key))
    run = on_postgres.play("site.yml")
    assert run.code == OK, run.output
    assert files_inside(on_postgres) == {
        "/opt/certs/ca.pem 444\n/opt/certs/client-cert.pem 444\n/opt/certs/client-key.pem 400\n"
    }
