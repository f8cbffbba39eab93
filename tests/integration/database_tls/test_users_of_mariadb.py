# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of a real MariaDB: passwords of every kind, active roles, REQUIRE SSL and REQUIRE X509."""

from __future__ import annotations

import pymysql
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.database import database_problems
from ansible_collections.waent.fleet.plugins.module_utils._io.database import Tls
from ansible_collections.waent.fleet.tests.support.tls_servers import NAME, PASSWORD, Server, client_files

PASSWORDS = (
    "%s %d %%",
    "'; DROP TABLE x; --",
    '"quoted"',
    "back\\slash",
    "пароль",
    "日本語🔑",
    "naïve-ü",
    "$HOME `id`",
)


def as_root(server: Server, *lines: str, password: str = "") -> None:
    """Statements; %s in them is the password."""
    link = pymysql.connect(
        host=server.address, port=server.port, user=server.user, password=PASSWORD, charset="utf8mb4",
        ssl_ca=str(server.authority.ca), ssl_verify_cert=True,
    )  # fmt: skip
    with link, link.cursor() as cursor:
        for line in lines:
            cursor.execute(line, (password,) if "%s" in line else None)


def codes(server: Server, user: str, password: str, tls: Tls | None) -> list[str]:
    """Of what is wrong for a user."""
    return [problem.code for problem in database_problems(server.read(user, password, tls))]


def ca_alone(server: Server) -> Tls:
    return Tls(str(server.authority.ca), check_hostname=True, server_name=NAME)


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_that_the_server_takes_is_taken(mysql: Server, password: str) -> None:
    create = "CREATE OR REPLACE USER pass IDENTIFIED BY %s"
    as_root(mysql, create, "GRANT ALL ON *.* TO pass", password=password)
    assert codes(mysql, "pass", password, ca_alone(mysql)) == []
    assert codes(mysql, "pass", password + "x", ca_alone(mysql)) == ["DB_REFUSED"]


def test_the_grants_of_an_active_role_count_and_those_of_another_do_not(mysql: Server) -> None:
    as_root(mysql, "CREATE OR REPLACE USER actor IDENTIFIED BY %s", "CREATE OR REPLACE ROLE `full%d`", password="x")
    as_root(mysql, "GRANT ALL ON *.* TO `full%d`", "GRANT `full%d` TO actor")
    assert codes(mysql, "actor", "x", ca_alone(mysql)) == ["DB_GRANTS_MISSING"]
    as_root(mysql, "SET DEFAULT ROLE `full%d` FOR actor")
    assert codes(mysql, "actor", "x", ca_alone(mysql)) == []


def test_users_that_need_tls_or_a_certificate(mysql: Server) -> None:
    as_root(mysql, "SET GLOBAL require_secure_transport = OFF")
    try:
        as_root(mysql, "CREATE OR REPLACE USER guarded IDENTIFIED BY %s REQUIRE SSL", password="x")
        as_root(mysql, "GRANT ALL ON *.* TO guarded")
        assert codes(mysql, "guarded", "x", None) == ["DB_TLS_REQUIRED"]
        assert codes(mysql, "guarded", "wrong", None) == ["DB_REFUSED"]
        assert codes(mysql, "guarded", "x", ca_alone(mysql)) == []
        as_root(mysql, "ALTER USER guarded REQUIRE X509")
        (problem,) = database_problems(mysql.read("guarded", "x", ca_alone(mysql)))
        assert problem.code == "DB_REFUSED" and "wa_db_ssl_cert" in problem.message
        assert codes(mysql, "guarded", "x", client_files(mysql.authority)) == []
    finally:
        as_root(mysql, "SET GLOBAL require_secure_transport = ON")


def test_a_certificate_for_another_name(mysql: Server) -> None:
    other = Tls(str(mysql.authority.ca), check_hostname=True, server_name="other.internal")
    assert codes(mysql, "root", PASSWORD, other) == ["DB_TLS_NAME"]
    assert codes(mysql, "root", PASSWORD, Tls(str(mysql.authority.ca))) == []
