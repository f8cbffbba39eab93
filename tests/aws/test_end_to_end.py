# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an empty account to a cluster in service, and to other numbers of shards, with machines behind the stacks.

What is done in which order is read where nobody can be wrong about it: in the record of AWS, from the engines of the
machines, and in the log of the gateway, which is asked for another number of shards. All have the same clock.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.aws_cluster import AwsCluster
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS, KILLED
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.printed import Command, commands
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

pytestmark = pytest.mark.thorough

FIRST_HOSTS = ["waent-staging-1", "waent-staging-2"]
NEW_HOST = "waent-staging-3"


@contextlib.contextmanager
def region(home: Path, environment: str) -> t.Iterator[AwsCluster]:
    """One with nothing in it."""
    cluster = AwsCluster(home, environment, "aws")
    try:
        cluster.begin_region()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def staging(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[AwsCluster]:
    """For the environment that needs the fewest hosts."""
    with region(tmp_path_factory.mktemp("aws"), "staging") as cluster:
        yield cluster


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


class Growth(t.NamedTuple):
    """Of an environment by one host: shards before and after, and how many hosts there are before."""

    environment: str
    before: int
    after: int
    there: int

    def hosts(self, count: int) -> list[str]:
        """Names of the first ones."""
        return ["waent-{0}-{1}".format(self.environment, number) for number in range(1, count + 1)]


def coreapps_made(cluster: AwsCluster) -> dict[str, dict[str, float]]:
    """When each coreapp was made, by host and name."""
    return {
        host: {name: moment for name, (_state, moment) in cluster.nodes_on(host, "coreapp").items()}
        for host in cluster.hosts
    }


@pytest.mark.parametrize(
    "growth", [Growth("staging", 1, 2, 2), Growth("production", 2, 4, 3)], ids=lambda one: one.environment
)
def test_growing(tmp_path: Path, growth: Growth) -> None:
    """Stack, wait, extend, set-shards; killed when the new host is there and the cluster knows nothing of it."""
    with region(tmp_path, growth.environment) as cluster:
        grows(cluster, growth)


def grows(cluster: AwsCluster, growth: Growth) -> None:
    """From nothing to the one number, and from there to the other."""
    (*first, new_host) = growth.hosts(growth.there + 1)
    install(cluster, growth.before, first)
    racks = cluster.play("status.yml").output
    assert all("eu-central-1" + letter in racks for letter in "abc"[: growth.there])
    cluster.aws.forget_calls()
    before, coreapps = cluster.set_shards(), coreapps_made(cluster)
    shards = "shards={0}".format(growth.after)
    refused = cluster.play("aws.yml", "-e", shards)
    way_on = commands(refused.sentences("AWS_SHARDS_DIFFER")[0])[0]
    assert way_on == Command("reshard", {"shards": str(growth.after)})
    assert cluster.stack_changes("enterprise") == []
    with in_service(cluster):
        killed = cluster.killed("reshard.yml", "Reach | Wait until the host can be reached", *way_on.given())
        assert killed.code == KILLED, killed.output
        has_machines(cluster, [*first, new_host])
        assert not cluster.has_engine(new_host)
        assert (cluster.set_shards(), cluster.shards()) == (before, growth.before)
        again = cluster.play("reshard.yml", *way_on.given())
        assert again.code == OK, again.output
    assert cluster.faults(growth.after) == []
    stacks, boots, made = cluster.stack_changes("enterprise"), cluster.boots(), coreapps_made(cluster)
    assert "wa-coreapp-1" in made[new_host]
    fresh = [moment for host in made for name, moment in made[host].items() if name not in coreapps.get(host, {})]
    assert len(fresh) == growth.after - growth.before
    (asked,) = cluster.set_shards()[len(before) :]
    assert stacks[0] < boots[new_host] < made[new_host]["wa-coreapp-1"] and max(fresh) < asked
    # Nothing is left to do: stacks and cluster have the same number.
    once_more = cluster.play("aws.yml", "-e", shards)
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


def somebody_else_wants_a_coreapp_there(cluster: AwsCluster, copy: Path) -> dict[str, str]:
    """site.yml with a copy of the inventory, by a colleague, when the host that goes is empty and not read yet."""
    shutil.copytree(cluster.inventory, copy)
    (copy / "host_vars").mkdir()
    (copy / "host_vars" / (NEW_HOST + ".yml")).write_text("wa_coreapps: 1\n")
    run = (
        "env --unset=ANSIBLE_CALLBACKS_ENABLED ansible-playbook playbooks/site.yml -i {0} -e confirm=yes > {0}.log 2>&1"
    )
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "act_at_task",
        "ACT_AT_TASK": "Read the host",
        "ACT_COMMAND": run.format(copy),
    }


def test_fewer_hosts_go_by_what_is_printed_also_when_one_is_not_empty(staging: AwsCluster) -> None:
    """With as many shards as before; that command is run again after what empties the host."""
    install(staging, 2, [*FIRST_HOSTS, NEW_HOST])
    (staging.home / "inventory" / "group_vars" / "all" / "hosts.yml").write_text("wa_aws_hosts: 2\n")
    refused = staging.play("aws.yml", "-e", "shards=2")
    assert refused.code == FAILED and refused.codes == ["AWS_HOSTS_FEWER"], refused.output
    (fewer,) = commands(refused.sentences("AWS_HOSTS_FEWER")[0])
    assert (fewer.playbook, fewer.arguments) == ("reshard", {"shards": "2"})
    with in_service(staging):
        colleague = staging.home / "of-a-colleague"
        occupied = staging.play(
            "reshard.yml", *fewer.given(), **somebody_else_wants_a_coreapp_there(staging, colleague)
        )
        assert "ACTED AT" in occupied.output, colleague.with_suffix(".log").read_text()
        assert occupied.code == FAILED and occupied.codes == ["AWS_HOST_OCCUPIED"], occupied.output
        has_machines(staging, [*FIRST_HOSTS, NEW_HOST])
        (drain,) = commands(occupied.sentences("AWS_HOST_OCCUPIED")[0])
        assert (drain.playbook, drain.arguments) == ("drain", {"host": NEW_HOST})
        for command in (drain, fewer):
            run = staging.play(command.playbook + ".yml", *command.given())
            assert run.code == OK, run.output
    has_machines(staging, FIRST_HOSTS)
    assert staging.left[NEW_HOST].containers == []
    assert staging.faults(2) == []
    status = staging.status()
    assert status.code == OK, status.output
    again = staging.play("aws.yml", "-e", "shards=2")
    assert again.code == OK and set(again.changes.values()) == {0}, again.output
