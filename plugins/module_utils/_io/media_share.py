# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the media share of a host and leaves a token on it for the other hosts. Internal to waent.fleet: may change
in any release.

This process itself only reads C(/proc), which asks no server. Everything else happens in a child with a deadline. The
tokens have a directory of their own, as listing all media takes long, and the last who takes its token back removes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import stat
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import token_name, token_text
from ansible_collections.waent.fleet.plugins.module_utils._common.paths import normalized
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import FSTYPE
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded, nfs_server
from ansible_collections.waent.fleet.plugins.module_utils._io.c_library import call
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import Space, inside
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import (
    Mount,
    Place,
    place_of,
    read_mounts,
)

TOKENS = ".waent-media"
"""The directory of the tokens, in the share."""

PROOF = ".waent-media-proof"
"""What is known of the last proof, in the share: so all who see the share see it, and nobody else."""

OLD_SECONDS = 3600.0
"""A token as old as that was left by a run that was killed. By the server's clock, which has dated both."""

_MB = 1024 * 1024

_HERE, _FORCE_SYNC, _BASIC_STATS = -100, 0x2000, 0x7FF
"""AT_FDCWD, AT_STATX_FORCE_SYNC and STATX_BASIC_STATS, of statx(2)."""

User = t.Tuple[int, int]


def look_if_reached(
    path: str, server: str, port: int, seconds: float, *, always: bool, user: User | None = None, proc: str = "/proc"
) -> dict[str, t.Any]:
    """What C(look) returns, after a query whether the server answers; all of it within C(seconds).

    always: query it also where nothing is mounted, since something is going to be. user: see C(look).
    """
    end = time.monotonic() + seconds
    place = place_of(path, read_mounts(read_text(os.path.join(proc, "self/mountinfo"))))
    if always or (place.mount is not None and place.mount.fstype in (FSTYPE, "nfs")):
        error = nfs_server.reach(server, port, path, seconds)
        if error is not None:
            return {**_NOTHING, **_shown_place(place), "empty": None, "error": error, "waits": _waits(path, proc)}
    return look(path, max(end - time.monotonic(), LEAST_SECONDS), user, proc)


LEAST_SECONDS = 0.5
"""So much time every question gets, however long those before it took."""

_NOTHING = {"exists": None, "directory": None, "free_mb": None, "free_inodes": None}


def _shown_place(place: Place) -> dict[str, t.Any]:
    mount = place.mount if place.mount is not None and place.mount.fstype != "autofs" else None
    return {"mount": _shown(mount) if mount else None, "hidden": [_shown(hidden) for hidden in place.hidden]}


def look(path: str, seconds: float, user: User | None = None, proc: str = "/proc") -> dict[str, t.Any]:
    """What is there: C({mount, hidden, exists, directory, empty, free_mb, free_inodes, error}). Changes nothing.

    empty: of a directory where nothing is mounted, None otherwise. A share that systemd mounts when somebody comes is
    mounted by this. user: who sees it where this one may not, as root may not where the server maps it to nobody.
    """
    seen, error = bounded.run(lambda say: _seen(path, say), path, seconds)
    if user is not None and error is not None and error["name"] in ("EACCES", "EPERM"):
        seen, error = bounded.run(lambda say: _seen(path, say), path, seconds, user)
    place = place_of(path, read_mounts(read_text(os.path.join(proc, "self/mountinfo"))))
    empty = None
    if place.mount is None and error is None and seen["directory"]:
        empty, error = bounded.run(lambda say: _is_empty(path, say), path, seconds)
    waits = _waits(path, proc)
    return {**(seen or _NOTHING), **_shown_place(place), "empty": empty, "error": error, "waits": waits}


def _waits(path: str, proc: str) -> bool:
    """Whether systemd waits there to mount it when somebody comes, or has mounted it over that."""
    mounts = read_mounts(read_text(os.path.join(proc, "self/mountinfo")))
    return any(mount.fstype == "autofs" and mount.path == normalized(path) for mount in mounts)


def _is_empty(path: str, say: bounded.Say) -> bool:
    say("list")
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _shown(mount: Mount) -> dict[str, t.Any]:
    return {
        "source": mount.source,
        "fstype": mount.fstype,
        "opts": list(mount.opts),
        "read_only": mount.read_only,
        "device": mount.device,
    }


