# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What status.yml shows of a share that kernels have mounted, and what lies under it; on machines without an engine."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.integration.media.test_role import role
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.media_plays import (
    PATH,
    PLAYBOOKS,
    Play,
    end_background,
    fstab,
    in_background,
    left_behind,
    mounts,
)
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, Run, play
from ansible_collections.waent.fleet.tests.support.printed import Command, commands

# As a container that was started before the share was mounted; it makes a file there.
EARLY = (
    "mkdir -p /inner && exec unshare --mount --propagation private sh -c"
    " 'umount {0} && mount --bind {0} /inner && echo late > /inner/photo && exec sleep 600'"
)


def status(rig: NfsRig) -> Run:
    share = {"server": rig.server_address, "export": "/media", "path": PATH}
    given = valid_variables.but(wa_media_share=share, wa_media=PATH, wa_disk_free_mb=1, wa_db_host="192.0.2.1")
    return play("playbooks/status.yml", "-i", str(rig.inventory), "-e", json.dumps(given))


def rows(run: Run) -> dict[str, list[str]]:
    """Cells of the table of the share, by host."""
    found = re.findall(r"(media-\d) +(198\.\S+) +(\d+ MB|-) +(\d+|-) +(\d+ \w+ ago|no|unknown)", run.output)
    return {host: cells for host, *cells in found}


@pytest.mark.thorough
def test_status_shows_what_is_proved_and_what_was_started_before(rig: NfsRig, do: Play) -> None:
    assert role(rig).code == OK
    shown = status(rig)
    assert not any(code.startswith("MEDIA_") for code in shown.codes), shown.output
    assert sorted(rows(shown)) == sorted(rig.clients), shown.output
    for server, free, inodes, proved in rows(shown).values():
        assert server == rig.server_address and proved.endswith("ago")
        # Exported are 64 MB.
        assert 0 < int(free.split()[0]) <= 64 and int(inodes) > 0
    assert [left_behind(rig, client) for client in rig.clients] == [[], []]

    # What machines without an engine keep site.yml from is done by the role, as site.yml does it.
    rig.run("media-1", "rm {0}/.waent-media-proof".format(PATH))
    unproved = status(rig)
    for sentence in unproved.sentences("MEDIA_SHARE_NOT_PROVED"):
        assert commands(sentence) == [Command("site", {})], sentence
    assert unproved.codes.count("MEDIA_SHARE_NOT_PROVED") == len(rig.clients), unproved.output
    assert role(rig).code == OK
    proved = status(rig)
    assert not any(code.startswith("MEDIA_") for code in proved.codes), proved.output

    in_background(rig, "media-1", EARLY.format(PATH))
    early = status(rig)
    (sentence,) = early.sentences("MEDIA_SHARE_APART")
    assert sentence.startswith("media-1: ") and rows(early)["media-1"][-1] == "no"
    end_background(rig, "media-1")

    (command,) = commands(sentence)
    copied = move(rig, **command.arguments)
    assert copied.code == OK and do.changed(copied) == ["media-1"], copied.output
    assert rig.on_server("cat /exports/media/photo") == "late\n"
    again = move(rig, **command.arguments)
    assert again.code == OK and do.changed(again) == [], again.output
    assert [left_behind(rig, client) for client in rig.clients] == [[], []]


def move(rig: NfsRig, **arguments: t.Any) -> Run:
    share = {"server": rig.server_address, "export": "/media", "path": PATH}
    given = {"wa_media_share": share, "wa_media": PATH, "wa_disk_free_mb": 0, **arguments}
    return play(PLAYBOOKS + "move.yml", "-i", str(rig.inventory), "-e", json.dumps(given))


@pytest.mark.thorough
def test_a_host_of_before_gets_the_order_of_a_boot_and_keeps_its_mount(rig: NfsRig, do: Play) -> None:
    assert role(rig).code == OK
    line, mounted = fstab(rig, "media-1"), mounts(rig, "media-1")
    assert "x-systemd.before=docker.service" in line
    rig.run("media-1", "sed -i s/,x-systemd.before=docker.service// /etc/fstab")
    in_background(rig, "media-1", "exec tail -f {0}/.waent-media-proof >/dev/null".format(PATH))
    run = role(rig)
    assert run.code == OK and do.changed(run) == ["media-1"], run.output
    # The number of a mount is another one after another mount.
    assert (fstab(rig, "media-1"), mounts(rig, "media-1")) == (line, mounted)
    end_background(rig, "media-1")


@pytest.mark.thorough
def test_nobody_writes_there_while_it_is_not_mounted(rig: NfsRig, do: Play) -> None:
    """On a file system that knows how to close a directory; that of these machines does not."""
    for client in rig.clients:
        rig.run(client, "mount -t tmpfs tmpfs /srv")
    try:
        first = role(rig)
        assert first.code == OK, first.output
        again = role(rig)
        assert again.code == OK and do.changed(again) == [], again.output
        for client in rig.clients:
            rig.run(client, "touch {0}/photo && umount {0} && ! touch {0}/photo 2>/dev/null".format(PATH))
        back = role(rig)
        assert back.code == OK and do.changed(back) == sorted(rig.clients), back.output
        planned = do("share", "--check", state="absent")
        assert planned.code == OK and do.changed(planned) == sorted(rig.clients), planned.output
        gone = do("share", state="absent")
        assert gone.code == OK, gone.output
        for client in rig.clients:
            rig.run(client, "touch {0}/photo".format(PATH))
        last = do("share", state="absent")
        assert last.code == OK and do.changed(last) == [], last.output
    finally:
        for client in rig.clients:
            rig.run(client, "umount --force --lazy --all --types nfs,nfs4; umount --lazy /srv")
