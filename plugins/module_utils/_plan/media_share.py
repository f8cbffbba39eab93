# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done on a host for its media share to be as desired. Internal. Pure.

The steps are states of C(ansible.posix.mount), which writes fstab and mounts. It must not be called before the server
has answered: it asks for the path in its own process, and would wait as long as the kernel does. Its state C(absent) is
no step: it does not unmount what has no line in fstab, and it removes the directory.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import (
    Limits,
    change_problems,
    host_problems,
    same_source,
    unread_problem,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    ABSENT,
    FSTYPE,
    MOUNTED,
    PROBED,
    UNMOUNTED,
    MediaShare,
    mount_differences,
    same_fstab_opts,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import FstabLine

PRESENT, NO_LINE, UNMOUNT = "present", "absent_from_fstab", "unmounted"
RELOAD, WAIT, WAIT_NO_MORE = "daemon-reload", "start", "stop"
"""What systemd does: it reads fstab, waits at the path to mount what somebody comes for, and does not any more. Where
it waits, what is unmounted would be mounted again by whoever comes next."""

OF_SYSTEMD = (RELOAD, WAIT, WAIT_NO_MORE)


class Change(t.NamedTuple):
    """steps: in their order, none where nothing is to be done. reasons: what differs, one sentence's part each.

    stops_nodes: what is mounted goes away for a moment or for good, so no node of the host may run meanwhile.
    """

    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    stops_nodes: bool = False


def media_share_change(
    share: MediaShare, mounted_opts: t.Sequence[str] | None, fstab: t.Sequence[FstabLine], waits: bool = False
) -> Change:
    """What is to be done. mounted_opts: of the share where it is mounted, None where nothing is.

    waits: systemd waits at the path. Something else at the path is refused before (MEDIA_SHARE_OTHER): whose it is, we
    do not know.
    """
    if share.state == PROBED:
        return Change()
    is_mounted = mounted_opts is not None
    lines = [line for line in fstab if line.path == share.path]
    if share.state == ABSENT:
        reasons = [*_gone_reasons(is_mounted, waits), *(["has a line in fstab"] if lines else [])]
        steps = [*_gone_steps(is_mounted, waits), *([NO_LINE] if lines else [])]
        return Change((*steps, *([RELOAD] if waits and lines else [])), tuple(reasons), is_mounted)
    if share.state == UNMOUNTED:
        return Change(_gone_steps(is_mounted, waits), _gone_reasons(is_mounted, waits), is_mounted)
    differs = _fstab_differences(share, lines)
    # Of several lines for one path each would be changed, and all would stay.
    first = (NO_LINE,) if len(lines) > 1 else ()
    mounts = (*first, *((PRESENT, RELOAD, WAIT) if share.automount else (MOUNTED,)))
    if mounted_opts is None:
        return Change((*_gone_steps(False, waits), *mounts), ("is not mounted", *differs))
    live = mount_differences(share, mounted_opts)
    if live:
        # The kernel keeps such options as long as it is mounted, whatever "mount -o remount" is given (nfs(5)).
        return Change((*_gone_steps(True, waits), *mounts), (*live, *differs), True)
    # What is mounted stays; that systemd waits there from now on, or not any more, holds from the next boot on.
    reload = (RELOAD,) if share.automount or waits else ()
    return Change((*first, PRESENT, *reload) if differs else (), tuple(differs))


def _gone_steps(is_mounted: bool, waits: bool) -> tuple[str, ...]:
    """For nothing to be mounted, and nobody to wait for it."""
    return (*((WAIT_NO_MORE,) if waits else ()), *((UNMOUNT,) if is_mounted else ()))


def _gone_reasons(is_mounted: bool, waits: bool) -> tuple[str, ...]:
    return (*(("is mounted",) if is_mounted else ()), *(("systemd waits to mount it",) if waits else ()))


class Seen(t.NamedTuple):
    """What was read of the share of a host, and what follows for a run that brings it about.

    remount: it has to be unmounted, and nobody has it but nodes, which the run stops for that.
    """

    change: Change
    problems: list[Problem]
    remount: bool = False


def seen_share(
    share: MediaShare,
    host: str,
    seen: t.Mapping[str, t.Any],
    uid: int,
    limits: Limits,
    stoppable: t.Container[str] = (),
) -> Seen:
    """seen: what wa_host_info returns as C(media_share). What is going to be mounted cannot be checked yet.

    stoppable: the containers that the run stops where the share is mounted again, and recreates where they have the
    directory under it, by the beginning of their ids.
    """
    apart = dict(zip(seen.get("apart") or (), seen.get("apart_containers") or ()))
    seen = {**seen, "apart": [name for name, container in apart.items() if container not in stoppable]}
    mount = seen["mount"]
    opts = mount["opts"] if mount and same_source(mount["source"], share.source) else None
    change = media_share_change(share, opts, [FstabLine(*line) for line in seen["fstab"]], bool(seen.get("waits")))
    users = dict(zip(seen["users"], seen["containers"])) if change.stops_nodes else {}
    others = [name for name, container in users.items() if container not in stoppable]
    problems = change_problems(share, host, seen, others, change.stops_nodes)
    unread = unread_problem(share, host, seen) if change.stops_nodes else None
    problems += [unread] if unread and not problems else []
    remount = change.stops_nodes and bool(users) and not others
    if not problems and opts is not None and (remount or not change.stops_nodes):
        problems = host_problems(share, host, {**seen, "later": remount}, uid, limits)
    return Seen(change, problems, remount)


def unit_of(path: str) -> str:
    """The unit with which systemd waits at a path, as C(systemd-escape --path) has it (systemd.unit(5))."""
    name = "".join(
        one if re.match(r"[A-Za-z0-9:_.]", one) else "-" if one == "/" else "".join(map(_escaped, one.encode()))
        for one in path.strip("/")
    )
    return re.sub(r"\A\.", r"\\x2e", name) + ".automount"


def _escaped(byte: int) -> str:
    return "\\x{0:02x}".format(byte)


def call_of(share: MediaShare, step: str) -> dict[str, t.Any]:
    """Which module does a step, and its arguments: C({module, arguments, step})."""
    if step in OF_SYSTEMD:
        argv = ["systemctl", step, *([] if step == RELOAD else [unit_of(share.path)])]
        return {"module": "ansible.builtin.command", "arguments": {"argv": argv}, "step": " ".join(argv)}
    return {"module": "ansible.posix.mount", "arguments": mount_arguments(share, step), "step": step}


def mount_arguments(share: MediaShare, step: str) -> dict[str, t.Any]:
    """The arguments of C(ansible.posix.mount) for a step."""
    if step in (UNMOUNT, NO_LINE):
        return {"path": share.path, "state": step}
    return {
        "path": share.path,
        "src": share.source,
        "fstype": FSTYPE,
        "opts": share.fstab_opts,
        "state": step,
    }


def shown_state(share: MediaShare, mounted_opts: t.Sequence[str] | None, fstab: t.Sequence[FstabLine]) -> str:
    """What a diff compares: the lines of fstab for the path, and what is mounted there."""
    lines = ["fstab: {0} {1} {2} {3}".format(*line) for line in fstab if line.path == share.path]
    if mounted_opts is not None:
        lines.append("mounted: {0} {1} {2}".format(share.source, share.path, ",".join(mounted_opts)))
    return "".join(line + "\n" for line in lines)


def state_after(share: MediaShare, change: Change, before: str) -> str:
    """The same after the change; of options that the kernel adds by itself nothing is known yet."""
    lines = before.splitlines(keepends=True)
    for step in change.steps:
        if step in (UNMOUNT, MOUNTED, WAIT, WAIT_NO_MORE):
            lines = [line for line in lines if not line.startswith("mounted: ")]
        if step in (NO_LINE, PRESENT, MOUNTED):
            lines = [line for line in lines if not line.startswith("fstab: ")]
        if step in (PRESENT, MOUNTED):
            line = FstabLine(share.source, share.path, FSTYPE, share.fstab_opts)
            lines.insert(0, "fstab: {0} {1} {2} {3}\n".format(*line))
        if step in (MOUNTED, WAIT):
            lines.append("mounted: {0} {1} {2}\n".format(share.source, share.path, share.fstab_opts))
    return "".join(lines)


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
