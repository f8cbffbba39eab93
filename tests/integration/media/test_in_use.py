# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A media share that processes and containers have in use, on machines whose kernels really mount.

A container is, to the kernel, a process with mounts of its own; so here it is one, and no engine is needed.
"""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import (
    PATH,
    Play,
    end_background,
    fstab,
    in_background,
    mounts,
)
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough

CONTAINER = (
    "mkdir -p /inner && exec unshare --mount --propagation private sh -c"
    " 'mount --bind {0} /inner && (! mountpoint -q {0} || umount {0}) {1} && exec sleep 600'"
)


def container(rig: NfsRig, more: str = "", path: str = PATH) -> None:
    """One that has, at /inner, what is at the path now."""
    in_background(rig, "media-1", CONTAINER.format(path, more))


def test_files_that_are_open_keep_it_mounted(rig: NfsRig, do: Play) -> None:
    assert do("share", only="media-1").code == OK
    in_background(rig, "media-1", "exec sleep 600 > {0}/photo".format(PATH))
    before = mounts(rig, "media-1") + fstab(rig, "media-1")
    for change in ({"state": "absent"}, {"state": "unmounted"}, {"opts": ["timeo=300"]}):
        run = do("share", only="media-1", **change)
        assert run.code == FAILED and run.codes == ["MEDIA_SHARE_IN_USE"], run.output
        assert "end what has files open there" in run.output and do.changed(run) == []
        assert mounts(rig, "media-1") + fstab(rig, "media-1") == before
    assert do("share", only="media-1").code == OK
    end_background(rig, "media-1")
    assert do("share", only="media-1", state="absent").code == OK
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == ""


def test_containers_that_have_it_keep_it_mounted(rig: NfsRig, do: Play) -> None:
    assert do("share", only="media-1").code == OK
    container(rig)
    before = mounts(rig, "media-1") + fstab(rig, "media-1")
    for change in ({"state": "absent"}, {"opts": ["timeo=300"]}):
        run = do("share", only="media-1", **change)
        assert run.code == FAILED and run.codes == ["MEDIA_SHARE_IN_USE"], run.output
        assert "containers use it (sleep); stop them first" in run.output
        assert mounts(rig, "media-1") + fstab(rig, "media-1") == before
    assert do("share", only="media-1").code == OK
    end_background(rig, "media-1")
    assert do("share", only="media-1", opts=["timeo=300"]).code == OK


def test_options_are_changed_in_service_with_another_path(rig: NfsRig, do: Play) -> None:
    """What runs keeps the first mount, what is started later gets the second, and both are one share."""
    new = {"path": PATH + "-2", "opts": ["timeo=300", "nosharecache"]}
    assert do("proof").code == OK
    container(rig)
    second = do("proof", **new)
    assert second.code == OK and do.changed(second) == sorted(rig.clients), second.output
    at_second = rig.run("media-1", "grep ' {0}-2 ' /proc/self/mountinfo".format(PATH))
    assert ",timeo=300," in at_second and ",timeo=150," in mounts(rig, "media-1")
    again = do("proof", **new)
    assert again.code == OK and do.changed(again) == [], again.output
    assert do("share", only="media-1", state="absent").codes == ["MEDIA_SHARE_IN_USE"]
    end_background(rig, "media-1")
    container(rig, "&& (! mountpoint -q {0} || umount {0})".format(PATH), PATH + "-2")
    gone = do("share", state="absent")
    assert gone.code == OK, gone.output
    assert do("share", only="media-1", state="absent", **new).codes == ["MEDIA_SHARE_IN_USE"]
    assert do.changed(do("proof", **new)) == []


def test_a_container_that_cannot_use_it(rig: NfsRig, do: Play) -> None:
    assert do("share", only="media-1").code == OK
    container(rig, "&& mount -o remount,bind,ro /inner")
    run = do("share", only="media-1")
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_INSIDE"], run.output
    assert "sleep: write, Read-only file system" in run.output


def test_a_container_that_was_started_before_it_was_mounted(rig: NfsRig, do: Play) -> None:
    rig.run("media-1", "mkdir -p " + PATH)
    container(rig)
    run = do("share", only="media-1")
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_APART"], run.output
    assert "after containers were started that use this path (sleep)" in run.output
