# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects the logs of a cluster's containers on their host, bounded in size and time. Internal to waent.fleet.

Everything goes, without secrets, into one packed file in a directory that only its owner can read. It is fetched in
parts and removed; what a run that was killed has left there is removed by the next one.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.log_request import CRASHES, Piece, pieces, share
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import MASK
from ansible_collections.waent.fleet.plugins.module_utils._common.masking import SECRET_NAME, Masker
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import log_driver_of
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import unreadable
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import OWN_ENVIRONMENT
from ansible_collections.waent.fleet.plugins.module_utils._io.output import BLOCK, Late, Output
from ansible_collections.waent.fleet.plugins.module_utils._io.tail import Tail

PREFIX = "waent-logs-"
PACKED = "logs.tar.gz"
ABANDONED_SECONDS = 3600
"""A directory as old as this belongs to no run that goes on."""

BESIDE = 65536
"""So much more than what is kept is masked, and the beginning left out: a secret may begin before what is kept."""

HARMLESS = frozenset(name for name in OWN_ENVIRONMENT if not SECRET_NAME.search(name)) | frozenset(
    ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "HOSTNAME", "DEBIAN_FRONTEND", "WA_DB_SSL_CA", "WA_DB_SSL_CERT")
)
"""Variables of containers whose values are no secrets."""


class Collected(t.NamedTuple):
    """path: the packed file, empty where there is nothing. pieces: one entry for each thing that was asked for.

    C({container, kind, what, path, bytes, cut_bytes, state, reason}); state is C(read), C(cut), C(absent) or C(failed).
    """

    path: str
    pieces: list[dict[str, t.Any]]


class Limits(t.NamedTuple):
    """since, seconds: of what was logged, and for all of it. size: bytes of one piece. host_size: of all of them."""

    since: int
    seconds: float
    size: int
    host_size: int


