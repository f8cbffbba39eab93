# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role media_share on machines whose kernels really mount: what site.yml and upgrade.yml do with it."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.waent.fleet.tests.support.media_plays import PATH, PLAYBOOKS, Play, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play
from ansible_collections.waent.fleet.tests.support.printed import Command, commands


def role(rig: NfsRig, *arguments: str, **variables: t.Any) -> Run:
    share = {"server": rig.server_address, "export": "/media", "path": PATH}
    given = json.dumps({"wa_media_share": share, "wa_media": PATH, "wa_disk_free_mb": 1, **variables})
    return play(PLAYBOOKS + "role.yml", "-i", str(rig.inventory), "-e", given, *arguments)


def test_it_is_mounted_proved_and_refused_where_it_is_not(rig: NfsRig, do: Play) -> None:
    unmounted = role(rig, only_prove=True)
    assert unmounted.code == FAILED
    assert unmounted.codes == ["MEDIA_SHARE_NOT_MOUNTED"] * 2, unmounted.output
    assert "does not exist; run playbooks/site.yml, which mounts it." in unmounted.output
    for sentence in unmounted.sentences("MEDIA_SHARE_NOT_MOUNTED"):
        assert commands(sentence) == [Command("site", {})], sentence

    # These machines have no engine, without which site.yml ends before: what it does of this is the role.
    planned = role(rig, "--check")
    assert planned.code == OK and do.changed(planned) == sorted(rig.clients), planned.output
    assert mounts(rig, "media-1") == ""

    first = role(rig)
    assert first.code == OK and do.changed(first) == sorted(rig.clients), first.output
    recorded = json.loads(rig.run("media-2", "cat {0}/.waent-media-proof".format(PATH)))
    assert recorded["hosts"] == sorted(rig.clients)
    again = role(rig)
    assert again.code == OK and do.changed(again) == [], again.output

    # One host lost its mount, and has a directory of the same name.
    rig.run("media-2", "umount {0}".format(PATH))
    apart = role(rig, only_prove=True)
    assert apart.code == FAILED
    assert [sentence.partition(":")[0] for sentence in apart.sentences("MEDIA_SHARE_NOT_MOUNTED")] == ["media-2"]
    with rig.silent_server():
        silent = role(rig, only_prove=True)
    assert silent.code == FAILED and silent.codes == ["MEDIA_SHARE_NO_ANSWER"], silent.output
    # One question of one host, and no other waits. The seconds are those of docs/figures.md, shown with -rP.
    print("a server that answers nothing was reported after {0:.1f} s".format(silent.seconds))
    assert silent.recap["media-2"]["ok"] == 1 and silent.seconds < again.seconds
