# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of logs on the machine that runs Ansible. Internal to waent.fleet: may change in any release.

What comes from hosts is written a part at a time, without secrets, into a directory that only its owner can read; at
the end it is packed, read again, and only then given its name. Never more than one part of a file is in memory.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shutil
import tarfile
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.log_events import Events
from ansible_collections.waent.fleet.plugins.module_utils._check.log_page import Run, page
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import (
    SHORT_CHARACTERS,
    pattern_of,
    secret_values,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.masking import Masker
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal

BLOCK = 65536
PAGE = "index.html"
LOG_FILES = ("container.log", "web.log", "error.log")

_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_WORK = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)\.part\Z")


def plain_name(text: str) -> str:
    """A name as it may stand in a path."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text).lstrip(".") or "_"


@contextlib.contextmanager
def only_for_us() -> t.Iterator[None]:
    """Whatever is made meanwhile, nobody else can read it."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def begin(directory: str, name: str, pid: int) -> str:
    """A directory to work in, for the run of a process. What one that was killed has left goes. Raises OSError."""
    with only_for_us():
        os.makedirs(directory, exist_ok=True)
        for entry in os.listdir(directory):
            match = _WORK.match(entry)
            if match and not _lives(int(match.group("pid"))):
                shutil.rmtree(os.path.join(directory, entry), ignore_errors=True)
        work = os.path.join(directory, ".{0}.{1}.part".format(name, pid))
        os.mkdir(work)
    return work


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Stream:
    """Parts that are fetched one after the other, read like a file. fetch: from this byte on; empty at the end."""

    def __init__(self, fetch: t.Callable[[int], bytes]) -> None:
        self._fetch = fetch
        self._offset = 0
        self._left = b""
        self._over = False

    def read(self, size: int) -> bytes:
        """So many bytes, less only at the end."""
        while len(self._left) < size and not self._over:
            part = self._fetch(self._offset)
            self._over = not part
            self._offset += len(part)
            self._left += part
        found, self._left = self._left[:size], self._left[size:]
        return found


def receive(stream: Stream, place: str, secrets: t.Sequence[t.Any], most: int) -> list[str]:
    """Write what a host has packed into a directory, without secrets; the paths below it.

    most: bytes that were agreed on. Raises Refusal for what no host of ours sends, OSError where it cannot be written.
    """
    found, left = [], most
    try:
        with only_for_us(), tarfile.open(fileobj=stream, mode="r|gz") as archive:  # type: ignore[call-overload]
            for member in archive:
                if not member.isreg() or not _MEMBER.match(member.name):
                    raise Refusal("LOGS_NOT_OURS", "The host sent {0!r}, which is no log file.".format(member.name))
                left -= member.size
                if left < 0:
                    raise Refusal("LOGS_TOO_LARGE", "The host sent more than the {0} bytes agreed on.".format(most))
                source = t.cast(t.IO[bytes], archive.extractfile(member))
                _write(os.path.join(place, member.name), iter(lambda source=source: source.read(BLOCK), b""), secrets)  # type: ignore[misc]
                found.append(member.name)
    except (tarfile.TarError, EOFError) as error:
        raise Refusal("LOGS_BROKEN", "What the host sent cannot be read ({0}).".format(error)) from error
    return found


def write_document(work: str, name: str, text: str, secrets: t.Sequence[t.Any]) -> None:
    """A file of the archive, without secrets. Raises OSError."""
    with only_for_us():
        _write(os.path.join(work, name), [text.encode("utf-8", "surrogateescape")], secrets)


def _write(path: str, blocks: t.Iterable[bytes], secrets: t.Sequence[t.Any]) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    masker = Masker(secrets)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with open(path, "wb") as file:
        for block in blocks:
            file.write(masker.feed(decoder.decode(block)).encode("utf-8", "surrogateescape"))
        rest = masker.feed(decoder.decode(b"", True)) + masker.finish()
        file.write(rest.encode("utf-8", "surrogateescape"))


