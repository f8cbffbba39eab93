"""The scenario time lines of reference 3.9 on one cluster, one after the other. All times are product seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import ACCOUNT, DIVISOR, HEARD_OF, Cluster, needs_root, took_about
from waemu.protocol.nodes import CoreError, NodeStatus
from waemu.shards import shard_of

COREAPPS = ("coreapp1", "coreapp2", "coreapp3")
MASTERS = ("master1", "master2")
FOREVER = 10000  # product seconds: many times what any test waits
MAP = "SELECT shard, owner_key, owner_instance FROM clusterStore.shard_map ORDER BY shard"


def build(cluster: Cluster) -> None:
    """Two masters, three coreapps, nothing registered yet."""
    cluster.database()
    for kind in (*MASTERS, *COREAPPS):
        cluster.node(kind)


@pytest.fixture(scope="module")
def shared(new_cluster: Callable[..., Cluster]) -> Cluster:
    """One cluster for all tests."""
    return new_cluster("failover")


@pytest.fixture
def cluster(shared: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """The cluster in the state that the test asks for."""
    shared.ready(build, request)
    return shared


def owner(cluster: Cluster) -> str:
    """Of all there is while there is one shard."""
    return cluster.wait(cluster.only_owner, 60) or ""


def complete(cluster: Cluster, shards: int) -> dict[int, str]:
    """The owners when each shard has one, otherwise none."""
    owners = cluster.owners()
    return owners if owners.keys() == {-1, *range(shards)} else {}


def other_standbys(cluster: Cluster, count: int) -> None:
    """Wait until so many coreapps stand by."""
    cluster.wait(lambda: len(cluster.standbys()) == count, 60)


@pytest.mark.served(0)
def test_fresh_cluster_waits_for_its_registration(cluster: Cluster) -> None:
    cluster.wait(
        lambda: [getattr(cluster.status(kind), "gateway_status", None) for kind in MASTERS] == ["unregistered"] * 2, 100
    )
    cluster.wait(lambda: [cluster.status(kind) for kind in COREAPPS] == [1011] * 3, 50)
    cluster.wait(cluster.primary, 50)


@pytest.mark.served(0)
def test_only_the_primary_registers(cluster: Cluster) -> None:
    secondary = next(kind for kind in MASTERS if kind != cluster.primary())
    for kind in (secondary, "coreapp1"):
        with pytest.raises(CoreError) as refusal:
            cluster.call(kind, 6252, "GET", "/settings/application")
        assert refusal.value.code == 1017


@pytest.mark.served(0)
def test_wrong_code_is_refused(cluster: Cluster) -> None:
    cluster.on_primary("POST", "/account", {**ACCOUNT, "method": "sms", "cert": "YWJj"})
    with pytest.raises(CoreError) as refusal:
        cluster.on_primary("POST", "/account/verify", {"code": "000000"})
    assert refusal.value.code == 1005
    assert [cluster.status(kind) for kind in COREAPPS] == [1011] * 3


@pytest.mark.served(0)
def test_registration_connects_one_coreapp(cluster: Cluster) -> None:
    cluster.register()
    serves = cluster.wait(cluster.only_owner, 15)
    cluster.wait(lambda: cluster.standbys() == set(COREAPPS) - {serves}, 15)
    cluster.wait(
        lambda: [getattr(cluster.status(kind), "gateway_status", None) for kind in MASTERS] == ["disconnected"] * 2, 15
    )
    again = cluster.on_primary("POST", "/account", {**ACCOUNT, "method": "sms", "cert": "YWJj"})
    assert again["http_status"] == 201


@pytest.mark.served(1)
def test_messages_go_to_the_owner_only(cluster: Cluster) -> None:
    serves = owner(cluster)
    cluster.send(serves)
    for kind in (min(set(COREAPPS) - {serves}), "master1"):
        with pytest.raises(CoreError) as refusal:
            cluster.send(kind)
        assert refusal.value.code == 1018
    log = "SELECT DISTINCT status FROM messageStore.message_receipt_log ORDER BY status"
    cluster.wait(lambda: cluster.sql(log) == ["delivered", "read", "sent"], 20)  # the loopback's users are there
    assert cluster.sql("SELECT id FROM messageStore.messages") == []  # pass_through is on before v2.35


@pytest.mark.served(1)
def test_killed_owner_is_replaced_within_the_documented_time_and_gets_nothing_back(cluster: Cluster) -> None:
    before = owner(cluster)
    ending = cluster.end(before)
    took_about(cluster.replaced(before), 30, 40, ending=ending)  # 30 s unhealthy, found in 5 s, 3-5 s to connect
    assert cluster.rule_that_replaced(before) == "heartbeat"  # by the other rule, after 120 s, it would be "liveness"
    after = owner(cluster)
    cluster.containers[before].start()
    cluster.wait(lambda: cluster.standbys() == set(COREAPPS) - {after}, 60)
    time.sleep(20 / DIVISOR)
    assert cluster.owners() == {-1: after, 0: after}


@pytest.mark.served(1)
def test_owner_restarted_in_time_is_promoted_again_at_once(cluster: Cluster) -> None:
    # So long that no test waits for it: who is promoted within that time was not taken for dead before.
    with cluster.settings(unhealthy_interval=FOREVER):
        time.sleep(HEARD_OF / DIVISOR)
        serves = owner(cluster)
        before = cluster.status(serves)
        assert isinstance(before, NodeStatus)
        cluster.end(serves)
        time.sleep(10 / DIVISOR)
        cluster.containers[serves].start()
        took = cluster.seconds_until(lambda: cluster.only_owner() == serves, 60)
        after = cluster.status(serves)
        assert isinstance(after, NodeStatus)
        assert after.instance_id != before.instance_id
        took_about(took, 3, 20)  # the boot, and 3-5 s to connect
        owners = cluster.sql("SELECT owner_key, owner_instance FROM clusterStore.shard_map")
        assert [row.split("\t") for row in owners] == [[f"{serves}:{serves}", after.instance_id]] * 2
    other_standbys(cluster, 2)


@pytest.mark.served(1)
def test_paused_owner_is_disconnected_before_it_serves_again(cluster: Cluster) -> None:
    before = owner(cluster)
    cluster.containers[before].pause()
    cluster.replaced(before)
    after = owner(cluster)
    cluster.containers[before].unpause()
    assert [cluster.owners() for _ in range(10)] == [{-1: after, 0: after}] * 10
    with pytest.raises(CoreError) as refusal:
        cluster.send(before)
    assert refusal.value.code == 1018
    other_standbys(cluster, 2)


@pytest.mark.served(1)
@needs_root
def test_cut_between_primary_and_owner_alone_changes_nothing(cluster: Cluster) -> None:
    serves, primary = owner(cluster), cluster.wait(cluster.primary, 60)
    promoted = cluster.sql(MAP)
    cluster.cut(primary, serves, on=True)
    try:
        time.sleep(50 / DIVISOR)
        # Cut off from the primary it lives from the database, which a slow disk takes away for a moment.
        cluster.wait(lambda: cluster.only_owner() == serves and cluster.sql(MAP) == promoted, 10)
    finally:
        cluster.cut(primary, serves, on=False)


@pytest.mark.served(1)
@needs_root
def test_owner_cut_off_from_all_masters_gives_up_by_itself(cluster: Cluster) -> None:
    before = owner(cluster)
    for master in MASTERS:
        cluster.cut(master, before, on=True)
    try:
        took_about(cluster.replaced(before), 30, 50)  # until the one cut off has given up, a real second here
    finally:
        for master in MASTERS:
            cluster.cut(master, before, on=False)
    other_standbys(cluster, 2)


@pytest.mark.served(1)
def test_database_away_and_back_promotes_nobody(cluster: Cluster) -> None:
    serves = owner(cluster)
    cluster.containers["db"].kill()
    time.sleep(140 / DIVISOR)
    with pytest.raises(CoreError) as refusal:
        cluster.send(serves)
    assert refusal.value.code in (1018, 1023)
    cluster.containers["db"].start()
    cluster.wait(cluster.only_owner, 60)
    cluster.wait(cluster.primary, 60)
    time.sleep(40 / DIVISOR)
    assert cluster.owners() == {-1: serves, 0: serves}
    cluster.send(serves)


@pytest.mark.served(1)
def test_secondary_master_takes_over_and_keeps_the_owners(cluster: Cluster) -> None:
    serves, primary = owner(cluster), cluster.wait(cluster.primary, 60)
    ending = cluster.end(primary)
    successor = next(kind for kind in MASTERS if kind != primary)
    with pytest.raises(CoreError) as refusal:  # no primary yet
        cluster.call(successor, 6252, "GET", "/settings/application")
    assert refusal.value.code == 1017
    cluster.send(serves)  # messages do not need one
    took = cluster.seconds_until(lambda: cluster.primary() == successor, 60)
    took_about(took, 10, 31, ending=ending)  # what was left of the lease
    assert cluster.owners() == {-1: serves, 0: serves}
    cluster.containers[primary].start()
    cluster.wait(lambda: getattr(cluster.status(primary), "role", "") == "secondary_master", 30)


@pytest.mark.served(1)
def test_live_settings_shorten_the_detection(cluster: Cluster) -> None:
    with cluster.settings(unhealthy_interval=10) as changed:
        assert changed["unhealthy_interval"] == 10
        time.sleep(HEARD_OF / DIVISOR)
        before = owner(cluster)
        ending = cluster.end(before)
        took_about(cluster.replaced(before), 10, 20, ending=ending)
        assert cluster.rule_that_replaced(before) == "heartbeat"
    # With a boot beside it, a real second without an answer is soon over: only now.
    cluster.containers[before].start()
    other_standbys(cluster, 2)


@pytest.mark.served(1)
def test_owner_killed_while_one_master_lives_is_replaced_by_the_database_rule(cluster: Cluster) -> None:
    before, primary = owner(cluster), cluster.wait(cluster.primary, 60)
    (secondary,) = set(MASTERS) - {primary}
    ending = cluster.end(secondary, before)
    took = cluster.replaced(before, 200)
    took_about(took, 60, 135, ending=ending)  # its last row, up to 60 s old, has to be older than 120 s
    assert cluster.rule_that_replaced(before) == "liveness"
    cluster.containers[before].start()
    cluster.containers[secondary].start()
    other_standbys(cluster, 2)


@pytest.mark.served(1)
def test_set_shards_restarts_all_coreapps_and_assigns_shards_again(cluster: Cluster) -> None:
    boots = {kind: cluster.status(kind) for kind in COREAPPS}
    called = time.monotonic()
    cluster.on_primary("POST", "/account/shards", {**ACCOUNT, "shards": 2})
    calling = (time.monotonic() - called) * DIVISOR
    took = cluster.seconds_until(lambda: complete(cluster, 2), 60)
    took_about(took, 45, 80, ending=calling)  # boots at true speed
    owners = cluster.wait(lambda: complete(cluster, 2), 60)
    cluster.wait(lambda: cluster.owners().get(-1) == cluster.primary() is not None, 60)
    # Which coreapp gets which shard is promised nowhere: it depends on who is back first.
    assert {owners[0], owners[1]} < set(COREAPPS)
    assert owners[0] != owners[1]
    other_standbys(cluster, 1)
    for kind in COREAPPS:
        before, after = boots[kind], cluster.status(kind)
        assert isinstance(before, NodeStatus)
        assert isinstance(after, NodeStatus)
        assert before.instance_id != after.instance_id


@pytest.mark.served(2)
def test_one_failure_touches_one_shard_only(cluster: Cluster) -> None:
    before, (spare,) = cluster.wait(lambda: complete(cluster, 2), 60), cluster.standbys()
    ending = cluster.end(before[1])
    seen = set()

    def moved() -> bool:
        owners = cluster.owners()
        seen.add(owners.get(0))
        return owners.get(1) == spare

    took_about(cluster.seconds_until(moved, 60), 30, 40, ending=ending)
    assert seen == {before[0]}
    cluster.containers[before[1]].start()
    other_standbys(cluster, 1)


@pytest.mark.served(2)
def test_without_a_standby_the_shard_waits_for_its_node(cluster: Cluster) -> None:
    before, (spare,) = cluster.wait(lambda: complete(cluster, 2), 60), cluster.standbys()
    cluster.end(spare, before[1])
    time.sleep(45 / DIVISOR)
    assert cluster.owners() == {shard: kind for shard, kind in before.items() if shard != 1}
    cluster.containers[before[1]].start()
    cluster.wait(lambda: cluster.owners() == before, 30)
    cluster.containers[spare].start()
    other_standbys(cluster, 1)


@pytest.mark.served(2)
def test_control_shard_moves_with_the_mastership(cluster: Cluster) -> None:
    before, primary = cluster.wait(lambda: complete(cluster, 2), 60), cluster.wait(cluster.primary, 60)
    successor = next(kind for kind in MASTERS if kind != primary)
    cluster.end(primary)
    cluster.seconds_until(lambda: cluster.owners().get(-1) == successor, 60)
    assert cluster.owners() == {**before, -1: successor}
    cluster.containers[primary].start()
    cluster.wait(lambda: getattr(cluster.status(primary), "role", "") == "secondary_master", 30)


@pytest.mark.served(2)
def test_all_masters_dead_leaves_the_owners_serving_and_nobody_promoted(cluster: Cluster) -> None:
    before, (spare,) = cluster.wait(lambda: complete(cluster, 2), 60), cluster.standbys()
    serving = {shard: kind for shard, kind in before.items() if shard >= 0}
    promoted = cluster.sql(MAP)
    cluster.end(*MASTERS)
    time.sleep(50 / DIVISOR)
    # Without masters an owner lives from the database, which a slow disk takes away for a moment.
    cluster.wait(lambda: cluster.owners() == serving, 10)
    cluster.end(before[1])
    time.sleep(45 / DIVISOR)
    cluster.wait(lambda: cluster.owners() == {0: before[0]}, 10)
    assert cluster.sql(MAP) == promoted
    for kind in MASTERS:
        cluster.containers[kind].start()
    took = cluster.seconds_until(lambda: cluster.owners().get(1) == spare, 150)
    took_about(took, 30, 60)  # the lease was free; then their own 30 s of silence
    cluster.wait(lambda: complete(cluster, 2), 60)
    assert cluster.owners()[0] == before[0]
    cluster.containers[before[1]].start()
    other_standbys(cluster, 1)


@pytest.mark.served(2)
def test_set_shards_with_too_few_coreapps_leaves_shards_without_owner(cluster: Cluster) -> None:
    cluster.on_primary("POST", "/account/shards", {**ACCOUNT, "shards": 4})
    cluster.wait(lambda: complete(cluster, 3), 120)
    time.sleep(20 / DIVISOR)
    owners = cluster.wait(lambda: complete(cluster, 3), 10)
    assert {owners[shard] for shard in (0, 1, 2)} == set(COREAPPS)
    cluster.wait(lambda: cluster.owners().get(-1) == cluster.primary() is not None, 60)
    with pytest.raises(CoreError) as refusal:
        cluster.send(owners[0], next(wa_id for wa_id in map(str, range(10**6, 10**7)) if shard_of(wa_id, 4) == 3))
    assert refusal.value.code == 1018
    cluster.node("coreapp4")
    cluster.wait(lambda: cluster.owners().get(3) == "coreapp4", 60)


@pytest.mark.served(4, 1)
def test_a_stop_is_quick_and_clean(cluster: Cluster) -> None:
    for kind in ("coreapp1", "master1"):
        cluster.containers[kind].stop(timeout=10)
        assert cluster.containers[kind].wait()["StatusCode"] == 0  # 137 if the engine had to kill it after 10 s
