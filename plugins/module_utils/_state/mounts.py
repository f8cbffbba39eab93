# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted where, as the kernel says it in C(/proc/self/mountinfo) (proc(5)). Internal. Pure.

Mounts lie on top of each other: what a path leads to is found by going down from the root as the kernel does, and a
mount that is not met on the way is there and hidden.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.paths import from_the_root, normalized

SHORT_ID = 12
"""So many characters of a container's id C(docker ps) shows."""


class Mount(t.NamedTuple):
    """One mount. root: the directory of its file system that it shows. opts: of the mount and of its file system.

    follows: what is mounted and unmounted elsewhere is so here as well, as for services that systemd sets apart.
    device: of its file system, C(0:51); two mounts of one export may be two.
    """

    number: int
    parent: int
    root: str
    path: str
    fstype: str
    source: str
    opts: tuple[str, ...]
    read_only: bool
    follows: bool = False
    device: str = ""


class Place(t.NamedTuple):
    """What a path leads to. mount: mounted right there, None where nothing is. on: what it lies on.

    hidden: mounted at the path, and out of reach under another mount.
    """

    mount: Mount | None
    on: Mount | None
    hidden: tuple[Mount, ...]


def read_mounts(text: str) -> list[Mount]:
    """The mounts of a C(mountinfo). A line of another form is left out: a kernel to come may add its own."""
    return [mount for mount in map(_read, text.splitlines()) if mount is not None]


def _read(line: str) -> Mount | None:
    before, found, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not found or len(fields) < 6 or len(rest) < 3 or not (fields[0].isdigit() and fields[1].isdigit()):
        return None
    own, whole = fields[5].split(","), rest[2].split(",")
    return Mount(
        number=int(fields[0]),
        parent=int(fields[1]),
        root=_plain(fields[3]),
        path=_plain(fields[4]),
        fstype=rest[0],
        source=_plain(rest[1]),
        opts=tuple(dict.fromkeys([*own, *whole])),
        read_only="ro" in own or "ro" in whole,
        follows=any(field.startswith(("shared:", "master:")) for field in fields[6:]),
        device=fields[2],
    )


def _plain(field: str) -> str:
    """Blanks, tabs, line ends and backslashes are written as octal numbers of their bytes."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field)


def place_of(path: str, mounts: t.Sequence[Mount]) -> Place:
    """What an absolute path leads to; links in it are not followed."""
    path = normalized(path)
    numbers = {mount.number for mount in mounts}
    children: dict[tuple[int | None, str], Mount] = {}
    for mount in mounts:
        top = mount.parent not in numbers or mount.parent == mount.number
        children[(None if top else mount.parent, mount.path)] = mount
    here: Mount | None = None
    for prefix in from_the_root(path):
        while True:
            above = children.get((here.number if here else None, prefix))
            if above is None:
                break
            here = above
    at = here if here is not None and here.path == path else None
    # What lies under a mount at the same path is hidden by intent where systemd waits there to mount it.
    under = tuple(mount for mount in mounts if mount.path == path and mount is not at and mount.fstype != "autofs")
    return Place(at, here, under)


def mounted_as(source: str, mounts: t.Sequence[Mount]) -> str | None:
    """Where a container has a source mounted, whatever the host does; None where it has not."""
    return next((mount.path for mount in mounts if mount.source == source and not mount.follows), None)


def has_mounted(device: str, mounts: t.Sequence[Mount]) -> bool:
    """Whether a container has the file system of a mount, whatever the host does."""
    return any(mount.device == device and not mount.follows for mount in mounts)


def has_what_lies_under(path: str, own: t.Sequence[Mount], other: t.Sequence[Mount]) -> bool:
    """Whether a process has mounted the directory that lies under the mount at a path.

    own: the mounts of the host, other: those of the process. A container that was started before anything was mounted
    there was given that directory, and keeps it.
    """
    under = place_of(path, [mount for mount in own if mount.path != normalized(path)]).on
    if under is None:
        return False
    within = normalized(path)[len(under.path.rstrip("/")) :]
    directory = (under.fstype, under.source, under.root.rstrip("/") + within)
    return any((mount.fstype, mount.source, mount.root) == directory for mount in other)


def is_apart(source: str, path: str, own: t.Sequence[Mount], other: t.Sequence[Mount]) -> bool:
    """Whether a container has the directory that lies under a share in place of the share; own: as above."""
    return mounted_as(source, other) is None and has_what_lies_under(path, own, other)


class FstabLine(t.NamedTuple):
    """A line of C(/etc/fstab) (fstab(5)). opts: as they stand there."""

    source: str
    path: str
    fstype: str
    opts: str


def read_fstab(text: str) -> list[FstabLine]:
    """Its lines, without comments and what is not complete."""
    rows = [line.split() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [
        FstabLine(_plain(row[0]), normalized(_plain(row[1])), row[2], row[3] if len(row) > 3 else "defaults")
        for row in rows
        if len(row) >= 3
    ]
