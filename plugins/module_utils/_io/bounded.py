# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File operations that end at a deadline, whatever the file server does. Internal to waent.fleet: may change in any
release.

A process that asks an NFS server which is gone waits for it, in the kernel, and sometimes cannot be killed. So the
question is asked in a child that nobody waits for longer than the deadline. One that cannot be ended is found by its
name by later runs, which start no other beside it: there is never more than one for a path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import select
import signal
import time
import traceback
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import NO_ANSWER
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text

NAME_PREFIX = "wa-media-"
"""The kernel keeps 15 characters of a name; the rest says for which path it works."""

END_SECONDS = 0.5
"""How long a child that was killed is given to be gone."""

Say = t.Callable[[str], None]
Work = t.Callable[[Say], t.Any]
Kill = t.Callable[[int, int], None]


class Outcome(t.NamedTuple):
    """result: what the work returned. error: C({step, name, message, seconds, left_behind}), None where it ended."""

    result: t.Any
    error: dict[str, t.Any] | None


class Broken(Exception):
    """The work failed with something else than an error of the operating system: a fault of ours."""


def run(
    work: Work,
    path: str,
    seconds: float,
    user: tuple[int, int] | None = None,
    kill: Kill = os.kill,
    proc: str = "/proc",
    *,
    renewed: bool = False,
) -> Outcome:
    """Do the work in a child, as C(user) (uid and gid), and wait C(seconds) for it at most.

    The work gets a function to say which step begins, so that the one that did not end is known. renewed: each step
    has so many seconds, for work of which nobody knows how long it takes.
    """
    own = (os.geteuid(), os.getegid())
    if user is not None and user != own and own[0] != 0:
        message = "only root can test for user id {0}, this is user id {1}: it needs become."
        raise Refusal("MEDIA_SHARE_NEEDS_ROOT", message.format(user[0], own[0]))
    waiting = end_left_behind(path, seconds, kill, proc)
    if waiting:
        return Outcome(None, _late("", 0.0, waiting))
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _in_child(work, path, user, writes)
    os.close(writes)
    try:
        lines, ended = _read_until(reads, seconds, renewed)
    finally:
        os.close(reads)
    gone = _end(child, kill)
    return _outcome(lines, ended, seconds, 0 if gone else 1)


def _outcome(lines: t.Sequence[dict[str, t.Any]], ended: bool, seconds: float, left: int) -> Outcome:
    step = next((line["step"] for line in reversed(lines) if "step" in line), "")
    last = lines[-1] if lines else {}
    if "result" in last:
        return Outcome(last["result"], None)
    if "error" in last:
        return Outcome(None, {"step": step, "seconds": None, "left_behind": 0, **last["error"]})
    if "fault" in last:
        raise Broken(last["fault"])
    if ended:
        raise Broken("the process for {0!r} ended without a word".format(step))
    return Outcome(None, _late(step, seconds, left))


def _late(step: str, seconds: float, left: int) -> dict[str, t.Any]:
    return {"step": step, "name": NO_ANSWER, "message": "no answer", "seconds": seconds, "left_behind": left}


def _read_until(reads: int, seconds: float, renewed: bool) -> tuple[list[dict[str, t.Any]], bool]:
    """The last lines that came, and whether the child closed its side."""
    text, ended, end = b"", False, time.monotonic() + seconds
    while not ended:
        left = end - time.monotonic()
        if left <= 0 or not select.select([reads], [], [], left)[0]:
            break
        more = os.read(reads, 65536)
        text, ended = text + more, not more
        if renewed:
            end = time.monotonic() + seconds
            # Work that takes hours says a step for every piece of it.
            text = b"\n".join(text.split(b"\n")[-_KEPT_LINES:])
    return [json.loads(line) for line in text.split(b"\n")[:-1]], ended


_KEPT_LINES = 3
"""With the one that is not whole yet."""


def _end(child: int, kill: Kill) -> bool:
    """Whether the child is gone. It is not waited for: one that the kernel holds would hold us."""
    with contextlib.suppress(ProcessLookupError):
        kill(child, signal.SIGKILL)
    end = time.monotonic() + END_SECONDS
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


# --- the child --------------------------------------------------------------------------------------------------------


def _in_child(work: Work, path: str, user: tuple[int, int] | None, writes: int) -> t.NoReturn:
    """Do the work and end, without anything of the module: neither its output nor how it cleans up."""

    def write(line: dict[str, t.Any]) -> None:
        os.write(writes, json.dumps(line).encode() + b"\n")

    try:
        _apart(path, writes)
        if user is not None:
            become(*user)
        write({"result": work(lambda step: write({"step": step}))})
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        write({"error": {"name": name, "message": error.strerror or str(error)}})
    except BaseException:
        write({"fault": traceback.format_exc()})
    finally:
        os._exit(0)


def _apart(path: str, writes: int) -> None:
    """Hold nothing of the parent: who waits for its output, as ssh does, would wait for a child that hangs."""
    os.setsid()
    os.chdir("/")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.closerange(3, writes)
    os.closerange(writes + 1, max(nowhere, writes, 1024) + 1)
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write(name_for(path))


def become(uid: int, gid: int) -> None:
    """Have this process, a child of ours, go on as another user."""
    if (uid, gid) == (os.geteuid(), os.getegid()):
        return
    # A group of root's would open what the containers' user may not.
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


# --- those of earlier runs --------------------------------------------------------------------------------------------


def name_for(path: str) -> str:
    """How the child for a path is called in the list of processes."""
    return NAME_PREFIX + hashlib.sha256(path.encode()).hexdigest()[:6]


def left_behind(path: str, seconds: float, proc: str = "/proc") -> list[int]:
    """Children for this path that are older than their deadline. A younger one belongs to a run that goes on."""
    # Not /proc/uptime: where the host is itself a container, that may be the container's.
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
    found = []
    for entry in os.listdir(proc):
        if not entry.isdigit() or read_text(os.path.join(proc, entry, "comm")).rstrip("\n") != name_for(path):
            continue
        # The name of a process may hold blanks and brackets; what follows the last bracket does not.
        fields = read_text(os.path.join(proc, entry, "stat")).rpartition(")")[2].split()
        if len(fields) < 20 or fields[0] in "ZX":
            continue
        age = uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")
        if age >= seconds:
            found.append(int(entry))
    return found


def end_left_behind(path: str, seconds: float, kill: Kill = os.kill, proc: str = "/proc") -> int:
    """End them where they can be ended; how many cannot."""
    end = time.monotonic() + END_SECONDS
    for process in left_behind(path, seconds, proc):
        with contextlib.suppress(ProcessLookupError):
            kill(process, signal.SIGKILL)
    while True:
        still = len(left_behind(path, seconds, proc))
        if not still or time.monotonic() >= end:
            return still
        time.sleep(0.02)
