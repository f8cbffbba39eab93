# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What uninstall.yml leaves of a media share, on machines whose kernels really mount. They have no engine."""

from __future__ import annotations

import json

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
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, Run, play

pytestmark = pytest.mark.thorough

CONTAINER = (
    "mkdir -p /inner && exec unshare --mount --propagation private sh -c"
    " 'mount --bind {0} /inner && umount {0} && exec sleep 600'"
)


def uninstall(rig: NfsRig, *arguments: str, export: str = "/media") -> Run:
    share = {"server": rig.server_address, "export": export, "path": PATH}
    given = json.dumps({"wa_media_share": share, "wa_media": PATH, "confirm": "yes"})
    return play("playbooks/uninstall.yml", "-i", str(rig.inventory), "-e", given, *arguments)


def test_the_mount_goes_and_the_files_stay(rig: NfsRig, do: Play) -> None:
    assert do("proof").code == OK
    rig.run("media-1", "echo photo > {0}/one".format(PATH))
    line = "the mount of the media share {0}:/media at {1}, and its line in fstab".format(rig.server_address, PATH)

    other = uninstall(rig, export="/other")
    assert other.code == OK and line not in other.output, other.output
    planned = uninstall(rig, "--check")
    assert planned.code == OK, planned.output
    assert all("{0}: {1}".format(client, line) in planned.output for client in rig.clients)
    assert all(mounts(rig, client) and fstab(rig, client) for client in rig.clients)

    # As a node of another cluster has it.
    in_background(rig, "media-1", CONTAINER.format(PATH))
    run = uninstall(rig)
    assert run.code == OK, run.output
    assert "media-1: stays: media share {0}:/media at {1}, used by sleep".format(rig.server_address, PATH) in run.output
    assert mounts(rig, "media-1") and fstab(rig, "media-1")
    assert mounts(rig, "media-2") + fstab(rig, "media-2") == ""

    end_background(rig, "media-1")
    last = uninstall(rig)
    assert last.code == OK, last.output
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == ""
    assert rig.on_server("cat /exports/media/one") == "photo\n"
    again = uninstall(rig)
    assert again.code == OK and do.changed(again) == [], again.output
