# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's database: reachable, version, grants, head-room, shard map and liveness rows where they exist.

Only reads. Internal to waent.fleet: may change in any release. MySQL and MariaDB are read with PyMySQL, PostgreSQL
with psycopg2; both are imported when they are needed, and a sentence says which one is missing.
"""

from __future__ import annotations

import importlib
import re
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

#: What the client needs on every database it creates (reference 2.4).
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "INDEX", "DROP")
#: The groups of the schema; each has a database C(<prefix><group>Store) (reference 2.5).
GROUPS = ("axolotl", "callback", "cluster", "config", "contact", "jobqueue", "message")
#: Oldest versions that work: MySQL 5.7, PostgreSQL 9.5 (reference 6.1); MariaDB 10.2 is what MySQL 5.7 compares to.
OLDEST = {"MySQL": (5, 7), "MariaDB": (10, 2), "PostgreSQL": (9, 5)}
#: Share of max_connections in use from which we warn.
BUSY_SHARE = 0.85
#: A liveness row is written every 60 s and is stale after 120 s (reference 3.3); far older ones are of removed nodes.
STALE_SECONDS = 120
FORGOTTEN_SECONDS = 240
#: Pause between two looks for a row that is written anew.
SIGN_PAUSE_SECONDS = 1.0

_REFUSED = frozenset((1044, 1045, 1130, 1131, 1251, 1698, 2059))
_TOO_MANY_CONNECTIONS = frozenset((1040, 1203))


@dataclass(frozen=True)
class DatabaseAccess:
    """Where the database is and who we are there. C(engine) is C(MYSQL) or C(PGSQL), as in WA_DB_ENGINE."""

    engine: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    name_prefix: str = ""
    ca_path: str | None = None
    timeout: float = 10.0

    @property
    def address(self) -> str:
        """C(host:port), for messages."""
        return "{0}:{1}".format(self.host, self.port)

    def database(self, group: str) -> str:
        """The name of a group's database."""
        return "{0}{1}Store".format(self.name_prefix, group)


@dataclass(frozen=True)
class Report:
    """What was found out. None means that it could not be read.

    missing_grants: database to privileges that lack there. shard_map: C({shard, owner}). liveness: C({node, role,
    version, age_seconds}), age by the database's own clock. databases: those of the seven that exist.
    registered_number: digits with country code, None also where no number is registered.
    """

    engine: str
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
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """What modules return as C(database); the problems are returned beside it."""
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


Connect = t.Callable[[DatabaseAccess], t.Any]


class DriverMissing(Exception):
    """The Python package that speaks to this engine is not installed. The text is a sentence for the user."""


def read_database(
    access: DatabaseAccess,
    *,
    connections_needed: int | None = None,
    expect_schema: bool = False,
    connect: Connect | None = None,
) -> Report:
    """Everything that can be read, with all problems found. Raises nothing that a user could cause.

    connections_needed: free connections that have to be left. expect_schema: the seven databases have to exist.
    connect: opens a DB-API connection; given by tests.
    """
    reader = _PostgresReader if access.engine == "PGSQL" else _MySqlReader
    try:
        link = (connect or reader.connect)(access)
    except DriverMissing as error:
        return Report(access.engine, problems=(Problem("DB_DRIVER_MISSING", str(error)),))
    except Exception as error:  # Every driver has its own family of errors; all mean that there is no connection.
        return Report(access.engine, problems=(connection_problem(access, error),))
    try:
        return reader(access, link).report(connections_needed, expect_schema)
    except (link.Error, OSError) as error:
        text = "The database at {0} was reached, and then reading it failed: {1}.".format(
            access.address, _first_line(error)
        )
        return Report(access.engine, reachable=True, problems=(Problem("DB_READ_FAILED", text),))
    finally:
        link.close()


