# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml with other mount options of a share that nodes use; on hosts that are only pretended.

That a kernel then has the new options is found out in test_one_share.py, on real ones.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.pretend_hosts import ACTS, INSTALLED, PretendFleet
from ansible_collections.waent.fleet.tests.support.printed import commands

MOUNTED = ["rw", "relatime", "vers=4.2", "hard", "timeo=150", "retrans=2"]


def changed(fleet: PretendFleet, playbook: str, *arguments: str, **variables: t.Any) -> Run:
    """A playbook, with other options of the share than it is mounted with."""
    share = {"server": "nas-1.example.com", "export": "/media", "path": "/srv/media", "opts": ["timeo=300"]}
    # Nothing is waited for, as nothing is done.
    quick = {"wa_rollout_error_seconds": 0, "wa_planned_wait_seconds": 0}
    given = {"wa_media_share": share, "wa_media": "/srv/media", **quick, **variables}
    return fleet.play("playbooks/{0}.yml".format(playbook), "-e", json.dumps(given), *arguments)


def site(fleet: PretendFleet, *arguments: str, **variables: t.Any) -> Run:
    return changed(fleet, "site", *arguments, **variables)


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[PretendFleet]:
    with PretendFleet(tmp_path, 3) as made:
        made.be(INSTALLED, share_opts=MOUNTED)
        yield made


CHANGE = (
    "mount again, with its nodes stopped, media share nas-1.example.com:/media at /srv/media (timeo=300 instead of 150)"
)


def test_it_is_shown_before_anything_is_done(fleet: PretendFleet) -> None:
    planned = site(fleet, "--check")
    assert planned.code == OK, planned.output
    for name in fleet.names:
        assert "{0}: {1}".format(name, CHANGE) in planned.output
        assert "of {0} (".format(name) in planned.output
    assert "the media share is mounted again on one host at a time" in planned.output
    assert "mount its media share again, prove it, and start them" in planned.output
    assert not fleet.calls() & {"docker_container", "wa_containers"}


def test_one_host_after_the_other_stops_mounts_and_starts(fleet: PretendFleet) -> None:
    run = site(fleet)
    assert run.code == OK, run.output
    begun = [run.output.index("Stop the {0} nodes of {1} (".format(count(fleet, name), name)) for name in fleet.names]
    assert len(set(begun)) == len(fleet.names)
    for name in fleet.names:
        nodes = [node for node in fleet.nodes if node["host"] == name]
        calls = [
            call for call in fleet.calls_in_order(name) if call in ("docker_container", "wa_containers", "wa_nfs_media")
        ]
        # The proof of what is mounted comes first, then the step, in which nobody starts before the share is proved.
        step = calls[calls.index("docker_container") :]
        assert step == ["docker_container"] * len(nodes) + ["wa_nfs_media"] * 2 + ["wa_containers"] * len(nodes), calls


def count(fleet: PretendFleet, name: str) -> int:
    return sum(node["host"] == name for node in fleet.nodes)


def test_nodes_start_nowhere_but_on_a_share_that_is_proved(fleet: PretendFleet) -> None:
    """The share cannot be written after it was mounted again, and not before either: the nodes stay stopped."""
    fleet.be(INSTALLED, share_opts=MOUNTED, share_error="EACCES", share_error_after="docker_container")
    run = site(fleet)
    last = fleet.names[-1]
    assert run.code == FAILED and "MEDIA_SHARE_NOT_WRITABLE" in run.codes, run.output
    # Without the folding of long lines.
    assert "Nodes of {0} stay stopped".format(last) in " ".join(run.output.split()), run.output
    calls = fleet.calls_in_order(last)
    assert "wa_containers" not in calls, (calls, run.output)


def test_a_gate_that_is_not_reached_is_reported_once_for_all_nodes_of_the_step(fleet: PretendFleet) -> None:
    # Requests fail: the pretended API has no answer to them.
    run = site(fleet, wa_rollout_error_seconds=1, wa_rollout_settle_seconds=1)
    assert run.code == FAILED and "SITE_STOPPED" in run.codes, run.output
    assert len(run.sentences("SITE_STOPPED")) == 1 and "stopped at step 1: Stop the" in run.output
    last = fleet.calls_in_order(fleet.names[-1])
    # One coreapp or more is stopped, and nothing else was done after that.
    assert "docker_container" in last and "wa_containers" not in last, last
    timers = [call.body for call in fleet.api.calls if call.what == ("PATCH", "/v1/settings/application")]
    assert timers[0]["heartbeat_interval"] < timers[-1]["heartbeat_interval"], "they are restored"


def test_without_a_spare_it_is_refused(tmp_path: Path) -> None:
    with PretendFleet(tmp_path, 3, survive={}) as fleet:
        fleet.be(INSTALLED, share_opts=MOUNTED)
        run = site(fleet)
        assert run.code == FAILED and run.codes == ["REMOUNT_NO_SPARE"], run.output
        assert not fleet.calls() & set(ACTS)


def test_another_playbook_leaves_it_as_it_is(fleet: PretendFleet) -> None:
    run = changed(fleet, "reshard", "-e", "shards=2")
    assert run.code == FAILED and "MEDIA_SHARE_IN_USE" in run.codes, run.output
    assert "run playbooks/site.yml" in run.output and not fleet.calls() & set(ACTS)
    (command,) = commands(run.sentences("MEDIA_SHARE_IN_USE")[0])
    done = changed(fleet, command.playbook, *command.given())
    assert done.code == OK and "mount its media share again" in done.output, done.output
