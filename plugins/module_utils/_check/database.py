# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the database, from what was read of it. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._state.database import (
    CONNECT,
    DRIVER,
    GROUPS,
    NO_TLS_OFFERED,
    PRIVILEGES,
    Failure,
    Report,
    database_name,
    is_refusal,
    product_and_version,
)

#: Oldest versions that work: MySQL 5.7, PostgreSQL 9.5 (reference 6.1); MariaDB 10.2 is what MySQL 5.7 compares to.
OLDEST = {"MySQL": (5, 7), "MariaDB": (10, 2), "PostgreSQL": (9, 5)}
#: Share of max_connections in use from which we warn.
BUSY_SHARE = 0.85
#: A liveness row is written every 60 s and is stale after 120 s (reference 3.3); far older ones are of removed nodes.
STALE_SECONDS = 120
FORGOTTEN_SECONDS = 240

_TOO_MANY_CONNECTIONS = frozenset((1040, 1203))


def database_problems(
    report: Report, *, connections_needed: int | None = None, expect_schema: bool = False
) -> list[Problem]:
    """Everything that is wrong, for the person who reads it.

    connections_needed: free connections that have to be left. expect_schema: the seven databases have to exist.
    """
    if report.failure is not None:
        return [failure_problem(report)]
    found = [
        version_problem(*product_and_version(report.version or "")),
        grants_problem(report),
        connections_problem(report.max_connections, report.connections, connections_needed),
        *liveness_problems(report.liveness or ()),
        schema_problem(report) if expect_schema else None,
    ]
    return [problem for problem in found if problem is not None]


def failure_problem(report: Report) -> Problem:
    """Why nothing, or not all, could be read."""
    failure = report.failure
    if failure is None:
        raise ValueError("nothing failed")
    if failure.stage == DRIVER:
        return Problem("DB_DRIVER_MISSING", failure.text)
    if failure.stage == CONNECT:
        return tls_problem(report, failure) or connection_problem(report, failure)
    text = "The database at {0} was reached, and then reading it failed: {1}.".format(report.address, failure.text)
    return Problem("DB_READ_FAILED", text)


_OTHER_NAME = re.compile(r"(Hostname|IP address) mismatch|does not match host name|is not valid for")
_NOT_VERIFIED = re.compile(r"certificate verify failed|CERTIFICATE_VERIFY_FAILED", re.IGNORECASE)
_NO_CLIENT = re.compile(
    r"requires a valid client certificate|alert (certificate required|unknown ca|bad certificate|handshake failure)"
    r"|(CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE|HANDSHAKE_FAILURE)",
    re.IGNORECASE,
)
_NOT_OFFERED = re.compile(NO_TLS_OFFERED + r"|does(n't| not) support (SSL|it)", re.IGNORECASE)


def tls_problem(report: Report, failure: Failure) -> Problem | None:
    """Why there is no TLS between us and the server, or why there must be; None where it is about something else."""
    if failure.tls_required:
        message = (
            "wa_db_host is {0}, and the server there requires TLS ({1}); set wa_db_ssl_ca to the file with the CA that"
            " signed its certificate."
        )
        return Problem("DB_TLS_REQUIRED", message.format(report.address, failure.text), "wa_db_ssl_ca")
    if report.ssl_ca is None:
        return None
    if _OTHER_NAME.search(failure.text):
        message = (
            "The certificate of the database at {0} is for another name than wa_db_host ({1}); set wa_db_host to a name"
            " in it."
        )
        return Problem("DB_TLS_NAME", message.format(report.address, failure.text), "wa_db_host", report.address)
    for code, variable, pattern, message in (
        ("DB_TLS_UNTRUSTED", "wa_db_ssl_ca", _NOT_VERIFIED,
         "wa_db_ssl_ca is {2!r}, by which the certificate of the database at {0} cannot be verified ({1}); allowed is a"
         " file with the CA that signed it."),
        ("DB_TLS_NOT_OFFERED", "wa_db_ssl_ca", _NOT_OFFERED,
         "wa_db_ssl_ca is {2!r}, and the database at {0} offers no TLS; switch it on there, or unset the variable."),
        ("DB_TLS_CLIENT", "wa_db_ssl_cert", _NO_CLIENT,
         "The database at {0} wants a client certificate that it accepts ({1}); set wa_db_ssl_cert and wa_db_ssl_key to"
         " one that it does."),
    ):  # fmt: skip
        if pattern.search(failure.text):
            value = report.ssl_ca if variable == "wa_db_ssl_ca" else None
            return Problem(code, message.format(report.address, failure.text, report.ssl_ca), variable, value)
    return None


