# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the media share is one on all hosts, and writable for the containers' user. Internal. Pure.

Every host leaves a token on the share, then every host looks for the tokens of all. So the proof takes two tasks for
any number of hosts. The answers are what C(_io/media_share.py) reads: C({mount, exists, directory, hidden, error,
unseen, free_mb, free_inodes, clock_offset_seconds}). A host finds one thing first, and one sentence says it: of a share
that does not answer nothing else is known.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import CLOCK_LIMIT_SECONDS
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_some, one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    FSTYPE,
    MOUNTED,
    VARIABLE,
    MediaShare,
    version_fits,
    version_of,
)

NO_ANSWER = "NO_ANSWER"
"""In place of the name of an error: the deadline came first."""

Answer = t.Mapping[str, t.Any]


class Limits(t.NamedTuple):
    """What must be free."""

    free_mb: int = 1024
    free_inodes: int = 1000


# --- tokens -----------------------------------------------------------------------------------------------------------

TOKEN_PREFIX = ".waent-media-"


def token_name(run: str, host: str) -> str:
    """The file a host leaves. No name is used twice: a client may remember for long that a name was not there."""
    return "{0}{1}-{2}".format(TOKEN_PREFIX, run, hashlib.sha256(host.encode()).hexdigest()[:16])


def token_text(run: str, host: str) -> str:
    """What the file says. C(run) is a new random text for each proof, so nothing old can look like it."""
    return "{0} {1}\n".format(run, host)


# --- one host ---------------------------------------------------------------------------------------------------------


class _Refused(t.NamedTuple):
    code: str
    sentence: str


def host_problems(share: MediaShare, host: str, answer: Answer, uid: int, limits: Limits) -> list[Problem]:
    """What is wrong with the share of one host."""
    refused = _of_mount(share, answer) or _of_error(share, answer, uid)
    found = [refused] if refused else [*_of_room(share, answer, limits), *_of_clock(share, answer)]
    found += [] if refused else _of_containers(share, answer)
    return [Problem(code, sentence, VARIABLE, share.source, host) for code, sentence in found]


def is_silence(error: t.Mapping[str, t.Any] | None) -> bool:
    """Whether an error says that nothing was heard of the server."""
    return error is not None and error["name"] in (NO_ANSWER, *_SILENT)


def _of_mount(share: MediaShare, answer: Answer) -> _Refused | None:
    """What is mounted, before anybody writes to it."""
    error = answer.get("error")
    if error and error["name"] == "EPROTONOSUPPORT":
        message = "{0} does not have NFS version 4, which media need; switch it on there."
        return _Refused("MEDIA_SHARE_VERSION", message.format(share.server))
    if error and (is_silence(error) or error["step"].startswith(_ASKED)):
        return _no_answer(share, error)
    mount = answer.get("mount")
    if any(_is_share(share, hidden) for hidden in answer.get("hidden", ())):
        over = mount["source"] if mount else "another mount"
        message = "{0} is mounted at {1} and hidden under {2}; unmount what lies on it."
        return _Refused("MEDIA_SHARE_HIDDEN", message.format(share.source, share.path, over))
    if error and error["name"] == "ESTALE":
        message = (
            "{0} at {1} is stale (step {2}): the server has another file system there than the one that was mounted;"
            " unmount it and mount it again."
        )
        return _Refused("MEDIA_SHARE_STALE", message.format(share.source, share.path, error["step"]))
    if mount is None:
        return _not_mounted(share, answer)
    if not _is_share(share, mount):
        message = "{0} is mounted at {1} in place of {2}; unmount it, or correct {3}."
        return _Refused("MEDIA_SHARE_OTHER", message.format(mount["source"], share.path, share.source, VARIABLE))
    version = version_of(mount["opts"])
    # One that is going to be mounted again has its present options for as long as that.
    if version is not None and not version_fits(share.version, version) and not answer.get("later"):
        message = (
            "{0} is mounted at {1} with NFS version {2}, and {3}.opts asks for {4}; unmount it and mount it again."
        )
        message = message.format(share.source, share.path, version, VARIABLE, share.version)
        return _Refused("MEDIA_SHARE_VERSION", message)
    if mount["read_only"]:
        message = "{0} is mounted read-only at {1}; mount it with rw."
        return _Refused("MEDIA_SHARE_READ_ONLY", message.format(share.source, share.path))
    return None


