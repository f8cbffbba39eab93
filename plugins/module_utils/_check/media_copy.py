# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether all files of a media volume are on the share, as they are in the volume. Internal. Pure.

The results are what C(_io/media_copy.py) returns.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.table import aligned
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_some, one_line

VARIABLE = "wa_media_from"

COLUMNS = ("host", "files", "MB", "copied now", "there already")

_MOST_NAMES = 3
_MB = 1024 * 1024

Result = t.Mapping[str, t.Any]


def copy_problems(source: str, target: str, host: str, result: Result) -> list[Problem]:
    """What is wrong after a host has copied. target: the share, as C(SERVER:EXPORT)."""
    if result["free_bytes"] < result["needed_bytes"]:
        message = "{0} has {1} MB free, and the files of {2} need {3} MB; nothing was copied, free space on the server."
        message = message.format(target, result["free_bytes"] // _MB, source, _megabytes(result["needed_bytes"]))
        return [Problem("MEDIA_COPY_NO_ROOM", message, VARIABLE, source, host)]
    problems = []
    for key, (code, message) in _SENTENCES.items():
        names = result[key]
        if names:
            message = message.format(source, amount(len(names), "file"), target, enumerate_some(names, _MOST_NAMES))
            problems.append(Problem(code, message, VARIABLE, source, host))
    return problems


_SENTENCES = {
    "conflicts": (
        "MEDIA_COPY_CONFLICT",
        "{0}: {1} with another content on {2} ({3}); nothing was overwritten, move one of each away.",
    ),
    "others": ("MEDIA_COPY_NO_FILE", "{0}: links and the like are not copied to {2} ({3}); move them away."),
    "changing": (
        "MEDIA_COPY_CHANGING",
        "{0}: {1} written to meanwhile, and not copied to {2} ({3}); the next run copies them.",
    ),
}


def unreadable(source: str, host: str, error: Result) -> Problem:
    """The volume itself could not be read."""
    message = "{0} cannot be read: {1}; its files have to be those of the containers' user (wa_container_uid)."
    return Problem(
        "MEDIA_COPY_UNREADABLE", message.format(source, one_line(str(error["message"]))), VARIABLE, source, host
    )


def not_there(source: str, host: str) -> Problem:
    """A path that does not exist."""
    message = "{0} is no directory of the host; allowed is the name of a Docker volume, or a directory."
    return Problem("MEDIA_COPY_NO_SOURCE", message.format(source), VARIABLE, source, host)


def nowhere(source: str) -> Problem:
    """No host has the volume."""
    message = "{0} is {1}, and no host has such a volume or directory; nothing was copied, correct the name."
    return Problem("MEDIA_COPY_NO_SOURCE", message.format(VARIABLE, source), VARIABLE, source)


def left_behind(source: str, path: str, stores: t.Mapping[str, t.Iterable[str]]) -> list[str]:
    """What is to be known before nodes are switched to the share, one sentence for each store they have until now.

    stores: by host what its nodes have for media. source: the share as C(SERVER:EXPORT), path: where it is mounted.
    """
    hosts: dict[str, list[str]] = {}
    for host, found in stores.items():
        for store in sorted(set(found) - {path}):
            hosts.setdefault(store, []).append(host)
    text = (
        "Media are in {0} on {1} until now, and nodes are going to use {2} at {3}{4}: files that are not there are left"
        " behind, and messages with them fail. To have them copied, before nodes are switched and once more after, add"
        " {5}."
    )
    return [
        text.format(
            store,
            enumerate_some(names, _MOST_NAMES),
            source,
            path,
            ", which may be the same files" if store.startswith("/") else "",
            instruction("media_left_behind", volume=store),
        )
        for store, names in sorted(hosts.items())
    ]


def left_under(source: str, path: str, hosts: t.Sequence[str]) -> list[str]:
    """The same of hosts whose nodes have written to the directory under the share; none where there are none."""
    if not hosts:
        return []
    text = (
        "Nodes of {0} were started before {1} was mounted at {2}, and have the directory of the host under it: what"
        " they have written there stays there, and messages with it fail. To have it copied to the share, before these"
        " nodes are recreated and once more after, add {3}."
    )
    named = enumerate_some(hosts, _MOST_NAMES)
    return [text.format(named, source, path, instruction("media_left_behind", volume=path))]


def copied_lines(source: str, target: str, results: t.Mapping[str, Result]) -> list[str]:
    """The table of what was done, by host; empty of a host that has no such volume."""
    rows = [
        [host, result["files"], _megabytes(result["bytes"]), result["copied"], result["same"]] if result
        else [host, "none", "-", "-", "-"]
        for host, result in results.items()
    ]  # fmt: skip
    whole = [result for result in results.values() if result]
    total = sum(result["copied"] + result["same"] for result in whole)
    text = "On {0}, compared by content with {1}: {2}.".format(target, source, amount(total, "file"))
    return [*aligned([COLUMNS, *([str(cell) for cell in row] for row in rows)]), text]


def _megabytes(size: int) -> int:
    return -(-size // _MB)
