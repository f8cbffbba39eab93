"""The SQL on the real databases: MariaDB and PostgreSQL in containers."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.cluster.conftest import Cluster
from waemu import upgrade, versions
from waemu.environment import DbEnv, NodeEnv
from waemu.protocol.nodes import Endpoints
from waemu.schema import tables
from waemu.store import callbacks, cluster, config, counts, media, messages
from waemu.store.callbacks import Callback
from waemu.store.cluster import LeaseLost, NodeRow, Owner
from waemu.store.engine import make_engine
from waemu.store.media import Media
from waemu.store.messages import Message

NEWEST = versions.parse("2.63.0")
ME, OTHER = Owner("a:master1", "boot-a"), Owner("b:master2", "boot-b")


@pytest.fixture(scope="module")
def mariadb(new_cluster: Callable[..., Cluster]) -> DbEnv:
    """MariaDB, empty."""
    made = new_cluster("store")
    made.database()
    db = DbEnv("MYSQL", made.address("db"), 3306, "root", "testpass")
    made.wait(lambda: _listens(db), 60)
    return db


@pytest.fixture(scope="module")
def postgresql(new_cluster: Callable[..., Cluster], postgres_image: str) -> DbEnv:
    """PostgreSQL, empty."""
    assert postgres_image
    made = new_cluster("store-postgres", postgres=True)
    server = made.database()
    made.wait(lambda: server.exec_run(["pg_isready", "-h", "127.0.0.1"]).exit_code == 0, 60)
    return DbEnv("PGSQL", made.address("db"), 5432, "root", "testpass")


def _listens(db: DbEnv) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((db.hostname, db.port)) == 0


@pytest.fixture(params=["mariadb", "postgresql"])
def db(request: pytest.FixtureRequest) -> DbEnv:
    """Each database in turn, under a name prefix of the test's own."""
    made: DbEnv = request.getfixturevalue(request.param)
    prefix = f"t{abs(hash(request.node.name)) % 10**8}_"
    return DbEnv(made.engine, made.hostname, made.port, made.username, made.password, name_prefix=prefix)


def node_env(db: DbEnv, version: versions.Version = NEWEST) -> NodeEnv:
    """Just enough for an upgrade."""
    return NodeEnv(db, version, "container", "host")


@pytest_asyncio.fixture
async def store(db: DbEnv) -> AsyncIterator[AsyncEngine]:
    """A database with the newest schema."""
    await upgrade.upgrade(node_env(db))
    engine = make_engine(db)
    yield engine
    await engine.dispose()


def row(key: str, boot: str = "boot", *, serving: bool = False) -> NodeRow:
    """A coreapp's row."""
    return NodeRow(key, boot, "coreapp", Endpoints("h", 1, 2, 3, 4), "v2.19.4", 0.0, serving)


async def test_migrations_lead_to_the_tables_the_code_uses(db: DbEnv) -> None:
    first = await upgrade.upgrade(node_env(db, versions.parse("2.19.4")))
    assert sorted(first) == sorted(tables.GROUPS)
    assert first[0] == "cluster"
    assert await upgrade.upgrade(node_env(db, versions.parse("2.19.7"))) == []
    assert sorted(await upgrade.upgrade(node_env(db))) == ["config", "contact", "message"]
    for group in tables.GROUPS:
        engine = make_engine(db, group=group)
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences, group) == []
        await engine.dispose()


def _differences(connection: Connection, group: str) -> list[object]:
    desired = sa.MetaData()
    for table in tables.of_group(group):
        table.to_metadata(desired, schema=None)
    context = MigrationContext.configure(connection, opts={"version_table": tables.VERSION_TABLE})
    return list(compare_metadata(context, desired))


async def test_two_upgrades_at_once_do_the_work_once(db: DbEnv) -> None:
    done = await asyncio.gather(*(upgrade.upgrade(node_env(db)) for _ in range(3)))
    assert sorted(len(groups) for groups in done) == [0, 0, len(tables.GROUPS)]


async def test_one_master_wins_the_lease_at_a_time(store: AsyncEngine) -> None:
    taken = await asyncio.gather(
        *(cluster.take_lease(store, f"m{n}", f"boot{n}", 30) for n in range(5)),
    )
    assert sorted(taken) == [False] * 4 + [True]
    winner = await cluster.read_lease(store)
    assert winner.epoch == 1
    assert 0 < winner.left <= 30
    assert winner.owner_key
    assert winner.owner_instance
    assert await cluster.renew_lease(store, winner.owner_key, winner.owner_instance, 0.2)
    assert not await cluster.renew_lease(store, winner.owner_key, "an older boot", 30)
    await asyncio.sleep(0.3)
    assert not await cluster.renew_lease(store, winner.owner_key, winner.owner_instance, 30)
    assert await cluster.take_lease(store, OTHER.node_key, OTHER.instance_id, 30)
    assert (await cluster.read_lease(store)).epoch == 2


async def test_only_the_holder_of_the_lease_writes_the_map(store: AsyncEngine) -> None:
    await cluster.take_lease(store, ME.node_key, ME.instance_id, 30)
    owner = Owner("h:core", "boot")
    await cluster.assign(store, ME, 1, {0: owner, -1: owner})
    assert await cluster.read_map(store) == {0: owner, -1: owner}
    with pytest.raises(LeaseLost):
        await cluster.assign(store, OTHER, 1, {0: OTHER})
    with pytest.raises(LeaseLost):
        await cluster.set_shards(store, OTHER, 2)
    state = await cluster.set_shards(store, ME, 4)
    assert (state.shards, state.generation) == (4, 2)
    assert await cluster.read_map(store) == {}
    with pytest.raises(LeaseLost):
        await cluster.assign(store, ME, 1, {0: owner})
    await cluster.assign(store, ME, 2, {3: owner})
    await cluster.assign(store, ME, 2, {3: None})
    assert await cluster.read_map(store) == {}


