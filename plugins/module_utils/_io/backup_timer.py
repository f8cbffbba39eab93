# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs, runs and removes a scheduled backup on a host. Internal to waent.fleet: may change in any release.

C(root): where the file system begins; tests have one of their own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import (
    SYSTEMD,
    File,
    places,
)

STAMP = "/var/lib/systemd/timers/stamp-{0}.timer"
"""What systemd touches when it starts what a timer with C(Persistent) is for."""

Run = t.Callable[[t.List[str]], t.Tuple[int, str, str]]


def check_host(run: Run, find: t.Callable[[str], str | None]) -> None:
    """Raises Refusal for a host that cannot do it."""
    if not find("systemctl"):
        raise Refusal("BACKUP_NO_SYSTEMD", "This host has no systemd, which would run the backup; choose another one.")
    if not find("openssl"):
        raise Refusal("BACKUP_NO_OPENSSL", "This host has no openssl, which encrypts the backup; install it.")
    code, out, err = run(["systemctl", "--version"])
    match = re.match(r"systemd (\d+)", out)
    if code != 0 or match is None:
        raise Refusal("BACKUP_NO_SYSTEMD", "systemctl does not say its version ({0}).".format((err or out).strip()))
    if int(match.group(1)) < SYSTEMD:
        text = "This host has systemd {0}; a service gets credentials from {1} on."
        raise Refusal("BACKUP_SYSTEMD_OLD", text.format(match.group(1), SYSTEMD))


def differing(files: t.Iterable[File], root: str = "") -> list[File]:
    """Those that are not there as they are meant to be, or that others could read."""
    return [file for file in files if not _is_as(file, root)]


def _is_as(file: File, root: str) -> bool:
    path = root + file.path
    try:
        there = os.lstat(path)
        if not stat.S_ISREG(there.st_mode) or stat.S_IMODE(there.st_mode) != file.mode or there.st_uid != os.geteuid():
            return False
        with open(path, "rb") as opened:
            return opened.read() == file.content
    except OSError:
        return False


def write(files: t.Iterable[File], root: str = "") -> None:
    """Each as a whole. Raises OSError."""
    for file in files:
        path = root + file.path
        directory = os.path.dirname(path)
        private = file.mode & 0o077 == 0
        _make_directory(directory, 0o700 if private else 0o755)
        if private:
            os.chmod(directory, 0o700)
        handle, beside = tempfile.mkstemp(dir=directory, prefix=".waent-")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(file.content)
            os.chmod(beside, file.mode)
            os.replace(beside, path)
        except OSError:
            os.unlink(beside)
            raise


def _make_directory(path: str, mode: int) -> None:
    """With all that it lies in, where there is none yet, in the same mode: os.makedirs leaves those to the umask."""
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(path), mode)
        os.mkdir(path, mode)
        os.chmod(path, mode)


def enabled(run: Run, name: str) -> bool:
    """Whether the timer waits, now and after the next start of the host."""
    return all(run(["systemctl", verb, "--quiet", name + ".timer"])[0] == 0 for verb in ("is-enabled", "is-active"))


def enable(run: Run, name: str) -> None:
    """Have systemd know the units, and the timer wait. Raises Refusal."""
    _must(run, ["systemctl", "daemon-reload"])
    _must(run, ["systemctl", "enable", "--now", name + ".timer"])
    # One that waits already keeps the old schedule until it is started again.
    _must(run, ["systemctl", "restart", name + ".timer"])


def has_another(password: File, root: str = "") -> bool:
    """Whether the host has a password of the user admin that is another one. One that has none needs none."""
    return os.path.lexists(root + password.path) and not _is_as(password, root)


def prove(run: Run, name: str, root: str = "") -> str:
    """Run the backup now; the path of the new file. Raises Refusal."""
    before = backups(name, root)
    code, _out, _err = run(["systemctl", "start", name + ".service"])
    if code != 0:
        _code, log, _said = run(["journalctl", "--unit", name + ".service", "--lines", "5", "--output", "cat"])
        said = next((line for line in reversed(log.splitlines()) if line.startswith("[BACKUP")), "see journalctl")
        raise Refusal("BACKUP_NOT_RUN", "The backup on this host failed: {0}".format(said))
    new = [path for path in backups(name, root) if path not in before]
    if not new:
        raise Refusal("BACKUP_NOT_RUN", "The backup on this host ended well and has written no file.")
    return new[-1]


def backups(name: str, root: str = "") -> list[str]:
    """The files on the host, the oldest first."""
    state = root + places(name)["state"]
    if not os.path.isdir(state):
        return []
    return [os.path.join(state, one) for one in sorted(os.listdir(state)) if one.endswith(".cms")]


def installed(name: str, root: str = "") -> list[str]:
    """What of it is on the host; backups do not count."""
    where = places(name)
    return [
        where[key] for key in ("timer", "service", "program", "configuration") if os.path.lexists(root + where[key])
    ]


def failed(run: Run, name: str, root: str = "") -> bool:
    """Whether the last backup of a service that is there failed."""
    there = os.path.lexists(root + places(name)["service"])
    return there and run(["systemctl", "is-failed", "--quiet", name + ".service"])[0] == 0


def read_state(run: Run, name: str, root: str = "") -> dict[str, t.Any]:
    """C({name, waits, failed, last_run_seconds, last_backup_seconds, backups}) of a timer that is there.

    last_run_seconds: how long ago systemd started it, by the file it keeps for timers that catch up; None where it
    never did. last_backup_seconds, backups: age of the newest file, and how many there are; both None where this user
    may not see them.
    """
    now = time.time()
    made: list[float] | None
    try:
        made = [os.stat(path).st_mtime for path in backups(name, root)]
    except OSError:
        made = None
    if made == [] and os.geteuid() != 0 and not root:
        # To anybody but root the directory of a dynamic user looks as if it were not there.
        made = None
    stamp = root + STAMP.format(name)
    started = os.stat(stamp).st_mtime if os.path.exists(stamp) else None
    return {
        "name": name,
        "waits": enabled(run, name),
        "failed": failed(run, name, root),
        "last_run_seconds": None if started is None else max(0.0, now - started),
        "last_backup_seconds": max(0.0, now - max(made)) if made else None,
        "backups": None if made is None else len(made),
    }


def remove(run: Run, name: str, root: str = "") -> None:
    """Everything but the backups. Raises Refusal and OSError."""
    where = places(name)
    if os.path.lexists(root + where["timer"]):
        _must(run, ["systemctl", "disable", "--now", name + ".timer"])
    for key in ("timer", "service", "program"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(root + where[key])
    if os.path.lexists(root + where["configuration"]):
        shutil.rmtree(root + where["configuration"])
    for key in ("program", "configuration"):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(root + where[key]))
    _must(run, ["systemctl", "daemon-reload"])


def _must(run: Run, words: list[str]) -> None:
    code, out, err = run(words)
    if code != 0:
        said = ((err or out).strip().splitlines() or ["exit code {0}".format(code)])[-1]
        raise Refusal("BACKUP_SYSTEMD", "{0} failed ({1}).".format(" ".join(words), said))
