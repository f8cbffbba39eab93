"""How containers start and end: commands, bad values, one-shot schema upgrade, single instance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.conftest import ACCOUNT, LAUNCH, START, Cluster
from waemu.protocol.nodes import CoreError, NodeStatus

NEWER = "v2.43.1"


@pytest.fixture(scope="module")
def shared(new_cluster: Callable[..., Cluster]) -> Cluster:
    """One database for all tests."""
    return new_cluster("start")


@pytest.fixture
def cluster(shared: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """A database, and what tests before this one have left running."""
    shared.ready(Cluster.database, request)
    return shared


def single_instance(cluster: Cluster) -> None:
    """A single instance, registered and connected; nothing happens where it is there."""
    if "wacore" in cluster.containers:
        return
    cluster.node("wacore", WA_APP_MULTICONNECT="0", COREAPP_HOSTNAME="", WA_DB_NAME_PREFIX="single_")
    cluster.wait(lambda: getattr(cluster.status("wacore"), "gateway_status", "") == "unregistered", 60)
    request = {**ACCOUNT, "method": "sms", "cert": "YWJj"}
    assert cluster.call("wacore", 6252, "POST", "/account", request)["http_status"] == 202
    cluster.call("wacore", 6252, "POST", "/account/verify", {"code": "123456"})
    cluster.wait(lambda: cluster.owners() == {-1: "wacore", 0: "wacore"}, 30)


def test_schema_upgrade_ends_well_twice(cluster: Cluster) -> None:
    first, log = cluster.oneshot("upgrade", command=START, WA_DB_UPGRADE="1")
    assert first == 0
    assert "Schema of message is now at version 1" in log
    second, log = cluster.oneshot("upgrade", command=START, WA_DB_UPGRADE="1")
    assert second == 0
    assert "Schema is up to date" in log
    assert cluster.sql("SHOW DATABASES LIKE '%Store'") == [
        "axolotlStore",
        "callbackStore",
        "clusterStore",
        "configStore",
        "contactStore",
        "jobqueueStore",
        "messageStore",
    ]


def test_prefix_keeps_installations_apart(cluster: Cluster) -> None:
    code, _log = cluster.oneshot("upgrade", WA_DB_UPGRADE="1", WA_DB_NAME_PREFIX="second_")
    assert code == 0
    assert len(cluster.sql("SHOW DATABASES LIKE 'second\\_%Store'")) == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [("WA_DB_ENGINE", "ORACLE"), ("COREAPP_HOSTNAME", "10.0.0.1 "), ("WA_DB_PASSWORD", "a&b"), ("WA_DB_PORT", "x")],
)
def test_bad_value_ends_the_container_with_a_clear_line(cluster: Cluster, name: str, value: str) -> None:
    code, log = cluster.oneshot("bad", command=[LAUNCH], **{name: value})
    assert code == 1
    assert name in log.strip().splitlines()[-1]
    assert "Traceback" not in log


def test_newer_client_waits_until_the_schema_is_upgraded(cluster: Cluster) -> None:
    cluster.node("coreapp1", WAEMU_VERSION=NEWER)
    cluster.wait(lambda: getattr(cluster.status("coreapp1"), "gateway_status", "") == "uninitialized", 60)
    code, _log = cluster.oneshot("upgrade", WA_DB_UPGRADE="1", WAEMU_VERSION=NEWER)
    assert code == 0
    cluster.wait(lambda: cluster.status("coreapp1") == 1011, 30)


@pytest.mark.parametrize(
    "command",
    [[LAUNCH], ["/bin/sh", "-c", "cd /opt/whatsapp/bin && ./launch_within_docker.sh"], None],
    ids=["alone", "from its directory", "image default"],
)
def test_start_commands(cluster: Cluster, command: list[str] | None) -> None:
    node = cluster.node("coreapp9", command=command)
    cluster.wait(lambda: cluster.status("coreapp9") == 1011, 60)
    node.remove(force=True, v=True)
    del cluster.containers["coreapp9"]


def test_wait_script_ends_at_once_when_stopped(cluster: Cluster) -> None:
    node = cluster.node("coreapp8", WA_DB_HOSTNAME="nowhere")
    cluster.wait(lambda: b"Waiting for the database at nowhere:3306" in node.logs(), 60)
    node.stop(timeout=10)
    assert node.wait()["StatusCode"] == 143


def test_single_instance_is_its_own_master(cluster: Cluster) -> None:
    single_instance(cluster)
    status = cluster.status("wacore")
    assert isinstance(status, NodeStatus)
    assert status.role == "coreapp"
    cluster.send("wacore")


def test_expired_build_refuses_to_work(cluster: Cluster) -> None:
    expired = {"WA_APP_MULTICONNECT": "0", "COREAPP_HOSTNAME": "", "WA_DB_NAME_PREFIX": "single_"}
    single_instance(cluster)
    cluster.containers.pop("wacore").remove(force=True, v=True)
    cluster.node("wacore", WAEMU_FAULT_BUILD_EXPIRED="1", **expired)
    cluster.wait(lambda: getattr(cluster.status("wacore"), "gateway_status", "") == "disconnected", 60)
    request = {**ACCOUNT, "method": "sms", "cert": "YWJj"}
    for refused in (
        lambda: cluster.send("wacore"),
        lambda: cluster.call("wacore", 6252, "POST", "/account", request),
        lambda: cluster.call("wacore", 6252, "POST", "/account/verify", {"code": "123456"}),
    ):
        with pytest.raises(CoreError) as refusal:
            refused()
        assert refusal.value.code == 1005
        assert "App expired" in refusal.value.errors[0].details


def test_standby_is_light(cluster: Cluster) -> None:
    """At most 80 MB resident."""
    if "coreapp1" not in cluster.containers:
        cluster.node("coreapp1", command=START)
    cluster.wait(lambda: cluster.status("coreapp1") == 1011, 60)
    pids = cluster.containers["coreapp1"].exec_run(["grep", "VmRSS", "/proc/1/status"]).output.decode()
    assert int(pids.split()[1]) < 80 * 1024
