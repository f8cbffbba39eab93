# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal says to run is read from its words, run from that state, and ends well.

docs/instructions.md has all instructions; those of an operation are run in its own tests.
"""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after

SHARDS = 2
SWITCHOVER = "Switchover | Wait until a standby has taken over"


def refused(run: Run, code: str) -> list[Command]:
    """What the refusal with this code says to run."""
    assert run.code == FAILED, run.output
    found = commands_after(run.output, "[{0}]".format(code))
    assert found, run.output
    return found


def check_unchanged(cluster: LiveCluster, run: Run, before: t.Any) -> None:
    assert run.code == OK, run.output
    assert cluster.containers() == before
    assert cluster.faults(SHARDS) == []


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
@pytest.mark.parametrize(
    ("playbook", "code", "filled"),
    [
        ("reshard", "SHARDS_MISSING", {"shards": str(SHARDS)}),
        ("upgrade", "VERSION_MISSING", {"version": OLD}),
    ],
)
def test_what_is_missing_is_added(cluster: LiveCluster, playbook: str, code: str, filled: dict[str, str]) -> None:
    before = cluster.containers()
    command = refused(cluster.play(playbook + ".yml"), code)[0]
    assert not command.again
    check_unchanged(cluster, cluster.play(playbook + ".yml", *command.given(**filled)), before)


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_what_is_too_much_is_left_out(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = cluster.play("site.yml", "--tags", "coreapp")
    command = refused(run, "TAGS_NOT_ALLOWED")[0]
    assert command == Command("", {}) and "without --tags" in " ".join(run.output.split())
    check_unchanged(cluster, cluster.play("site.yml"), before)


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_without_a_webapp_two_commands_in_their_order(cluster: LiveCluster) -> None:
    with cluster.stopped("webapp"):
        (shown, *_others) = refused(cluster.status(), "API_UNREACHABLE")
        assert shown.playbook == "site"
        site, again = refused(cluster.reshard(SHARDS), "STATE_UNKNOWN")[:2]
        assert (site.playbook, again) == ("site", Command("", {}))
        run = cluster.play("site.yml", *site.given())
        assert run.code == OK, run.output
        check_unchanged(cluster, cluster.reshard(SHARDS, *again.given()), cluster.containers())


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_without_masters_site_makes_them_before_a_reshard(cluster: LiveCluster) -> None:
    for name in cluster.nodes():
        if "-master-" in name:
            cluster.engine.containers.get(name).remove(force=True)
    site, again = refused(cluster.reshard(SHARDS), "NO_PRIMARY_MASTER")[:2]
    assert (site.playbook, again) == ("site", Command("", {}))
    run = cluster.play("site.yml", *site.given())
    assert run.code == OK, run.output
    check_unchanged(cluster, cluster.reshard(SHARDS, *again.given()), cluster.containers())


@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_a_key_that_the_webapps_do_not_have_is_given_to_them(cluster: LiveCluster) -> None:
    cluster.declare(wa_api_key="another-key-of-this-1")
    (command, *_) = refused(cluster.play("status.yml"), "API_KEY_REFUSED")
    assert command.playbook == "site"
    run = cluster.play("site.yml", *command.given())
    assert run.code == OK, run.output
    status = cluster.status()
    assert status.code == OK, status.output


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_coreapps_of_a_reshard_that_stopped_are_used_or_removed(cluster: LiveCluster) -> None:
    for way in (0, 1):
        killed = cluster.reshard_killed(4, "Create | Reach the gate")
        assert killed.task, killed.output
        commands = refused(cluster.play("status.yml"), "COREAPPS_SURPLUS")
        assert [one.playbook for one in commands[:2]] == ["reshard", "reshard"]
        run = cluster.play("reshard.yml", *commands[way].given(shards="4"))
        assert run.code == OK, run.output
        shards = (SHARDS, 4)[way]
        assert cluster.faults(shards) == []
        status = cluster.status("-e", "wa_shards={0}".format(shards))
        assert status.code == OK, status.output


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_another_version_comes_with_an_upgrade_that_was_killed_too(cluster: LiveCluster) -> None:
    other = ("-e", "wa_version=" + NEW)
    (command, *_) = refused(cluster.play("site.yml", *other), "VERSION_DIFFERS")
    assert (command.playbook, command.arguments) == ("upgrade", {"version": NEW})
    killed = cluster.killed("upgrade.yml", SWITCHOVER, *command.given())
    assert killed.task, killed.output
    assert refused(cluster.play("status.yml", *other), "UPGRADE_UNFINISHED")[0] == command
    run = cluster.play("upgrade.yml", *command.given())
    check_restored(cluster, run, NEW)
    status = cluster.status(*other)
    assert status.code == OK, status.output


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_timers_of_a_rollout_that_was_killed_are_restored(cluster: LiveCluster) -> None:
    """site.yml that recreates nodes: there is only one version, so nothing else shows it."""
    declare_another_host(cluster, "storage.example")
    killed = cluster.killed("site.yml", SWITCHOVER, "-e", "confirm=yes")
    assert killed.task, killed.output
    (command, *_) = refused(cluster.play("status.yml"), "TIMERS_SHORTENED")
    assert (command.playbook, command.arguments) == ("upgrade", {"version": OLD})
    run = cluster.play("upgrade.yml", *command.given())
    check_restored(cluster, run, OLD)
    status = cluster.status()
    assert status.code == OK, status.output


def declare_another_host(cluster: LiveCluster, name: str) -> None:
    """What recreates every node, one after the other where the cluster is in service."""
    hosts = cluster.shape.variables("")["wa_extra_hosts"]
    cluster.declare(wa_extra_hosts={**hosts, name: "192.0.2.7"})


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
@pytest.mark.parametrize("way", ["service_unknown", "service_unknown_at_once"])
def test_a_cluster_that_nobody_can_ask_is_asked_again_or_recreated_at_once(cluster: LiveCluster, way: str) -> None:
    declare_another_host(cluster, way.replace("_", "-") + ".example")
    with cluster.stopped("webapp"):
        run = cluster.play("site.yml")
        again, at_once = refused(run, "SERVICE_UNKNOWN")[:2]
        assert (again, at_once.again) == (Command("", {}), False)
        (webapp,) = re.findall(r"\(docker start (\S+) on ", run.sentences("SERVICE_UNKNOWN")[0])
        if way == "service_unknown_at_once":
            run = cluster.play("site.yml", *at_once.given())
            assert run.code == OK, run.output
        else:
            cluster.engine.containers.get(webapp).start()
            check_restored(cluster, cluster.play("site.yml", *again.given()), OLD)
    status = cluster.status()
    assert status.code == OK, status.output


@pytest.mark.thorough
@pytest.mark.begins_with(shards=SHARDS, version=OLD)
def test_nodes_with_another_secret_are_recreated_before_an_upgrade(cluster: LiveCluster) -> None:
    environment = cluster.shape.variables(cluster.gateway_port)["wa_extra_environment"]
    cluster.declare(wa_extra_environment={**environment, "WA_SECRET": "canary-secret-6Tq2"})
    (command, *_) = refused(cluster.upgrade(NEW), "NODE_SECRET_DIFFERS")
    assert command.playbook == "site"
    run = cluster.play("site.yml", *command.given(wa_version=OLD))
    assert run.code == OK, run.output
    check_restored(cluster, cluster.upgrade(NEW), NEW)


def check_restored(cluster: LiveCluster, run: Run, version: str) -> None:
    assert run.code == OK, run.output
    assert (cluster.versions(), cluster.intervals(), cluster.faults(SHARDS)) == ({version}, (5, 30), [])
