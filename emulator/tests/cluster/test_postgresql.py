"""A whole cluster on PostgreSQL, where it behaves as on MySQL. All times are product seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import ACCOUNT, DIVISOR, START_POSTGRES, Cluster, took_about

COREAPPS = ("coreapp1", "coreapp2", "coreapp3")
MASTERS = ("master1", "master2")


def build(cluster: Cluster) -> None:
    """Two masters, three coreapps, nothing registered yet; the schema was made ahead of time, twice."""
    cluster.database()
    for said in ("Schema of message is now at version 1", "Schema is up to date"):
        code, log = cluster.oneshot("upgrade", command=START_POSTGRES, WA_DB_UPGRADE="1")
        assert (code, said in log) == (0, True), log
    for kind in (*MASTERS, *COREAPPS):
        cluster.node(kind)


@pytest.fixture(scope="module")
def shared(new_cluster: Callable[..., Cluster], postgres_image: str) -> Cluster:
    """One cluster for all tests."""
    assert postgres_image
    return new_cluster("postgres", postgres=True)


@pytest.fixture
def cluster(shared: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """The cluster in the state that the test asks for."""
    shared.ready(build, request)
    return shared


@pytest.mark.served(0, 1, 2)
def test_groups_are_schemas_of_one_database(cluster: Cluster) -> None:
    schemas = cluster.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%Store' ORDER BY 1")
    assert schemas[2:4] == ["clusterStore", "configStore"]
    assert len(schemas) == 7


@pytest.mark.served(0)
def test_registered_and_sending(cluster: Cluster) -> None:
    cluster.register()
    cluster.send(cluster.wait(cluster.only_owner, 60) or "")
    log = 'SELECT DISTINCT status FROM "messageStore".message_receipt_log ORDER BY status'
    cluster.wait(lambda: cluster.sql(log) == ["delivered", "read", "sent"], 20)  # the loopback's users are there
    assert cluster.sql('SELECT id FROM "messageStore".messages') == []  # pass_through is on before v2.35


@pytest.mark.served(1)
def test_failover(cluster: Cluster) -> None:
    cluster.wait(lambda: len(cluster.standbys()) == 2, 60)
    before = cluster.wait(cluster.only_owner, 60) or ""
    ending = cluster.end(before)
    took_about(cluster.replaced(before), 30, 40, ending=ending)
    assert cluster.rule_that_replaced(before) == "heartbeat"
    cluster.send(cluster.only_owner() or "")
    cluster.containers[before].start()


@pytest.mark.served(1)
def test_another_master_takes_over(cluster: Cluster) -> None:
    serves, primary = cluster.wait(cluster.only_owner, 60), cluster.wait(cluster.primary, 60)
    ending = cluster.end(primary)
    took_about(cluster.seconds_until(lambda: cluster.primary() not in (None, primary), 60), 10, 31, ending=ending)
    assert cluster.only_owner() == serves
    cluster.containers[primary].start()
    cluster.wait(lambda: getattr(cluster.status(primary), "role", "") == "secondary_master", 60)


@pytest.mark.served(1)
def test_database_away_and_back_promotes_nobody(cluster: Cluster) -> None:
    serves = cluster.wait(cluster.only_owner, 60)
    cluster.containers["db"].kill()
    time.sleep(60 / DIVISOR)  # 140, which the database rule needs, are played on MySQL
    cluster.containers["db"].start()
    cluster.wait(cluster.only_owner, 60)
    cluster.wait(cluster.primary, 60)
    time.sleep(40 / DIVISOR)
    assert cluster.only_owner() == serves


@pytest.mark.served(1)
def test_set_shards(cluster: Cluster) -> None:
    cluster.on_primary("POST", "/account/shards", {**ACCOUNT, "shards": 2})
    cluster.wait(lambda: set(owners := cluster.owners()) == {-1, 0, 1} and owners[-1] == cluster.primary(), 100)
    map_, owners = 'SELECT shard, owner_key FROM "clusterStore".shard_map ORDER BY 1', cluster.owners()
    assert cluster.sql(map_) == [f"{shard}\t{kind}:{kind}" for shard, kind in sorted(owners.items())]
