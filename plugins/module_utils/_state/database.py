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
    """Why nothing, or not all, was read. text: one line, never a secret. code: the server's number, if any."""

    stage: str
    text: str
    code: int | None = None


@dataclass(frozen=True)
class Report:
    """What was found out. None means that it could not be read.

    address: C(host:port), username, name_prefix: whom was asked, as whom, and how the client's databases begin.
    failure: why reading ended early, None where it did not. missing_grants: database to privileges that lack there.
    shard_map: C({shard, owner}). liveness: C({node, role, version, age_seconds}), age by the database's own clock.
    databases: those of the seven that exist. registered_number: digits with country code, None also where no number
    is registered.
    """

    engine: str
    address: str = ""
    username: str = ""
    name_prefix: str = ""
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


def granted(lines: t.Iterable[str]) -> list[tuple[str, frozenset[str]]]:
    """C(SHOW GRANTS) as pairs of a database pattern and the privileges on it; grants on tables and columns left out."""
    found = []
    for line in lines:
        match = re.match(r"GRANT (.+?) ON (?:TABLE )?(\S+|`.+?`)\.(\S+) TO ", line, re.IGNORECASE)
        if not match or match.group(3).strip("`") != "*":
            continue
        names = {name.strip().upper() for name in match.group(1).split(",")}
        if names & {"ALL", "ALL PRIVILEGES"}:
            names = set(PRIVILEGES)
        found.append((match.group(2).strip("`").replace("``", "`"), frozenset(names)))
    return found


def missing_grants(lines: t.Iterable[str], databases: t.Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Database to the privileges that lack on it, in the order of PRIVILEGES; databases with all of them left out."""
    grants = granted(lines)
    missing = {}
    for database in databases:
        there: set[str] = set()
        for pattern, names in grants:
            if pattern_matches(pattern, database):
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
