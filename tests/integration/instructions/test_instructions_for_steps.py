# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to do where a cluster in service cannot be read, or something happens in the middle of a run."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t
from pathlib import Path

import docker.errors
import pytest
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.fake_version import (
    create_fake_version,
    fake_version,
    remove_fake_version,
)
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS
from ansible_collections.waent.fleet.tests.support.live_cluster import (
    GATEWAY_IMAGE,
    NEW,
    OK,
    OLD,
    LiveCluster,
)
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, play, write_inventory
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE, machine_address
from docker.models.containers import Container

SHARDS = 2
AGAIN = Command("", {})
PROXY = Path(__file__).parents[2] / "support" / "lossy_proxy.py"
OTHER_LINE = "v2.21.4"
SCHEMA_FAILS = 'if [ "$WA_DB_UPGRADE" = 1 ]; then echo the table is full; exit 1; fi; exec "$0" "$@"'
COPY_DATABASE = (
    "docker stop {0}-db && docker run --rm --user 0 --volume {1}:/from:ro --volume {2}:/to --entrypoint sh"
    " waent/mariadb:10.11 -c 'rm -rf /to/* && cp -a /from/. /to' && docker start {0}-db"
)
"""From a volume to another, while the database does not run."""

pytestmark = pytest.mark.begins_with(shards=SHARDS, version=OLD)
thorough = pytest.mark.thorough


def said(run: Run, beginning: str) -> list[Command]:
    """What it says to run, from a text on."""
    assert run.code == FAILED, run.output
    return commands_after(run.output, beginning)


def check_healthy(cluster: LiveCluster, run: Run, shards: int = SHARDS, version: str = OLD) -> None:
    """It ended well, with all shards served, and nobody has anything left to do."""
    assert run.code == OK, run.output
    assert (cluster.versions(), cluster.faults(shards)) == ({version}, [])
    declared = {"wa_shards": shards, "wa_version": version}
    status = cluster.status("-e", json.dumps(declared))
    assert status.code == OK, status.output


@contextlib.contextmanager
def inventory(
    cluster: LiveCluster, directory: Path, more: t.Mapping[str, t.Any], **others: t.Mapping[str, t.Any]
) -> t.Iterator[None]:
    """With more variables of the cluster's host, and with other hosts, for a while."""
    shape, kept = cluster.shape, cluster.inventory
    groups = {name: [shape.host] for name in ("wa_database_hosts", *shape.groups)}
    hosts = {shape.host: {**shape.host_variables(), **more}, **others}
    cluster.inventory = write_inventory(directory / "hosts.yml", hosts, **groups)
    try:
        yield
    finally:
        cluster.inventory = kept


def test_without_a_host_less_is_asked_to_survive(cluster: LiveCluster, tmp_path: Path) -> None:
    """The other one of two, which never had a node, is off."""
    off = {"ansible_host": "127.0.0.1", "ansible_port": 9, "wa_address": "192.0.2.9", "wa_api_address": "192.0.2.9"}
    before = cluster.containers()
    with inventory(cluster, tmp_path, {}, off=off):
        asked = ["-e", json.dumps({"wa_survive": {"hosts": 1}})]
        for code in ("HOST_NOT_READ", "WA_SURVIVE_IMPOSSIBLE"):
            (command, *_) = said(cluster.play("site.yml", *asked), "[{0}] ".format(code))
            assert not command.again, "arguments are added"
            asked += command.given()
        run = cluster.play("site.yml", *asked)
        status = cluster.status(*asked)
    assert (run.code, status.code) == (OK, OK), run.output + status.output
    assert cluster.containers() == before
    assert cluster.faults(SHARDS) == []


@thorough
def test_an_owner_that_runs_and_says_nothing_is_left_alone_until_it_reports(cluster: LiveCluster) -> None:
    """All on it has stopped, but its container; nobody could take over from it."""
    spare = cluster.engine.containers.get(cluster.spare())
    (owner,) = (link["node"].rpartition(":")[2] for link in cluster.connections() if 0 in link["shards"])
    container = cluster.engine.containers.get(owner)
    spare.stop(timeout=1)
    container.kill("STOP")
    try:
        deadline = time.monotonic() + PATIENCE
        while "OWNER_UNCERTAIN" not in (refused := cluster.upgrade(NEW)).codes:
            # Its last heartbeat is not old enough yet.
            assert refused.code == FAILED and time.monotonic() < deadline, refused.output
    finally:
        container.kill("CONT")
    assert owner in refused.sentences("OWNER_UNCERTAIN")[0]
    assert cluster.versions() == {OLD}
    (command, *_) = said(refused, "[OWNER_UNCERTAIN]")
    assert command == AGAIN
    deadline = time.monotonic() + PATIENCE
    while sum(len(link["shards"]) for link in cluster.connections()) < SHARDS + 1:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    check_healthy(cluster, cluster.upgrade(NEW, *command.given()), version=NEW)


