# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another mount option of the media share, on two machines with their own engines, with messages going through.

Nodes, engines and rollout are real, the mount is pretended: the kernel of this machine need not know NFS. That one
really has the new options then is found out in tests/integration/media.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.killable_runs import CALLBACKS, KILLED, end_group
from ansible_collections.waent.fleet.tests.support.live_cluster import Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.pretended_share import MACHINES, PretendedShare
from ansible_collections.waent.fleet.tests.support.printed import Command, commands
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE
from ansible_collections.waent.fleet.tests.support.two_machines import FIRST, SECOND, TwoMachines

pytestmark = pytest.mark.thorough

PATH = "/srv/media"


def share(*opts: str) -> dict[str, t.Any]:
    return {"server": "nas-1.example.com", "export": "/media", "path": PATH, "opts": list(opts)}


class Sharing(TwoMachines):
    """A node of each kind on both machines, so that one does without the other."""

    def __init__(self, home: Path) -> None:
        more = {"wa_survive": {"hosts": 1}, "wa_media": PATH, "wa_media_share": share()}
        super().__init__(home, Shape("rem", 0, 1, divisor=10, webapps=1, more=more), "remount")
        self.share = PretendedShare(home / "share")
        self.share.directory.mkdir()
        machines = {machine: "waent-mol-remount-" + machine for machine in (FIRST, SECOND)}
        (self.share.directory / MACHINES).write_text(json.dumps(machines))
        create = self.fleet.create

        def create_with_directories() -> None:
            create()
            for machine in (FIRST, SECOND):
                self.on(machine, "mkdir -p -m 0777 " + PATH)

        self.fleet.create = create_with_directories  # type: ignore[method-assign]

    @property
    def pretence(self) -> dict[str, str]:
        return {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "pretend_share",
            "PRETEND_SHARE": str(self.share.directory),
        }

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        return super().play(playbook, *more, **{**self.pretence, **extra})

    def change(self, *arguments: str, opts: str, **variables: t.Any) -> Run:
        """site.yml with an option."""
        given = {"wa_media_share": share(opts), **variables}
        return self.play("site.yml", "-e", json.dumps(given), *arguments)

    def change_killed(self, task: str, opts: str) -> int:
        """The same until a task begins; its code."""
        extra = {**self.pretence, "ANSIBLE_CALLBACKS_ENABLED": "pretend_share,kill_at_task", "KILL_AT_TASK": task}
        process, log = self.begin("site.yml", "-e", json.dumps({"wa_media_share": share(opts)}), **extra)
        try:
            process.wait(timeout=RUN_PATIENCE)
        finally:
            end_group(process)
        assert process.returncode == KILLED, log.read_text()
        return process.returncode


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Sharing]:
    made = Sharing(tmp_path_factory.mktemp("remount"))
    try:
        made.start_machines()
        yield made
    finally:
        made.remove()


def said(output: str) -> str:
    """Without the folding of long lines."""
    return " ".join(output.split())


def came_through(report: t.Any) -> None:
    """Every accepted message, once."""
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])


def test_one_machine_after_the_other_and_no_message_is_lost(cluster: Sharing) -> None:
    before = {machine: cluster.states(machine) for machine in (FIRST, SECOND)}
    planned = cluster.change("--check", opts="timeo=300")
    assert planned.code == OK, planned.output
    for machine in (FIRST, SECOND):
        assert "{0}: mount again, with its nodes stopped, media share".format(machine) in said(planned.output)
    assert {machine: cluster.states(machine) for machine in (FIRST, SECOND)} == before
    mounted = len(cluster.share.running_when_mounted())

    with cluster.probe(shards=1) as probe:
        run = cluster.change(opts="timeo=300")
        assert run.code == OK, run.output
    came_through(probe.report)
    hosts = cluster.share.running_when_mounted()[mounted:]
    assert sorted(hosts) == [(FIRST, []), (SECOND, [])], "nobody may run while the share is mounted again"
    assert cluster.faults(1, coreapps=2) == []
    again = cluster.change(opts="timeo=300")
    assert (again.code, set(again.changes.values())) == (OK, {0}), again.output
    assert len(cluster.share.running_when_mounted()) == mounted + 2