def _seen(path: str, say: bounded.Say) -> dict[str, t.Any]:
    say("stat")
    try:
        # The dot is what makes systemd mount it.
        status = os.stat(os.path.join(path, "."))
    except FileNotFoundError:
        return {"exists": False, "directory": False, "free_mb": None, "free_inodes": None}
    except NotADirectoryError:
        return {"exists": True, "directory": False, "free_mb": None, "free_inodes": None}
    say("statvfs")
    room = os.statvfs(path)
    return {
        "exists": True,
        "directory": stat.S_ISDIR(status.st_mode),
        "free_mb": room.f_bavail * room.f_frsize // _MB,
        # A server that makes inodes as they are needed says that there are none at all.
        "free_inodes": room.f_favail if room.f_files else None,
    }


def directory_differs(
    path: str, seconds: float, owner: int | None, group: int | None, mode: int | None
) -> dict[str, t.Any]:
    """Which of owner, group and mode of a directory are others: C({differs, error}). None: any."""
    found, error = bounded.run(lambda say: _differences(path, owner, group, mode, say), path, seconds)
    return {"differs": found or {}, "error": error}


def _differences(
    path: str, owner: int | None, group: int | None, mode: int | None, say: bounded.Say
) -> dict[str, list[int]]:
    say("stat")
    status = os.stat(path)
    pairs = {
        "owner": (status.st_uid, owner),
        "group": (status.st_gid, group),
        "mode": (stat.S_IMODE(status.st_mode), mode),
    }
    return {name: [now, to] for name, (now, to) in pairs.items() if to is not None and to != now}


def set_directory(path: str, seconds: float, differs: t.Mapping[str, t.Sequence[int]]) -> dict[str, t.Any] | None:
    """Set what differs; an error, or None."""
    return bounded.run(lambda say: _set(path, differs, say), path, seconds).error


def _set(path: str, differs: t.Mapping[str, t.Sequence[int]], say: bounded.Say) -> None:
    if "owner" in differs or "group" in differs:
        say("set the owner")
        # -1 leaves it as it is.
        os.chown(path, *(differs[name][1] if name in differs else -1 for name in ("owner", "group")))
    if "mode" in differs:
        say("set the mode")
        os.chmod(path, differs["mode"][1])


def try_inside(space: Space, path: str, run: str, host: str, seconds: float, user: User) -> dict[str, t.Any] | None:
    """Do in a container what nodes do, at its own path of the share; an error, or None. Leaves nothing."""

    def work(say: bounded.Say) -> None:
        _leave(path, run, host, say)
        _take_back(path, run, host, say)

    return bounded.run(inside(space.process, user, work), path, seconds).error


def leave_token(path: str, run: str, host: str, seconds: float, user: User | None = None) -> dict[str, t.Any]:
    """Write, read back, rename and delete as C(user), and leave the token: C({clock_offset_seconds, error})."""
    offset, error = bounded.run(lambda say: _leave(path, run, host, say), path, seconds, user)
    return {"clock_offset_seconds": offset, "error": error}


def _leave(path: str, run: str, host: str, say: bounded.Say) -> float:
    directory, text = os.path.join(path, TOKENS), token_text(run, host)
    name = os.path.join(directory, token_name(run, host))
    say("write")
    new = name + ".new"
    began = time.time()
    try:
        _write(directory, new, text)
        ended = time.time()
        say("read back")
        if _text_of(new) != text:
            raise OSError(errno.EIO, "another text is read than was written")
        dated = os.stat(new).st_mtime
        say("rename")
        os.rename(new, name)
    except OSError:
        # The first error is what counts; where nothing can be deleted, old tokens go with a later run.
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise
    say("delete")
    gone = name + ".gone"
    _write(directory, gone, text)
    os.unlink(gone)
    _remove_old(directory, dated)
    return _offset(dated, began, ended)


def _offset(dated: float, began: float, ended: float) -> float:
    """How far the server's clock is ahead; 0 while its date may have been made between the two readings of ours."""
    if began <= dated <= ended:
        return 0.0
    return dated - ended if dated > ended else dated - began


