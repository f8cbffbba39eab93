# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The media share as the inventory asks for it, and its line in fstab. Internal. Pure.

One share is mounted on every host that runs a node. What is mounted is compared with what is asked for option by
option: the kernel adds many of its own, negotiates some, and does not show others.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common import addresses
from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import misspelt
from ansible_collections.waent.fleet.plugins.module_utils._common.paths import normalized
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all, stated
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number

VARIABLE = "wa_media_share"

MOUNTED, UNMOUNTED, ABSENT, PROBED = STATES = ("mounted", "unmounted", "absent", "probed")

FSTYPE = "nfs4"
NFS_PORT = 2049

BEFORE_ENGINE = "x-systemd.before=docker.service"
"""For systemd alone, from its version 233 on: no option of the mount itself."""

DEFAULT_OPTS = ("vers=4", "hard", "timeo=150", "retrans=2", "_netdev", "nofail", BEFORE_ENGINE)
"""hard: what a node has written is written, or it waits. timeo is in tenths of a second: a server that does not answer
is asked again after 15 s. nofail: a host whose server is down boots, so that somebody can log in to it. But nofail also
takes the mount out of the order of a boot, and an engine that starts its containers meanwhile gives them the directory
under it; so it waits until the mount is there or has failed, and at the end it stops before the share goes."""

AUTOMOUNT_OPTS = ("noauto", "x-systemd.automount")

KEYS = ("server", "export", "path", "opts", "state", "owner", "group", "mode", "automount")
OF_INVENTORY = tuple(key for key in KEYS if key != "state")
"""What an inventory says of it. Its state is no choice there: site.yml mounts it, and the others prove it."""


@dataclass(frozen=True)
class MediaShare:
    """The share. opts: with the defaults for this use, each option once. mode: of the directory, None to leave it."""

    server: str
    export: str
    path: str
    opts: tuple[str, ...] = DEFAULT_OPTS
    state: str = MOUNTED
    owner: int | None = None
    group: int | None = None
    mode: int | None = None
    automount: bool = False

    @property
    def source(self) -> str:
        """C(SERVER:EXPORT), as mount and fstab have it."""
        return "{0}:{1}".format(addresses.bracketed(self.server), self.export)

    @property
    def fstab_opts(self) -> str:
        """The fourth field of its line in fstab."""
        return ",".join(self.opts)

    @property
    def port(self) -> int:
        """Where the server takes connections."""
        named = [option.partition("=")[2] for option in self.opts if option.startswith("port=")]
        return whole_number(named[-1]) or NFS_PORT if named else NFS_PORT

    @property
    def version(self) -> str:
        """The protocol version that is asked for: C(4) is any 4.x."""
        return version_of(self.opts) or "4"


# --- reading it -------------------------------------------------------------------------------------------------------


def inventory_share(raw: t.Any) -> tuple[MediaShare | None, list[Problem]]:
    """The share of an inventory, None where there is to be none, and what is wrong with it."""
    return (None, []) if raw in (None, {}) else read_media_share(raw, keys=OF_INVENTORY)


def read_media_share(
    raw: t.Any, variable: str = VARIABLE, keys: t.Sequence[str] = KEYS
) -> tuple[MediaShare | None, list[Problem]]:
    """The share, or what is wrong with it. keys: those that it may have."""
    if not isinstance(raw, t.Mapping):
        message = "{0}; allowed is a map with server, export and path."
        return None, [Problem("WA_MEDIA_SHARE_INVALID", message.format(stated(variable, raw)), variable, raw)]
    problems = [*_unknown(variable, raw, keys)]
    for key, check in _CHECKS.items():
        if raw.get(key) is not None or key in _NEEDED:
            allowed = check(raw.get(key))
            if allowed:
                problems.append(_invalid(variable, key, raw.get(key), allowed))
    opts: tuple[str, ...] = ()
    if raw.get("opts") is None or not _opts_of(raw["opts"]):
        opts, found = _merged(variable, _split(raw.get("opts")), raw.get("automount") is True)
        problems += found
    if problems:
        return None, problems
    return (
        MediaShare(
            server=raw["server"],
            export=normalized(raw["export"]),
            path=normalized(raw["path"]),
            opts=opts,
            state=raw.get("state") or MOUNTED,
            owner=whole_number(raw.get("owner")),
            group=whole_number(raw.get("group")),
            mode=None if raw.get("mode") is None else int(raw["mode"], 8),
            automount=raw.get("automount") is True,
        ),
        [],
    )