def _not_mounted(share: MediaShare, answer: Answer) -> _Refused:
    if answer.get("waits"):
        error = answer.get("error")
        message = "{0} is not mounted: systemd waits at {1} to mount it, and did not when somebody came{2}; {3}."
        how = " ({0})".format(one_line(str(error["message"]))) if error else ""
        advice = "read what it says of the mount (systemctl status), and look whether the server exports it"
        return _Refused("MEDIA_SHARE_NOT_MOUNTED", message.format(share.source, share.path, how, advice))
    if answer.get("exists") and not answer.get("directory"):
        message = "{0} is not mounted: {1} is no directory; move it away."
        return _Refused("MEDIA_SHARE_NOT_MOUNTED", message.format(share.source, share.path))
    if not answer.get("exists"):
        what, advice = "{1} does not exist", "run {2}, which mounts it"
    elif answer.get("empty"):
        what, advice = "{1} is an empty directory", "run {2}, which mounts it"
    else:
        what = "{1} is a directory of the host itself, and what nodes write there no other host sees"
        advice = "move it away, and run {2}, which mounts the share"
    if answer.get("adopts"):
        # Beside nodes of compose files, which may use that directory, site.yml does nothing.
        advice = "leave {3} out of the inventory until all nodes are adopted"
    run = instruction("media_share_unmounted")
    message = "{0} is not mounted: " + what + "; " + advice + "."
    return _Refused("MEDIA_SHARE_NOT_MOUNTED", message.format(share.source, share.path, run, VARIABLE))


def in_the_way(share: MediaShare, host: str, answer: Answer) -> list[Problem]:
    """What keeps the share from being mounted: whatever lies there would be out of reach under it."""
    if answer.get("mount") or answer.get("error") or not answer.get("exists") or answer.get("waits"):
        return []
    if not answer.get("directory"):
        code, what = "MEDIA_SHARE_NO_DIRECTORY", "{1} is no directory"
    elif answer.get("empty") is False:
        code, what = "MEDIA_SHARE_IN_THE_WAY", "the directory {1} of the host itself holds files, which it would hide"
    else:
        return []
    message = ("{0} cannot be mounted: " + what + "; move it away, or copy the files to the share first.").format(
        share.source, share.path
    )
    return [Problem(code, message, VARIABLE + ".path", share.path, host)]


def change_problems(
    share: MediaShare, host: str, answer: Answer, users: t.Sequence[str], stops_nodes: bool
) -> list[Problem]:
    """What keeps a host from being changed. users: processes of containers that have the share mounted.

    A container that runs keeps what was mounted when it was started, whatever the host unmounts: its node would write
    to the old mount, and all others to the new one.
    """
    refused = _of_mount(share, answer)
    if refused and (refused.code in _NEVER_CHANGED or answer.get("error")):
        return [Problem(refused.code, refused.sentence, VARIABLE, share.source, host)]
    if stops_nodes and users:
        message = (
            "{0} at {1} has to be unmounted, and containers use it ({2}); stop them first, or name another path, to"
            " which nodes are moved in service. To have nodes of this cluster stopped one host at a time, run {3}."
        )
        message = message.format(share.source, share.path, enumerate_some(users), instruction("media_share_in_use"))
        return [Problem("MEDIA_SHARE_IN_USE", message, VARIABLE, share.source, host)]
    return in_the_way(share, host, answer) if share.state == MOUNTED else []


_NEVER_CHANGED = frozenset("MEDIA_SHARE_" + name for name in ("NO_ANSWER", "HIDDEN", "STALE", "OTHER"))
"""What somebody has to correct first. What else is wrong with a mount is what the change is for."""


def still_closed(share: MediaShare, host: str) -> Problem:
    """What the module had closed could not be opened, when the share was gone."""
    message = (
        "The directory {0} cannot be written, as it was under {1} and could not be opened again; open it on the host"
        " with chattr -i {0}."
    )
    return Problem("MEDIA_SHARE_FAILED", message.format(share.path, share.source), VARIABLE, share.source, host)


