# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the logs was cut or could not be read, as sentences. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary

WHAT = {
    "inspect": "the description of {0}",
    "log": "the log of {0}",
    "web": "web.log of {0}",
    "lighttpd": "lighttpd's error.log of {0}",
    "crash": "a crash file of {0}",
}


def gaps(hosts: t.Mapping[str, t.Mapping[str, t.Any]], documents: t.Mapping[str, str]) -> list[Problem]:
    """Everything that is not in the archive, or not as a whole.

    hosts: by name what wa_node_logs returned of each, C(pieces), or C(reason) why nothing was read. documents: by name
    of a file for the whole cluster why it could not be read, empty where it could.
    """
    found = []
    for host, result in hosts.items():
        if result.get("reason"):
            text = "Nothing was collected: {0}".format(_sentence(str(result["reason"])))
            found.append(Problem("LOGS_HOST_NOT_READ", text, None, None, host))
        elif not result.get("pieces"):
            text = "{0} has no container of this cluster, so there is nothing of it.".format(host)
            found.append(Problem("LOGS_NOTHING_THERE", text, None, None, host))
        found += [problem for piece in result.get("pieces") or () for problem in _of_piece(host, piece)]
    for name, reason in documents.items():
        if reason:
            text = "{0} is missing: {1}".format(name, _sentence(reason))
            found.append(Problem("LOGS_DOCUMENT_MISSING", text))
    return found


def _of_piece(host: str, piece: t.Mapping[str, t.Any]) -> list[Problem]:
    what = WHAT[piece["what"]].format(piece["container"])
    state, reason = piece["state"], piece["reason"]
    if state == "failed":
        text = "{0}: {1} could not be read ({2}).".format(host, what, reason or "no reason was given")
        return [Problem("LOGS_NOT_READ", text, None, None, host)]
    if state == "cut":
        text = "{0}: {1} is not whole, {2} is left out ({3}).".format(host, what, amount(piece["cut_bytes"]), reason)
        return [Problem("LOGS_CUT", text, None, None, host)]
    return []


def amount(size: int) -> str:
    """Bytes for a reader."""
    if size < 10_000:
        return "{0} bytes".format(size)
    return "{0:.1f} MB".format(size / 1e6) if size >= 1_000_000 else "{0:.0f} kB".format(size / 1e3)


def _sentence(text: str) -> str:
    one = " ".join(text.split())
    return one if one.endswith(".") else one + "."


def sentences(problems: t.Sequence[Problem]) -> list[str]:
    """One line for each."""
    return summary(problems).splitlines()


def planned(
    hosts: t.Mapping[str, t.Sequence[str]], unread: t.Mapping[str, str], since: str, directory: str
) -> list[str]:
    """What a run collects, before it does. hosts: by name the containers. unread: why a host cannot be read."""
    lines = ["Of the last {0} this is collected, into {1}:".format(since, directory)]
    for host, names in hosts.items():
        lines.append("  {0}: {1}".format(host, ", ".join(names) or "no container of this cluster"))
    lines += ["  {0}: nothing, {1}".format(host, _sentence(reason)) for host, reason in unread.items()]
    return [*lines, "  the cluster: health, support info, settings, status, database, the last report of a run"]


def nothing_useful(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> bool:
    """Whether not one log was read: then there is no archive worth its name."""
    return not any(
        piece["what"] != "inspect" and piece["state"] in ("read", "cut")
        for result in hosts.values()
        for piece in result.get("pieces") or ()
    )
