"""The connection to MySQL (MariaDB) or PostgreSQL.

Each group of tables is a database of its own on MySQL and a schema of the database C(postgres) on PostgreSQL;
statements name the group as their schema and C(schema_translate_map) turns it into the prefixed name.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.sql.functions import FunctionElement

from waemu.environment import DbEnv
from waemu.schema.tables import GROUPS, Micros, database_name

DB_ERRORS = (SQLAlchemyError, OSError, TimeoutError)  # what any call may raise when the database is away
PG_DATABASE = "postgres"
CONNECT_TIMEOUT = 5  # real seconds
DEAD_CLIENT = 15  # real seconds without a word after which the database ends a connection
PING_AFTER = 1.0  # real seconds without use after which nobody relies on a connection


def make_engine(db: DbEnv, *, size: int = 4, group: str = "") -> AsyncEngine:
    """An engine with a small pool: so many connections at most, opened when they are needed and then kept.

    size: 0 opens one for every use and closes it after. group: the group to be in by default, for migrations; other
    statements name theirs.
    """
    is_mysql = db.engine == "MYSQL"
    home = database_name(db.name_prefix, group) if group else ""
    url = sa.URL.create(
        "mysql+aiomysql" if is_mysql else "postgresql+asyncpg",
        username=db.username,
        password=_as_sent(db.password) if is_mysql else db.password,
        host=db.hostname,
        port=db.port,
        database=(home or None) if is_mysql else PG_DATABASE,
        query={"charset": "utf8mb4"} if is_mysql else {},
    )
    engine = create_async_engine(
        url,
        **(_pool(db, size) if size else {"poolclass": NullPool}),
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # errors go to the log, and values may be secrets or what people write
        connect_args=_connect_args(db, home),
    )
    _ping_after_a_pause(engine.sync_engine)
    return engine.execution_options(schema_translate_map=translate_map(db))


def _as_sent(password: str) -> str:
    """A password for the MySQL driver, which sends Latin-1: servers take UTF-8."""
    return password.encode().decode("latin-1")


def _pool(db: DbEnv, size: int) -> dict[str, Any]:
    return {
        "pool_size": size,
        "max_overflow": 0,
        "pool_use_lifo": True,  # what is needed seldom stays idle, and is not kept warm in turn
        "pool_recycle": db.idle_timeout_ms // 1000 if db.engine == "MYSQL" else -1,
        "pool_timeout": 10,
    }


def _ping_after_a_pause(engine: sa.Engine) -> None:
    """Make sure that a connection still leads to the database, unless it was used a moment ago.

    pool_pre_ping asks before every transaction, which under load is a third of what goes to the database.
    """

    def used(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < PING_AFTER:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # the pool opens another one

    sa.event.listen(engine, "checkin", used)
    sa.event.listen(engine, "checkout", ping)


def translate_map(db: DbEnv) -> dict[str, str]:
    """Group name to the name its tables live under."""
    return {group: database_name(db.name_prefix, group) for group in GROUPS}


def _connect_args(db: DbEnv, home: str) -> dict[str, Any]:
    """What the drivers connect with.

    A machine that dies in a transaction says no goodbye: the rows that it had locked, such as the lease, would stay
    locked for hours, until the database's machine finds that nobody answers.
    """
    # Without a CA there is no TLS; left alone, the driver of PostgreSQL takes it where it is offered.
    args: dict[str, Any] = {"ssl": _tls(db)} if db.ssl_ca else {} if db.engine == "MYSQL" else {"ssl": False}
    if db.engine == "MYSQL":
        return {
            **args,
            "connect_timeout": CONNECT_TIMEOUT,
            "init_command": f"SET SESSION wait_timeout = {DEAD_CLIENT}",
        }
    settings = {"idle_in_transaction_session_timeout": str(DEAD_CLIENT * 1000)}
    if home:
        settings["search_path"] = f'"{home}"'
    return {**args, "timeout": CONNECT_TIMEOUT, "server_settings": settings}


def _tls(db: DbEnv) -> ssl.SSLContext:
    """A CA alone verifies the server (2.4); certificate and key identify the client as well."""
    context = ssl.create_default_context(cafile=db.ssl_ca)
    context.check_hostname = db.ssl_check_hostname
    if db.ssl_cert and db.ssl_key:
        context.load_cert_chain(db.ssl_cert, db.ssl_key)
    return context


class utc_now(FunctionElement[Any]):
    """The database's clock: UTC, microseconds, the moment of the statement."""

    type = Micros
    inherit_cache = True


@compiles(utc_now, "mysql")
@compiles(utc_now, "mariadb")
def _utc_now_mysql(_element: utc_now, _compiler: Any, **_kw: Any) -> str:
    return "UTC_TIMESTAMP(6)"


@compiles(utc_now, "postgresql")
def _utc_now_postgresql(_element: utc_now, _compiler: Any, **_kw: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'utc')"


async def insert_now(
    connection: AsyncConnection, table: sa.Table, column: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows with the database's now in one of their columns, all of them in one statement.

    With a function among the values the MySQL driver would send row after row, and wait for each.
    """
    if len(rows) == 1:
        await connection.execute(table.insert().values({column: utc_now()}), rows)
    elif rows:
        now = await connection.scalar(sa.select(utc_now()))
        await connection.execute(table.insert(), [{**row, column: now} for row in rows])


class utc_after(FunctionElement[Any]):
    """C(utc_after(microseconds)): so long after the database's now."""

    type = Micros
    inherit_cache = True


@compiles(utc_after, "mysql")
@compiles(utc_after, "mariadb")
def _utc_after_mysql(element: utc_after, compiler: Any, **kw: Any) -> str:
    return f"TIMESTAMPADD(MICROSECOND, {compiler.process(element.clauses, **kw)}, UTC_TIMESTAMP(6))"


@compiles(utc_after, "postgresql")
def _utc_after_postgresql(element: utc_after, compiler: Any, **kw: Any) -> str:
    microseconds = compiler.process(element.clauses, **kw)
    return f"((clock_timestamp() AT TIME ZONE 'utc') + CAST({microseconds} AS BIGINT) * INTERVAL '1 us')"


def in_seconds(seconds: float) -> utc_after:
    """The database's now plus real seconds (negative: before now)."""
    return utc_after(sa.literal(int(seconds * 1_000_000), sa.BigInteger))
