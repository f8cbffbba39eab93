# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies the files of a media volume onto the media share. Internal to waent.fleet: may change in any release.

What is on the share under its name is whole, whenever this ends: a file is written under another name, read back, and
only then linked to its own. Nothing is overwritten, and nothing is removed from the volume, so it can be run again and
again, also while nodes write to the volume.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.paths import normalized
from ansible_collections.waent.fleet.plugins.module_utils._io import bounded
from ansible_collections.waent.fleet.plugins.module_utils._io.containers_mounts import under

COPIED, SAME, CONFLICT, CHANGING, _GONE = "copied", "same", "conflicts", "changing", "gone"

READ_STEP = "read the files to copy"
"""While it fails with this one, it is not about the share."""

OWN_PREFIX = ".waent-"
"""Our own tokens, and files that are being copied."""

_PIECE = 1024 * 1024

User = t.Tuple[int, int]


def copy_files(
    source: str, path: str, host: str, seconds: float, user: User, *, check_mode: bool = False
) -> bounded.Outcome:
    """Copy what is missing; compare the rest. Ended when nothing moves for C(seconds).

    Where C(source) is the path of the share, it is the directory under it: what containers have written to that were
    started before it was mounted.

    The result: C({files, bytes, copied, same, conflicts, changing, others, needed_bytes, free_bytes}). conflicts:
    names of files that are on the share with another content. changing: written to meanwhile. others: links and the
    like, which are left out. Where C(needed_bytes) are more than C(free_bytes), nothing was copied. In check mode
    C(copied) is what would be.
    """

    def work(say: bounded.Say) -> dict[str, t.Any]:
        say(READ_STEP)
        # Only root comes to a volume's directory; its files are the nodes'. Where the share itself is named, what lies
        # under it is meant.
        same = normalized(source) == normalized(path)
        directory = under(normalized(path)) if same else os.open(source, os.O_RDONLY | os.O_DIRECTORY)
        bounded.become(*user)
        return _copy(directory, path, _prefix(host), say, check_mode)

    return bounded.run(work, "copy to " + path, seconds, renewed=True)


def _prefix(host: str) -> str:
    """How files are called while this host copies them; those that a killed run has left are its own again."""
    return "{0}copy-{1}-".format(OWN_PREFIX, hashlib.sha256(host.encode()).hexdigest()[:8])


class _Found(t.NamedTuple):
    directory: str
    name: str
    size: int

    @property
    def relative(self) -> str:
        return os.path.join(self.directory, self.name)


def _copy(source: int, path: str, prefix: str, say: bounded.Say, check_mode: bool) -> dict[str, t.Any]:
    found, others, directories = _list(source, say)
    missing = [one for one in found if not os.path.lexists(os.path.join(path, one.relative))]
    say("statvfs")
    room = os.statvfs(path)
    result: dict[str, t.Any] = {
        "files": len(found), "bytes": sum(one.size for one in found), COPIED: 0, SAME: 0, CONFLICT: [], CHANGING: [],
        "others": others, "needed_bytes": sum(one.size for one in missing), "free_bytes": room.f_bavail * room.f_frsize,
    }  # fmt: skip
    if result["needed_bytes"] > result["free_bytes"]:
        return result
    if not check_mode:
        _make_directories(path, directories, prefix, say)
    for one in found:
        outcome = _copy_one(source, one, path, prefix, say, check_mode)
        if outcome == _GONE:
            result["files"] -= 1
            result["bytes"] -= one.size
        elif outcome in (COPIED, SAME):
            result[outcome] += 1
        else:
            result[outcome].append(one.relative)
    return result