class Host:
    """Collects on one host. docker: path of the command. inspected: what C(docker inspect) says of the containers."""

    def __init__(self, docker: str, inspected: t.Sequence[t.Mapping[str, t.Any]], limits: Limits, home: str) -> None:
        self._docker, self._limits, self._home = docker, limits, home
        self._inspected = {str(entry["Name"]).lstrip("/"): entry for entry in inspected}
        self._secrets = secrets_of(inspected)
        self._left = limits.host_size
        self._end = time.monotonic() + limits.seconds
        self.found: list[dict[str, t.Any]] = []

    def collect(self, asked: t.Sequence[Piece]) -> None:
        """All of it, into files below C(home)."""
        for number, piece in enumerate(asked):
            part = share(self._limits.size, self._left, self._end - time.monotonic(), len(asked) - number)
            begun = len(self.found)
            deadline = time.monotonic() + part.seconds
            try:
                self._one(piece, part.size, deadline)
            except Late:
                self._note(piece, state="failed", reason="it took longer than {0:.0f} s".format(part.seconds))
            except OSError as error:
                self._note(piece, state="failed", reason=error.strerror or str(error))
            self._left -= sum(entry["bytes"] for entry in self.found[begun:])

    def _one(self, piece: Piece, size: int, deadline: float) -> None:
        if piece.what == "inspect":
            self._inspect(piece)
        elif piece.what == "log":
            self._log(piece, size, deadline)
        else:
            self._files(piece, size, deadline)

    def _note(self, piece: Piece, **more: t.Any) -> None:
        entry: dict[str, t.Any] = {"path": "", "bytes": 0, "cut_bytes": 0, "state": "read", "reason": ""}
        self.found.append({"container": piece.container, "kind": piece.kind, "what": piece.what, **entry, **more})

    def _inspect(self, piece: Piece) -> None:
        shown = json.dumps(without_values(self._inspected[piece.container]), indent=2, sort_keys=True) + "\n"
        path = "{0}/inspect.json".format(piece.container)
        size, _cut = self._write(path, [shown.encode()], 0)
        self._note(piece, path=path, bytes=size)

    def _log(self, piece: Piece, size: int, deadline: float) -> None:
        words = [self._docker, "logs", "--timestamps", "--since", "{0}s".format(self._limits.since), piece.container]
        with self._tail(piece, size) as (tail, keep), Output(words, deadline, together=True) as output:
            late = False
            try:
                for block in iter(output.read, b""):
                    tail.write(block)
                code = output.end()
            except Late:
                late, code = True, 0
            keep("container.log", late=late)
        if code != 0:
            elsewhere = unreadable(log_driver_of(self._inspected[piece.container]))
            reason = elsewhere or "docker logs ended with {0}".format(code)
            if elsewhere:
                # All that there is of it is the engine's own complaint, which is no line of the node.
                os.unlink(os.path.join(self._home, self.found[-1]["path"]))
                self.found[-1].update(path="", bytes=0, cut_bytes=0)
            self.found[-1].update(state="failed", reason=reason)

    def _files(self, piece: Piece, size: int, deadline: float) -> None:
        """Log files in the container, which need not run for it."""
        words = [self._docker, "cp", "{0}:{1}".format(piece.container, piece.directory), "-"]
        found = 0
        with Output(words, deadline) as output:
            try:
                found = self._members(piece, size, output)
            except tarfile.TarError:
                found = 0
            code = self._drained(output)
            reason = output.reason
        if code != 0 and not found:
            absent = re.search(r"[Nn]o such|[Cc]ould not find|not found", reason) is not None
            self._note(piece, state="absent" if absent else "failed", reason="" if absent else reason)
        elif not found:
            self._note(piece, state="absent")

    @staticmethod
    def _drained(output: Output) -> int:
        """The exit code; a command whose output nobody reads does not end."""
        while output.read():
            pass
        return output.end()

    def _members(self, piece: Piece, size: int, output: Output) -> int:
        asked = re.compile("(?:" + piece.names + r")\Z")
        kept = 0
        with tarfile.open(fileobj=output, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                name = os.path.basename(member.name)
                source = archive.extractfile(member) if member.isreg() and asked.match(name) else None
                if source is None:
                    continue
                kept += 1
                if kept > CRASHES:
                    self._note(piece, state="cut", cut_bytes=member.size, reason="more than {0} files".format(CRASHES))
                    continue
                with self._tail(piece, size // CRASHES if piece.what == "crash" else size) as (tail, keep):
                    for block in iter(lambda source=source: source.read(BLOCK), b""):  # type: ignore[misc]
                        tail.write(block)
                    keep(name, late=False)
        return kept

    def _tail(self, piece: Piece, size: int) -> _Kept:
        return _Kept(self, piece, size)

    def keep(self, piece: Piece, name: str, tail: Tail, size: int, late: bool) -> None:
        """What the tail has, without secrets, as a file of the container."""
        path = "{0}/{1}".format(piece.container, name)
        over = max(0, min(tail.total, size + BESIDE) - size)
        written, _skipped = self._write(path, tail.blocks(), over)
        cut = max(0, tail.total - size)
        reason = "it took too long, so the newest lines may be missing" if late else ""
        reason = reason or ("only the newest lines were kept" if cut else "")
        state = "cut" if cut or late else "read"
        self._note(piece, path=path, bytes=written, cut_bytes=cut, state=state, reason=reason)

    def _write(self, path: str, blocks: t.Iterable[bytes], skip: int) -> tuple[int, int]:
        """Bytes written, and left out. skip: so many are left out at the beginning, with the rest of their line."""
        full = os.path.join(self._home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        masker = Masker(self._secrets)
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        written = left_out = 0
        with open(full, "wb") as file:
            texts = (masker.feed(decoder.decode(block)) for block in blocks)
            for text in (*_then(texts, lambda: masker.feed(decoder.decode(b"", True))), masker.finish()):
                data = text.encode("utf-8", "surrogateescape")
                if left_out < skip:
                    cut = data.find(b"\n", max(0, skip - left_out - 1)) + 1
                    cut = cut or len(data)
                    left_out, data = left_out + cut, data[cut:]
                file.write(data)
                written += len(data)
        return written, left_out


class _Kept:
    """A tail for the time of one piece, whose files are gone afterwards."""

    def __init__(self, host: Host, piece: Piece, size: int) -> None:
        self._host, self._piece, self._size = host, piece, size
        handle, self._path = tempfile.mkstemp(dir=host._home, prefix="raw-")
        os.close(handle)
        self._tail = Tail(self._path, size + BESIDE)

    def __enter__(self) -> tuple[Tail, t.Callable[..., None]]:
        def keep(name: str, *, late: bool) -> None:
            self._host.keep(self._piece, name, self._tail, self._size, late)

        return self._tail, keep

    def __exit__(self, *_error: object) -> None:
        for path in (self._path, self._path + ".a", self._path + ".b"):
            if os.path.exists(path):
                os.unlink(path)


def _then(texts: t.Iterable[str], last: t.Callable[[], str]) -> t.Iterator[str]:
    yield from texts
    yield last()


# --- secrets of containers --------------------------------------------------------------------------------------------


def _environment(entry: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    pairs = (str(one).partition("=") for one in (entry.get("Config") or {}).get("Env") or [])
    return [(name, value) for name, _equals, value in pairs]


def secrets_of(inspected: t.Iterable[t.Mapping[str, t.Any]]) -> list[t.Any]:
    """What the environments of containers hold that no log may show, as C(masked) takes it.

    A value whose name says that it is a secret is one however short; of others only what is long enough to be one.
    """
    found: list[t.Any] = []
    for entry in inspected:
        for name, value in _environment(entry):
            if name not in HARMLESS and value:
                found.append(value if SECRET_NAME.search(name) else {name: value})
    return found


def without_values(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What C(docker inspect) says, without the values of variables that may be secrets."""
    shown = ["{0}={1}".format(name, value if name in HARMLESS else MASK) for name, value in _environment(entry)]
    return {**entry, "Config": {**(entry.get("Config") or {}), "Env": shown}}


# --- the packed file --------------------------------------------------------------------------------------------------


def collect(docker: str, inspected: t.Sequence[t.Mapping[str, t.Any]], kinds: t.Mapping[str, str], limits: Limits,
            parent: str) -> Collected:  # fmt: skip
    """Everything of these containers, packed. kinds: of each by its name. parent: where a directory is made."""
    remove_abandoned(parent)
    before = os.umask(0o077)
    try:
        home = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
        try:
            return _collected(Host(docker, inspected, limits, os.path.join(home, "content")), kinds, home)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
    finally:
        os.umask(before)


def _collected(host: Host, kinds: t.Mapping[str, str], home: str) -> Collected:
    content, packed = os.path.join(home, "content"), os.path.join(home, PACKED)
    os.mkdir(content)
    host.collect(pieces([{"name": name, "kind": kind} for name, kind in kinds.items()]))
    with tarfile.open(packed, "x:gz", compresslevel=6) as archive:
        for entry in host.found:
            if entry["path"]:
                archive.add(os.path.join(content, entry["path"]), arcname=entry["path"], recursive=False)
    shutil.rmtree(content)
    return Collected(packed, host.found)


def read_part(path: str, offset: int, size: int) -> bytes:
    """A part of the packed file. Raises OSError."""
    _checked(path)
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def remove(path: str) -> bool:
    """Remove what was collected; whether there was anything. Raises OSError."""
    if not os.path.lexists(os.path.dirname(path)):
        return False
    _checked(path)
    shutil.rmtree(os.path.dirname(path))
    return True


def _checked(path: str) -> None:
    """Refuses what this collection did not make. Raises PermissionError."""
    home = os.path.dirname(path)
    there = os.lstat(home)
    ours = stat.S_ISDIR(there.st_mode) and there.st_uid == os.geteuid()
    if not (ours and os.path.basename(path) == PACKED and os.path.basename(home).startswith(PREFIX)):
        raise PermissionError(1, "{0} was not made by this collection".format(path))


def remove_abandoned(parent: str, seconds: float = ABANDONED_SECONDS) -> list[str]:
    """Directories of runs that were killed, which are removed."""
    gone = []
    for name in os.listdir(parent):
        path = os.path.join(parent, name)
        if not name.startswith(PREFIX):
            continue
        there = os.lstat(path)
        if stat.S_ISDIR(there.st_mode) and there.st_uid == os.geteuid() and time.time() - there.st_mtime >= seconds:
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path)
    return gone
