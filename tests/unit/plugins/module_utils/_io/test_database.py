# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the database and what is wrong with it; a server is played by answers to queries."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.database import database_problems
from ansible_collections.waent.fleet.plugins.module_utils._io import database
from ansible_collections.waent.fleet.plugins.module_utils._io.database import (
    DatabaseAccess,
    Tls,
    read_database,
    read_signs_of_life,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.database import (
    GROUPS,
    Report,
)
from hypothesis import given
from hypothesis import strategies as st

ACCESS = DatabaseAccess("MYSQL", "db", 3306, "waent", "canary-db-password")
ALL = ["GRANT ALL PRIVILEGES ON *.* TO `waent`@`%`"]
DATABASES = [group + "Store" for group in GROUPS]


KNOWN_COLUMNS = [
    (table, column)
    for table, columns in {
        "nodes": "node_key role version last_seen",
        "shard_map": "shard owner_key",
        "cluster_state": "shards",
        "lease": "owner_key",
        "account": "state cc phone_number",
    }.items()
    for column in columns.split()
]


class FakeError(Exception):
    """The driver's own kind of error."""


class FakeLink:
    """A connection that answers queries by the first of these beginnings that fits."""

    Error = FakeError

    def __init__(self, answers):
        self.answers = answers
        self.queries = []
        self.closed = False

    def cursor(self):
        return self

    def execute(self, query, parameters=None):
        self.queries.append((query, parameters))
        # As the drivers do: with parameters, even none, a query is a format string.
        assert parameters is None or query % tuple(map(repr, parameters))
        for start, rows in self.answers.items():
            if query.startswith(start) or ("LIKE" in query and parameters and parameters[0] == start):
                if isinstance(rows, Exception):
                    raise rows
                self.rows = rows
                return
        raise AssertionError("no answer for {0}".format(query))

    def fetchall(self):
        return self.rows

    def close(self):
        self.closed = True


def server(**changes):
    """Answers of a MariaDB that is as it should be."""
    answers = {
        "SELECT VERSION()": [("10.11.6-MariaDB-0+deb12u1",)],
        "SELECT @@GLOBAL.max_connections": [(500,)],
        "Threads_connected": [("Threads_connected", "31")],
        "Max_used_connections": [("Max_used_connections", "57")],
        "SHOW GRANTS": [(line,) for line in ALL],
        "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'": [],
        "SELECT schema_name": [(name,) for name in DATABASES],
        "SELECT table_name": KNOWN_COLUMNS,
        "SELECT state": [("registered", "1", "5550100")],
        "SELECT shard,": [(-1, "a:c1"), (0, "a:c1")],
        "SELECT node_key": [("a:c1", "coreapp", "v2.19.4", 12.5), ("a:m1", "master", "v2.19.4", 3)],
        "SELECT shards": [(1,)],
    }
    answers.update(changes)
    return answers


def read(answers, access=ACCESS):
    link = FakeLink(answers)
    report = read_database(access, connect=lambda _access: link)
    assert link.closed
    return report, link


def test_good_server():
    report, _link = read(server())
    assert database_problems(report, expect_schema=True, connections_needed=400) == []
    assert report.as_dict() == {
        "engine": "MYSQL",
        "reachable": True,
        "product": "MariaDB",
        "version": "10.11.6-MariaDB-0+deb12u1",
        "missing_grants": [],
        "max_connections": 500,
        "connections": 31,
        "max_used_connections": 57,
        "databases": DATABASES,
        "configured_shards": 1,
        "registered": True,
        "registered_number": "15550100",
        "shard_map": [{"shard": -1, "owner": "a:c1"}, {"shard": 0, "owner": "a:c1"}],
        "liveness": [
            {"node": "a:c1", "role": "coreapp", "version": "v2.19.4", "age_seconds": 12.5},
            {"node": "a:m1", "role": "master", "version": "v2.19.4", "age_seconds": 3.0},
        ],
    }


def test_server_without_the_clients_tables():
    empty = {"SELECT schema_name": [], "SELECT table_name": []}
    report, _link = read(server(**empty))
    assert database_problems(report) == []
    assert (report.databases, report.shard_map, report.liveness, report.configured_shards) == ((), None, None, None)
    assert [problem.code for problem in database_problems(report, expect_schema=True)] == ["DB_SCHEMA_MISSING"]


@pytest.mark.parametrize(
    ("changes", "registered", "number"),
    [
        ({"SELECT state": [("registered", "39", "0612345670")]}, True, "390612345670"),
        ({"SELECT state": [("unregistered", None, None)]}, False, None),
        ({"SELECT state": [("unregistered", "1", "5550100")]}, False, None),
        ({"SELECT state": [("odd", "1", "5550100")]}, None, None),
        ({"SELECT state": []}, None, None),
        # The table has the name that we know and other columns, as another release of the client may.
        ({"SELECT table_name": [*KNOWN_COLUMNS[:-1]]}, None, None),
    ],
)
def test_registered_number(changes, registered, number):
    report, _link = read(server(**changes))
    assert database_problems(report) == []
    assert (report.registered, report.registered_number) == (registered, number)


@pytest.mark.parametrize("table", ["nodes", "shard_map", "cluster_state"])
def test_a_table_with_other_columns_is_not_read(table):
    known = [pair for pair in KNOWN_COLUMNS if pair[0] != table] + [(table, "something")]
    report, _link = read(server(**{"SELECT table_name": known}))
    assert database_problems(report) == []
    what = {"nodes": "liveness", "shard_map": "shard_map", "cluster_state": "configured_shards"}
    assert {name for name in what.values() if getattr(report, name) is None} == {what[table]}


class Minute:
    """A clock, and a database in which nodes have written their rows at these times; a renewal may follow."""

    def __init__(self, written, renewed=None):
        self.now, self.written, self.renewed = 0.0, written, renewed or {}

    def read(self):
        last = {**self.written, **{node: when for node, when in self.renewed.items() if when <= self.now}}
        rows = tuple({"node": node, "age_seconds": self.now - when} for node, when in last.items())
        return Report("MYSQL", liveness=rows)

    def sleep(self, seconds):
        self.now += seconds

    def signs(self, *nodes):
        return read_signs_of_life(self.read, nodes, 75.0, clock=lambda: self.now, sleep=self.sleep)


@given(st.floats(0, 59), st.floats(0, 59))
def test_a_node_that_lives_shows_it_within_a_minute(age, other):
    minute = Minute({"a": -age, "b": -other}, {"a": 60 - age})
    report = minute.signs("a", "b")
    assert minute.now <= 60 - age + 1
    assert {row["node"]: row["age_seconds"] for row in report.liveness}["a"] <= 1


@given(st.floats(0, 300))
def test_one_that_has_ended_is_too_old_in_the_end(age):
    minute = Minute({"a": -age})
    report = minute.signs("a")
    assert report.liveness[0]["age_seconds"] > 75 and minute.now <= 77


def test_nobody_to_watch_is_one_look_and_a_row_struck_off_ends_it():
    minute = Minute({"a": -1.0})
    minute.signs()
    assert minute.now == 0
    minute.signs("gone")
    assert minute.now == 0


def test_a_database_that_goes_away_meanwhile_ends_the_wait():
    reports = iter([Report("MYSQL", liveness=({"node": "a", "age_seconds": 1.0},)), Report("MYSQL")])
    report = read_signs_of_life(lambda: next(reports), ["a"], 75.0, clock=lambda: 0.0, sleep=lambda _seconds: None)
    assert report.liveness is None


def test_prefix_is_part_of_every_name():
    access = DatabaseAccess("MYSQL", "db", 3306, "waent", "x", name_prefix="one_")
    narrow = [("GRANT ALL PRIVILEGES ON `one\\_%`.* TO `waent`@`%`",)]
    report, link = read(server(**{"SHOW GRANTS": narrow}), access)
    assert report.missing_grants == {}
    asked = next(parameters for query, parameters in link.queries if query.startswith("SELECT schema_name"))
    assert asked == tuple("one_" + name for name in DATABASES)
    assert any("`one_clusterStore`.`shard_map`" in query for query, _parameters in link.queries)


def test_reading_that_fails_on_the_way():
    report, _link = read(server(**{"SELECT table_name": FakeError(1146, "Table is gone\nsecond line")}))
    assert report.reachable
    assert [(p.code, p.message) for p in database_problems(report)] == [
        ("DB_READ_FAILED", "The database at db:3306 was reached, and then reading it failed: Table is gone.")
    ]


def test_mistakes_of_ours_are_not_hidden():
    with pytest.raises(AssertionError):
        read({})


@pytest.mark.parametrize(
    "error, code, sentence",
    [
        (
            FakeError(1045, "Access denied for user 'waent'@'h' (using password: YES)"),
            "DB_REFUSED",
            "The database at db:3306 refuses wa_db_username waent with wa_db_password from this host (Access denied for"
            " user 'waent'@'h' (using password: YES)).",
        ),
        (
            FakeError(1130, "Host 'h' is not allowed to connect"),
            "DB_REFUSED",
            "The database at db:3306 refuses wa_db_username waent with wa_db_password from this host (Host 'h' is not"
            " allowed to connect).",
        ),
        (
            FakeError(2003, "Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)"),
            "DB_UNREACHABLE",
            "wa_db_host is db:3306, and no database can be reached there (Can't connect to MySQL server on 'db' ([Errno"
            " 111] Connection refused)).",
        ),
        (
            FakeError(1040, "Too many connections"),
            "DB_CONNECTIONS_EXHAUSTED",
            "wa_db_host is db:3306, and the database there has no free connection: raise its max_connections.",
        ),
        (
            FakeError('FATAL:  password authentication failed for user "waent"\n'),
            "DB_REFUSED",
            "The database at db:3306 refuses wa_db_username waent with wa_db_password from this host (FATAL:  password"
            ' authentication failed for user "waent").',
        ),
        (
            FakeError("FATAL:  sorry, too many clients already"),
            "DB_CONNECTIONS_EXHAUSTED",
            "wa_db_host is db:3306, and the database there has no free connection: raise its max_connections.",
        ),
        (FakeError(), "DB_UNREACHABLE", "wa_db_host is db:3306, and no database can be reached there (FakeError)."),
    ],
)
def test_why_there_is_no_connection(error, code, sentence):
    def fail(_access):
        raise error

    report = read_database(ACCESS, connect=fail)
    assert not report.reachable
    assert [(p.code, p.message) for p in database_problems(report)] == [(code, sentence)]
    assert report.as_dict()["max_connections"] is None


DENIED = FakeError(1045, "Access denied for user 'waent'@'h' (using password: YES)")
NO_RULE = FakeError('FATAL:  no pg_hba.conf entry for host "h", user "waent", database "postgres", no encryption')


@pytest.mark.parametrize(
    ("plain", "with_tls", "code"),
    [
        (FakeError(3159, "Connections using insecure transport are prohibited"), AssertionError, "DB_TLS_REQUIRED"),
        (FakeError(9002, "SSL connection is required. Please specify SSL options"), AssertionError, "DB_TLS_REQUIRED"),
        # A user made with REQUIRE SSL is refused as for a wrong password.
        (DENIED, None, "DB_TLS_REQUIRED"),
        (DENIED, DENIED, "DB_REFUSED"),
        (NO_RULE, None, "DB_TLS_REQUIRED"),
        (NO_RULE, FakeError("FATAL:  password authentication failed for user"), "DB_TLS_REQUIRED"),
        (NO_RULE, NO_RULE, "DB_REFUSED"),
        (FakeError(2003, "Connection refused"), AssertionError, "DB_UNREACHABLE"),
    ],
)
def test_a_server_that_requires_tls_is_no_refusal(plain, with_tls, code):
    asked = []

    def connect(access):
        asked.append(access.tls)
        error = with_tls if access.tls else plain
        if error:
            raise error
        return FakeLink({})

    (problem,) = database_problems(read_database(ACCESS, connect=connect))
    assert problem.code == code
    assert (problem.variable == "wa_db_ssl_ca") == (code == "DB_TLS_REQUIRED")
    # It is tried only where the words leave it open, and never in place of what nodes do.
    assert asked == [None, Tls()][: 1 if with_tls is AssertionError else 2]


WITH_CA = DatabaseAccess("MYSQL", "db", 3306, "waent", "x", tls=Tls("/ca.pem", check_hostname=True, server_name="db"))


@pytest.mark.parametrize(
    ("text", "code", "variable"),
    [
        ("([SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate)",
         "DB_TLS_UNTRUSTED", "wa_db_ssl_ca"),
        ("SSL error: certificate verify failed", "DB_TLS_UNTRUSTED", "wa_db_ssl_ca"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for"
         " 'db'.", "DB_TLS_NAME", "wa_db_host"),
        ('server certificate for "other" does not match host name "db"', "DB_TLS_NAME", "wa_db_host"),
        ("server does not support SSL, but SSL was required", "DB_TLS_NOT_OFFERED", "wa_db_ssl_ca"),
        ("SSL is required but the server doesn't support it", "DB_TLS_NOT_OFFERED", "wa_db_ssl_ca"),
        (database.NO_TLS_OFFERED, "DB_TLS_NOT_OFFERED", "wa_db_ssl_ca"),
        ("FATAL:  connection requires a valid client certificate", "DB_TLS_CLIENT", "wa_db_ssl_cert"),
        ("SSL error: tlsv1 alert unknown ca", "DB_TLS_CLIENT", "wa_db_ssl_cert"),
    ],
)  # fmt: skip
def test_why_there_is_no_tls(text, code, variable):
    def fail(_access):
        raise FakeError(text)

    (problem,) = database_problems(read_database(WITH_CA, connect=fail))
    assert (problem.code, problem.variable) == (code, variable)
    assert "db:3306" in problem.message


def test_a_refusal_with_a_ca_alone_names_the_client_certificate():
    def fail(_access):
        raise DENIED

    messages = [
        database_problems(read_database(replace(WITH_CA, tls=tls), connect=fail))[0].message
        for tls in (Tls("/ca.pem"), Tls("/ca.pem", "/cert", "/key"))
    ]
    assert ["wa_db_ssl_cert" in message for message in messages] == [True, False]


@pytest.mark.parametrize("engine, package", [("MYSQL", "PyMySQL"), ("PGSQL", "psycopg2")])
def test_missing_driver_is_named(monkeypatch, engine, package):
    def no_module(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", no_module)
    report = read_database(DatabaseAccess(engine, "db", 1, "u", "p"))
    assert [problem.code for problem in database_problems(report)] == ["DB_DRIVER_MISSING"]
    assert "the Python package {0} is not installed".format(package) in database_problems(report)[0].message


def test_password_is_not_in_the_repr():
    assert "canary" not in repr(ACCESS)


def test_sentence_about_missing_grants():
    lines = ["GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON *.* TO `waent`@`%`"]
    report, _link = read(server(**{"SHOW GRANTS": [(line,) for line in lines]}))
    assert [(p.code, p.variable, p.value) for p in database_problems(report)] == [
        ("DB_GRANTS_MISSING", "wa_db_username", "waent")
    ]
    assert database_problems(report)[0].message.startswith(
        "wa_db_username waent lacks INDEX, DROP on axolotlStore, callbackStore"
    )
    assert database_problems(report)[0].message.endswith("on every database it creates.")


@pytest.mark.parametrize("role", ["`app`@`%`", "`app`@`10.0.%`,`re%ad`@`%s`", "`100%d`@`localhost`"])
def test_a_percent_sign_in_the_name_of_a_role_is_no_format(role):
    """MySQL 8 and newer name an active role with its host, by default %."""
    answers = {"SHOW GRANTS FOR CURRENT_USER() USING " + role: [(ALL[0],)], "SELECT CURRENT_ROLE()": [(role,)]}
    grants = [("GRANT {0} TO `waent`@`%`".format(role),)]
    answers.update(server(**{"SELECT VERSION()": [("8.4.3",)], "SHOW GRANTS": grants}))
    report, _link = read(answers)
    assert database_problems(report) == [] and report.as_dict()["missing_grants"] == []


def test_grants_of_an_active_role_count_on_mysql():
    answers = {"SHOW GRANTS FOR CURRENT_USER() USING `full`@`%`": [(ALL[0],)]}
    answers.update(server(**{"SELECT VERSION()": [("8.0.33",)], "SHOW GRANTS": [("GRANT `full`@`%` TO `waent`@`%`",)]}))
    answers["SELECT CURRENT_ROLE()"] = [("`full`@`%`",)]
    report, _link = read(answers)
    assert database_problems(report) == []
    answers["SELECT CURRENT_ROLE()"] = [("NONE",)]
    report, _link = read(answers)
    assert [problem.code for problem in database_problems(report)] == ["DB_GRANTS_MISSING"]


def test_postgresql():
    answers = {
        "SELECT has_database_privilege": [(True,)],
        "SHOW server_version": [("13.8 (Debian 13.8-1.pgdg110+1)",)],
        "SHOW max_connections": [("500",)],
        "SELECT count(*)": [(12,)],
        "SELECT nspname": [(name,) for name in DATABASES],
        "SELECT table_name": [],
    }
    access = DatabaseAccess("PGSQL", "db", 3306, "waent", "x")
    report, _link = read(answers, access)
    assert database_problems(report, expect_schema=True) == []
    assert (report.product, report.max_connections, report.connections) == ("PostgreSQL", 500, 12)
    answers["SELECT has_database_privilege"] = [(False,)]
    report, _link = read(answers, access)
    assert [(p.code, p.message) for p in database_problems(report)] == [
        ("DB_GRANTS_MISSING", "wa_db_username waent may not create schemas in the database postgres.")
    ]
    assert database._PostgresReader(access, None).table("nodes") == '"clusterStore"."nodes"'