def _list(source: int, say: bounded.Say) -> tuple[list[_Found], list[str], list[tuple[str, int]]]:
    """Files, what is none, and directories with their modes, by their names in the volume."""
    found, others, directories = [], [], []

    def fail(error: OSError) -> t.NoReturn:
        raise error

    for root, names, files, inside in os.fwalk(".", dir_fd=source, onerror=fail):
        say(READ_STEP)
        names[:] = sorted(name for name in names if not name.startswith(OWN_PREFIX))
        directory = os.path.normpath(root)
        directories.append((directory, stat.S_IMODE(os.fstat(inside).st_mode)))
        for name in sorted(files):
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=inside, follow_symlinks=False)
                one = _Found("" if directory == "." else directory, name, status.st_size)
                if stat.S_ISREG(status.st_mode) and not name.startswith(OWN_PREFIX):
                    found.append(one)
                else:
                    others.append(one.relative)
        # Links to directories, which nobody follows.
        links = [name for name in names if os.path.islink("/proc/self/fd/{0}/{1}".format(inside, name))]
        others += [os.path.normpath(os.path.join(root, name)) for name in links]
    return found, others, directories


def _make_directories(path: str, directories: t.Iterable[tuple[str, int]], prefix: str, say: bounded.Say) -> None:
    for directory, mode in directories:
        say("make the directories")
        target = os.path.join(path, directory)
        if directory != ".":
            with contextlib.suppress(FileExistsError):
                os.mkdir(target)
                os.chmod(target, mode)
        for name in os.listdir(target):
            # What a run that was killed was about to copy.
            if name.startswith(prefix):
                os.unlink(os.path.join(target, name))


def _copy_one(source: int, one: _Found, path: str, prefix: str, say: bounded.Say, check_mode: bool) -> str:
    say(READ_STEP)
    try:
        reading = os.open(one.relative, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source)
    except FileNotFoundError:
        # A node has removed it since.
        return _GONE
    target = os.path.join(path, one.relative)
    with os.fdopen(reading, "rb") as file:
        before = os.fstat(file.fileno())
        if os.path.lexists(target):
            return _compare(file, before, target, say)
        if check_mode:
            return COPIED
        new = os.path.join(path, one.directory, prefix + hashlib.sha256(one.relative.encode()).hexdigest()[:16])
        try:
            digest = _write(file, new, before, say)
            if _changed(file, before):
                return CHANGING
            _read_back(new, digest, say)
            say("link")
            os.link(new, target)
        except FileExistsError:
            # Another host has it as well, and was first.
            file.seek(0)
            return _compare(file, before, target, say)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
    return COPIED


def _write(file: t.BinaryIO, new: str, status: os.stat_result, say: bounded.Say) -> bytes:
    """The digest of what was written. The file keeps its owner, mode and date: by that old media are removed."""
    digest = hashlib.sha256()
    writing = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    try:
        for piece in _pieces(file):
            say("write")
            digest.update(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(writing, view) :]
        if os.geteuid() == 0:
            os.fchown(writing, status.st_uid, status.st_gid)
        os.fchmod(writing, stat.S_IMODE(status.st_mode))
        os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(writing)
    finally:
        # Room that is missing is often reported only here.
        os.close(writing)
    return digest.digest()


def _read_back(new: str, digest: bytes, say: bounded.Say) -> None:
    say("read back")
    with open(new, "rb") as file:
        # From the server, and not from this host's memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if _digest(file, say, "read back") != digest:
            raise OSError(errno.EIO, "another content is read than was written")


def _compare(file: t.BinaryIO, before: os.stat_result, target: str, say: bounded.Say) -> str:
    """With what is on the share under that name already."""
    say("compare")
    there = os.lstat(target)
    same = stat.S_ISREG(there.st_mode) and there.st_size == before.st_size
    if same:
        with open(target, "rb") as other:
            same = _digest(other, say, "compare") == _digest(file, say, "compare")
    if same:
        return SAME
    return CHANGING if _changed(file, before) else CONFLICT


def _changed(file: t.BinaryIO, before: os.stat_result) -> bool:
    now = os.fstat(file.fileno())
    return (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)


def _digest(file: t.BinaryIO, say: bounded.Say, step: str) -> bytes:
    digest = hashlib.sha256()
    for piece in _pieces(file):
        say(step)
        digest.update(piece)
    return digest.digest()


def _pieces(file: t.BinaryIO) -> t.Iterator[bytes]:
    while True:
        piece = file.read(_PIECE)
        if not piece:
            return
        yield piece
