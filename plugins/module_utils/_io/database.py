# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the cluster's database: version, grants, connections, and the client's tables where they exist.

Only reads and decides nothing. Internal to waent.fleet: may change in any release. MySQL and MariaDB are read with
PyMySQL, PostgreSQL with psycopg2; both are imported when they are needed, and a sentence says which one is missing.
"""

from __future__ import annotations

import importlib
import re
import socket
import ssl
import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.waent.fleet.plugins.module_utils._state.database import (
    CONNECT,
    DRIVER,
    GROUPS,
    NO_TLS_OFFERED,
    READ,
    Failure,
    Report,
    database_name,
    is_refusal,
    is_ruled_out,
    missing_grants,
    product_and_version,
    says_tls_is_required,
)

#: Pause between two reads of a row that may be written again.
SIGN_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Tls:
    """How TLS is spoken, as the nodes do.

    ca, cert, key: paths; without a CA nobody is verified, which is only good for asking whether TLS is required.
    server_name: what the certificate of the server must be for; None: the host that is asked.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    check_hostname: bool = False
    server_name: str | None = None


@dataclass(frozen=True)
class DatabaseAccess:
    """Where the database is and who we are there. C(engine) is C(MYSQL) or C(PGSQL), as in WA_DB_ENGINE.

    tls: None speaks none at all, as nodes do that are given no CA.
    """

    engine: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    name_prefix: str = ""
    tls: Tls | None = None
    timeout: float = 10.0

    @property
    def address(self) -> str:
        """C(host:port), for messages."""
        return "{0}:{1}".format(self.host, self.port)

    def database(self, group: str) -> str:
        """The name of a group's database."""
        return database_name(self.name_prefix, group)


Connect = t.Callable[[DatabaseAccess], t.Any]


class DriverMissing(Exception):
    """The Python package that speaks to this engine is not installed. The text is a sentence for the user."""


def read_database(access: DatabaseAccess, *, connect: Connect | None = None) -> Report:
    """Everything that can be read. Raises nothing that a user could cause.

    connect: opens a DB-API connection; given by tests.
    """
    reader = _PostgresReader if access.engine == "PGSQL" else _MySqlReader
    tls = access.tls or Tls()
    asked = Report(access.engine, access.address, access.username, access.name_prefix, tls.ca, bool(tls.cert))
    open_link = connect or reader.connect
    try:
        link = open_link(access)
    except DriverMissing as error:
        return replace(asked, failure=Failure(DRIVER, str(error)))
    except Exception as error:  # Every driver has its own family of errors; all mean that there is no connection.
        failure = _failure(CONNECT, error)
        return replace(asked, failure=replace(failure, tls_required=_requires_tls(access, failure, open_link)))
    try:
        return replace(asked, reachable=True, **reader(access, link).facts())
    except (link.Error, OSError) as error:
        return replace(asked, reachable=True, failure=_failure(READ, error))
    finally:
        link.close()


def _requires_tls(access: DatabaseAccess, failure: Failure, connect: Connect) -> bool:
    """Whether a connection failed only because it was not TLS.

    Servers that want TLS of a user or a host alone refuse it with the words for a wrong password, so it is tried.
    """
    if access.tls is not None:
        return False
    if says_tls_is_required(failure):
        return True
    if not is_refusal(failure):
        return False
    try:
        connect(replace(access, tls=Tls())).close()
    except Exception as error:  # As above: there is no connection with TLS either.
        # PostgreSQL looks for a rule first, and for the password then.
        return is_ruled_out(failure) and not is_ruled_out(_failure(CONNECT, error))
    return True


def _failure(stage: str, error: Exception) -> Failure:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else None
    return Failure(stage, _first_line(error), code)


def _first_line(error: Exception) -> str:
    """The driver's own words on one line. They name users, hosts and databases, never a password."""
    args = [arg for arg in error.args if isinstance(arg, str)]
    text = args[-1] if args else str(error)
    return (text.strip().splitlines() or [error.__class__.__name__])[0].rstrip(".")