def mount_failed(share: MediaShare, host: str, step: str, said: str) -> Problem:
    """C(ansible.posix.mount) could not do a step."""
    said = one_line(said)
    if re.search(r"target is busy|device is busy", said):
        code, advice = "MEDIA_SHARE_IN_USE", "end what has files open there"
    elif re.search(r"need a /sbin/mount|helper program|unknown filesystem type", said):
        code, advice = "MEDIA_SHARE_NO_CLIENT", "install the NFS client, nfs-common or nfs-utils"
    elif re.search(r"No such file or directory|access denied|Operation not permitted|Permission denied", said):
        code, advice = "MEDIA_SHARE_NOT_EXPORTED", "look whether the server exports it, and to this host"
    elif re.search(r"Protocol not supported|incorrect mount option|requested NFS version", said):
        code, advice = "MEDIA_SHARE_VERSION", "look which versions and options the server and this host have"
    else:
        code, advice = "MEDIA_SHARE_MOUNT_FAILED", "read the log of the kernel and of the server"
    message = "{0} at {1}: {2} failed ({3}); {4}.".format(share.source, share.path, step, said, advice)
    return Problem(code, message, VARIABLE, share.source, host)


def systemd_failed(share: MediaShare, host: str, step: str, said: str) -> Problem:
    """systemctl could not do a step."""
    message = (
        "{0} at {1}: {2} failed ({3}); automount needs systemd: leave {4}.automount out, or read the log of that unit."
    ).format(share.source, share.path, step, one_line(said), VARIABLE)
    return Problem("MEDIA_SHARE_AUTOMOUNT", message, VARIABLE, share.source, host)


def mount_not_ended(share: MediaShare, host: str, step: str, seconds: float) -> Problem:
    """C(ansible.posix.mount) was ended at its deadline: the server went away after it had answered."""
    error = {"step": step, "name": NO_ANSWER, "message": "", "seconds": seconds, "left_behind": 0}
    code, sentence = _no_answer(share, error)
    return Problem(code, sentence, VARIABLE, share.source, host)


def _is_share(share: MediaShare, mount: t.Mapping[str, t.Any]) -> bool:
    return mount["fstype"] in (FSTYPE, "nfs") and same_source(mount["source"], share.source)


def same_source(one: str, other: str) -> bool:
    """Whether two C(SERVER:EXPORT) are one; names of servers have no case, and a slash at the end says nothing."""

    def plain(source: str) -> tuple[str, str]:
        server, _colon, export = source.rpartition(":")
        return server.lower().rstrip("."), export.rstrip("/")

    return plain(one) == plain(other)


def _no_answer(share: MediaShare, error: t.Mapping[str, t.Any]) -> _Refused:
    place = "" if error["step"].startswith(_ASKED) else " at " + share.path
    if error["name"] != NO_ANSWER:
        how = "{0} failed{1}: {2}".format(error["step"], place, one_line(str(error["message"])))
    elif not error["seconds"]:
        how = "a process of an earlier run still waits at {0} and cannot be ended".format(share.path)
    else:
        how = "{0}{1} did not end within {2:g} s".format(error["step"], place, error["seconds"])
        how += ", and its process cannot be ended" if error["left_behind"] else ""
    message = "{0} does not answer: {1}; bring the server or the way to it back."
    if error["name"] == NO_ANSWER and error["step"] in OPENS:
        message += " If it has just started, it opens no files for a while ({2}), which passes."
    return _Refused("MEDIA_SHARE_NO_ANSWER", message.format(share.source, how, GRACE))


OPENS = frozenset(
    ("write", "read back", "read the tokens of the other hosts", "record the proof", "read the last proof")
)
"""Steps that open files. A server that has started a moment ago keeps that for clients that had them open before (RFC
8881, 8.4.2), and answers everything else."""

GRACE = "its grace period, 90 s with most"


_NOT_ALLOWED, _NO_ROOM = ("EACCES", "EPERM"), ("ENOSPC", "EDQUOT")
_ASKED = ("connect", "ask")
"""Steps in which the server itself is asked, and not yet the share."""

