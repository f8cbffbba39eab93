# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database as it was read, and what a server's answers mean. Internal to waent.fleet: may change. Pure.

What is wrong with it is found by C(_check/database.py).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

#: What the client needs on every database it creates (reference 2.4).
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "INDEX", "DROP")
#: The groups of the schema; each has a database C(<prefix><group>Store) (reference 2.5).
GROUPS = ("axolotl", "callback", "cluster", "config", "contact", "jobqueue", "message")

DRIVER, CONNECT, READ = "driver", "connect", "read"
"""What a failure kept from happening: the driver is not installed, there is no session, an answer did not come."""


def database_name(prefix: str, group: str) -> str:
    """The name of a group's database. prefix: C(wa_db_name_prefix)."""
    return "{0}{1}Store".format(prefix, group)


@dataclass(frozen=True)
class Failure:
    """Why nothing, or not all, was read. text: one line, never a secret. code: the server's number, if any.

    tls_required: no TLS was spoken, and with it there is a connection.
    """

    stage: str
    text: str
    code: int | None = None
    tls_required: bool = False


@dataclass(frozen=True)
class Report:
    """What was found out. None means that it could not be read.

    address: C(host:port), username, name_prefix: whom was asked, as whom, and how the client's databases begin.
    ssl_ca: file of the CA, None without TLS. client_cert: whether a client certificate was shown.
    failure: why reading ended early, None where it did not. missing_grants: database to privileges that lack there.
    shard_map: C({shard, owner}). liveness: C({node, role, version, age_seconds}), age by the database's own clock.
    databases: those of the seven that exist. registered_number: digits with country code, None also where no number
    is registered.
    """

    engine: str
    address: str = ""
    username: str = ""
    name_prefix: str = ""
    ssl_ca: str | None = None
    client_cert: bool = False
    failure: Failure | None = None
    reachable: bool = False
    product: str | None = None
    version: str | None = None
    missing_grants: t.Mapping[str, tuple[str, ...]] | None = None
    max_connections: int | None = None
    connections: int | None = None
    max_used_connections: int | None = None
    databases: tuple[str, ...] | None = None
    configured_shards: int | None = None
    registered: bool | None = None
    registered_number: str | None = None
    shard_map: tuple[dict[str, t.Any], ...] | None = None
    liveness: tuple[dict[str, t.Any], ...] | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """What modules return as C(database)."""
        return {
            "engine": self.engine,
            "reachable": self.reachable,
            "product": self.product,
            "version": self.version,
            "missing_grants": None
            if self.missing_grants is None
            else [{"database": name, "privileges": list(lack)} for name, lack in sorted(self.missing_grants.items())],
            "max_connections": self.max_connections,
            "connections": self.connections,
            "max_used_connections": self.max_used_connections,
            "databases": None if self.databases is None else list(self.databases),
            "configured_shards": self.configured_shards,
            "registered": self.registered,
            "registered_number": self.registered_number,
            "shard_map": None if self.shard_map is None else list(self.shard_map),
            "liveness": None if self.liveness is None else list(self.liveness),
        }


def product_and_version(text: str) -> tuple[str, tuple[int, ...]]:
    """C(10.11.6-MariaDB-0+deb12u1) as C(("MariaDB", (10, 11, 6))); numbers are empty where there are none."""
    product = "MariaDB" if "mariadb" in text.lower() else "PostgreSQL" if "postgres" in text.lower() else "MySQL"
    # MariaDB behind MySQL's protocol puts 5.5.5- in front for the sake of old replicas.
    plain = re.sub(r"^5\.5\.5-(?=\d+\.)", "", text)
    match = re.search(r"\d+(\.\d+)*", plain)
    return product, tuple(int(part) for part in match.group(0).split(".")) if match else ()


NO_TLS_OFFERED = "the server offers no TLS"

_REFUSED = frozenset((1044, 1045, 1130, 1131, 1251, 1698, 2059))
# MySQL and MariaDB with require_secure_transport; Azure.
_TLS_REQUIRED = frozenset((3159, 9002))


def is_refusal(failure: Failure) -> bool:
    """Whether the server was reached, and does not let this user in."""
    return failure.code in _REFUSED or "authentication failed" in failure.text or is_ruled_out(failure)


def is_ruled_out(failure: Failure) -> bool:
    """Whether PostgreSQL has no rule for such a connection; it may have one for TLS."""
    return "no pg_hba.conf entry" in failure.text or "pg_hba.conf rejects" in failure.text


def says_tls_is_required(failure: Failure) -> bool:
    """Whether the server's words alone say so."""
    return failure.code in _TLS_REQUIRED or "SSL connection is required" in failure.text


def granted(lines: t.Iterable[str], verb: str = "GRANT") -> list[tuple[str, frozenset[str]]]:
    """C(SHOW GRANTS) as pairs of a database pattern and the privileges on it; grants on tables and columns left out.

    verb: C(REVOKE) for the exceptions of grants on all databases, as MySQL shows them (partial revokes).
    """
    found = []
    word = {"GRANT": "TO", "REVOKE": "FROM"}[verb]
    for line in lines:
        match = re.match(verb + r" (.+?) ON (?:TABLE )?(\S+|`.+?`)\.(\S+) " + word + " ", line, re.IGNORECASE)
        if not match or match.group(3).strip("`") != "*":
            continue
        names = {name.strip().upper() for name in match.group(1).split(",")}
        if names & {"ALL", "ALL PRIVILEGES"}:
            names = set(PRIVILEGES)
        found.append((match.group(2).strip("`").replace("``", "`"), frozenset(names)))
    return found


def missing_grants(
    lines: t.Sequence[str], databases: t.Sequence[str], literal: bool = False
) -> dict[str, tuple[str, ...]]:
    """Database to the privileges that lack on it, in the order of PRIVILEGES; databases with all of them left out.

    literal: names of databases are no patterns. What is revoked is an exception of a grant on all databases; a grant
    on the database itself stands.
    """
    grants, revoked = granted(lines), granted(lines, "REVOKE")
    missing = {}
    for database in databases:
        there: set[str] = set()
        exceptions = {name for revoked_on, names in revoked if revoked_on == database for name in names}
        for pattern, names in grants:
            if pattern == "*":
                there |= names - exceptions
            elif pattern == database if literal else pattern_matches(pattern, database):
                there |= names
        lacks = tuple(name for name in PRIVILEGES if name not in there)
        if lacks:
            missing[database] = lacks
    return missing


def pattern_matches(pattern: str, database: str) -> bool:
    """Whether a database pattern of a grant (C(%), C(_), backslash escapes) covers a database."""
    if pattern == "*":
        return True
    expression = ""
    escaped = False
    for char in pattern:
        if char == "\\" and not escaped:
            escaped = True
            continue
        expression += re.escape(char) if escaped or char not in "%_" else ".*" if char == "%" else "."
        escaped = False
    return re.match("(?s:" + expression + r")\Z", database) is not None
