# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a database, by what was read of it; test_io_database.py has the problems that reading meets."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.database import (
    connections_problem,
    database_problems,
    liveness_problems,
    version_problem,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.database import CONNECT, DRIVER, READ, Failure, Report


@pytest.mark.parametrize(
    ("stage", "code"),
    [(DRIVER, "DB_DRIVER_MISSING"), (CONNECT, "DB_UNREACHABLE"), (READ, "DB_READ_FAILED")],
)
def test_a_failure_is_the_only_problem(stage, code):
    """Of what was not read nothing is said."""
    report = Report("MYSQL", "db:3306", failure=Failure(stage, "no"), version="5.6")
    assert [problem.code for problem in database_problems(report, expect_schema=True)] == [code]


def test_everything_that_is_wrong_is_found_at_once():
    stale = {"node": "a:c1", "role": "coreapp", "version": "v1", "age_seconds": 130}
    report = Report(
        "MYSQL", "db:3306", "waent", "one_", reachable=True, version="5.6.51",
        missing_grants={"one_clusterStore": ("DROP",)}, max_connections=100, connections=99,
        databases=("one_clusterStore",), liveness=(stale,),
    )  # fmt: skip
    found = database_problems(report, connections_needed=2, expect_schema=True)
    assert [problem.code for problem in found] == [
        "DB_TOO_OLD",
        "DB_GRANTS_MISSING",
        "DB_CONNECTIONS_LOW",
        "LIVENESS_STALE",
        "DB_SCHEMA_MISSING",
    ]
    assert "axolotlStore" in found[-1].message and "clusterStore" not in found[-1].message


@pytest.mark.parametrize(
    "product, numbers, sentence",
    [
        ("MySQL", (5, 6, 51), "wa_db_host is a MySQL 5.6.51; the client needs MySQL 5.7 or newer."),
        ("MySQL", (5, 7), None),
        ("MySQL", (8, 0, 33), None),
        ("MariaDB", (10, 1, 48), "wa_db_host is a MariaDB 10.1.48; the client needs MariaDB 10.2 or newer."),
        ("MariaDB", (10, 2, 1), None),
        ("MariaDB", (11, 4), None),
        ("PostgreSQL", (9, 4), "wa_db_host is a PostgreSQL 9.4; the client needs PostgreSQL 9.5 or newer."),
        ("PostgreSQL", (13, 8), None),
        ("MySQL", (), None),
    ],
)
def test_too_old(product, numbers, sentence):
    problem = version_problem(product, numbers)
    assert (problem and problem.message) == sentence
    assert problem is None or problem.code == "DB_TOO_OLD"


@pytest.mark.parametrize(
    "maximum, used, needed, sentence",
    [
        (500, 31, None, None),
        (500, 425, None, "The database uses 425 of 500 connections: raise max_connections before nodes are refused."),
        (500, 31, 469, None),
        (
            500,
            31,
            470,
            "The database has 469 free connections (31 of 500 in use), and 470 are needed: raise max_connections.",
        ),
        (None, 31, 470, None),
        (500, None, 470, None),
        (500, 499, 1, None),
    ],
)
def test_headroom(maximum, used, needed, sentence):
    problem = connections_problem(maximum, used, needed)
    assert (problem and problem.message) == sentence


@pytest.mark.parametrize(
    "role, age, stale",
    [("coreapp", 120, 0), ("coreapp", 121, 1), ("coreapp", 240, 1), ("coreapp", 241, 0), ("master", 200, 0)],
)
def test_liveness(role, age, stale):
    rows = [{"node": "a:c1", "role": role, "version": "v1", "age_seconds": age}]
    problems = liveness_problems(rows)
    assert len(problems) == stale
    assert all(p.code == "LIVENESS_STALE" and "{0} s ago".format(age) in p.message for p in problems)