_SILENT = ("ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "ECONNRESET")


def _of_error(share: MediaShare, answer: Answer, uid: int) -> _Refused | None:
    """What the first file operation that failed says."""
    error = answer.get("error")
    if not error:
        return None
    name, step = error["name"], error["step"]
    if name in _NOT_ALLOWED:
        message = (
            "{0}: user id {1} of the containers may not {2} at {3}; give the export that owner, or let the server take"
            " that user as it is (no_root_squash for 0)."
        )
        return _Refused("MEDIA_SHARE_NOT_WRITABLE", message.format(share.source, uid, step, share.path))
    if name == "EROFS":
        message = "{0} at {1} is exported read-only; export it with rw."
        return _Refused("MEDIA_SHARE_READ_ONLY", message.format(share.source, share.path))
    if name in _NO_ROOM:
        if answer.get("free_inodes") == 0:
            return _no_inodes(share, 0, 1)
        why = "the quota of user id {0} is used up".format(uid) if name == "EDQUOT" else "no space is left"
        message = "{0} is full: {1}, {2} failed at {3}; free space on the server."
        return _Refused("MEDIA_SHARE_FULL", message.format(share.source, why, step, share.path))
    message = "{0}: {1} failed at {2}: {3}; read the log of the kernel and of the server."
    return _Refused(
        "MEDIA_SHARE_FAILED", message.format(share.source, step, share.path, one_line(str(error["message"])))
    )


def _no_inodes(share: MediaShare, free: int, least: int) -> _Refused:
    message = "{0} has {1} inodes free, and {2} are asked for: each file takes one; remove files on the server."
    return _Refused("MEDIA_SHARE_NO_INODES", message.format(share.source, free, least))


def _of_room(share: MediaShare, answer: Answer, limits: Limits) -> t.Iterator[_Refused]:
    free, inodes = answer.get("free_mb"), answer.get("free_inodes")
    if free is not None and free < limits.free_mb:
        message = "{0} has {1} MB free, and {2} MB are asked for; free space on the server."
        yield _Refused("MEDIA_SHARE_FULL", message.format(share.source, free, limits.free_mb))
    if inodes is not None and inodes < limits.free_inodes:
        yield _no_inodes(share, inodes, limits.free_inodes)


def _of_clock(share: MediaShare, answer: Answer) -> t.Iterator[_Refused]:
    """The server dates the files by its own clock, and what is old on the share is removed by that."""
    offset = answer.get("clock_offset_seconds")
    if offset is not None and abs(offset) > CLOCK_LIMIT_SECONDS:
        message = "the clock of {0} is {1:.1f} s {2} that of this host, allowed are {3:g} s; set up NTP on both."
        way = "ahead of" if offset > 0 else "behind"
        yield _Refused("MEDIA_SHARE_CLOCK", message.format(share.server, abs(offset), way, CLOCK_LIMIT_SECONDS))


def _of_containers(share: MediaShare, answer: Answer) -> t.Iterator[_Refused]:
    """The host sees the share, and its nodes may not; or it sees another one than all hosts have proved."""
    if answer.get("other_proof"):
        message = (
            "{0} at {1} is not the share that all hosts have proved: their last proof is not on it; look whether the"
            " name leads to one server from all of them, and to one export."
        )
        yield _Refused("MEDIA_SHARE_SPLIT", message.format(share.source, share.path))
    apart = answer.get("apart")
    if apart:
        message = (
            "{0} was mounted at {1} after containers were started that use this path ({2}): they have the directory"
            " under it, which no other host sees. Run {3}, which copies the files of that directory to the share, and"
            " recreates nodes of the cluster; restart what is no node of it (docker restart)."
        )
        run = instruction("media_share_apart", path=share.path)
        yield _Refused("MEDIA_SHARE_APART", message.format(share.source, share.path, enumerate_some(apart), run))
    failed = {name: error for name, error in (answer.get("inside") or {}).items() if error}
    if failed:
        said = [
            "{0}: {1}, {2}".format(name, one["step"], one_line(str(one["message"]))) for name, one in failed.items()
        ]
        message = (
            "{0} cannot be used in containers that have it ({1}); restart them, one after the other (docker restart):"
            " they get then what is mounted now."
        )
        yield _Refused("MEDIA_SHARE_INSIDE", message.format(share.source, enumerate_some(said)))


# --- all hosts --------------------------------------------------------------------------------------------------------


def share_problems(
    share: MediaShare,
    hosts: t.Sequence[str],
    answers: t.Mapping[str, Answer],
    uid: int,
    limits: Limits,
    refused: t.Mapping[str, t.Sequence[Problem]] | None = None,
) -> list[Problem]:
    """What is wrong on any of the hosts, and whether those on which nothing is see one share.

    refused: why a host was not changed, by its name; it has left no token then. Of a host whose share would only now be
    mounted, in check mode, nothing can be known (C(planned)).
    """
    problems: list[Problem] = []
    sound = []
    for host in hosts:
        answer = answers.get(host)
        if refused and refused.get(host):
            problems += refused[host]
            continue
        if answer and answer.get("planned"):
            continue
        if answer is None or "mount" not in answer:
            problems.append(_not_probed(share, host, (answer or {}).get("msg")))
            continue
        found = host_problems(share, host, answer, uid, limits)
        problems += found
        if not answer.get("error") and can_hold_tokens(found):
            sound.append(host)
    return problems + _split_problems(share, sound, answers)


_NOT_THE_SHARE = frozenset(
    "MEDIA_SHARE_" + name for name in ("HIDDEN", "NOT_MOUNTED", "OTHER", "VERSION", "READ_ONLY", "NO_ANSWER")
)
"""With these the host has left no token where the others could see it."""


def can_hold_tokens(problems: t.Iterable[Problem]) -> bool:
    """Whether a host with these problems can leave a token where the others look for it."""
    return not any(one.code in _NOT_THE_SHARE for one in problems)


def _not_probed(share: MediaShare, host: str, said: str | None) -> Problem:
    message = "whether {0} is at {1} is not known: {2}; see what Ansible says of the host.".format(
        share.source, share.path, one_line(said) if said else "the host gave no answer"
    )
    return Problem("MEDIA_SHARE_NOT_PROBED", message, VARIABLE, share.source, host)


def islands(hosts: t.Sequence[str], unseen: t.Mapping[str, t.Container[str]]) -> list[list[str]]:
    """Hosts that see each other's tokens, together; the largest group first.

    Two hosts belong together where each sees the other. Where one sees and the other does not, they are apart.
    """
    groups: list[list[str]] = []
    for host in hosts:
        for group in groups:
            if all(other not in unseen[host] and host not in unseen[other] for other in group):
                group.append(host)
                break
        else:
            groups.append([host])
    return sorted(groups, key=lambda group: (-len(group), hosts.index(group[0])))


def _split_problems(share: MediaShare, hosts: t.Sequence[str], answers: t.Mapping[str, Answer]) -> list[Problem]:
    groups = islands(hosts, {host: set(answers[host].get("unseen", ())) for host in hosts})
    return [split_problem(share, groups)] if len(groups) > 1 else []


def split_problem(share: MediaShare, groups: t.Sequence[t.Sequence[str]]) -> Problem:
    """groups: hosts that see the same files, together."""
    message = (
        "{0}: the hosts do not see the same files at {1}: {2}; look whether the name leads to one server from all of"
        " them, and to one export."
    )
    shown = " | ".join(enumerate_some(group) for group in groups)
    return Problem("MEDIA_SHARE_SPLIT", message.format(share.source, share.path, shown), VARIABLE, share.source)


def unread_problem(share: MediaShare, host: str, answer: Answer) -> Problem | None:
    """Whether there are nodes of which nobody knows what they have mounted. C(unread): their names, C(reader): as whom
    the host was read.
    """
    if not answer.get("unread"):
        return None
    message = (
        "whether nodes ({0}) have {1} at {2}, or the directory under it, is not known: user id {3}, as whom Ansible"
        " reads this host, may not see what they have mounted (hidepid of /proc); set ansible_become to true for it."
    ).format(enumerate_some(answer["unread"]), share.source, share.path, answer["reader"])
    return Problem("MEDIA_SHARE_DENIED", message, VARIABLE, None, host)


def proof_problem(share: MediaShare, host: str, answer: Answer) -> Problem | None:
    """Whether a host has taken part in the last proof, which it reads on the share itself.

    C(denied): it may not read the share, as user C(denied).
    """
    proof, denied = answer["proof"], answer.get("denied")
    if proof is not None and host in proof["hosts"]:
        return None
    if denied is not None:
        message = (
            "whether {0} at {1} is proved is not known: user id {2}, as whom Ansible reads this host, may not read it;"
            " set ansible_become to true for it, or let that user read the share."
        ).format(share.source, share.path, denied)
        return Problem("MEDIA_SHARE_DENIED", message, VARIABLE, None, host)
    message = "{0} at {1} was never proved by this host; run {2}, which does it.".format(
        share.source, share.path, instruction("media_share_unproved")
    )
    return Problem("MEDIA_SHARE_NOT_PROVED", message, VARIABLE, None, host)
