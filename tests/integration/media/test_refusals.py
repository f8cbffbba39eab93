# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What wa_nfs_media refuses, on machines whose kernels really mount."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, Play, fstab, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import AMBIGUOUS, NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough


REFUSED = [
    ("MEDIA_SHARE_NOT_EXPORTED", {"export": "/nowhere"}, "look whether the server exports it"),
]


@pytest.mark.parametrize(("code", "share", "part"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_is_refused(rig: NfsRig, do: Play, code: str, share: dict[str, t.Any], part: str) -> None:
    run = do("share", only="media-1", **share)
    assert run.code == FAILED and run.codes == [code], run.output
    assert part in run.output


def test_a_local_directory_with_files_is_not_hidden(rig: NfsRig, do: Play) -> None:
    rig.run("media-1", "mkdir -p {0} && touch {0}/photo".format(PATH))
    run = do("share", only="media-1")
    assert run.codes == ["MEDIA_SHARE_IN_THE_WAY"], run.output
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == ""


def test_another_export_and_a_mount_that_is_hidden(rig: NfsRig, do: Play) -> None:
    assert do("share", only="media-1", export="/other").code == OK
    run = do("proof")
    assert run.codes == ["MEDIA_SHARE_OTHER"], run.output
    assert "{0}:/other is mounted".format(rig.server_address) in run.output
    assert do("share", only="media-1", export="/other", state="absent").code == OK
    assert do("share", only="media-1").code == OK
    rig.run("media-1", "mount -t tmpfs over {0}".format(PATH))
    assert do("share", only="media-1", state="probed").codes == ["MEDIA_SHARE_HIDDEN"]
    rig.run("media-1", "umount {0}".format(PATH))


def test_hosts_that_do_not_see_the_same_files(rig: NfsRig, do: Play) -> None:
    """One name leads them to two servers, as it does where their resolvers answer differently."""
    run = do("proof", server=AMBIGUOUS)
    assert run.codes == ["MEDIA_SHARE_SPLIT"], run.output
    assert "do not see the same files at {0}: media-1 | media-2;".format(PATH) in run.output
