# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot makes of the line in fstab: the engine starts its containers with the share, and not beside it.

systemd is real, of the oldest release and of the newest that hosts have here. The helper that mounts is pretended, as
the kernel of this machine need not know NFS, and slow, as a server is that boots beside its clients; in the engine's
place is a service that says what a container would be given.
"""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import BEFORE_ENGINE, read_media_share
from ansible_collections.waent.fleet.tests.support.systemd_host import SystemdHost
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

PATH = "/srv/media"
GIVEN, UNIT = "/var/lib/given", "/etc/systemd/system/docker.service"
HELPER = """#!/bin/sh
# mount.nfs4 SOURCE PATH -o OPTIONS
sleep 3
echo "$@" > /var/lib/asked
test ! -e /var/lib/server-is-away || { echo "mount.nfs4: Connection timed out" >&2; exit 32; }
exec mount -t tmpfs "$1" "$2"
"""
ENGINE = """[Unit]
Description=In the place of an engine
[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/bin/sh -c 'stat --file-system --format %%T {path}/. > {given}'
"""


def line(**more: t.Any) -> str:
    """What site.yml writes into fstab."""
    share, problems = read_media_share({"server": "nas-1.example.com", "export": "/media", "path": PATH, **more})
    assert share is not None, problems
    return " ".join([share.source, share.path, "nfs4", share.fstab_opts, "0 0"])


class Booting(SystemdHost):
    """Boots with a line in fstab."""

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        done = self.run("sh", "-c", 'printf "%s" "$1" > "$2" && chmod "$3" "$2"', "-", text, path, mode)
        assert done.returncode == 0, done.stderr

    def prepare(self) -> None:
        self.run("mkdir", "-p", PATH)
        self.write("/sbin/mount.nfs4", HELPER, "0755")
        self.write(UNIT, ENGINE.format(path=PATH, given=GIVEN))
        enabled = self.run("systemctl", "add-wants", "multi-user.target", "docker.service")
        assert enabled.returncode == 0, enabled.stderr

    def boot(self, fstab: str) -> str:
        """What the engine's service has found at the path, after a boot."""
        self.write("/etc/fstab", fstab + "\n")
        self.run("rm", "-f", GIVEN)
        self.container.restart(timeout=1)
        self.wait()
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.run("cat", GIVEN)
            if found.stdout.strip():
                return found.stdout.strip()
            assert time.monotonic() < deadline, self.run("systemctl", "status", "docker.service").stdout
            time.sleep(0.5)


@pytest.fixture(scope="module", params=["bullseye", "bookworm"])
def host(request: pytest.FixtureRequest) -> t.Iterator[Booting]:
    with Booting("waent-boot-" + request.param, request.param) as made:
        made.prepare()
        yield made


def test_the_engine_waits_for_the_share(host: Booting) -> None:
    without = line().replace("," + BEFORE_ENGINE, "")
    assert without != line() and host.boot(without) != "tmpfs", "so nothing here would find out that it does not wait"
    assert host.boot(line()) == "tmpfs"
    # It is for systemd alone: what mounts is not given it.
    assert "x-systemd" not in host.run("cat", "/var/lib/asked").stdout


def test_a_server_that_is_away_keeps_neither_the_host_nor_its_engine_from_starting(host: Booting) -> None:
    host.run("touch", "/var/lib/server-is-away")
    try:
        assert host.boot(line()) not in ("", "tmpfs")
    finally:
        host.run("rm", "/var/lib/server-is-away")


def test_the_engine_ends_before_the_share_goes(host: Booting) -> None:
    host.boot(line())
    shown = host.run("systemctl", "show", "--property=After", "docker.service").stdout
    assert "srv-media.mount" in shown.split("=", 1)[1].split(), shown


def test_what_systemd_mounts_when_somebody_comes_is_waited_for_there(host: Booting) -> None:
    """That it waits at the path before any service starts is its own order; an engine that comes for it gets it."""
    fstab = line(automount=True)
    host.write("/etc/fstab", fstab + "\n")
    assert host.run("systemctl", "daemon-reload").returncode == 0
    shown = host.run("systemctl", "show", "--property=Before", "srv-media.automount").stdout
    assert "local-fs.target" in shown.split("=", 1)[1].split(), shown
    begun = host.run("systemctl", "list-dependencies", "--plain", "remote-fs.target").stdout
    assert "srv-media.automount" in begun, begun
