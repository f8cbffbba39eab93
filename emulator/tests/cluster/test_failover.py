"""The scenario time lines of reference 3.9 on one cluster, one after the other. All times are product seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import ACCOUNT, DIVISOR, Cluster, needs_root, took_about
from waemu.shards import shard_of
from waemu.wire import CoreError, NodeStatus

COREAPPS = ("coreapp1", "coreapp2", "coreapp3")
MASTERS = ("master1", "master2")


@pytest.fixture(scope="module")
def cluster(new_cluster: Callable[..., Cluster]) -> Cluster:
    """Two masters, three coreapps, nothing registered yet."""
    cluster = new_cluster("failover")
    cluster.database()
    for kind in (*MASTERS, *COREAPPS):
        cluster.node(kind)
    return cluster


def other_standbys(cluster: Cluster, count: int) -> None:
    """Wait until so many coreapps stand by."""
    cluster.wait(lambda: len(cluster.standbys()) == count, 60)


def test_fresh_cluster_waits_for_its_registration(cluster: Cluster) -> None:
    cluster.wait(
        lambda: [getattr(cluster.status(kind), "gateway_status", None) for kind in MASTERS] == ["unregistered"] * 2, 100
    )
    cluster.wait(lambda: [cluster.status(kind) for kind in COREAPPS] == [1011] * 3, 50)
    cluster.wait(cluster.primary, 50)


def test_only_the_primary_registers(cluster: Cluster) -> None:
    secondary = next(kind for kind in MASTERS if kind != cluster.primary())
    for kind in (secondary, "coreapp1"):
        with pytest.raises(CoreError) as refusal:
            cluster.call(kind, 6252, "GET", "/settings/application")
        assert refusal.value.code == 1017


def test_wrong_code_is_refused(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    cluster.call(primary, 6252, "POST", "/account", {**ACCOUNT, "method": "sms", "cert": "YWJj"})
    with pytest.raises(CoreError) as refusal:
        cluster.call(primary, 6252, "POST", "/account/verify", {"code": "000000"})
    assert refusal.value.code == 1009
    assert [cluster.status(kind) for kind in COREAPPS] == [1011] * 3


def test_registration_connects_the_lowest_coreapp(cluster: Cluster) -> None:
    cluster.register()
    cluster.wait(lambda: cluster.owners() == {-1: "coreapp1", 0: "coreapp1"}, 15)
    assert cluster.standbys() == {"coreapp2", "coreapp3"}
    masters = [cluster.status(kind) for kind in MASTERS]
    assert [status.gateway_status for status in masters if isinstance(status, NodeStatus)] == ["disconnected"] * 2
    primary = cluster.primary()
    assert primary
    again = cluster.call(primary, 6252, "POST", "/account", {**ACCOUNT, "method": "sms", "cert": "YWJj"})
    assert again["http_status"] == 201


def test_messages_go_to_the_owner_only(cluster: Cluster) -> None:
    cluster.send("coreapp1")
    for kind in ("coreapp2", "master1"):
        with pytest.raises(CoreError) as refusal:
            cluster.send(kind)
        assert refusal.value.code == 1018
    log = "SELECT DISTINCT status FROM messageStore.message_receipt_log ORDER BY status"
    cluster.wait(lambda: cluster.sql(log) == ["delivered", "read", "sent"], 20)  # the loopback's users are there
    assert cluster.sql("SELECT id FROM messageStore.messages") == []  # pass_through is on before v2.35


def test_killed_owner_is_replaced_within_the_documented_time(cluster: Cluster) -> None:
    cluster.containers["coreapp1"].kill()
    took = cluster.seconds_until(lambda: cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}, 60)
    took_about(took, 30, 40)  # 30 s unhealthy, found within a heartbeat, 3-5 s to connect


def test_returning_owner_gets_nothing_back(cluster: Cluster) -> None:
    cluster.containers["coreapp1"].start()
    cluster.wait(lambda: cluster.standbys() == {"coreapp1", "coreapp3"}, 60)
    time.sleep(20 / DIVISOR)
    assert cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}


def test_owner_restarted_in_time_is_promoted_again_at_once(cluster: Cluster) -> None:
    # A boot of some real seconds must not be a silence of 30 fast ones.
    primary = cluster.wait(cluster.primary, 60)
    cluster.call(primary, 6252, "PATCH", "/settings/application", {"unhealthy_interval": 200})
    time.sleep(10 / DIVISOR)
    before = cluster.status("coreapp2")
    assert isinstance(before, NodeStatus)
    cluster.containers["coreapp2"].kill()
    time.sleep(10 / DIVISOR)
    cluster.containers["coreapp2"].start()
    took = cluster.seconds_until(lambda: cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}, 60)
    after = cluster.status("coreapp2")
    assert isinstance(after, NodeStatus)
    assert after.instance_id != before.instance_id
    took_about(took, 3, 20)  # the boot, and 3-5 s to connect
    assert [row.split("\t") for row in cluster.sql("SELECT owner_key, owner_instance FROM clusterStore.shard_map")] == [
        ["coreapp2:coreapp2", after.instance_id]
    ] * 2
    cluster.call(primary, 6252, "DELETE", "/settings/application")
    time.sleep(10 / DIVISOR)  # an owner that was told 200 s may rely on them until it is told otherwise
    other_standbys(cluster, 2)


def test_paused_owner_is_disconnected_before_it_serves_again(cluster: Cluster) -> None:
    cluster.containers["coreapp2"].pause()
    time.sleep(45 / DIVISOR)
    cluster.containers["coreapp2"].unpause()
    seen = [cluster.owners() for _ in range(10)]
    assert seen[-1] == {-1: "coreapp1", 0: "coreapp1"}
    with pytest.raises(CoreError) as refusal:
        cluster.send("coreapp2")
    assert refusal.value.code == 1018
    other_standbys(cluster, 2)


@needs_root
def test_cut_between_primary_and_owner_alone_changes_nothing(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    cluster.cut(primary, "coreapp1", on=True)
    time.sleep(50 / DIVISOR)
    assert cluster.owners() == {-1: "coreapp1", 0: "coreapp1"}
    cluster.cut(primary, "coreapp1", on=False)


@needs_root
def test_owner_cut_off_from_all_masters_gives_up_by_itself(cluster: Cluster) -> None:
    for master in MASTERS:
        cluster.cut(master, "coreapp1", on=True)
    took = cluster.seconds_until(lambda: cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}, 60)
    took_about(took, 30, 50)  # the successor waits until the cut-off owner has given up, a real second here
    for master in MASTERS:
        cluster.cut(master, "coreapp1", on=False)
    other_standbys(cluster, 2)


def test_database_away_and_back_promotes_nobody(cluster: Cluster) -> None:
    cluster.containers["db"].kill()
    time.sleep(140 / DIVISOR)
    with pytest.raises(CoreError) as refusal:
        cluster.send("coreapp2")
    assert refusal.value.code in (1018, 1023)
    cluster.containers["db"].start()
    cluster.wait(lambda: cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}, 60)
    cluster.wait(cluster.primary, 60)
    time.sleep(40 / DIVISOR)
    assert cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}
    cluster.send("coreapp2")


def test_secondary_master_takes_over_and_keeps_the_owners(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    cluster.containers[primary].kill()
    successor = next(kind for kind in MASTERS if kind != primary)
    with pytest.raises(CoreError) as refusal:  # no primary yet
        cluster.call(successor, 6252, "GET", "/settings/application")
    assert refusal.value.code == 1017
    cluster.send("coreapp2")  # messages do not need one
    took = cluster.seconds_until(lambda: cluster.primary() == successor, 60)
    took_about(took, 10, 31)  # what was left of the lease
    assert cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}
    cluster.containers[primary].start()
    cluster.wait(lambda: getattr(cluster.status(primary), "role", "") == "secondary_master", 30)


def test_live_settings_shorten_the_detection(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    changed = cluster.call(primary, 6252, "PATCH", "/settings/application", {"unhealthy_interval": 10})
    assert changed["application"]["unhealthy_interval"] == 10
    time.sleep(10 / DIVISOR)
    cluster.containers["coreapp2"].kill()
    took = cluster.seconds_until(lambda: cluster.owners() == {-1: "coreapp1", 0: "coreapp1"}, 60)
    took_about(took, 10, 20)
    cluster.containers["coreapp2"].start()
    other_standbys(cluster, 2)
    assert cluster.call(primary, 6252, "DELETE", "/settings/application")["application"]["unhealthy_interval"] == 30


def test_owner_killed_while_one_master_lives_is_replaced_by_the_database_rule(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    (secondary,) = set(MASTERS) - {primary}
    cluster.containers[secondary].kill()
    cluster.containers["coreapp1"].kill()
    took = cluster.seconds_until(lambda: cluster.owners() == {-1: "coreapp2", 0: "coreapp2"}, 200)
    took_about(took, 60, 135)  # its last row, up to 60 s old, has to be older than 120 s; looked at every 10 s
    cluster.containers["coreapp1"].start()
    cluster.containers[secondary].start()
    other_standbys(cluster, 2)


def test_set_shards_restarts_all_coreapps_and_assigns_anew(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    boots = {kind: cluster.status(kind) for kind in COREAPPS}
    cluster.call(primary, 6252, "POST", "/account/shards", {**ACCOUNT, "shards": 2})
    took_about(cluster.seconds_until(lambda: set(cluster.owners()) == {-1, 0, 1}, 60), 45, 80)  # boots at true speed
    owners = cluster.owners()
    assert owners[-1] == primary
    # Which coreapp gets which shard is promised nowhere: it depends on who is back first.
    assert {owners[0], owners[1]} < set(COREAPPS)
    assert owners[0] != owners[1]
    other_standbys(cluster, 1)
    for kind in COREAPPS:
        before, after = boots[kind], cluster.status(kind)
        assert isinstance(before, NodeStatus)
        assert isinstance(after, NodeStatus)
        assert before.instance_id != after.instance_id


def test_one_failure_touches_one_shard_only(cluster: Cluster) -> None:
    before, (spare,) = cluster.owners(), cluster.standbys()
    cluster.containers[before[1]].kill()
    seen = set()

    def moved() -> bool:
        owners = cluster.owners()
        seen.add(owners.get(0))
        return owners.get(1) == spare

    assert cluster.seconds_until(moved, 60) >= 30
    assert seen == {before[0]}
    cluster.containers[before[1]].start()
    other_standbys(cluster, 1)


def test_without_a_standby_the_shard_waits_for_its_node(cluster: Cluster) -> None:
    before, (spare,) = cluster.owners(), cluster.standbys()
    cluster.containers[spare].kill()
    cluster.containers[before[1]].kill()
    time.sleep(45 / DIVISOR)
    assert cluster.owners() == {shard: kind for shard, kind in before.items() if shard != 1}
    cluster.containers[before[1]].start()
    cluster.wait(lambda: cluster.owners() == before, 30)
    cluster.containers[spare].start()
    other_standbys(cluster, 1)


def test_control_shard_moves_with_the_mastership(cluster: Cluster) -> None:
    before, primary = cluster.owners(), cluster.primary()
    assert primary
    successor = next(kind for kind in MASTERS if kind != primary)
    cluster.containers[primary].kill()
    cluster.seconds_until(lambda: cluster.owners().get(-1) == successor, 60)
    assert cluster.owners() == {**before, -1: successor}
    cluster.containers[primary].start()
    cluster.wait(lambda: getattr(cluster.status(primary), "role", "") == "secondary_master", 30)


def test_all_masters_dead_leaves_the_owners_serving_and_nobody_promoted(cluster: Cluster) -> None:
    before, (spare,) = cluster.owners(), cluster.standbys()
    serving = {shard: kind for shard, kind in before.items() if shard >= 0}
    for kind in MASTERS:
        cluster.containers[kind].kill()
    time.sleep(50 / DIVISOR)
    assert cluster.owners() == serving
    cluster.containers[before[1]].kill()
    time.sleep(45 / DIVISOR)
    assert cluster.owners() == {0: before[0]}
    for kind in MASTERS:
        cluster.containers[kind].start()
    took = cluster.seconds_until(lambda: cluster.owners().get(1) == spare, 150)
    took_about(took, 30, 60)  # the lease was free; then their own 30 s of silence
    cluster.wait(lambda: cluster.owners().keys() == {-1, 0, 1}, 60)
    assert cluster.owners()[0] == before[0]
    cluster.containers[before[1]].start()
    other_standbys(cluster, 1)


def test_set_shards_with_too_few_coreapps_leaves_shards_without_owner(cluster: Cluster) -> None:
    primary = cluster.primary()
    assert primary
    cluster.call(primary, 6252, "POST", "/account/shards", {**ACCOUNT, "shards": 4})
    cluster.wait(lambda: set(cluster.owners()) == {-1, 0, 1, 2}, 120)
    time.sleep(20 / DIVISOR)
    owners = cluster.owners()
    assert {owners[shard] for shard in (0, 1, 2)} == set(COREAPPS)
    assert owners[-1] == primary
    with pytest.raises(CoreError) as refusal:
        cluster.send(owners[0], next(wa_id for wa_id in map(str, range(10**6, 10**7)) if shard_of(wa_id, 4) == 3))
    assert refusal.value.code == 1018
    cluster.node("coreapp4")
    cluster.wait(lambda: cluster.owners().get(3) == "coreapp4", 60)


def test_a_stop_is_quick_and_clean(cluster: Cluster) -> None:
    for kind in ("coreapp1", "master1"):
        started = time.monotonic()
        cluster.containers[kind].stop(timeout=10)
        assert time.monotonic() - started < 3
        assert cluster.containers[kind].wait()["StatusCode"] == 0