def read_signs_of_life(
    read: t.Callable[[], Report],
    nodes: t.Collection[str],
    alive_seconds: float,
    *,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Report:
    """Read again and again until one of these nodes has renewed its liveness row, or none of them can be alive.

    alive_seconds: age in seconds from which a row is no sign of life. A row alone does not show whether its node
    lives or has ended a moment ago; a row that gets younger does. Takes little more than alive_seconds at most.
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

    def facts(self) -> dict[str, t.Any]:
        """Everything about this server, by the names of a Report's fields."""
        server = self.server()
        product, _numbers = product_and_version(server["version"])
        return dict(server, product=product, **self.cluster_rows(), **self.account_row())

    def server(self) -> dict[str, t.Any]:
        """Version, grants, connections and databases."""
        raise NotImplementedError


class _MySqlReader(_Reader):
    """MySQL and MariaDB."""

    @staticmethod
    def connect(access: DatabaseAccess) -> t.Any:
        """A PyMySQL connection; raises DriverMissing or the driver's own error."""
        driver = _import(("pymysql",), "PyMySQL", "MySQL")
        tls = access.tls
        link = driver.connect(
            host=access.host,
            port=access.port,
            user=access.username,
            # Of text the driver sends Latin-1; servers and the client take a password as UTF-8.
            password=access.password.encode(),
            connect_timeout=max(1, int(access.timeout)),
            read_timeout=max(1, int(access.timeout)),
            charset="utf8mb4",
            autocommit=True,
            # Left alone, newer releases of the driver take TLS where it is offered, which nodes do not.
            **({"ssl": _tls_context(tls)} if tls else {"ssl_disabled": True}),
        )
        if tls and not _is_encrypted(link):
            link.close()
            raise driver.OperationalError(NO_TLS_OFFERED)
        return link

    def server(self) -> dict[str, t.Any]:
        names = [self.access.database(group) for group in GROUPS]
        placeholders = ", ".join(["%s"] * len(names))
        return {
            "version": self.rows("SELECT VERSION()")[0][0],
            "missing_grants": missing_grants(self._grants(), names, literal=self._partial_revokes()),
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
        }

    def table(self, name: str, group: str = "cluster") -> str:
        return "`{0}`.`{1}`".format(self.access.database(group).replace("`", "``"), name)

    def age_expression(self) -> str:
        return "TIMESTAMPDIFF(MICROSECOND, last_seen, UTC_TIMESTAMP(6)) / 1000000"

    def _status(self, name: str) -> int | None:
        rows = self.rows("SHOW GLOBAL STATUS LIKE %s", [name])
        return int(rows[0][1]) if rows else None

    def _partial_revokes(self) -> bool:
        """Whether grants on all databases may have exceptions (MySQL 8.0.16); names in others are no patterns then."""
        rows = self.rows("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'")
        return bool(rows) and str(rows[0][1]).upper() in ("ON", "1")

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
            # The user's own are among them, and what a role grants may lift what was revoked.
            lines = [row[0] for row in self.rows("SHOW GRANTS FOR CURRENT_USER() USING {0}".format(role))]
        return lines


class _PostgresReader(_Reader):
    """PostgreSQL: the groups are schemas of the database C(postgres)."""

    @staticmethod
    def connect(access: DatabaseAccess) -> t.Any:
        """A psycopg2 connection; raises DriverMissing or the driver's own error."""
        driver = _import(("psycopg2",), "psycopg2", "PostgreSQL")
        options = {
            "host": access.host,
            "port": access.port,
            "user": access.username,
            "password": access.password,
            "dbname": "postgres",
            "connect_timeout": max(2, int(access.timeout)),
            **_postgres_tls(access),
        }
        link = driver.connect(**options)
        link.autocommit = True
        return link

    def server(self) -> dict[str, t.Any]:
        """The documented grants are MySQL's: here it is the right to create schemas."""
        may_create = bool(self.rows("SELECT has_database_privilege(current_database(), 'CREATE')")[0][0])
        names = [self.access.database(group) for group in GROUPS]
        # Not information_schema: that shows only the schemas that belong to this user.
        query = "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY nspname"
        return {
            "version": "PostgreSQL {0}".format(self.rows("SHOW server_version")[0][0]),
            "missing_grants": {} if may_create else {"postgres": ("CREATE",)},
            "max_connections": int(self.rows("SHOW max_connections")[0][0]),
            "connections": int(self.rows("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")[0][0]),
            "max_used_connections": None,
            "databases": tuple(row[0] for row in self.rows(query, [names])),
        }

    def table(self, name: str, group: str = "cluster") -> str:
        return '"{0}"."{1}"'.format(self.access.database(group).replace('"', '""'), name)

    def age_expression(self) -> str:
        return "EXTRACT(EPOCH FROM ((now() AT TIME ZONE 'utc') - last_seen))"


def _grants_a_role(line: str) -> bool:
    return re.match(r"(GRANT|REVOKE) .+ ON ", line, re.IGNORECASE) is None


class _NamedContext(ssl.SSLContext):
    """Verifies a server by the name that nodes have for it, whatever address it is reached by here."""

    server_name: str | None = None

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        name = self.server_name or server_hostname
        return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, name, session)


def _tls_context(tls: Tls) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = tls.server_name
    context.check_hostname = tls.ca is not None and tls.check_hostname
    if tls.ca is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cafile=tls.ca)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def _is_encrypted(link: t.Any) -> bool:
    """Older releases of the driver go on in clear text where a server offers no TLS."""
    cursor = link.cursor()
    try:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        return any(row[1] for row in cursor.fetchall())
    finally:
        cursor.close()


def _postgres_tls(access: DatabaseAccess) -> dict[str, str]:
    """Options of libpq. Left alone, it takes TLS where it is offered, which nodes do not."""
    tls = access.tls
    if tls is None or tls.ca is None:
        return {"sslmode": "disable" if tls is None else "require"}
    options = {"sslmode": "verify-full" if tls.check_hostname else "verify-ca", "sslrootcert": tls.ca}
    if tls.cert and tls.key:
        options.update(sslcert=tls.cert, sslkey=tls.key)
    if tls.server_name and tls.server_name != access.host:
        # It verifies C(host), and goes to C(hostaddr).
        found = socket.getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM)
        options.update(host=tls.server_name, hostaddr=str(found[0][4][0]))
    return options


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
