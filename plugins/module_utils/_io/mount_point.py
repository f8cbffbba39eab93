# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that a share is mounted on, closed to everybody while nothing is mounted there. Internal to
waent.fleet: may change in any release.

A container that is started then has that directory, and root in it could write there what no other host sees. What
C(chattr +i) sets keeps root from it as well, and keeps nobody from mounting. Not every file system knows it, and not
every root may set it: then nothing is known, and nothing is done.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct

from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import under
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
"""FS_IOC_GETFLAGS and FS_IOC_SETFLAGS of ioctl_iflags(2)."""

_IMMUTABLE = 0x10
_MAY_SET = 1 << 9
"""FS_IMMUTABLE_FL there, and CAP_LINUX_IMMUTABLE of capabilities(7)."""


def is_closed(path: str, seconds: float) -> bool | None:
    """Whether it is closed; None where nobody can say, or change it."""
    if not _may_set():
        return None
    flags, error = bounded.run(lambda say: _flags(_opened(path, say)), path, seconds)
    return None if error else bool(flags & _IMMUTABLE)


def close(path: str, seconds: float, *, closed: bool = True) -> bool:
    """Close it, or open it again; whether that was done."""

    def work(say: bounded.Say) -> None:
        directory = _opened(path, say)
        flags = _flags(directory)
        say("set the flags")
        flags = flags | _IMMUTABLE if closed else flags & ~_IMMUTABLE
        fcntl.ioctl(directory, _SET_FLAGS, struct.pack("l", flags))

    return bounded.run(work, path, seconds).error is None


def _opened(path: str, say: bounded.Say) -> int:
    say("open the directory under it")
    return under(path)


def _flags(directory: int) -> int:
    found = fcntl.ioctl(directory, _GET_FLAGS, struct.pack("l", 0))
    # The kernel writes an int, whatever the name of the request says.
    return int(struct.unpack("i", found[:4])[0])


def _may_set() -> bool:
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", read_text("/proc/self/status"), re.MULTILINE)
    return os.geteuid() == 0 and found is not None and bool(int(found.group(1), 16) & _MAY_SET)
