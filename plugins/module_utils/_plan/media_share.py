# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done on a host for its media share to be as desired. Internal. Pure.

The steps are states of C(ansible.posix.mount), which writes fstab and mounts. It must not be called before the server
has answered: it asks for the path in its own process, and would wait as long as the kernel does.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    ABSENT,
    FSTYPE,
    MOUNTED,
    PROBED,
    MediaShare,
    mount_differences,
    same_fstab_opts,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import FstabLine

PRESENT, UNMOUNTED = "present", "unmounted"


class Change(t.NamedTuple):
    """steps: in their order, none where nothing is to be done. reasons: what differs, one sentence's part each.

    stops_nodes: what is mounted goes away for a moment or for good, so no node of the host may run meanwhile.
    """

    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    stops_nodes: bool = False


def media_share_change(share: MediaShare, mounted_opts: t.Sequence[str] | None, fstab: t.Sequence[FstabLine]) -> Change:
    """What is to be done. mounted_opts: of the share where it is mounted, None where nothing is.

    Something else at the path is refused before (MEDIA_SHARE_OTHER): whose it is, we do not know.
    """
    if share.state == PROBED:
        return Change()
    is_mounted = mounted_opts is not None
    lines = [line for line in fstab if line.path == share.path]
    if share.state == ABSENT:
        reasons = ["is mounted"] * is_mounted + ["has a line in fstab"] * bool(lines)
        return Change((ABSENT,) if reasons else (), tuple(reasons), is_mounted)
    if share.state == UNMOUNTED:
        return Change((UNMOUNTED,), ("is mounted",), True) if is_mounted else Change()
    differs = _fstab_differences(share, lines)
    if mounted_opts is None:
        return Change((MOUNTED,), ("is not mounted", *differs))
    live = mount_differences(share, mounted_opts)
    if live:
        # The kernel keeps such options as long as it is mounted, whatever "mount -o remount" is given (nfs(5)).
        return Change((UNMOUNTED, MOUNTED), (*live, *differs), True)
    return Change((PRESENT,) if differs else (), tuple(differs))


def _fstab_differences(share: MediaShare, lines: t.Sequence[FstabLine]) -> list[str]:
    if not lines:
        return ["has no line in fstab"]
    found = ["has {0} lines in fstab".format(len(lines))] if len(lines) > 1 else []
    line = lines[-1]
    if line.source != share.source:
        found.append("fstab has {0}".format(line.source))
    if line.fstype != FSTYPE:
        found.append("fstab has type {0}".format(line.fstype))
    if not same_fstab_opts(line.opts, share.fstab_opts):
        found.append("fstab has options {0}".format(line.opts))
    return found
