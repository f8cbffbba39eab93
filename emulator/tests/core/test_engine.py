"""Connections to the database: kept, checked after a pause, opened again where nobody wants them kept (2.4)."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from waemu.environment import DbEnv
from waemu.schema.tables import callbacks, cluster_state
from waemu.store import engine as engines
from waemu.store.engine import DB_ERRORS, insert_now, make_engine

OWN_ID = {"MYSQL": "SELECT CONNECTION_ID()", "PGSQL": "SELECT pg_backend_pid()"}
KILL = {"MYSQL": "KILL {}", "PGSQL": "SELECT pg_terminate_backend({})"}


async def own_id(engine: AsyncEngine, db: DbEnv) -> int:
    """What the server calls the connection in use."""
    async with engine.connect() as connection:
        return int(await connection.scalar(sa.text(OWN_ID[db.engine])) or 0)


async def test_a_connection_is_kept(clean: DbEnv) -> None:
    engine = make_engine(clean, size=1)
    assert len({await own_id(engine, clean) for _ in range(3)}) == 1
    await engine.dispose()


async def test_nothing_is_kept_where_nobody_wants_it(clean: DbEnv) -> None:
    engine = make_engine(clean, size=0)
    assert len({await own_id(engine, clean) for _ in range(3)}) == 3
    await engine.dispose()


async def test_a_connection_that_ended_in_a_pause_is_replaced(clean: DbEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PING_AFTER", 0.0)
    engine, other = make_engine(clean, size=1), make_engine(clean, size=1)
    before = await own_id(engine, clean)
    async with other.connect() as connection:
        await connection.execute(sa.text(KILL[clean.engine].format(before)))
    assert await own_id(engine, clean) != before
    await engine.dispose()
    await other.dispose()


async def test_a_connection_that_ended_just_now_is_one_error(clean: DbEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PING_AFTER", 60.0)
    engine, other = make_engine(clean, size=1), make_engine(clean, size=1)
    before = await own_id(engine, clean)
    async with other.connect() as connection:
        await connection.execute(sa.text(KILL[clean.engine].format(before)))
    with pytest.raises(DB_ERRORS):
        await own_id(engine, clean)
    assert await own_id(engine, clean) != before
    await engine.dispose()
    await other.dispose()


async def test_rows_that_a_dead_machine_has_locked_are_free_again(
    clean: DbEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is there and says nothing: no process that ended has closed it."""
    monkeypatch.setattr(engines, "DEAD_CLIENT", 1)
    dead, other = make_engine(clean, size=1), make_engine(clean, size=1)
    lock = sa.select(cluster_state.c.generation).with_for_update()
    silent = await dead.connect()
    await silent.execute(lock)
    async with other.connect() as connection:
        async with asyncio.timeout(40):
            assert (await connection.execute(lock)).one()
    await silent.invalidate()
    await silent.close()
    await dead.dispose()
    await other.dispose()


async def test_many_rows_are_one_statement(clean: DbEnv) -> None:
    if clean.engine != "MYSQL":
        pytest.skip("what the server counts is asked as MySQL is asked")
    engine = make_engine(clean, size=1)
    rows = [{"kind": "service", "shard": 0, "body": {"n": n}, "attempts": 0} for n in range(5)]
    async with engine.connect() as connection:
        before = await inserts(connection)
        await insert_now(connection, callbacks, "next_try_at", rows)
        assert await inserts(connection) == before + 1
        found = (await connection.execute(sa.select(callbacks.c.body, callbacks.c.next_try_at))).all()
        assert [row.body["n"] for row in found] == [0, 1, 2, 3, 4]
        assert len({row.next_try_at for row in found}) == 1
        await insert_now(connection, callbacks, "next_try_at", [])
        assert await inserts(connection) == before + 1
    await engine.dispose()


async def inserts(connection: AsyncConnection) -> int:
    """How many statements of this session were inserts."""
    row = (await connection.execute(sa.text("SHOW SESSION STATUS LIKE 'Com_insert'"))).one()
    return int(row[1])
