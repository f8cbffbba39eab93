# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an empty account to a cluster in service, and to other numbers of shards, with machines behind the stacks.

What is done in which order is read where nobody can be wrong about it: in the record of AWS, from the engines of the
machines, and in the log of the gateway, which is asked for another number of shards. All have the same clock.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.aws_cluster import AwsCluster
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

pytestmark = pytest.mark.thorough

FIRST_HOSTS = ["waent-staging-1", "waent-staging-2"]
NEW_HOST = "waent-staging-3"


@pytest.fixture
def staging(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[AwsCluster]:
    """A region with nothing in it."""
    cluster = AwsCluster(tmp_path_factory.mktemp("aws"), "staging", "aws")
    try:
        cluster.begin_region()
        yield cluster
    finally:
        cluster.remove()


def install(cluster: AwsCluster, shards: int, hosts: list[str]) -> None:
    """aws.yml: stacks, and the cluster on what they stand for."""
    made = cluster.play("aws.yml", "-e", "shards={0}".format(shards))
    assert made.code == OK, made.output
    has_machines(cluster, hosts)
    assert cluster.faults(shards) == []


def has_machines(cluster: AwsCluster, hosts: list[str]) -> None:
    """A machine follows its instance in a moment."""
    deadline = time.monotonic() + PATIENCE
    while cluster.hosts != hosts:
        assert time.monotonic() < deadline, (cluster.hosts, cluster.trouble)
        time.sleep(0.2)


@contextlib.contextmanager
def in_service(cluster: AwsCluster) -> t.Iterator[None]:
    """Messages are sent all the while; none is lost, none comes twice, and nobody is banned."""
    with cluster.probe(rate=5.0) as probe:
        yield
    report = probe.report
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])


def test_growing(staging: AwsCluster) -> None:
    """Stack, wait, extend, set-shards; killed when the new host is there and the cluster knows nothing of it."""
    install(staging, 1, FIRST_HOSTS)
    racks = staging.play("status.yml").output
    assert "eu-central-1a" in racks and "eu-central-1b" in racks
    staging.aws.forget_calls()
    before = staging.set_shards()
    refused = staging.play("aws.yml", "-e", "shards=2")
    assert "AWS_SHARDS_DIFFER" in refused.codes and "playbooks/reshard.yml -e shards=2" in refused.output
    assert staging.stack_changes("enterprise") == []
    with in_service(staging):
        killed = staging.killed("reshard.yml", "Reach | Wait until the host can be reached", "-e", "shards=2")
        assert killed.code == KILLED, killed.output
        has_machines(staging, [*FIRST_HOSTS, NEW_HOST])
        assert not staging.has_engine(NEW_HOST)
        assert (staging.set_shards(), staging.shards()) == (before, 1)
        again = staging.reshard(2)
        assert again.code == OK, again.output
    assert staging.faults(2) == []
    stacks, boots = staging.stack_changes("enterprise"), staging.boots()
    (created,) = (moment for _state, moment in staging.nodes_on(NEW_HOST, "coreapp").values())
    assert set(staging.nodes_on(NEW_HOST, "coreapp")) == {"wa-coreapp-1"}
    (asked,) = staging.set_shards()[len(before) :]
    assert stacks[0] < boots[NEW_HOST] < created < asked
    # Nothing is left to do: stacks and cluster have the same number.
    once_more = staging.play("aws.yml", "-e", "shards=2")
    assert once_more.code == OK, once_more.output
    assert set(once_more.changes.values()) == {0}, once_more.output


def owns(cluster: AwsCluster, host: str) -> None:
    """Have a shard owned there: elsewhere an owner is stopped until its shard has come over."""
    deadline = time.monotonic() + PATIENCE
    while host not in cluster.owner_hosts():
        assert time.monotonic() < deadline, cluster.connections()
        for other in sorted(cluster.owner_hosts() - {host}):
            (name,) = cluster.nodes_on(other, "coreapp")
            cluster.stop(other, name)
            with contextlib.suppress(AssertionError):
                wait_for(lambda: host in cluster.owner_hosts(), 30)
            cluster.start_node(other, name)
            break


def wait_for(what: t.Callable[[], bool], seconds: float) -> None:
    """Until it is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def killed_after_set_shards(cluster: AwsCluster, before: list[float]) -> None:
    """All coreapps restart, and nothing is removed yet."""
    killed = cluster.killed_when(
        lambda: len(cluster.set_shards()) > len(before), "reshard.yml", "-e", "shards=1", seconds=1
    )
    assert killed.code == KILLED, killed.output
    assert set(cluster.nodes_on(NEW_HOST, "coreapp")) == {"wa-coreapp-1"}


def killed_when_empty(cluster: AwsCluster, _before: list[float]) -> None:
    """The host that goes has nothing any more, and is still there."""
    killed = cluster.killed("reshard.yml", "Read the host", "-e", "shards=1")
    assert killed.code == KILLED, killed.output
    assert cluster.nodes_on(NEW_HOST, "coreapp") == {}


@pytest.mark.parametrize("kill", [killed_after_set_shards, killed_when_empty])
def test_shrinking(staging: AwsCluster, kill: t.Callable[[AwsCluster, list[float]], None]) -> None:
    """Set-shards, all coreapps back, the host that owns a shard emptied, then the stack."""
    install(staging, 2, [*FIRST_HOSTS, NEW_HOST])
    owns(staging, NEW_HOST)
    assert staging.faults(2) == []
    staging.aws.forget_calls()
    before = staging.set_shards()
    with in_service(staging):
        kill(staging, before)
        # AWS was asked for nothing.
        has_machines(staging, [*FIRST_HOSTS, NEW_HOST])
        assert staging.stack_changes("enterprise") == []
        again = staging.reshard(1)
        assert again.code == OK, again.output
    has_machines(staging, FIRST_HOSTS)
    assert staging.faults(1) == []
    (asked,) = staging.set_shards()[len(before) :]
    gone = staging.left[NEW_HOST]
    assert gone.containers == []
    assert sorted(gone.owners) == [-1, 0] and NEW_HOST not in gone.owners.values()
    assert asked < gone.removed["wa-coreapp-1"] < staging.stack_changes("enterprise")[0] < gone.at