def read_signs_of_life(
    read: t.Callable[[], Report],
    nodes: t.Collection[str],
    alive_seconds: float,
    *,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Report:
    """Read again and again until one of these nodes has written its liveness row anew, or none of them can be alive.

    alive_seconds: age in seconds from which a row is no sign of life. A row alone does not tell a node that lives from
    one that has ended a moment ago; a row that gets younger does. Takes little more than alive_seconds at most.
    """
    report = read()
    ages = _young_ages(report, nodes, alive_seconds)
    deadline = clock() + alive_seconds + SIGN_PAUSE_SECONDS
    while ages and clock() < deadline:
        sleep(SIGN_PAUSE_SECONDS)
        report = read()
        now = _young_ages(report, nodes, alive_seconds)
        if any(age < ages.get(node, float("inf")) for node, age in now.items()):
            return report
        ages = now
    return report


def _young_ages(report: Report, nodes: t.Collection[str], alive_seconds: float) -> dict[str, float]:
    ages = {row["node"]: row["age_seconds"] for row in report.liveness or () if row["node"] in nodes}
    return {node: age for node, age in ages.items() if age is not None and age <= alive_seconds}


def connection_problem(access: DatabaseAccess, error: Exception) -> Problem:
    """Why there is no connection, from the driver's error."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else None
    text = _first_line(error)
    if code in _TOO_MANY_CONNECTIONS or "too many clients" in text:
        return Problem(
            "DB_CONNECTIONS_EXHAUSTED",
            "wa_db_host is {0}, and the database there has no free connection: raise its max_connections.".format(
                access.address
            ),
            "wa_db_host",
            access.address,
        )
    if code in _REFUSED or "authentication failed" in text or "no pg_hba.conf entry" in text:
        return Problem(
            "DB_REFUSED",
            "The database at {0} refuses wa_db_username {1} with wa_db_password from this host ({2}).".format(
                access.address, access.username or "''", text
            ),
            "wa_db_password",
        )
    return Problem(
        "DB_UNREACHABLE",
        "wa_db_host is {0}, and no database can be reached there ({1}).".format(access.address, text),
        "wa_db_host",
        access.address,
    )


# --- Pure parts ------------------------------------------------------------------------------------------------------


def product_and_version(text: str) -> tuple[str, tuple[int, ...]]:
    """C(10.11.6-MariaDB-0+deb12u1) as C(("MariaDB", (10, 11, 6))); numbers are empty where there are none."""
    product = "MariaDB" if "mariadb" in text.lower() else "PostgreSQL" if "postgres" in text.lower() else "MySQL"
    # MariaDB behind MySQL's protocol puts 5.5.5- in front for the sake of old replicas.
    plain = re.sub(r"^5\.5\.5-(?=\d+\.)", "", text)
    match = re.search(r"\d+(\.\d+)*", plain)
    return product, tuple(int(part) for part in match.group(0).split(".")) if match else ()


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


def grants_problem(missing: t.Mapping[str, tuple[str, ...]], username: str) -> Problem | None:
    """All missing grants in one sentence that says what to grant."""
    if not missing:
        return None
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


def _first_line(error: Exception) -> str:
    """The driver's own words on one line. They name users, hosts and databases, never a password."""
    args = [arg for arg in error.args if isinstance(arg, str)]
    text = args[-1] if args else str(error)
    return (text.strip().splitlines() or [error.__class__.__name__])[0].rstrip(".")


# --- Reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """What both engines have in common: run a query, give rows."""

    def __init__(self, access: DatabaseAccess, link: t.Any) -> None:
        self.access = access
        self.link = link

    def rows(self, query: str, parameters: t.Sequence[t.Any] = ()) -> list[tuple[t.Any, ...]]:
        """All rows of a query."""
        cursor = self.link.cursor()
        try:
            # With parameters, even none, a query is a format string for the drivers, and names may have a % in them.
            cursor.execute(query, tuple(parameters) if parameters else None)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def table(self, name: str, group: str = "cluster") -> str:
        """A table of a group as this engine names it."""
        raise NotImplementedError

    def age_expression(self) -> str:
        """SQL for the age of C(last_seen) in seconds by the database's own clock."""
        raise NotImplementedError

    def knows(self, group: str) -> t.Callable[[str, str], bool]:
        """Whether a table of a group has these columns, separated by blanks; one of the same name may have others."""
        query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
        there = {(str(table), str(column)) for table, column in self.rows(query, [self.access.database(group)])}
        return lambda table, columns: all((table, column) in there for column in columns.split())

    def cluster_rows(self) -> dict[str, t.Any]:
        """Shard map, liveness and shard count where their tables exist and have the columns we know, else None."""
        known = self.knows("cluster")
        found: dict[str, t.Any] = {"shard_map": None, "liveness": None, "configured_shards": None}
        if known("shard_map", "shard owner_key"):
            rows = self.rows("SELECT shard, owner_key FROM {0} ORDER BY shard".format(self.table("shard_map")))
            found["shard_map"] = tuple({"shard": int(shard), "owner": owner} for shard, owner in rows)
        if known("nodes", "node_key role version last_seen"):
            rows = self.rows(
                "SELECT node_key, role, version, {0} FROM {1} ORDER BY node_key".format(
                    self.age_expression(), self.table("nodes")
                )
            )
            found["liveness"] = tuple(
                {"node": key, "role": role, "version": version, "age_seconds": None if age is None else float(age)}
                for key, role, version, age in rows
            )
        if known("cluster_state", "shards"):
            rows = self.rows("SELECT shards FROM {0}".format(self.table("cluster_state")))
            found["configured_shards"] = int(rows[0][0]) if rows else None
        return found

    def account_row(self) -> dict[str, t.Any]:
        """Whether a number is registered, and which, where it is kept in the way we know, else None."""
        unknown = {"registered": None, "registered_number": None}
        if not self.knows("config")("account", "state cc phone_number"):
            return unknown
        rows = self.rows("SELECT state, cc, phone_number FROM {0}".format(self.table("account", "config")))
        if len(rows) != 1 or rows[0][0] not in ("registered", "unregistered"):
            return unknown
        state, cc, number = rows[0]
        registered = state == "registered"
        return {"registered": registered, "registered_number": "{0}{1}".format(cc, number) if registered else None}

    def finish(self, report: dict[str, t.Any], needed: int | None, expect_schema: bool) -> Report:
        """Adds the problems that both engines have in common."""
        problems: list[Problem | None] = list(report.pop("problems"))
        product, numbers = product_and_version(report["version"])
        problems.insert(0, version_problem(product, numbers))
        problems.append(connections_problem(report["max_connections"], report["connections"], needed))
        problems += liveness_problems(report["liveness"] or ())
        lacking = [self.access.database(group) for group in GROUPS]
        lacking = [name for name in lacking if name not in report["databases"]]
        if expect_schema and lacking:
            text = "The client's databases are not all there: {0} missing.".format(", ".join(lacking))
            problems.append(Problem("DB_SCHEMA_MISSING", text, "wa_db_name_prefix", self.access.name_prefix))
        return Report(
            engine=self.access.engine,
            reachable=True,
            product=product,
            problems=tuple(problem for problem in problems if problem is not None),
            **report,
        )


class _MySqlReader(_Reader):
    """MySQL and MariaDB."""

    @staticmethod
    def connect(access: DatabaseAccess) -> t.Any:
        """A PyMySQL connection; raises DriverMissing or the driver's own error."""
        driver = _import(("pymysql",), "PyMySQL", "MySQL")
        return driver.connect(
            host=access.host,
            port=access.port,
            user=access.username,
            password=access.password,
            connect_timeout=max(1, int(access.timeout)),
            read_timeout=max(1, int(access.timeout)),
            charset="utf8mb4",
            autocommit=True,
            ssl={"ca": access.ca_path} if access.ca_path else None,
        )

    def report(self, needed: int | None, expect_schema: bool) -> Report:
        """Everything about this server."""
        names = [self.access.database(group) for group in GROUPS]
        missing = missing_grants(self._grants(), names)
        placeholders = ", ".join(["%s"] * len(names))
        found = {
            "version": self.rows("SELECT VERSION()")[0][0],
            "missing_grants": missing,
            "max_connections": int(self.rows("SELECT @@GLOBAL.max_connections")[0][0]),
            "connections": self._status("Threads_connected"),
            "max_used_connections": self._status("Max_used_connections"),
            "databases": tuple(
                row[0]
                for row in self.rows(
                    "SELECT schema_name FROM information_schema.schemata"
                    " WHERE schema_name IN ({0}) ORDER BY schema_name".format(placeholders),
                    names,
                )
            ),
            "problems": [grants_problem(missing, self.access.username)],
        }
        found.update(self.cluster_rows())
        found.update(self.account_row())
        return self.finish(found, needed, expect_schema)

    def table(self, name: str, group: str = "cluster") -> str:
        return "`{0}`.`{1}`".format(self.access.database(group).replace("`", "``"), name)

    def age_expression(self) -> str:
        return "TIMESTAMPDIFF(MICROSECOND, last_seen, UTC_TIMESTAMP(6)) / 1000000"

    def _status(self, name: str) -> int | None:
        rows = self.rows("SHOW GLOBAL STATUS LIKE %s", [name])
        return int(rows[0][1]) if rows else None

    def _grants(self) -> list[str]:
        """The user's grants and those of the roles that are active in this session."""
        lines = [row[0] for row in self.rows("SHOW GRANTS")]
        if not any(_grants_a_role(line) for line in lines):
            return lines
        role = (self.rows("SELECT CURRENT_ROLE()") or [(None,)])[0][0]
        if not role or str(role).upper() == "NONE":
            return lines
        # MariaDB has one active role and lists its grants itself; MySQL has to be asked for them.
        if "mariadb" not in str(self.rows("SELECT VERSION()")[0][0]).lower():
            lines += [row[0] for row in self.rows("SHOW GRANTS FOR CURRENT_USER() USING {0}".format(role))]
        return lines


class _PostgresReader(_Reader):
    """PostgreSQL: the groups are schemas of the database C(postgres)."""

    @staticmethod
    def connect(access: DatabaseAccess) -> t.Any:
        """A psycopg2 connection; raises DriverMissing or the driver's own error."""
        driver = _import(("psycopg2",), "psycopg2", "PostgreSQL")
        link = driver.connect(
            host=access.host,
            port=access.port,
            user=access.username,
            password=access.password,
            dbname="postgres",
            connect_timeout=max(2, int(access.timeout)),
            **({"sslmode": "verify-ca", "sslrootcert": access.ca_path} if access.ca_path else {}),
        )
        link.autocommit = True
        return link

    def report(self, needed: int | None, expect_schema: bool) -> Report:
        """Everything about this server. The documented grants are MySQL's: here it is the right to create schemas."""
        may_create = bool(self.rows("SELECT has_database_privilege(current_database(), 'CREATE')")[0][0])
        names = [self.access.database(group) for group in GROUPS]
        # Not information_schema: that shows only the schemas that belong to this user.
        query = "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY nspname"
        found = {
            "version": "PostgreSQL {0}".format(self.rows("SHOW server_version")[0][0]),
            "missing_grants": {} if may_create else {"postgres": ("CREATE",)},
            "max_connections": int(self.rows("SHOW max_connections")[0][0]),
            "connections": int(self.rows("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")[0][0]),
            "max_used_connections": None,
            "databases": tuple(row[0] for row in self.rows(query, [names])),
            "problems": [] if may_create else [self._cannot_create()],
        }
        found.update(self.cluster_rows())
        found.update(self.account_row())
        return self.finish(found, needed, expect_schema)

    def _cannot_create(self) -> Problem:
        text = "wa_db_username {0} may not create schemas in the database postgres.".format(self.access.username)
        return Problem("DB_GRANTS_MISSING", text, "wa_db_username", self.access.username)

    def table(self, name: str, group: str = "cluster") -> str:
        return '"{0}"."{1}"'.format(self.access.database(group).replace('"', '""'), name)

    def age_expression(self) -> str:
        return "EXTRACT(EPOCH FROM ((now() AT TIME ZONE 'utc') - last_seen))"


def _grants_a_role(line: str) -> bool:
    return re.match(r"GRANT .+ ON ", line, re.IGNORECASE) is None


def _import(names: tuple[str, ...], package: str, product: str) -> t.Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise DriverMissing(
        "{0} cannot be read from this host: the Python package {1} is not installed for the Python that runs the"
        " module.".format(product, package)
    )