def connection_problem(report: Report, failure: Failure) -> Problem:
    """Why there is no connection, from the driver's words and number."""
    text, code = failure.text, failure.code
    if code in _TOO_MANY_CONNECTIONS or "too many clients" in text:
        return Problem(
            "DB_CONNECTIONS_EXHAUSTED",
            "wa_db_host is {0}, and the database there has no free connection: raise its max_connections.".format(
                report.address
            ),
            "wa_db_host",
            report.address,
        )
    if is_refusal(failure):
        # MySQL says of a user with REQUIRE X509 no more than of a wrong password.
        hint = "; a user made with REQUIRE X509 needs wa_db_ssl_cert and wa_db_ssl_key as well"
        return Problem(
            "DB_REFUSED",
            "The database at {0} refuses wa_db_username {1} with wa_db_password from this host ({2}){3}.".format(
                report.address, report.username or "''", text, hint if report.ssl_ca and not report.client_cert else ""
            ),
            "wa_db_password",
        )
    return Problem(
        "DB_UNREACHABLE",
        "wa_db_host is {0}, and no database can be reached there ({1}).".format(report.address, text),
        "wa_db_host",
        report.address,
    )


def version_problem(product: str, numbers: tuple[int, ...]) -> Problem | None:
    """A problem when the server is older than what the client works with."""
    oldest = OLDEST[product]
    if not numbers or numbers >= oldest:
        return None
    return Problem(
        "DB_TOO_OLD",
        "wa_db_host is a {0} {1}; the client needs {0} {2} or newer.".format(
            product, _dotted(numbers), _dotted(oldest)
        ),
        "wa_db_host",
        _dotted(numbers),
    )


def grants_problem(report: Report) -> Problem | None:
    """All missing grants in one sentence that says what to grant. Those documented are MySQL's."""
    missing, username = report.missing_grants, report.username
    if not missing:
        return None
    if report.engine == "PGSQL":
        text = "wa_db_username {0} may not create schemas in the database {1}.".format(username, ", ".join(missing))
        return Problem("DB_GRANTS_MISSING", text, "wa_db_username", username)
    lacks = [name for name in PRIVILEGES if any(name in names for names in missing.values())]
    return Problem(
        "DB_GRANTS_MISSING",
        "wa_db_username {0} lacks {1} on {2}; it needs {3} on every database it creates.".format(
            username, ", ".join(lacks), ", ".join(sorted(missing)), ", ".join(PRIVILEGES)
        ),
        "wa_db_username",
        username,
    )


def connections_problem(maximum: int | None, used: int | None, needed: int | None) -> Problem | None:
    """Too few free connections for what is needed or, without a number, for comfort."""
    if maximum is None or used is None or maximum <= 0:
        return None
    free = maximum - used
    if needed is not None and free < needed:
        text = "The database has {0} free connections ({1} of {2} in use), and {3} are needed: raise max_connections."
        return Problem("DB_CONNECTIONS_LOW", text.format(free, used, maximum, needed), "max_connections", maximum)
    if needed is None and used >= BUSY_SHARE * maximum:
        text = "The database uses {0} of {1} connections: raise max_connections before nodes are refused."
        return Problem("DB_CONNECTIONS_LOW", text.format(used, maximum), "max_connections", maximum)
    return None


def schema_problem(report: Report) -> Problem | None:
    """Databases of the client that are not there."""
    names = [database_name(report.name_prefix, group) for group in GROUPS]
    missing = [name for name in names if name not in (report.databases or ())]
    if not missing:
        return None
    text = "The client's databases are not all there: {0} missing.".format(", ".join(missing))
    return Problem("DB_SCHEMA_MISSING", text, "wa_db_name_prefix", report.name_prefix)


def liveness_problems(rows: t.Iterable[t.Mapping[str, t.Any]]) -> list[Problem]:
    """One problem for each coreapp that has stopped writing its row; rows of nodes long gone are left out."""
    return [
        Problem(
            "LIVENESS_STALE",
            "Coreapp {0} wrote its liveness row {1:.0f} s ago; after {2} s it counts as dead.".format(
                row["node"], row["age_seconds"], STALE_SECONDS
            ),
            host=row["node"],
        )
        for row in rows
        if row["role"] == "coreapp" and STALE_SECONDS < (row["age_seconds"] or 0) <= FORGOTTEN_SECONDS
    ]


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
