# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role media_server on a machine with a kernel of its own, whose NFS server it is; it is its own client, too."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import PATH, PLAYBOOKS, Play, mounts
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, play

pytestmark = pytest.mark.thorough

SERVER = "media-2"
EXPORT = "/srv/exported/media"
QUICK = "[nfsd]\\ngrace-time=10\\nlease-time=10\\n[exports]\\nrootdir=/srv/root\\n"
# What a kernel exports lies below directories that it exports as well, and the root of a guest it cannot: so the disk
# of the guest is made the root of what is exported. Where systemd is, the package of rpcbind starts it.
PREPARE = (
    "rm -f /tmp/disk && mknod /tmp/disk b 98 0 && mkfs.ext4 -q -F /tmp/disk"
    " && mkdir -p /srv/root /srv/exported /etc/nfs.conf.d && mount /tmp/disk /srv/root"
    " && mkdir -p /srv/root/srv/exported"
    " && mount --bind /srv/root/srv/exported /srv/exported && printf '{0}' > /etc/nfs.conf.d/test.conf"
    " && (pgrep -x rpcbind || rpcbind)"
).format(QUICK)
OPENS = "cat /proc/fs/nfsd/v4_end_grace"
# Newer kernels do not end the server's threads by the signal that the script of Debian 12 sends.
STOP = (
    "service nfs-kernel-server stop; rpc.nfsd 0; rm -f /etc/exports.d/waent-*.exports"
    "; umount /srv/exported; umount /srv/root"
)


@pytest.fixture
def storage(rig: NfsRig) -> t.Iterator[NfsRig]:
    """A directory that a kernel can export."""
    rig.run(SERVER, PREPARE)
    yield rig
    for client in rig.clients:
        rig.run(client, "umount --force --lazy --all --types nfs,nfs4")
    rig.run(SERVER, STOP)


def server(rig: NfsRig, *arguments: str, **variables: t.Any) -> Run:
    share = {"server": rig.address(SERVER), "export": EXPORT, "path": PATH, **variables.pop("share", {})}
    addresses = {client: rig.address(client) for client in rig.clients}
    given = {
        "server_host": SERVER, "wa_media_share": share, "wa_address": "{{ addresses[inventory_hostname] }}",
        "addresses": addresses, **variables,
    }  # fmt: skip
    return play(PLAYBOOKS + "server.yml", "-i", str(rig.inventory), "-e", json.dumps(given), *arguments)


def exported(rig: NfsRig) -> list[str]:
    """Who may mount the directory, as the running server has it."""
    return sorted(line.split()[1].partition("(")[0] for line in rig.run(SERVER, "cat /var/lib/nfs/etab").splitlines())


def test_a_host_exports_it_to_the_cluster_alone(storage: NfsRig, do: Play) -> None:
    rig = storage
    planned = server(rig, "--check", "--diff")
    assert planned.code == OK and rig.address("media-1") in planned.output, planned.output
    assert rig.run(SERVER, "ls /srv/exported") == ""
    first = server(rig)
    assert first.code == OK and do.changed(first) == [SERVER], first.output
    assert exported(rig) == sorted(rig.address(client) for client in rig.clients)
    assert rig.run(SERVER, "stat --format '%u %g %a' " + EXPORT) == "0 0 770\n"
    again = server(rig)
    assert again.code == OK and do.changed(again) == [], again.output

    # Killed between the file and what is in force: the next run finds it.
    rig.run(SERVER, "exportfs -u -a")
    fixed = server(rig, wa_media_server_clients=[rig.address("media-1")])
    assert fixed.code == OK and do.changed(fixed) == [SERVER], fixed.output
    assert exported(rig) == [rig.address("media-1")]


def test_its_clients_mount_it_and_nobody_else(storage: NfsRig, do: Play) -> None:
    rig = storage
    share = {"server": rig.address(SERVER), "export": EXPORT}
    # Containers of another user than root: user 0 of a client is nobody there.
    made = server(rig, wa_container_uid=1000)
    assert made.code == OK, made.output
    assert rig.run(SERVER, OPENS) == "Y\n"
    proved = do("proof", container_uid=1000, **share)
    assert proved.code == OK, proved.output
    denied = do("share", only="media-1", state="probed", container_uid=0, **share)
    assert denied.code == FAILED and denied.codes == ["MEDIA_SHARE_NOT_WRITABLE"], denied.output

    rig.run(SERVER, "umount --lazy " + PATH)
    narrow = server(rig, wa_container_uid=1000, wa_media_server_clients=[rig.address("media-1")])
    assert narrow.code == OK and do.changed(narrow) == [SERVER], narrow.output
    assert do("share", only=SERVER, container_uid=1000, **share).codes == ["MEDIA_SHARE_NOT_EXPORTED"]
    assert mounts(rig, SERVER) == ""
    assert do("share", only="media-1", container_uid=1000, **share).code == OK


def test_a_server_whose_program_for_mounts_has_ended_gets_it_again(storage: NfsRig, do: Play) -> None:
    rig = storage
    share = {"server": rig.address(SERVER), "export": EXPORT}
    made = server(rig)
    assert made.code == OK, made.output
    rig.run(SERVER, "pkill -9 -x rpc.mountd; while pidof rpc.mountd; do sleep 0.1; done; pgrep -x nfsd")
    planned = server(rig, "--check")
    assert planned.code == OK and do.changed(planned) == [SERVER], planned.output
    fixed = server(rig)
    assert fixed.code == OK and do.changed(fixed) == [SERVER], fixed.output
    assert do("proof", **share).code == OK
    again = server(rig)
    assert again.code == OK and do.changed(again) == [], again.output


def test_a_server_on_which_that_program_does_not_start(storage: NfsRig) -> None:
    rig = storage
    assert server(rig).code == OK
    rig.run(SERVER, "mount --bind /bin/false /usr/sbin/rpc.mountd && pkill -9 -x rpc.mountd")
    try:
        run = server(rig)
    finally:
        rig.run(SERVER, "umount /usr/sbin/rpc.mountd")
    assert run.code == FAILED and run.codes == ["MEDIA_SERVER_NO_MOUNTD"], run.output
    assert "mountd failed" in run.output


def test_what_is_refused_before_anything_is_changed(storage: NfsRig, do: Play) -> None:
    for variables, code in (
        ({"wa_media_server_clients": ["*"]}, "MEDIA_SERVER_CLIENT_INVALID"),
        ({"share": {"export": "/"}}, "MEDIA_SERVER_EXPORT_INVALID"),
    ):
        run = server(storage, **variables)
        assert run.code == FAILED and run.codes == [code] and do.changed(run) == [], run.output
        assert "Nothing was changed on the media server." in run.output
