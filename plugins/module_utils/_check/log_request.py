# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a cluster's logs is collected, and how much. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

SECONDS_OF = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DEFAULT_SINCE = "3h"
"""What the vendor's own diagnostics collect (reference 6.7)."""
LONGEST_DAYS = 30

_SINCE = re.compile(r"([0-9]{1,7})([smhd])\Z")

FILES = {
    "webapp": (("web", "/var/log/whatsapp", "web.log"), ("lighttpd", "/var/log/lighttpd", "error.log")),
    "master": (("crash", "/usr/local/waent/logs", r"wa-service-.*-crash\.log"),),
    "coreapp": (("crash", "/usr/local/waent/logs", r"wa-service-.*-crash\.log"),),
}
"""Log files in a node of each kind: what they are, their directory, and a pattern of their names (reference 2.3)."""

CRASHES = 20
"""So many crash files of a node are collected."""


class Piece(t.NamedTuple):
    """One thing to collect of a container. what: C(inspect), C(log), or one of FILES. directory, names: of a file."""

    container: str
    kind: str
    what: str
    directory: str = ""
    names: str = ""


class Share(t.NamedTuple):
    """How much one piece may take: bytes, and seconds."""

    size: int
    seconds: float


def seconds_since(value: t.Any) -> int | None:
    """C(3h) as seconds; None for what is no such span, or one of no time or more than LONGEST_DAYS."""
    match = _SINCE.match(str(value).strip())
    seconds = int(match.group(1)) * SECONDS_OF[match.group(2)] if match else 0
    return seconds if 0 < seconds <= LONGEST_DAYS * SECONDS_OF["d"] else None


def since_problems(value: t.Any) -> list[Problem]:
    """What is wrong with C(since); None means that it is not given."""
    if value is None or seconds_since(value) is not None:
        return []
    message = "since is {0!r}; allowed is a number with s, m, h or d, such as 90m or 3h, up to {1}d."
    return [Problem("SINCE_INVALID", message.format(value, LONGEST_DAYS), "since", value)]


def pieces(containers: t.Iterable[t.Mapping[str, t.Any]]) -> list[Piece]:
    """What to collect of the containers of a cluster, C([{name, kind}]): first what is short, then what is long."""
    known = sorted(((str(one["name"]), str(one.get("kind") or "")) for one in containers))
    found = [Piece(name, kind, "inspect") for name, kind in known]
    found += [Piece(name, kind, "log") for name, kind in known]
    return found + [Piece(name, kind, *file) for name, kind in known for file in FILES.get(kind, ())]


def share(size: int, left_size: int, left_seconds: float, left: int) -> Share:
    """What the next piece may take, so that those after it get theirs. What one does not need goes to the next.

    size: the most for any piece. left_size, left_seconds: what the host has left. left: pieces, this one among them.
    """
    pieces_left = max(left, 1)
    return Share(max(0, min(size, left_size // pieces_left)), max(0.0, left_seconds / pieces_left))
