# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers, which the tests of this directory share."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.tls_servers import PASSWORD, Server, run_server


@pytest.fixture(scope="module")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    """MariaDB that lets nobody in without TLS."""
    options = ["--ssl-ca=/opt/ca.pem", "--ssl-cert=/opt/cert.pem", "--ssl-key=/opt/key.pem"]
    yield from run_server(
        "MYSQL", "waent/mariadb:10.11", "tlm", tmp_path_factory.mktemp("tls") / "mysql",
        [*options, "--require-secure-transport=ON"], {"MYSQL_ROOT_PASSWORD": PASSWORD}, 3306,
    )  # fmt: skip


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    """PostgreSQL that has rules for TLS with a client certificate alone."""
    options = {"ssl": "on", "ssl_ca_file": "/opt/ca.pem", "ssl_cert_file": "/opt/cert.pem",
               "ssl_key_file": "/opt/key.pem", "hba_file": "/opt/pg_hba.conf"}  # fmt: skip
    command = ["postgres", *(word for name, value in options.items() for word in ("-c", name + "=" + value))]
    yield from run_server(
        "PGSQL", "waent/postgres:15", "tlp", tmp_path_factory.mktemp("tls") / "postgres", command,
        {"POSTGRES_USER": "fleet", "POSTGRES_PASSWORD": PASSWORD}, 5432,
    )  # fmt: skip
