# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of a log that says why a node does not work, and what it means."""

from __future__ import annotations

import re

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.causes import (
    CAUSES,
    ERROR,
    HINT,
    NEARBY,
    PLAIN,
    WARNING,
    cause_of,
    decisive_line,
    level_of,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import OWN_ENVIRONMENT
from hypothesis import given
from hypothesis import strategies as st

MEANINGS = {
    # As servers, kernels, shells and engines write them.
    "(1045, \"Access denied for user 'wa'@'10.0.0.7' (using password: YES)\")": "DB_LOGIN_REFUSED",
    'FATAL:  password authentication failed for user "wa"': "DB_LOGIN_REFUSED",
    "SQLSTATE[HY000] [1045] refused": "DB_LOGIN_REFUSED",
    "(1044, \"Access denied for user 'wa'@'%' to database 'clusterStore'\")": "DB_NAME_REFUSED",
    "(1049, \"Unknown database 'configStore'\")": "DB_NAME_REFUSED",
    'FATAL:  database "configstore" does not exist': "DB_NAME_REFUSED",
    "(3159, 'Connections using insecure transport are prohibited while --require_secure_transport=ON.')": (
        "DB_TLS_REQUIRED"
    ),
    "ERROR 9002 (28000): SSL connection is required. Please specify SSL options and retry.": "DB_TLS_REQUIRED",
    'no pg_hba.conf entry for host "10.0.0.7", user "wa", database "x", SSL off': "DB_TLS_REQUIRED",
    'no pg_hba.conf entry for host "10.0.0.7", user "wa", database "x", SSL on': "DB_HOST_REFUSED",
    "(1130, \"Host '10.0.0.7' is not allowed to connect to this MariaDB server\")": "DB_HOST_REFUSED",
    "(1040, 'Too many connections')": "DB_FULL",
    "FATAL:  sorry, too many clients already": "DB_FULL",
    "(2059, \"Authentication plugin 'caching_sha2_password' cannot be loaded\")": "DB_LOGIN_METHOD",
    "(2005, \"Unknown MySQL server host 'db' (-2)\")": "NAME_NOT_FOUND",
    "getaddrinfo: Temporary failure in name resolution": "NAME_NOT_FOUND",
    "(2003, \"Can't connect to MySQL server on '127.0.0.1' (111)\")": "DB_UNREACHABLE",
    "Waiting for the database at 127.0.0.1:3306": "DB_UNREACHABLE",
    "Cannot listen: [Errno 98] Address already in use": "PORT_TAKEN",
    "Bind for 0.0.0.0:9090 failed: port is already allocated": "PORT_TAKEN",
    "exec /opt/whatsapp/bin/wait_on_mysql.sh: exec format error": "WRONG_ARCHITECTURE",
    "std::bad_alloc": "NO_MEMORY",
    "write /data/x: No space left on device": "DISK_FULL",
    "mkdir /usr/local/wamedia/incoming: Permission denied": "NOT_WRITABLE",
    "touch /usr/local/wamedia/x: Read-only file system": "NOT_WRITABLE",
    'exec: "/opt/whatsapp/bin/launch": stat /opt/whatsapp/bin/launch: no such file': "NOTHING_TO_RUN",
    "This build has expired": "BUILD_EXPIRED",
}
NO_REASONS = (
    "next try in 1045 ms",
    "2003 messages were removed",
    "req_id=1040 answered in 2002 ms",
    "Won the mastership lease",
    "shard 3 is connected",
)


@pytest.mark.parametrize("line", MEANINGS)
def test_what_lines_mean(line: str) -> None:
    cause = cause_of(line)
    assert (cause.code if cause else None) == MEANINGS[line]


def test_every_cause_has_a_line_of_its_own() -> None:
    assert {cause.code for cause in CAUSES} == set(MEANINGS.values())


def test_no_advice_names_what_the_inventory_may_not_set() -> None:
    """Names of the environment that have a variable of their own are refused in wa_extra_environment."""
    named = {name for cause in CAUSES for name in re.findall(r"\bWA\w*|\bCOREAPP_\w+", cause.advice)}
    assert named & set(OWN_ENVIRONMENT) == set()


@pytest.mark.parametrize("line", NO_REASONS)
def test_numbers_alone_mean_nothing(line: str) -> None:
    assert cause_of(line) is None
    assert level_of(line) == PLAIN


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2024-05-01 10:11:12.123 E core req_id=- Something", ERROR),
        ("2024-05-01 10:11:12.123 F core req_id=- Something", ERROR),
        ("[2024-05-01 10:11:12 UTC] E something", ERROR),
        ("E0501 10:11:12.1 glog.cc:7] something", ERROR),
        ("ERROR something", ERROR),
        ("2024-05-01 10:11:12.123 W core Something", WARNING),
        ("2024-05-01 10:11:12.123 I core E is a letter", PLAIN),
        ("2024-05-01 10:11:12.123 I core (1045, 'x')", HINT),
        ("libwa.so: Permission denied", ERROR),
        ("Waiting for the database at db:3306", HINT),
        ("libwa.so: cannot open shared object file", HINT),
        ("2024-05-01 10:11:12.123 I core No such key yet", PLAIN),
        ("", PLAIN),
    ],
)
def test_levels(line: str, level: int) -> None:
    assert level_of(line) == level


STAMP = "2024-05-01 10:11:12.123 {0} core req_id=- {1}"
PLAIN_LINES = st.lists(st.sampled_from([STAMP.format("I", text) for text in NO_REASONS] + list(NO_REASONS)))
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "Zs")), max_size=20).map(
    lambda text: STAMP.format("E", text)
)
UNKNOWN_ERRORS = TEXT.filter(lambda line: cause_of(line) is None)


@given(PLAIN_LINES, UNKNOWN_ERRORS, PLAIN_LINES, UNKNOWN_ERRORS, PLAIN_LINES)
def test_of_errors_nobody_knows_the_last_one_counts_whatever_follows(before, first, between, last, after) -> None:
    assert decisive_line([*before, first, *between, last, *after]) == last


@given(PLAIN_LINES, st.sampled_from(sorted(MEANINGS)), st.integers(1, NEARBY), PLAIN_LINES)
def test_an_error_that_is_understood_is_preferred_to_what_follows_from_it(before, line, distance, after) -> None:
    reason, follows = STAMP.format("E", line), STAMP.format("E", "Gave up, next try in 8000 ms")
    assert decisive_line([*before, reason, *[NO_REASONS[0]] * (distance - 1), follows, *after]) == reason


def test_an_old_error_that_is_understood_is_not_taken_for_the_reason_of_a_new_one() -> None:
    old, new = STAMP.format("E", "(1045, 'x')"), STAMP.format("E", "Something else")
    assert decisive_line([old, *[NO_REASONS[0]] * NEARBY, new]) == new


def test_a_node_that_has_just_begun_again_is_quoted_with_what_ended_it() -> None:
    lines = ["Starting", "libwa.so: cannot open shared object file", "Starting"]
    assert decisive_line(lines) == lines[1]


@given(PLAIN_LINES)
def test_without_a_complaint_it_is_the_last_line(lines) -> None:
    assert decisive_line([*lines, "", " "]) == (lines[-1] if lines else None)