@pytest.mark.parametrize("task", ["Remount share | Mount it with its options", "Remount | Stop the other nodes"])
def test_killed_and_run_again(cluster: Sharing, task: str) -> None:
    opts = "timeo=400" if "share |" in task else "timeo=500"
    with cluster.probe(shards=1) as probe:
        cluster.change_killed(task, opts)
        run = cluster.change(opts=opts)
        assert run.code == OK, run.output
    came_through(probe.report)
    for machine in (FIRST, SECOND):
        assert opts in cluster.share.opts(machine)
    assert all(nodes == [] for _host, nodes in cluster.share.running_when_mounted()[2:])
    assert cluster.faults(1, coreapps=2) == []
    again = cluster.change(opts=opts)
    assert (again.code, set(again.changes.values())) == (OK, {0}), again.output


def test_nodes_that_were_started_before_it_was_mounted_get_it_and_lose_nothing(cluster: Sharing) -> None:
    """As after a boot with the server away. The mount is a real one, of another file system than NFS."""
    opts = cluster.share.opts(SECOND)[0]
    given = json.dumps({"wa_media_share": share(opts)})
    nodes = sorted(cluster.states(SECOND))
    written = "docker exec {0} sh -c 'echo photo > /usr/local/wamedia/incoming-photo'".format(nodes[0])
    assert cluster.on(SECOND, written) == ""
    cluster.on(SECOND, "mount -t tmpfs -o mode=0777 nas-1.example.com:/media {0}".format(PATH))
    # Who may use the engine, and is not root, sees it as well.
    assert cluster.fleet.reached(SECOND)["ansible_user"] != "root"
    try:
        status = cluster.play("status.yml", "-e", given)
        (sentence,) = status.sentences("MEDIA_SHARE_APART")
        assert status.code == FAILED and sentence.startswith(SECOND + ": "), status.output
        (command,) = commands(sentence)
        assert (command.playbook, command.arguments) == ("site", {"wa_media_from": PATH})

        # Another playbook than the one that is named, and a run without its argument.
        upgrade = cluster.play("upgrade.yml", "-e", given, "-e", "version=2.19.7")
        assert (upgrade.code, upgrade.codes) == (FAILED, ["MEDIA_SHARE_APART"]), upgrade.output
        planned = cluster.play("site.yml", "-e", given, "--check")
        assert planned.code == OK, planned.output
        assert "recreate {0} (mounts: the media share instead of".format(nodes[0]) in said(planned.output)
        assert "what they have written there stays there" in said(planned.output)
        assert command.given()[-1] in said(planned.output)

        with cluster.probe(shards=1) as probe:
            run = cluster.play("site.yml", "-e", given, *command.given())
            assert run.code == OK, run.output
        came_through(probe.report)
        for node in nodes:
            has = cluster.on(SECOND, "docker exec {0} cat /usr/local/wamedia/incoming-photo".format(node))
            assert has == "photo\n", node
            assert "/dev/" not in cluster.on(SECOND, "docker exec {0} df /usr/local/wamedia".format(node))
        assert cluster.faults(1, coreapps=2) == []
        again = cluster.play("site.yml", "-e", given)
        assert (again.code, set(again.changes.values())) == (OK, {0}), again.output
        assert "MEDIA_SHARE_APART" not in cluster.play("status.yml", "-e", given).output
    finally:
        cluster.on(SECOND, "umount --lazy {0}".format(PATH))


def test_where_the_nodes_of_a_host_are_needed_others_come_first(cluster: Sharing) -> None:
    """Three coreapps for two shards: two of them are on one machine, and one alone cannot serve both shards."""
    declared = {"wa_media_share": share(*cluster.share.opts(FIRST)), "wa_survive": {}}
    resharded = cluster.play("reshard.yml", "-e", "shards=2", "-e", json.dumps(declared))
    assert resharded.code == OK, resharded.output
    assert len(cluster.coreapps()) == 3
    mounted = len(cluster.share.running_when_mounted())
    refused = cluster.change(opts="timeo=600", wa_shards=2, wa_survive={})
    assert refused.code == FAILED and refused.codes == ["REMOUNT_NO_SPARE"], refused.output
    (command,) = commands(refused.sentences("REMOUNT_NO_SPARE")[0])
    assert command == Command("site", {})
    assert len(cluster.share.running_when_mounted()) == mounted
    spared = {"wa_shards": 2, "wa_survive": {"hosts": 1}}
    with cluster.probe(shards=2) as probe:
        run = cluster.change(*command.given(), opts="timeo=600", **spared)
        assert run.code == OK, run.output
    came_through(probe.report)
    assert sorted(cluster.share.running_when_mounted()[mounted:]) == [(FIRST, []), (SECOND, [])]
    assert cluster.faults(2, coreapps=4) == []
    status = cluster.status("-e", json.dumps({"wa_media_share": share("timeo=600"), **spared}))
    assert status.code == OK, status.output