async def test_a_new_boot_replaces_the_row_of_the_old_one(store: AsyncEngine) -> None:
    await cluster.write_node(store, row("h:core", "first"))
    await cluster.write_node(store, row("h:core", "second", serving=True))
    await cluster.write_node(store, row("h:core", "second", serving=True))
    found = await cluster.read_nodes(store, max_age=60)
    assert [(node.instance_id, node.serving) for node in found.values()] == [("second", True)]
    assert 0 <= found["h:core"].age < 30


async def test_a_deposed_owner_is_seen_until_it_is_long_silent(store: AsyncEngine) -> None:
    await cluster.take_lease(store, ME.node_key, ME.instance_id, 30)
    deposed, owner = Owner("h1:core", "boot"), Owner("h2:core", "boot")
    await cluster.write_node(store, row(owner.node_key, serving=True))
    await cluster.assign(store, ME, 1, {0: owner})
    assert await cluster.deposed_age(store, owner) == float("inf")
    await cluster.write_node(store, row(deposed.node_key, serving=True))
    assert 0 <= await cluster.deposed_age(store, owner) < 30
    assert await cluster.forget_silent(store, max_age=30) == 0
    assert await cluster.forget_silent(store, max_age=-30) == 1
    assert set(await cluster.read_nodes(store, max_age=60)) == {owner.node_key}


async def test_registration_takes_over_the_number_that_asked(store: AsyncEngine) -> None:
    await config.request_code(store, "1", "5550100", "Shop", "hash", 600)
    asked = await config.read_account(store)
    assert not asked.registered
    assert (asked.pending_cc, asked.pending_phone_number, asked.cc) == ("1", "5550100", None)
    assert 0 < asked.code_left <= 600
    await config.register(store, 7, "identity")
    account = await config.read_account(store)
    assert account.registered
    assert (account.cc, account.phone_number, account.vname, account.code_hash) == ("1", "5550100", "Shop", None)
    assert isinstance(account.registered_at, dt.datetime)


async def test_settings_change_by_the_leaf(store: AsyncEngine) -> None:
    await config.change_settings(store, {"webhooks": {"url": "https://a.example"}, "heartbeat_interval": 7})
    same = await config.change_settings(store, {"webhooks": {"url": "https://a.example"}})
    assert (same["webhooks"]["url"], same["webhooks"]["max_concurrent_requests"]) == ("https://a.example", 6)
    assert same["heartbeat_interval"] == 7
    assert (await config.reset_settings(store))["heartbeat_interval"] == 5


async def test_messages_wait_until_they_are_sent(store: AsyncEngine) -> None:
    for number in range(3):
        await messages.queue(store, "node", [Message(f"id{number}", "1555", 0, "text", {"text": {"body": "ä"}})])
    assert [message.id for message in await messages.queued(store, [0, 2])] == ["id0", "id1", "id2"]
    first = (await messages.queued(store, [0]))[0]
    assert first.body == {"text": {"body": "ä"}}
    assert 0 <= first.age < 30
    assert await messages.queued(store, [1]) == []
    await messages.receive(store, "node", reached={"delivered": ["id0", "id1"]})
    await messages.sent(store, ["id1", "id2"])
    assert await messages.queued(store, [0]) == []
    assert await messages.statuses(store, ["id0", "id1", "id2"]) == {
        "id0": "delivered",
        "id1": "delivered",
        "id2": "sent",
    }
    assert await messages.collect(store, [1]) == 0
    assert await messages.collect(store, [0]) == 2
    assert not await messages.mark_read(store, "id2")


async def test_what_comes_in_is_kept_with_its_callbacks_at_once(store: AsyncEngine) -> None:
    inbound = Message("in", "1555", 3, "image", {"id": "m1"})
    file = (Media("m1", "image/png", 5, incoming=True), "/usr/local/wamedia/incoming/m1")
    calls = [Callback("inbound_message", 3, {"messages": [{"id": "in"}]})]
    await messages.receive(store, "node", reached={}, inbound=[inbound], files=[file], calls=calls)
    assert await media.use(store, "m1") == file[0]
    assert await messages.mark_read(store, "in")
    with pytest.raises(SQLAlchemyError):  # the same id again: neither message nor callback
        await messages.receive(store, "node", reached={}, inbound=[inbound], calls=calls)
    assert await counts.callbacks(store) == 1
    assert await messages.collect(store, [3]) == 1


async def test_callbacks_are_due_when_their_time_has_come(store: AsyncEngine) -> None:
    await callbacks.queue(store, [Callback("service", shard, {"n": shard}) for shard in (0, 1, 1)])
    due = await callbacks.due(store, [1], 10)
    assert [(item.kind, item.body, item.attempts) for item in due] == [("service", {"n": 1}, 0)] * 2
    assert len(await callbacks.due(store, [0, 1], 2)) == 2
    await callbacks.put_off(store, due[0].id, 3, 30.0)
    await callbacks.delivered(store, [due[1].id])
    assert await callbacks.due(store, [1], 10) == []
    wait = await callbacks.next_due(store, [1])
    assert wait is not None
    assert 20 < wait <= 30
    assert await callbacks.next_due(store, [5]) is None
    await callbacks.put_off(store, due[0].id, 4, -1.0)
    assert [item.attempts for item in await callbacks.due(store, [1], 10)] == [4]
