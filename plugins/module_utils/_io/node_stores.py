# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads where the nodes of a host keep media and data, a volume or a path. Internal to waent.fleet: may change in any
release.

A path may lie on a file server that others have mounted, and that is gone: so nothing is asked of it but in a child
with a deadline. Nothing is changed: the test of a directory opens a file without a name, which is gone when it is
closed.
"""

from __future__ import annotations

import errno
import os
import stat
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import NO_ANSWER
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import free_mb, read_text
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import place_of, read_mounts

SECONDS = 2.0
"""So long each of the two questions may take, about what is there and who may write: where a server is gone, every host
waits for it."""

_NOTHING: dict[str, t.Any] = {"exists": False, "directory": None, "filesystem": None, "free_mb": None, "reason": None}


def read_store(
    source: str, volume: t.Mapping[str, t.Any] | None, uid: int, proc: str = "/proc", seconds: float = SECONDS
) -> dict[str, t.Any]:
    """A media or data store: C({source, volume, path, exists, directory, filesystem, writable, reason, free_mb,
    silent}).

    source: absolute path, or the name of a Docker volume, which is then described by C(volume) or does not exist yet.
    writable: for the user id C(uid); None where that cannot be known before it is used. silent: what was asked of it
    and had no answer, with C(reason); nothing else is known of it then.
    """
    is_volume = not source.startswith("/")
    path = str((volume or {}).get("path") or "") if is_volume else source
    store: dict[str, t.Any] = {
        "source": source, "volume": is_volume, "path": path or None, **_NOTHING, "writable": None, "silent": None,
    }  # fmt: skip
    if is_volume and volume is None:
        return store
    if is_volume and (volume or {}).get("remote"):
        return {**store, "exists": True, "reason": "Docker mounts it when a container starts"}
    seen, error = bounded.run(lambda say: _seen(path, proc, say), path, seconds)
    if error is not None:
        return {**store, "exists": True, **_unanswered(error)}
    store.update(seen)
    if store["exists"] and store["reason"] is None:
        store.update(_writable(path, uid, seconds))
    return store


def _unanswered(error: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    if error["name"] != NO_ANSWER:
        return {"writable": False, "reason": error["message"]}
    if error["seconds"]:
        return {"silent": error["step"], "reason": "no answer within {0:g} s".format(error["seconds"])}
    return {"silent": "stat", "reason": "a process of an earlier run still waits there"}


def _seen(path: str, proc: str, say: bounded.Say) -> dict[str, t.Any]:
    say("stat")
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _NOTHING
    except OSError as error:
        # It is there, and this user may not see it, or what was mounted is gone.
        unseen = error.errno in (errno.EACCES, errno.EPERM)
        return {**_NOTHING, "exists": True, "reason": error.strerror, "writable": None if unseen else False}
    say("statvfs")
    mounts = read_mounts(read_text(os.path.join(proc, "self/mountinfo")))
    on = place_of(os.path.realpath(path), mounts).on
    return {
        "exists": True,
        "directory": stat.S_ISDIR(status.st_mode),
        "filesystem": on.fstype if on else None,
        "free_mb": free_mb(path),
        "reason": None,
    }


def _writable(path: str, uid: int, seconds: float) -> dict[str, t.Any]:
    """C({writable, reason, silent}): whether user C(uid) can make files in the directory. Leaves no trace.

    A child becomes that user and opens a file without a name (O_TMPFILE), which asks the file system itself, an NFS
    server too: read-only mounts, squashed root and full disks answer truly. None: we may not become that user.
    """
    if uid != os.geteuid() and os.geteuid() != 0:
        return {"writable": None, "reason": "only root can test for user id {0}".format(uid)}
    user = None if uid == os.geteuid() else (uid, uid)
    said, error = bounded.run(lambda say: _open_nameless(path, say), path, seconds, user)
    return _unanswered(error) if error is not None else {"writable": said is None, "reason": said}


def _open_nameless(path: str, say: bounded.Say) -> str | None:
    """Why it cannot be opened."""
    say("write")
    try:
        os.close(os.open(path, os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError as error:
        # The kernel has checked permission and read-only mounts before it finds that files always have names here.
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            return os.strerror(error.errno or errno.EIO)
        return None if os.access(path, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)
    return None
