# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is gone, comes back, or comes back as another one; and a client that boots."""

from __future__ import annotations

import time

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import (
    PATH,
    Play,
    SecondService,
    fstab,
    left_behind,
    mounts,
)
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

pytestmark = pytest.mark.thorough

SECOND = "server-2"
BOUNDED_SECONDS = 300
"""What a run with two hosts may take whatever the server does, on a machine that has ten times as much to do as it can,
where one task alone takes a minute; the kernel waits for ever."""


@pytest.mark.parametrize("way", ["silent_server", "unreachable_server"])
def test_gone_before_a_run_and_back(rig: NfsRig, do: Play, way: str) -> None:
    with getattr(rig, way)():
        fresh = do("proof")
        assert fresh.code == FAILED and set(fresh.codes) == {"MEDIA_SHARE_NO_ANSWER"}, fresh.output
        assert fresh.seconds < BOUNDED_SECONDS
        assert [mounts(rig, client) + fstab(rig, client) for client in rig.clients] == ["", ""]
    assert do("proof").code == OK
    before = [mounts(rig, client) + fstab(rig, client) for client in rig.clients]
    with getattr(rig, way)():
        for change in ({}, {"opts": ["timeo=300"]}, {"state": "probed"}):
            run = do("proof", **change)
            assert run.code == FAILED and set(run.codes) == {"MEDIA_SHARE_NO_ANSWER"}, run.output
            assert run.seconds < BOUNDED_SECONDS and do.changed(run) == []
        assert [mounts(rig, client) + fstab(rig, client) for client in rig.clients] == before
    back = do("proof")
    assert back.code == OK and do.changed(back) == [], back.output


def test_gone_in_the_middle_of_a_run_and_back(rig: NfsRig, do: Play) -> None:
    run = do("proof", meanwhile="docker pause " + rig.container("server").name)
    try:
        assert run.code == FAILED and set(run.codes) == {"MEDIA_SHARE_NO_ANSWER"}, run.output
        assert run.seconds < BOUNDED_SECONDS
    finally:
        rig.container("server").unpause()
    back = do("proof")
    assert back.code == OK and do.changed(back) == [], back.output
    # What the run before could not take back goes when it is old.
    assert [left_behind(rig, client) for client in rig.clients] == [[], []]


def test_a_server_whose_disk_hangs(rig: NfsRig, do: Play) -> None:
    """It says that it is there, and answers no question about files: neither a mount nor a look may wait for it."""
    share = {"server": rig.other_address, "export": "/other", "opts": ["port=3049"]}
    rig.on_server(
        "touch /tmp/hangs; python3 /nfs/hanging.py 3049 /tmp/hangs >/dev/null 2>&1 & echo $! >/tmp/hanging", SECOND
    )
    try:
        fresh = do("share", only="media-1", **share)
        assert fresh.code == FAILED and fresh.codes == ["MEDIA_SHARE_NO_ANSWER"], fresh.output
        assert "mounted at {0} did not end within 120 s".format(PATH) in fresh.output
        assert fresh.seconds < BOUNDED_SECONDS
        rig.on_server("rm /tmp/hangs", SECOND)
        assert do("share", only="media-1", **share).code == OK
        rig.on_server("touch /tmp/hangs", SECOND)
        for state in ("probed", "mounted", "probed", "absent"):
            run = do("share", only="media-1", **{**share, "state": state})
            assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NO_ANSWER"], run.output
            assert run.seconds < BOUNDED_SECONDS
            # However many runs have given up, at most one process waits on.
            assert len(left_behind(rig, "media-1")) <= 1
        rig.on_server("rm /tmp/hangs", SECOND)
        back = do("share", only="media-1", **share)
        assert back.code == OK, back.output
        assert left_behind(rig, "media-1") == []
        assert do("share", only="media-1", **{**share, "state": "absent"}).code == OK
    finally:
        rig.on_server("rm -f /tmp/hangs; kill $(cat /tmp/hanging)", SECOND)


def test_a_path_that_others_have_mounted_is_not_waited_for_either(rig: NfsRig, do: Play) -> None:
    """C(wa_media) may be a path without a C(wa_media_share): it is only read, and its server may be gone, too."""
    assert do("proof").code == OK
    with rig.silent_server():
        for _again in range(2):
            run = do("host", only="media-1")
            assert run.code == OK and "no answer within 2 s" in run.text, run.output
            assert run.seconds < BOUNDED_SECONDS and len(left_behind(rig, "media-1")) <= 1
    back = do("host", only="media-1")
    assert back.code == OK and "writable: True" in back.text, back.output
    assert left_behind(rig, "media-1") == []


def test_a_server_that_has_just_started_opens_no_files_for_a_while(rig: NfsRig, do: Play) -> None:
    """It waits for all clients that it had when power failed, and one of them is still off."""
    with SecondService(rig, "Protocols = 4;", "Lease_Lifetime = 60; Grace_Period = 180;") as service:
        proved = do("proof", **service.share)
        assert proved.code == OK, proved.output
        rig.container("media-2").pause()
        try:
            service.kill()
            service.start()
            run = do("share", only="media-1", **service.share)
            assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NO_ANSWER"], run.output
            assert "did not end within 20 s" in run.text and "If it has just started" in run.text
            assert len(left_behind(rig, "media-1")) <= 1
            deadline = time.monotonic() + 180 + PATIENCE
            while do("share", only="media-1", **service.share).code != OK:
                assert time.monotonic() < deadline
        finally:
            rig.container("media-2").unpause()
        again = do("proof", **service.share)
        assert again.code == OK and do.changed(again) == [], again.output
        assert do("share", **service.share, state="absent").code == OK


def test_rebuilt(rig: NfsRig, do: Play) -> None:
    """Its file systems are new: what is mounted is not there any more."""
    assert do("proof").code == OK
    rig.rebuild_server()
    for change in ({"state": "probed"}, {}, {"state": "absent"}):
        run = do("share", **change)
        assert run.code == FAILED and run.codes == ["MEDIA_SHARE_STALE"] * 2, run.output
        assert do.changed(run) == []
    for client in rig.clients:
        rig.run(client, "umount " + PATH)
    assert do("proof").code == OK


def test_a_client_that_boots_has_it_again(rig: NfsRig, do: Play) -> None:
    assert do("proof").code == OK
    rig.reboot("media-1")
    assert wait_for_mount(rig, "media-1")
    proved = do("proof", state="probed")
    assert proved.code == OK, proved.output


def test_a_client_boots_without_the_server(rig: NfsRig, do: Play) -> None:
    """Nobody waits for it at boot, so that somebody can log in; and what is said first is that the server is gone."""
    assert do("proof").code == OK
    with rig.silent_server():
        rig.reboot("media-1")
        assert mounts(rig, "media-1") == "" and fstab(rig, "media-1") != ""
        for state in ("probed", "mounted"):
            run = do("share", only="media-1", state=state)
            assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NO_ANSWER"], run.output
            assert run.seconds < BOUNDED_SECONDS and do.changed(run) == []
    back = do("proof")
    assert back.code == OK, back.output
    # What the boot has begun may have mounted it before the run could.
    assert len(mounts(rig, "media-1").splitlines()) == 1


def wait_for_mount(rig: NfsRig, client: str) -> str:
    wait = "for n in $(seq 60); do mountpoint -q {0} && break; sleep 0.5; done; mountpoint {0}"
    return rig.run(client, wait.format(PATH))
