# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_nfs_media on machines whose kernels really mount: from nothing to one share, and back."""

from __future__ import annotations

from ansible_collections.waent.fleet.tests.support.media_plays import PATH, Play, fstab, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK


def test_two_hosts_have_one_share(rig: NfsRig, do: Play) -> None:
    """Fresh in check mode, fresh, again without a change, with options changed, and absent."""
    planned = do("proof", "--check", "--diff")
    assert planned.code == OK and do.changed(planned) == sorted(rig.clients), planned.output
    assert "+fstab: {0}:/media {1} nfs4".format(rig.server_address, PATH) in planned.output
    assert [mounts(rig, client) + fstab(rig, client) for client in rig.clients] == ["", ""]

    first = do("proof")
    assert first.code == OK, first.output
    assert do.changed(first) == sorted(rig.clients)
    for client in rig.clients:
        assert " nfs4 {0}:/media ".format(rig.server_address) in mounts(rig, client)
        assert "hard" in fstab(rig, client)
    rig.run("media-1", "echo photo > {0}/one".format(PATH))
    assert rig.run("media-2", "cat {0}/one".format(PATH)) == "photo\n"
    assert rig.on_server("ls -A /exports/media").split() == ["one"]

    again = do("proof")
    assert again.code == OK and do.changed(again) == [], again.output

    other = do("proof", opts=["timeo=300"])
    assert other.code == OK and do.changed(other) == sorted(rig.clients), other.output
    assert ",timeo=300," in mounts(rig, "media-1")
    assert do.changed(do("proof", opts=["timeo=300"])) == []

    gone = do("share", state="absent")
    assert gone.code == OK, gone.output
    assert [mounts(rig, client) + fstab(rig, client) for client in rig.clients] == ["", ""]
