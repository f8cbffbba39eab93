"""Create or upgrade the schema: C(python -m waemu.upgrade), also what WA_DB_UPGRADE=1 runs.

Runs in a process of its own, so that nodes never hold Alembic in memory. Safe to run twice, or by several
nodes at once: a lock of the database lets one work while the others wait, then find nothing left to do.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from waemu import environment, logs
from waemu.clock import Clock
from waemu.environment import ConfigError, DbEnv, NodeEnv
from waemu.schema import version
from waemu.schema.tables import GROUPS, VERSION_TABLE, database_name
from waemu.store.engine import make_engine

MIGRATIONS = Path(__file__).parent / "schema" / "migrations"
LOCK_SECONDS = 3600  # 6.4: an upgrade of large tables may take as long as an hour
log = logging.getLogger("waemu.upgrade")


async def upgrade(env: NodeEnv, groups: tuple[str, ...] = GROUPS) -> list[str]:
    """Bring the given groups to what env.version wants; returns those that changed."""
    want = version.required(env.version)
    engine = make_engine(env.db)
    try:
        async with _lock(engine, env.db):
            late = [group for group in version.behind(await version.current(engine), want) if group in groups]
            late.sort(key=lambda group: group != "cluster")  # first where the nodes meet: then they can be seen
            slow = env.faults.schema_seconds
            for group in late:
                if slow and group != "cluster":
                    log.info("Slow schema upgrade asked for: %s product seconds", slow)
                    await Clock(env.divisor).sleep(slow)
                    slow = 0.0
                await _create(engine, env.db, group)
                await _migrate(env.db, group, want[group])
                log.info("Schema of %s is now at version %d", group, want[group])
    finally:
        await engine.dispose()
    return late


@asynccontextmanager
async def _lock(engine: AsyncEngine, db: DbEnv) -> AsyncIterator[None]:
    """One upgrade at a time per database name prefix; the lock goes with the connection."""
    name = f"{db.name_prefix}waent_schema"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    async with engine.connect() as connection:
        if db.engine == "MYSQL":
            # It says nothing until the upgrade is over.
            await connection.execute(sa.text("SET SESSION wait_timeout = @@GLOBAL.wait_timeout"))
            got = await connection.scalar(sa.select(sa.func.get_lock(name, LOCK_SECONDS)))
            if got != 1:
                raise TimeoutError("another schema upgrade holds the lock")
            await connection.commit()
            yield
            await connection.execute(sa.select(sa.func.release_lock(name)))
        else:
            await connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
            await connection.commit()
            yield
            await connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))
        await connection.commit()


async def _create(engine: AsyncEngine, db: DbEnv, group: str) -> None:
    name = engine.dialect.identifier_preparer.quote(database_name(db.name_prefix, group))
    what = f"SCHEMA IF NOT EXISTS {name}"
    if db.engine == "MYSQL":
        what = f"DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4"
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"CREATE {what}"))


async def _migrate(db: DbEnv, group: str, target: int) -> None:
    engine = make_engine(db, group=group)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run_alembic, group, str(target))
            await connection.commit()
    finally:
        await engine.dispose()


def _run_alembic(connection: Connection, group: str, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(MIGRATIONS / group))
    script = ScriptDirectory.from_config(config)
    steps: Callable[[Any, Any], Any] = lambda rev, _context: script._upgrade_revs(target, rev)  # noqa: E731
    with EnvironmentContext(config, script, fn=steps, destination_rev=target) as context:
        context.configure(connection=connection, version_table=VERSION_TABLE)
        with context.begin_transaction():
            context.run_migrations()


def main() -> int:
    """Exit 0 when the schema is the required one, 1 with one clear line otherwise."""
    parser = argparse.ArgumentParser(prog="waemu.upgrade", description="Create or upgrade the schema.")
    parser.add_argument("--group", action="append", choices=GROUPS, help="only this group (default: all)")
    groups = tuple(parser.parse_args().group or GROUPS)
    logs.setup()
    try:
        changed = asyncio.run(upgrade(environment.node_env(), groups))
    except ConfigError as error:
        log.error("%s", error)
        return 1
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.error("Schema upgrade failed: %s", getattr(error, "orig", None) or error)
        return 1
    if not changed:
        log.info("Schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