@thorough
def test_timers_that_no_master_shows_are_not_shortened_until_one_does(cluster: LiveCluster) -> None:
    """They are not declared either, so that nobody would know what to restore them to."""
    declared = cluster.settings()
    cluster.declare(wa_settings={})
    for name in [name for name in cluster.nodes() if "-master-" in name]:
        cluster.engine.containers.get(name).stop(timeout=1)
    before = cluster.containers()
    again, site = said(cluster.upgrade(NEW), "[SETTINGS_UNREAD]")[:2]
    assert (again, site) == (AGAIN, Command("site", {}))
    assert cluster.containers() == before
    started = cluster.play("site.yml", *site.given())
    assert started.code == OK, started.output
    check_healthy(cluster, cluster.upgrade(NEW, *again.given()), version=NEW)
    assert cluster.settings() == declared


@thorough
def test_a_node_that_somebody_removes_meanwhile_is_created_by_the_next_run(cluster: LiveCluster) -> None:
    """The first one that is recreated, a coreapp that owns nothing, while the run waits for it."""
    name = cluster.spare()
    hosts = cluster.shape.variables("")["wa_extra_hosts"]
    cluster.declare(wa_extra_hosts={**hosts, "removed.example": "192.0.2.7"})
    callbacks = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "act_at_task"}
    run = cluster.play(
        "site.yml", "-e", "wa_health_timeout_seconds=15", **callbacks,
        ACT_AT_TASK="Replace | Reach the gate", ACT_COMMAND="docker rm --force " + name,
    )  # fmt: skip
    assert "ACTED AT" in run.output, run.output
    (command, *_) = said(run, "[NODE_ABSENT]")
    assert command == AGAIN
    check_healthy(cluster, cluster.play("site.yml", *command.given()))


@pytest.fixture
def proxy(cluster: LiveCluster, tmp_path: Path) -> t.Iterator[Container]:
    """Before the webapps; it loses the first call of set-shards."""
    certificate, key = Authority(tmp_path).sign("proxy")
    (tmp_path / "server.pem").write_text(key.read_text() + certificate.read_text())
    (tmp_path / PROXY.name).write_text(PROXY.read_text())
    ports = [url.rpartition(":")[2] for url in cluster.webapps()]
    upstream = machine_address(cluster.engine, GATEWAY_IMAGE)
    container = cluster.engine.containers.run(
        GATEWAY_IMAGE, ["/proxy/" + PROXY.name, upstream, "/v1/account/shards", *ports], entrypoint=["python3"],
        name=cluster.shape.prefix + "-proxy", user="0", detach=True,
        volumes={str(tmp_path): {"bind": "/proxy", "mode": "ro"}},
    )  # fmt: skip
    try:
        container.reload()
        (network,) = container.attrs["NetworkSettings"]["Networks"].values()
        with inventory(cluster, tmp_path, {"wa_api_address": network["IPAddress"]}):
            yield container
    finally:
        container.remove(force=True, v=True)


@thorough
def test_a_coreapp_whose_shards_are_not_shown_is_asked_again(
    cluster: LiveCluster, tmp_path: Path, proxy: Container
) -> None:
    """It begins to start again, say: health has shown it already, and support does not."""
    (tmp_path / "unread").write_text("{0}:{1}".format(cluster.shape.host, cluster.spare()))
    before = cluster.containers()
    refused = cluster.upgrade(NEW)
    assert cluster.spare() in refused.sentences("STATE_UNKNOWN")[0], refused.output
    (command, *_) = said(refused, "[STATE_UNKNOWN]")
    assert command == AGAIN
    assert cluster.containers() == before
    (tmp_path / "unread").unlink()
    check_healthy(cluster, cluster.upgrade(NEW, *command.given()), version=NEW)
    assert proxy.logs(stderr=False) == b"", "no call was lost"


