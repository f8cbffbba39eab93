# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers of this host have mounted, read from the kernel, without their engine. Internal to waent.fleet: may
change in any release.

A container has mounts of its own, made when it was started: what the host mounts or unmounts afterwards does not change
them. So that the host sees a share does not mean that its nodes do.
"""

from __future__ import annotations

import ctypes
import os
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
from ansible_collections.waent.fleet.plugins.module_utils._io.c_library import call
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID, Mount, read_mounts

_MOUNTS = 0x00020000
"""CLONE_NEWNS, of setns(2) and unshare(2)."""

_PRIVATE, _DETACH = 0x4000 | 0x40000, 0x2
"""MS_REC and MS_PRIVATE, of mount(2); MNT_DETACH, of umount2(2)."""


class Space(t.NamedTuple):
    """The mounts that the processes of one container have. process: one of them. name: what it is called.

    container: the id as C(docker ps) shows it; empty for what is none.
    """

    process: int
    name: str
    mounts: tuple[Mount, ...]
    container: str = ""


def spaces(proc: str = "/proc") -> list[Space]:
    """Those of all processes that do not have the mounts of this one."""
    # One that is gone is as good as one with ours.
    seen = {_space(os.path.join(proc, "self")), read_text(os.path.join(proc, "self", "mountinfo")), ""}
    found = []
    for process in sorted(int(entry) for entry in os.listdir(proc) if entry.isdigit()):
        directory = os.path.join(proc, str(process))
        space = _space(directory)
        if space in seen:
            continue
        mounts = tuple(read_mounts(read_text(os.path.join(directory, "mountinfo"))))
        # A process that has just ended shows none: another one of the same container still does.
        if mounts:
            seen.add(space)
            found.append(Space(process, _name(directory), mounts, _container(directory)))
    return found


def _space(directory: str) -> str:
    """What processes with the same mounts have in common.

    Which space it is, the kernel shows to root alone; the mounts themselves, with numbers that no other space has, it
    shows to everybody, unless C(/proc) is mounted with hidepid.
    """
    try:
        return os.readlink(os.path.join(directory, "ns/mnt"))
    except PermissionError:
        return read_text(os.path.join(directory, "mountinfo"))
    except OSError:
        return ""


def _name(directory: str) -> str:
    """The program, and the container's id as C(docker ps) shows it."""
    program, container = read_text(os.path.join(directory, "comm")).strip(), _container(directory)
    return "{0} in {1}".format(program, container) if container else program


def _container(directory: str) -> str:
    # Where the host is itself a container, its own id comes before.
    found = re.findall(r"[0-9a-f]{64}", read_text(os.path.join(directory, "cgroup")))
    return found[-1][:SHORT_ID] if found else ""


def under(path: str) -> int:
    """The directory that lies under what is mounted at a path, opened. Only for a child of C(bounded), as root.

    It takes away what lies on it in mounts of its own, which end with it, and goes on with those of the host.
    """
    space = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    call("unshare", _MOUNTS)
    call("mount", b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None)
    while any(mount.path == path for mount in read_mounts(read_text("/proc/self/mountinfo"))):
        call("umount2", os.fsencode(path), _DETACH)
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    call("setns", space, _MOUNTS)
    os.close(space)
    return directory


def inside(process: int, user: tuple[int, int], work: bounded.Work, proc: str = "/proc") -> bounded.Work:
    """The work for C(bounded), which goes on with the mounts and the root of a process, and as this user.

    The kernel says where mounts are as seen from the root of the process. That need not be the root of its mounts: an
    engine that cannot pivot the root (C(DOCKER_RAMDISK)) changes it, as chroot(2) does, and so may a start script.
    """

    def whole(say: bounded.Say) -> t.Any:
        say("enter")
        space = os.open(os.path.join(proc, str(process), "ns/mnt"), os.O_RDONLY)
        root = os.open(os.path.join(proc, str(process), "root"), os.O_RDONLY | os.O_DIRECTORY)
        call("setns", space, _MOUNTS)
        os.fchdir(root)
        os.chroot(".")
        os.close(root)
        os.close(space)
        bounded.become(*user)
        return work(say)

    return whole