# --- the end ----------------------------------------------------------------------------------------------------------


def files_of(work: str) -> list[dict[str, t.Any]]:
    """C([{path, bytes}]) of everything in the directory, by path."""
    found = []
    for directory, _directories, names in os.walk(work):
        for name in names:
            full = os.path.join(directory, name)
            found.append({"path": os.path.relpath(full, work), "bytes": os.lstat(full).st_size})
    return sorted(found, key=lambda file: str(file["path"]))


def read_events(work: str, files: t.Iterable[t.Mapping[str, t.Any]]) -> Events:
    """The lines of all logs, C(hosts/HOST/CONTAINER/FILE), that of the engine before the files of its node."""
    events = Events()
    logs = [str(file["path"]).split("/") for file in files if str(file["path"]).endswith(".log")]
    for parts in sorted((one for one in logs if len(one) == 4), key=lambda one: (one[:3], one[3] != LOG_FILES[0])):
        path = "/".join(parts)
        with open(os.path.join(work, path), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            events.add_log(parts[1], parts[2], path, file, engine=parts[3] == LOG_FILES[0])
    return events


class Packed(t.NamedTuple):
    """Paths of the archive and of its page, and what is in it."""

    archive: str
    page: str
    files: list[dict[str, t.Any]]
    lines: int


def finish(work: str, directory: str, name: str, run: Run, secrets: t.Sequence[t.Any]) -> Packed:
    """Write the page, pack all, prove that no secret is in it, and give it its name. Raises OSError and Refusal."""
    with only_for_us():
        files = files_of(work)
        events = read_events(work, files)
        write_document(work, PAGE, page(run._replace(files=files), events), secrets)
        files = files_of(work)
        packed = work + ".tar.gz"
        try:
            with tarfile.open(packed, "w:gz", compresslevel=6) as archive:
                for file in files:
                    path = os.path.join(work, str(file["path"]))
                    archive.add(path, arcname="{0}/{1}".format(name, file["path"]), recursive=False, filter=_nobodys)
            prove(packed, {"{0}/{1}".format(name, file["path"]): int(file["bytes"]) for file in files}, secrets)
            target, beside = os.path.join(directory, name + ".tar.gz"), os.path.join(directory, name + ".html")
            os.replace(os.path.join(work, PAGE), beside)
            os.replace(packed, target)
        finally:
            if os.path.exists(packed):
                os.unlink(packed)
        shutil.rmtree(work)
    return Packed(target, beside, files, events.lines)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def prove(packed: str, files: t.Mapping[str, int], secrets: t.Sequence[t.Any]) -> None:
    """Read the archive again: every file is there as a whole, and none holds a secret. Raises Refusal.

    Values so short that they come up by chance are not looked for.
    """
    long = [value for value in secret_values(secrets) if len(value) >= SHORT_CHARACTERS]
    pattern, reach = pattern_of(long)
    left = dict(files)
    with tarfile.open(packed, "r|gz") as archive:
        for member in archive:
            if left.pop(member.name, None) != member.size:
                raise Refusal("LOGS_NOT_PROVED", "{0} is not in the archive as it was written.".format(member.name))
            source = t.cast(t.IO[bytes], archive.extractfile(member))
            if pattern is not None and _holds(source, pattern, reach):
                text = "{0} would hold a secret of the inventory, so there is no archive."
                raise Refusal("LOGS_HOLD_A_SECRET", text.format(member.name), {"file": member.name})
    if left:
        raise Refusal("LOGS_NOT_PROVED", "{0} is not in the archive.".format(sorted(left)[0]))


def _holds(source: t.IO[bytes], pattern: re.Pattern[str], reach: int) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = ""
    for block in iter(lambda: source.read(BLOCK), b""):
        text = text[max(0, len(text) - reach) :] + decoder.decode(block)
        if pattern.search(text):
            return True
    return False