@thorough
def test_a_call_of_set_shards_that_got_lost_is_made_by_the_next_run(cluster: LiveCluster, proxy: Container) -> None:
    (command, *_) = said(cluster.reshard(4), "[ANSWER_LOST]")
    assert command == AGAIN
    assert proxy.logs(stderr=False).decode().splitlines() == ["cut /v1/account/shards"]
    assert cluster.shards() == SHARDS
    check_healthy(cluster, cluster.reshard(4, *command.given()), shards=4)


@pytest.fixture
def failing_schema(cluster: LiveCluster, tmp_path: Path) -> t.Iterator[None]:
    """A version of another line whose upgrade of the schema fails, and a snapshot that is taken before."""
    wait, snapshot = tmp_path / "wait.yml", tmp_path / "snapshot.yml"
    wait.write_text(json.dumps([{"name": "Wait for it", "ansible.builtin.debug": {"msg": "at once"}}]))
    prefix = cluster.shape.prefix
    take = COPY_DATABASE.format(prefix, prefix + "Database", prefix + "Snapshot")
    snapshot.write_text(json.dumps([{"name": "Take it", "ansible.builtin.shell": take}]))
    create_fake_version(cluster.engine, OTHER_LINE, SCHEMA_FAILS)
    cluster.declare(wa_db_snapshot=str(snapshot), wa_message_cleanup_wait=str(wait))
    try:
        yield
    finally:
        remove_fake_version(cluster.engine, OTHER_LINE)
        with contextlib.suppress(docker.errors.NotFound):
            cluster.engine.volumes.get(prefix + "Snapshot").remove(force=True)


@thorough
@pytest.mark.parametrize("way", ["schema_failed", "schema_failed_back"])
@pytest.mark.usefixtures("failing_schema")
def test_a_schema_upgrade_that_failed_is_finished_or_given_up(cluster: LiveCluster, way: str) -> None:
    refused = cluster.upgrade(OTHER_LINE)
    again, back = said(refused, "[SCHEMA_UPGRADE_FAILED]")[:2]
    assert (again, back.playbook) == (AGAIN, "site")
    if way == "schema_failed":
        remove_fake_version(cluster.engine, OTHER_LINE)
        create_fake_version(cluster.engine, OTHER_LINE)
        check_healthy(cluster, cluster.upgrade(OTHER_LINE, *again.given()), version=OTHER_LINE)
        return
    one_shot = cluster.shape.prefix + "-schema-upgrade"
    assert "remove the container {0} and run".format(one_shot) in " ".join(refused.output.split())
    prefix = cluster.shape.prefix
    subprocess.run(COPY_DATABASE.format(prefix, prefix + "Snapshot", prefix + "Database"), shell=True, check=True)
    cluster.engine.containers.get(one_shot).remove(force=True)
    check_healthy(cluster, cluster.play("site.yml", *back.given(wa_version=OLD)))


@thorough
def test_what_fails_without_a_word_is_shown_in_full_by_the_argument_that_is_added(
    cluster: LiveCluster, tmp_path: Path
) -> None:
    """A task file of the user's whose condition fails it, so that no module has said anything; it hides its output."""
    answer, wait, snapshot = tmp_path / "answer", tmp_path / "wait.yml", tmp_path / "snapshot.yml"
    wait.write_text(json.dumps([{"name": "Wait for it", "ansible.builtin.debug": {"msg": "at once"}}]))
    task = {
        "name": "Take it",
        "ansible.builtin.command": "cat {0}".format(answer),
        "register": "taken",
        "changed_when": True,
        "failed_when": "taken.stdout != 'complete'",
        "no_log": "{{ wa_secure_logging | bool }}",
    }
    snapshot.write_text(json.dumps([task]))
    answer.write_text("no room for a snapshot")
    cluster.declare(wa_db_snapshot=str(snapshot), wa_message_cleanup_wait=str(wait))
    with fake_version(cluster.engine, OTHER_LINE):
        refused = cluster.upgrade(OTHER_LINE)
        (shown, *_) = said(refused, "it gave no reason")
        assert (shown.playbook, shown.again) == ("", False)
        assert answer.read_text() not in refused.output
        # Not by the cluster, which lets no run show a secret: this one says that it does.
        given = ["-i", cluster.inventory, "-e", cluster.variables, "-e", "version=" + OTHER_LINE, *shown.given()]
        run = play("playbooks/upgrade.yml", *given)
        assert run.code == FAILED and answer.read_text() in run.output, run.output
        answer.write_text("complete")
        check_healthy(cluster, cluster.upgrade(OTHER_LINE), version=OTHER_LINE)
