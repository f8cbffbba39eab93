# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What wa_nfs_media refuses, on machines whose kernels really mount."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, Play, SecondService, fstab, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import AMBIGUOUS, NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough


REFUSED = [
    ("MEDIA_SHARE_NOT_EXPORTED", {"export": "/nowhere"}, "look whether the server exports it"),
    ("MEDIA_SHARE_READ_ONLY", {"export": "/read-only"}, "is exported read-only; export it with rw."),
    ("MEDIA_SHARE_NOT_WRITABLE", {"export": "/squashed"}, "user id 0 of the containers may not"),
    ("MEDIA_SHARE_NOT_WRITABLE", {"mode": "0755", "container_uid": 1000}, "user id 1000 of the containers may not"),
    # NFS counts in blocks of 1 MB, and the kernel rounds them up.
    ("MEDIA_SHARE_FULL", {"export": "/full", "free_mb": 2}, "has 1 MB free, and 2 MB are asked for"),
    ("MEDIA_SHARE_NO_INODES", {"export": "/few"}, "inodes free, and 10 are asked for"),
]


@pytest.mark.parametrize(("code", "share", "part"), REFUSED, ids=lambda one: one if isinstance(one, str) else None)
def test_what_is_refused(rig: NfsRig, do: Play, code: str, share: dict[str, t.Any], part: str) -> None:
    run = do("share", only="media-1", **share)
    assert run.code == FAILED and run.codes == [code], run.output
    assert part in run.output


def test_a_share_that_was_filled_up(rig: NfsRig, do: Play) -> None:
    """Nothing is asked for, and yet no token can be written: without room, and without inodes."""
    for export, fill in (
        ("full", "dd if=/dev/zero of=/exports/full/photo bs=4k"),
        ("few", "touch /exports/few/photo-{1..9}"),
    ):
        rig.on_server("bash -c '{0}' 2>/dev/null || true".format(fill))
        run = do("share", only="media-1", export="/" + export, free_mb=0, free_inodes=0)
        expected = {"full": "MEDIA_SHARE_FULL", "few": "MEDIA_SHARE_NO_INODES"}[export]
        assert run.code == FAILED and run.codes == [expected], run.output
        assert do("share", only="media-1", export="/" + export, state="absent").code == OK


@pytest.mark.parametrize(
    ("protocols", "version_4", "part"),
    [
        ("Protocols = 3;", "", "does not have NFS version 4"),
        ("Protocols = 4;", "Minor_Versions = 0, 1;", "look which versions and options the server and this host have"),
    ],
    ids=["version 3", "version 4.1"],
)  # fmt: skip
def test_a_server_of_another_version(rig: NfsRig, do: Play, protocols: str, version_4: str, part: str) -> None:
    with SecondService(rig, protocols, version_4) as service:
        run = do("share", only="media-1", **{**service.share, "opts": [*service.share["opts"], "vers=4.2"]})
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_VERSION"], run.output
    assert part in run.output
    assert mounts(rig, "media-1") == ""


def test_a_mount_of_another_version_than_is_asked_for(rig: NfsRig, do: Play) -> None:
    """It is a difference for who may mount it again, and a refusal for who only proves it."""
    assert do("share", only="media-1", opts=["vers=4.0"]).code == OK
    run = do("share", only="media-1", opts=["vers=4.2"], state="probed")
    assert run.codes == ["MEDIA_SHARE_VERSION"], run.output
    again = do("share", only="media-1", opts=["vers=4.2"])
    assert again.code == OK and do.changed(again) == ["media-1"], again.output
    assert "vers=4.2" in mounts(rig, "media-1")


def test_a_local_directory_with_files_is_not_hidden(rig: NfsRig, do: Play) -> None:
    rig.run("media-1", "mkdir -p {0} && touch {0}/photo".format(PATH))
    run = do("share", only="media-1")
    assert run.codes == ["MEDIA_SHARE_IN_THE_WAY"], run.output
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == ""
    proved = do("share", only="media-1", state="probed")
    assert proved.codes == ["MEDIA_SHARE_NOT_MOUNTED"] and "a directory of the host itself" in proved.output
    rig.run("media-1", "rm -r {0} && touch {0}".format(PATH))
    assert do("share", only="media-1").codes == ["MEDIA_SHARE_NO_DIRECTORY"]
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == ""


@pytest.mark.parametrize("other", ["export", "server"])
def test_something_else_is_mounted_there(rig: NfsRig, do: Play, other: str) -> None:
    wrong = {"export": "/other"} if other == "export" else {"server": rig.other_address}
    source = "{0}:{1}".format(wrong.get("server", rig.server_address), wrong.get("export", "/media"))
    assert do("share", only="media-1", **wrong).code == OK
    before = mounts(rig, "media-1") + fstab(rig, "media-1")
    run = do("proof")
    assert run.codes == ["MEDIA_SHARE_OTHER"], run.output
    assert "{0} is mounted".format(source) in run.output
    assert mounts(rig, "media-1") + fstab(rig, "media-1") == before


def test_a_mount_that_is_hidden(rig: NfsRig, do: Play) -> None:
    assert do("share", only="media-1").code == OK
    rig.run("media-1", "mount -t tmpfs over {0}".format(PATH))
    for state in ("probed", "mounted", "absent"):
        assert do("share", only="media-1", state=state).codes == ["MEDIA_SHARE_HIDDEN"], state
    rig.run("media-1", "umount {0}".format(PATH))
    assert do("share", only="media-1", state="probed").code == OK


def test_hosts_that_do_not_see_the_same_files(rig: NfsRig, do: Play) -> None:
    """One name leads them to two servers, as it does where their resolvers answer differently."""
    run = do("proof", server=AMBIGUOUS)
    assert run.codes == ["MEDIA_SHARE_SPLIT"], run.output
    assert "do not see the same files at {0}: media-1 | media-2;".format(PATH) in run.output


@pytest.mark.parametrize(("seconds", "way"), [(300, "behind"), (-300, "ahead of")])
def test_the_clock_of_the_server(rig: NfsRig, do: Play, seconds: int, way: str) -> None:
    set_clock = "date --set=@$(( $(date +%s) + {0} ))"
    rig.run("media-1", set_clock.format(seconds))
    try:
        run = do("proof")
    finally:
        rig.run("media-1", set_clock.format(-seconds))
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_CLOCK"], run.output
    assert " s {0} that of this host".format(way) in run.output
    assert [text.partition(":")[0] for text in run.sentences("MEDIA_SHARE_CLOCK")] == ["media-1"]
