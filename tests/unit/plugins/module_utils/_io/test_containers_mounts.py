# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have mounted. Processes with mounts of their own stand for containers, which are nothing else here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, media_share
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import _name, inside, spaces
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import (
    has_what_lies_under,
    mounted_as,
    place_of,
    read_mounts,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
ROOT = (0, 0)


@contextlib.contextmanager
def apart(commands):
    """The space of a process that has mounts of its own, after these commands."""
    shell = commands + "; echo ready; exec sleep 60"
    with subprocess.Popen(
        ["unshare", "--mount", "--", "sh", "-e", "-c", shell], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            # The word comes before the shell has become another program.
            deadline = time.monotonic() + 10
            while _name("/proc/{0}".format(process.pid)) != "sleep":
                assert time.monotonic() < deadline
            yield next(space for space in spaces() if space.process == process.pid)
        finally:
            process.kill()


def tmpfs(source, path):
    return "mkdir -p {1}; mount -t tmpfs -o mode=0777 {0} {1}".format(source, path)


def test_a_mount_of_its_own(tmp_path):
    source, path = "media-{0}".format(tmp_path.name), str(tmp_path / "in")
    with apart(tmpfs(source, path)) as space:
        assert space.name == "sleep"
        assert mounted_as(source, space.mounts) == path
        assert mounted_as("media", space.mounts) is None
        assert not has_what_lies_under(path, read_mounts(""), space.mounts)
    assert [one for one in spaces() if mounted_as(source, one.mounts)] == []


@pytest.mark.parametrize("user", [ROOT, (65534, 65534)])
def test_every_user_sees_it(tmp_path, user):
    """Who may use the engine need not be root; which space it is, the kernel shows to root alone."""
    source, path = "media-{0}".format(tmp_path.name), str(tmp_path / "in")
    with apart(tmpfs(source, path)) as space:
        found, error = bounded.run(
            lambda say: [one.process for one in spaces() if mounted_as(source, one.mounts)], path, 10.0, user
        )
        assert (found, error) == ([space.process], None)
        seen, error = bounded.run(lambda say: [hash(one.mounts) for one in spaces()], path, 10.0, user)
        assert error is None
        assert len(set(seen)) == len(seen), "each space once"


def test_a_process_that_ends_meanwhile_does_not_hide_the_others(tmp_path):
    """A container whose health check has just ended is still a container."""
    mountinfo = "40 1 0:51 / /media rw - nfs4 server:/media rw\n"
    for process, space, mounts in (("self", "host", "host"), ("7", "node", ""), ("8", "node", mountinfo)):
        (tmp_path / process / "ns").mkdir(parents=True)
        (tmp_path / process / "ns" / "mnt").symlink_to(space)
        (tmp_path / process / "mountinfo").write_text(mounts)
    assert [(space.process, mounted_as("server:/media", space.mounts)) for space in spaces(str(tmp_path))] == [
        (8, "/media")
    ]


def test_a_mount_that_follows_the_host_is_not_its_own(tmp_path):
    """As systemd gives to services: unmounting reaches it."""
    source = "media-{0}".format(tmp_path.name)
    with apart(tmpfs(source, tmp_path) + "; mount --make-shared {0}".format(tmp_path)) as space:
        assert mounted_as(source, space.mounts) is None


def test_what_nodes_do_is_done_inside(tmp_path):
    source, path = "media-{0}".format(tmp_path.name), str(tmp_path / "in")
    with apart(tmpfs(source, path)) as space:
        assert media_share.try_inside(space, path, "r", "h", 10.0, ROOT) is None
        listed, error = bounded.run(
            inside(space.process, ROOT, lambda say: sorted(one.name for one in Path(path).iterdir())), path, 10.0
        )
        assert (listed, error) == ([], None)
        assert bounded.run(inside(space.process, (65534, 65534), lambda say: os.getuid()), path, 10.0).result == 65534
    assert not any((tmp_path / "in").iterdir())


def test_inside_is_what_the_process_sees_also_where_its_root_is_not_that_of_its_mounts(tmp_path):
    """Where an engine cannot pivot the root, and where a start script has changed it."""
    source, root = "media-{0}".format(tmp_path.name), tmp_path / "root"
    root.mkdir()
    commands = "mount --bind / {1}; mount -t tmpfs -o mode=0777 {0} {1}/mnt; exec chroot {1} sh -e -c 'echo ready; {2}'"
    with apart(commands.format(source, root, "exec sleep 60")) as space:
        path = mounted_as(source, space.mounts)
        assert path == "/mnt"
        assert media_share.try_inside(space, path, "r", "h", 10.0, ROOT) is None
        made = bounded.run(inside(space.process, ROOT, lambda say: Path(path, "photo").touch()), path, 10.0)
        assert made.error is None
        assert Path("/proc/{0}/root/mnt/photo".format(space.process)).exists()
    assert not Path("/mnt/photo").exists()


def test_what_fails_inside_says_where(tmp_path):
    source, path = "media-{0}".format(tmp_path.name), str(tmp_path / "in")
    with apart(tmpfs(source, path) + "; mount -o remount,ro {0}".format(path)) as space:
        error = media_share.try_inside(space, path, "r", "h", 10.0, ROOT)
    assert (error["step"], error["name"]) == ("write", "EROFS")


def test_a_container_that_is_gone(tmp_path):
    with apart("true") as space:
        pass
    error = media_share.try_inside(space, str(tmp_path), "r", "h", 10.0, ROOT)
    assert (error["step"], error["name"]) == ("enter", "ENOENT")


def test_a_container_that_was_started_before_the_share_was_mounted(tmp_path):
    """The host has a mount at the path now; the container has the directory that lies under it."""
    path, target = tmp_path / "media", tmp_path / "target"
    path.mkdir()
    bind = "mkdir {1}; mount --bind {0} {1}".format(path, target)
    with apart(bind) as early, apart("true") as other:
        own = read_mounts(Path("/proc/self/mountinfo").read_text())
        # What the host would have after mounting: only its own list changes.
        share = place_of(str(path), own).on._replace(path=str(path), number=10**6, source="nas-1:/media", fstype="nfs4")
        for mounts in (own, [*own, share]):
            assert has_what_lies_under(str(path), mounts, early.mounts)
            assert not has_what_lies_under(str(path), mounts, other.mounts)
            assert not has_what_lies_under(str(tmp_path), mounts, early.mounts)


def test_the_name_has_the_id_that_docker_shows(tmp_path):
    (tmp_path / "comm").write_text("java\n")
    (tmp_path / "cgroup").write_text("0::/system.slice/docker-{0}.scope\n".format("3fa4" * 16))
    assert _name(str(tmp_path)) == "java in 3fa43fa43fa4"
    (tmp_path / "cgroup").write_text("4:memory:/docker/{0}\n".format("ab" * 32))
    assert _name(str(tmp_path)) == "java in abababababab"
    # The host is a container of another engine.
    (tmp_path / "cgroup").write_text("0::/docker/{0}/docker/{1}\n".format("ab" * 32, "3fa4" * 16))
    assert _name(str(tmp_path)) == "java in 3fa43fa43fa4"
    (tmp_path / "cgroup").write_text("0::/user.slice\n")
    assert _name(str(tmp_path)) == "java"