def _invalid(variable: str, key: str, value: t.Any, allowed: str) -> Problem:
    name = "{0}.{1}".format(variable, key)
    return Problem("WA_MEDIA_SHARE_INVALID", "{0}; {1}.".format(stated(name, value), allowed), variable, value)


def _unknown(variable: str, raw: t.Mapping[t.Any, t.Any], keys: t.Sequence[str]) -> t.Iterator[Problem]:
    for key in raw:
        if key not in keys:
            meant = misspelt(str(key), keys)
            hint = "did you mean {0}?".format(meant) if meant else "allowed are {0}.".format(enumerate_all(keys))
            message = "{0}.{1} is not known; {2}".format(variable, key, hint)
            yield Problem("WA_MEDIA_SHARE_INVALID", message, variable, key)


_NEEDED = ("server", "export", "path")


def _server(value: t.Any) -> str | None:
    if not isinstance(value, str) or not addresses.names_a_host(value):
        return "allowed is a DNS name, or an IPv4 or IPv6 address without brackets"
    if addresses.means_this_machine(value):
        return "every host would mount its own; allowed is a name or an address that means the same on all hosts"
    return None


def _is_path(value: t.Any) -> bool:
    # Docker cuts C(PATH:TARGET) at the colon, fstab at white space.
    return isinstance(value, str) and re.match(r"/[^\s:\x00-\x1f\x7f\\]*\Z", value) is not None


def _export(value: t.Any) -> str | None:
    return None if _is_path(value) else "allowed is the absolute path of the export, without blanks and colons"


def _path(value: t.Any) -> str | None:
    if not _is_path(value):
        return "allowed is an absolute path of the host, without blanks and colons"
    if ".." in value.split("/"):
        return "allowed is a path without .."
    return "allowed is a directory below /" if normalized(value) == "/" else None


def _opts_of(value: t.Any) -> str | None:
    whole = value.split(",") if isinstance(value, str) else value
    if isinstance(whole, list) and all(isinstance(one, str) and re.match(r"[^\s,]+\Z", one) for one in whole):
        return None
    return None if value in ("", []) else 'allowed is a list of mount options, such as ["vers=4.2", "timeo=300"]'


def _state(value: t.Any) -> str | None:
    return None if value in STATES else "allowed are {0}".format(enumerate_all(STATES))


def _id(value: t.Any) -> str | None:
    return None if whole_number(value) is not None else "allowed is a whole number from 0"


def _mode(value: t.Any) -> str | None:
    fits = isinstance(value, str) and re.match(r"0?[0-7]{3,4}\Z", value)
    return None if fits else 'allowed is an octal number in quotes, such as "0770"'


def _switch(value: t.Any) -> str | None:
    return None if isinstance(value, bool) else "allowed are true and false"


_CHECKS: dict[str, t.Callable[[t.Any], str | None]] = {
    "server": _server,
    "export": _export,
    "path": _path,
    "opts": _opts_of,
    "state": _state,
    "owner": _id,
    "group": _id,
    "mode": _mode,
    "automount": _switch,
}


# --- options ----------------------------------------------------------------------------------------------------------

_SAME_NAME = {"nfsvers": "vers", "soft": "hard", "softerr": "hard", "ro": "rw", "auto": "noauto"}
"""Options that exclude each other, or are one, under the name that they are compared by."""

_REFUSED = {
    "ro": "nodes write media",
    "soft": "what a node writes while the server is slow would be lost without a word",
    "softerr": "what a node writes while the server is slow would be lost without a word",
    "bg": "nobody would know whether it is mounted",
}


def _split(value: t.Any) -> list[str]:
    if not value:
        return []
    return value.split(",") if isinstance(value, str) else list(value)