def _write(directory: str, name: str, text: str) -> None:
    for attempt in range(3):
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o755)
        try:
            file = os.open(name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
            break
        except FileNotFoundError:
            # The last of another run has just removed the directory.
            if attempt == 2:
                raise
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        # Room that is missing is often reported only here.
        os.close(file)


def _text_of(name: str) -> str:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return os.read(file, 4096).decode("utf-8", "replace")
    finally:
        os.close(file)


def _remove_old(directory: str, now: float) -> None:
    for name in os.listdir(directory):
        token = os.path.join(directory, name)
        # Another host is at the same, and what another user has left is not ours to remove.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if now - os.lstat(token).st_mtime > OLD_SECONDS:
                os.unlink(token)


def find_tokens(
    path: str, run: str, hosts: t.Sequence[str], seconds: float, user: User | None = None
) -> dict[str, t.Any]:
    """Whose tokens of this run are not there, and how: C({unseen, error}); all that have left one are in C(hosts)."""
    unseen, error = bounded.run(lambda say: _unseen(path, run, hosts, say), path, seconds, user)
    return {"unseen": unseen or {}, "error": error}


def _unseen(path: str, run: str, hosts: t.Sequence[str], say: bounded.Say) -> dict[str, str]:
    say("read the tokens of the other hosts")
    found = {}
    for host in hosts:
        try:
            text = _text_of(os.path.join(path, TOKENS, token_name(run, host)))
        except FileNotFoundError:
            found[host] = "missing"
            continue
        if text != token_text(run, host):
            found[host] = "other"
    return found


def take_back(path: str, run: str, host: str, seconds: float, user: User | None = None) -> dict[str, t.Any]:
    """Remove the token of this host, and the directory with the last one: C({error})."""
    _none, error = bounded.run(lambda say: _take_back(path, run, host, say), path, seconds, user)
    return {"error": error}


def _take_back(path: str, run: str, host: str, say: bounded.Say) -> None:
    say("delete")
    directory = os.path.join(path, TOKENS)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, token_name(run, host)))
    try:
        os.rmdir(directory)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
            raise


def record_proof(path: str, run: str, hosts: t.Sequence[str], seconds: float, user: User) -> dict[str, t.Any] | None:
    """Note which hosts have proved the share; an error, or None. The file's date is the time of the proof."""
    return bounded.run(lambda say: _record(path, run, hosts, say), path, seconds, user).error


def _record(path: str, run: str, hosts: t.Sequence[str], say: bounded.Say) -> None:
    say("record the proof")
    name = os.path.join(path, PROOF)
    new = name + ".new"
    file = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
    with os.fdopen(file, "w", encoding="utf-8") as writing:
        json.dump({"run": run, "hosts": list(hosts)}, writing)
    os.replace(new, name)


def read_proof(path: str, seconds: float, user: User | None) -> dict[str, t.Any]:
    """The last proof: C({proof: {age_seconds, run, hosts}, error}); proof is None where there is none."""
    proof, error = bounded.run(lambda say: _proof(path, say), path, seconds, user)
    return {"proof": proof, "error": error}


def _open_proof(path: str) -> int | None:
    try:
        return os.open(os.path.join(path, PROOF), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        # A link is not what we have written either; the next proof replaces it.
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise


def _forget_what_was_absent(path: str) -> None:
    """Have the kernel query the server about a directory, by which it sees that names have come.

    It remembers for up to a minute which were not there, so that a host which has just been seen without a proof would
    not see the one that another host writes down for all. Where there is no statx(2), that minute has to pass. Raises
    OSError: what the server was not queried about is not known to be absent.
    """
    try:
        call("statx", _HERE, os.fsencode(path), _FORCE_SYNC, _BASIC_STATS, ctypes.create_string_buffer(256))
    except AttributeError:
        return
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise


def _proof(path: str, say: bounded.Say) -> dict[str, t.Any] | None:
    say("read the last proof")
    file = _open_proof(path)
    if file is None:
        _forget_what_was_absent(path)
        file = _open_proof(path)
    if file is None:
        return None
    with os.fdopen(file, encoding="utf-8") as reading:
        dated = os.fstat(reading.fileno()).st_mtime
        try:
            found = json.load(reading)
            return {"age_seconds": time.time() - dated, "run": str(found["run"]), "hosts": list(found["hosts"])}
        except (ValueError, KeyError, TypeError):
            # Not what we have written: then nothing is proved by it.
            return None
