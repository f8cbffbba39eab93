"""What the drivers of the database are given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waemu.environment import DbEnv, db_env
from waemu.store.engine import _as_sent, _connect_args

DB = DbEnv("MYSQL", "db", 3306, "root", "x")
REQUIRED = {
    "WA_DB_ENGINE": "PGSQL",
    "WA_DB_HOSTNAME": "db",
    "WA_DB_PORT": "5432",
    "WA_DB_USERNAME": "u",
    "WA_DB_PASSWORD": "x",
}


@given(st.text())
def test_a_password_is_sent_as_servers_take_it(password: str) -> None:
    assert _as_sent(password).encode("latin-1") == password.encode()


def test_without_a_ca_no_tls_is_spoken() -> None:
    assert "ssl" not in _connect_args(DB, "")
    assert _connect_args(replace(DB, engine="PGSQL"), "")["ssl"] is False


@pytest.mark.parametrize(("value", "counts"), [("", True), ("1", True), ("0", False)])
def test_whether_the_name_in_the_certificate_counts(value: str, counts: bool) -> None:
    assert db_env({**REQUIRED, "WAEMU_DB_SSL_CHECK_HOSTNAME": value}).ssl_check_hostname is counts