def option_name(option: str) -> str:
    """What an option is about: C(vers) of C(nfsvers=4.2), C(atime) of C(noatime)."""
    name = option.partition("=")[0]
    if _REPEATED.match(name):
        return option
    name = _SAME_NAME.get(name, name)
    return name[2:] if re.match(r"no[a-z]", name) and name not in _NOT_NEGATED else name


_REPEATED = re.compile(r"x-systemd\.(after|before|require[a-z-]+|want[a-z-]+)\Z")
"""Each names one unit more (systemd.mount(5)), so none takes the place of another."""

_NOT_NEGATED = ("nofail", "nosharecache", "noresvport")
"""Here C(no) is a part of the name, or its opposite is what the kernel does anyway."""


def version_of(opts: t.Iterable[str]) -> str | None:
    """The protocol version among options: C(vers=4.2), or C(vers=4,minorversion=2); None where none is named."""
    values = {name: value for name, _is, value in (option.partition("=") for option in opts)}
    version = values.get("vers") or values.get("nfsvers")
    minor = values.get("minorversion")
    return "{0}.{1}".format(version, minor) if version and minor and "." not in version else version


def _merged(variable: str, own: t.Sequence[str], automount: bool) -> tuple[tuple[str, ...], list[Problem]]:
    """What the user gives in front of the defaults that it says nothing about."""
    problems: list[Problem] = []
    by_name: dict[str, str] = {}
    for option in own:
        name = option_name(option)
        if option.partition("=")[0] in _REFUSED:
            reason = _REFUSED[option.partition("=")[0]]
            problems.append(_invalid(variable, "opts", option, "{0}: leave it out".format(reason)))
        elif by_name.get(name, option) != option:
            problems.append(_invalid(variable, "opts", option, "{0} says otherwise".format(by_name[name])))
        by_name[name] = option
    version = version_of(own)
    if version is not None and not re.match(r"4(\.[0-2])?\Z", version):
        allowed = "allowed are 4, 4.0, 4.1 and 4.2: locks of version 3 do not outlive the loss of a host"
        problems.append(_invalid(variable, "opts", "vers=" + version, allowed))
    for option in (*DEFAULT_OPTS, *(AUTOMOUNT_OPTS if automount else ())):
        by_name.setdefault(option_name(option), option)
    return tuple(by_name.values()), problems


# --- comparing --------------------------------------------------------------------------------------------------------


def version_fits(asked: str, found: str) -> bool:
    """Whether a version that was negotiated is the one that was asked for; C(4) is any C(4.x)."""
    return found == asked or found.startswith(asked + ".") or (asked, found) == ("4.0", "4")


def same_fstab_opts(one: str, other: str) -> bool:
    """Whether two option fields of fstab say the same; their order says nothing, and C(defaults) neither."""
    return _as_set(one) == _as_set(other)


def _as_set(opts: str) -> set[str]:
    return {re.sub(r"\Anfsvers=", "vers=", option) for option in opts.split(",")} - {"defaults", ""}


_SHOWN = ("hard", "timeo", "retrans", "proto", "sec", "nconnect", "port", "local_lock", "lookupcache")
_AT_MOST = ("rsize", "wsize", "namlen")


def mount_differences(share: MediaShare, shown: t.Sequence[str]) -> list[str]:
    """Options that are asked for and that what is mounted does not have, as C(timeo=150 instead of 600).

    shown: what the kernel says of the mount. Of what it does not show, nothing is known, and the line in fstab decides.
    """
    has = {option_name(option): option for option in shown}
    found = []
    for option in share.opts:
        name, value = option_name(option), option.partition("=")[2]
        if name == "vers" or name not in has:
            continue
        now = has[name]
        other = now.partition("=")[2]
        if name in _AT_MOST:
            # The server has the last word, and goes lower.
            differs = (whole_number(other) or 0) > (whole_number(value) or 0)
        elif name == "proto":
            differs = other.rstrip("6") != value.rstrip("6")
        else:
            differs = name in _SHOWN and now != option
        if differs:
            found.append("{0} instead of {1}".format(option, other or now))
    version = version_of(shown)
    if version is not None and not version_fits(share.version, version):
        found.append("vers={0} instead of {1}".format(share.version, version))
    return found
