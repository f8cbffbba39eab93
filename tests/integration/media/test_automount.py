# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share that is mounted when somebody comes for it, on machines whose kernels wait there (autofs).

These machines have no systemd: what it does for such a unit, nfs/systemctl.py does.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, Play, fstab, left_behind, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK

pytestmark = pytest.mark.thorough

AUTO = {"automount": True}
UNIT = "srv-media.automount"


@pytest.fixture
def waiting(rig: NfsRig) -> t.Iterator[NfsRig]:
    """Machines on which systemctl can be run."""
    for client in rig.clients:
        rig.run(client, "ln -sf /nfs/systemctl.py /usr/local/bin/systemctl")
    yield rig
    for client in rig.clients:
        rig.run(client, "systemctl stop {0}; rm /usr/local/bin/systemctl".format(UNIT))


def kinds(rig: NfsRig, client: str) -> list[str]:
    """What lies at the path, from below."""
    return [line.split(" - ")[1].split()[0] for line in mounts(rig, client).splitlines()]


def test_it_counts_as_mounted_when_somebody_comes_for_it(waiting: NfsRig, do: Play) -> None:
    rig = waiting
    first = do("proof", **AUTO)
    assert first.code == OK and do.changed(first) == sorted(rig.clients), first.output
    assert "noauto,x-systemd.automount" in fstab(rig, "media-1")
    for client in rig.clients:
        assert kinds(rig, client) == ["autofs", "nfs4"]
    again = do("proof", **AUTO)
    assert again.code == OK and do.changed(again) == [], again.output

    # As when it was not used for a while.
    rig.run("media-1", "umount " + PATH)
    assert kinds(rig, "media-1") == ["autofs"]
    proved = do("proof", **AUTO, state="probed")
    assert proved.code == OK and kinds(rig, "media-1") == ["autofs", "nfs4"], proved.output

    other = do("share", only="media-1", **AUTO, opts=["timeo=300"])
    assert other.code == OK and do.changed(other) == ["media-1"], other.output
    assert ",timeo=300," in mounts(rig, "media-1") and kinds(rig, "media-1") == ["autofs", "nfs4"]
    gone = do("share", **AUTO, state="absent")
    assert gone.code == OK, gone.output
    assert [mounts(rig, client) + fstab(rig, client) for client in rig.clients] == ["", ""]
    assert do.changed(do("share", **AUTO, state="absent")) == []


def test_a_server_that_is_gone_is_not_waited_for(waiting: NfsRig, do: Play) -> None:
    rig = waiting
    assert do("proof", **AUTO).code == OK
    rig.run("media-1", "umount " + PATH)
    with rig.silent_server():
        run = do("share", only="media-1", **AUTO, state="probed")
        assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NO_ANSWER"], run.output
        assert left_behind(rig, "media-1") == [] and kinds(rig, "media-1") == ["autofs"]
    assert do("proof", **AUTO).code == OK


def test_what_cannot_be_mounted_then_is_said(waiting: NfsRig, do: Play) -> None:
    rig = waiting
    run = do("share", only="media-1", **AUTO, export="/nowhere")
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NOT_MOUNTED"], run.output
    assert "systemd waits at {0} to mount it, and did not when somebody came".format(PATH) in run.output
    assert json.dumps(kinds(rig, "media-1")) == '["autofs"]'
