# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media of hosts' own directories, moved onto a share that kernels have mounted: killed, full, gone, and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.media_plays import (
    PATH,
    PLAYBOOKS,
    Play,
    end_background,
    in_background,
)
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, environment, play

pytestmark = pytest.mark.thorough

VOLUME = "/srv/volume"
FILES, KILOBYTES = 40, 200
FILL = (
    "rm -rf {0}; mkdir -p {0}/outgoing {0}/incoming; chmod 750 {0}/incoming; cd {0};"
    " for n in $(seq {1}); do head -c {2}k /dev/urandom > outgoing/$(hostname)-$n; done;"
    " echo small > incoming/$(hostname); touch -d '2020-02-03' incoming/$(hostname)"
)
# Who opens the file waits until this has ended (fcntl(2), leases). It is one of the last, and not the last one.
GATED = "outgoing/{0}-5"
GATE = (
    "exec python3 -c 'import fcntl, signal, time; signal.signal(signal.SIGIO, signal.SIG_IGN);"
    ' file = open("{0}", "r+b"); fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK); time.sleep(600)' + "'"
)
SUMS = "cd {0} && find . -type f ! -path '*/.waent-*' | sort | xargs sha256sum"


def arguments(rig: NfsRig, **variables: t.Any) -> list[str]:
    share = {"server": rig.server_address, "export": variables.pop("export", "/media"), "path": PATH}
    given = {"wa_media_share": share, "wa_media": PATH, "wa_disk_free_mb": 0, "wa_media_from": VOLUME, **variables}
    return [PLAYBOOKS + "move.yml", "-i", str(rig.inventory), "-e", json.dumps(given)]


def move(rig: NfsRig, *more: str, **variables: t.Any) -> Run:
    return play(*arguments(rig, **variables), *more)


def fill(rig: NfsRig) -> set[str]:
    """Different files on each host; the lines of their sums, all together."""
    lines: set[str] = set()
    for client in rig.clients:
        rig.run(client, FILL.format(VOLUME, FILES, KILOBYTES))
        lines |= set(rig.run(client, SUMS.format(VOLUME)).splitlines())
    return lines


def on_share(rig: NfsRig) -> set[str]:
    return set(rig.on_server(SUMS.format("/exports/media")).splitlines())


def test_killed_in_the_middle_and_run_again_everything_is_there_once(rig: NfsRig, do: Play) -> None:
    everything = fill(rig)
    for client in rig.clients:
        rig.run(client, "echo 600 > /proc/sys/fs/lease-break-time")
        in_background(rig, client, GATE.format(VOLUME + "/" + GATED.format(client)))
        rig.run(client, "until grep -q LEASE /proc/locks; do sleep 0.2; done")
    begun = subprocess.Popen(
        ["ansible-playbook", *arguments(rig)], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for_files(rig, 3, begun)
    finally:
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    for client in rig.clients:
        rig.run(client, "pkill -9 -f '[w]a_media_copy'; pkill -9 wa-media-; true")
        end_background(rig, client)
    whole = on_share(rig)
    # What has its name is whole. Nobody came past the file that was kept from being opened.
    assert 0 < len(whole) < len(everything) and whole < everything

    again = move(rig)
    assert again.code == OK and do.changed(again) == sorted(rig.clients), again.output
    assert on_share(rig) == everything
    assert rig.on_server("find /exports/media -name '.waent-copy-*'") == ""
    assert "compared by content with {0}: {1} files.".format(VOLUME, len(everything)) in again.output
    assert rig.on_server("stat --format '%a %y' /exports/media/incoming/media-1").startswith("644 2020-02-03")
    assert rig.on_server("stat --format '%a' /exports/media/incoming") == "750\n"

    # A node that was not switched yet has gone on writing to its volume.
    rig.run("media-2", "echo late > {0}/outgoing/late".format(VOLUME))
    late = move(rig)
    assert late.code == OK and do.changed(late) == ["media-2"], late.output
    last = move(rig)
    assert last.code == OK and do.changed(last) == [], last.output


def wait_for_files(rig: NfsRig, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 400
    while len(on_share(rig)) < count:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)


def test_what_is_refused(rig: NfsRig, do: Play) -> None:
    fill(rig)
    nowhere = move(rig, wa_media_from="/srv/none")
    assert nowhere.code == FAILED and nowhere.codes == ["MEDIA_COPY_NO_SOURCE"] * 2, nowhere.output

    # 8 MB on each host, and 64 kB on the share.
    assert do("share", state="absent").code == OK
    full = move(rig, export="/full")
    assert full.code == FAILED and set(full.codes) == {"MEDIA_COPY_NO_ROOM"}, full.output
    assert rig.on_server("find /exports/full -type f ! -path '*/.waent-*'") == ""
    assert do("share", export="/full", state="absent").code == OK

    for client in rig.clients:
        rig.run(client, "echo {0} > {1}/outgoing/one".format(client, VOLUME))
    conflict = move(rig)
    assert conflict.code == FAILED and conflict.codes == ["MEDIA_COPY_CONFLICT"], conflict.output
    kept = rig.on_server("cat /exports/media/outgoing/one").strip()
    assert kept in rig.clients
    lines = [rig.run(client, SUMS.format(VOLUME)).splitlines() for client in rig.clients if client == kept]
    assert set(lines[0]) <= on_share(rig)
