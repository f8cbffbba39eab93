# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why nodes do not come up: from the state of their containers and their logs to sentences. Internal. Pure.

C(Container) is what wa_node_info returns for a node: C({name, exists, state, exit_code, oom_killed, restarts, error,
log}). Nothing is said that was not seen; of a node that runs, the last error of its log is quoted as just that.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.causes import (
    ERROR,
    PLAIN,
    cause_of,
    decisive_line,
    level_of,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.health import WARNING
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import (
    INTERNAL_ERROR,
    NOT_PRIMARY_MASTER,
    NOT_READY,
    NOT_SHARD_OWNER,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import (
    failure_of,
    item_name,
    masked,
    said,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all

Container = t.Mapping[str, t.Any]
Node = t.Mapping[str, t.Any]

MOST_CHARACTERS = 400
"""Of a log line. It is cut after its secrets are masked: half of a secret would not be found."""
MOST_GROUPS = 8
"""So many different reasons are shown; more only hide the first."""
KILLED = 137
ABSENT, OUT_OF_MEMORY, RUNS = "NODE_ABSENT", "NODE_OUT_OF_MEMORY", "NODE_RUNS"
MORE_MEMORY = "give the container or the host more memory, or put fewer nodes on the host"

CODED = re.compile(r"\[([A-Z][A-Z0-9_]+)\]")
ABOUT_NODES = frozenset(
    ["API_{0}".format(code) for code in (NOT_READY, INTERNAL_ERROR, NOT_PRIMARY_MASTER, NOT_SHARD_OWNER)]
    + ["API_UNREACHABLE", "API_ANSWER_LOST", "API_UNEXPECTED_REPLY"]
)
"""Failures behind which a node may be. All others, such as a password or a setting that is refused, are named by the
API itself, and logs of nodes that run would only distract from it."""


# Which nodes to examine


def suspects(
    result: t.Mapping[str, t.Any], nodes: t.Sequence[Node], own: t.Mapping[str, t.Iterable[str]] | None = None
) -> dict[str, list[str]]:
    """By host the names of the nodes that may be behind the failure of a task; empty where no node can be.

    result: of the task. nodes: as wa_placement returns them. Where the failure names nodes it is those. own: by host
    the containers that the task was about, whatever it says; they come first. Those of a list that it did not come to
    are not there, and no reason.
    """
    # What only warns is not why it failed.
    problems = [problem for problem in result.get("problems") or [] if problem.get("kind") != WARNING]
    text = "\n".join([said(result)] + [str(problem.get("message") or "") for problem in problems])
    hosts = {str(problem.get("host")) for problem in problems}
    codes = set(CODED.findall(text)) | {str(failure_of(result).get("code"))}
    named = [node for node in nodes if node.get("key") in hosts or _mentions(text, str(node.get("key")))]
    # A webapp that waits for its database does not answer, and neither do the others: all are examined.
    if not named and (problems or codes & ABOUT_NODES or any(code.startswith("API_HTTP_5") for code in codes)):
        named = list(nodes)
    tried = {item_name(one) for one in result.get("results") or ()}
    by_host = {host: [name for name in names if not tried or name in tried] for host, names in (own or {}).items()}
    for node in named:
        names = by_host.setdefault(str(node["host"]), [])
        if node["name"] not in names:
            names.append(str(node["name"]))
    return by_host


def _mentions(text: str, key: str) -> bool:
    return re.search(r"(?<![\w.-]){0}(?![\w-])".format(re.escape(key)), text) is not None


# What is said about them


class Reason(t.NamedTuple):
    """Why one node does not work, as far as was seen. code: of the cause, where it is known, else of the state.

    state, what: the container's, as a code and in words. quote: the line of its log that says why, and how it is
    introduced; empty where there is none. quiet: it runs, and its log complains of nothing.
    """

    code: str
    state: str
    what: str
    quote: str = ""
    advice: str = ""
    quiet: bool = False


def reason_of(node: Container, secrets: t.Iterable[t.Any]) -> Reason:
    """What is wrong with a node, by its container's state and by its log."""
    state, what = _state(node)
    if state == ABSENT:
        return Reason(state, state, what, "", "run {0}".format(instruction("node_absent")))
    secrets = list(secrets)
    error = masked(str(node.get("error") or ""), secrets).strip()
    lines = log_of(node, secrets)
    line = error or decisive_line(lines) or ""
    cause = cause_of(line)
    if state == OUT_OF_MEMORY:
        cause = None
    unread = str(node.get("log_unread") or "")
    quote = _quote(state, line, lines, error, unread)
    quiet = state == RUNS and not unread and (not quote or level_of(line) == PLAIN)
    advice = MORE_MEMORY if state == OUT_OF_MEMORY else cause.advice if cause else ""
    return Reason(cause.code if cause else state, state, what, quote, advice, quiet)


def log_of(node: Container, secrets: t.Iterable[t.Any]) -> list[str]:
    """What the node logged, without empty lines and without secrets.

    Masked as one text: a secret of several lines would not be found in one of them.
    """
    text = masked("\n".join(map(str, node.get("log") or ())), secrets)
    return [line.strip() for line in text.split("\n") if line.strip()]


def _quote(state: str, line: str, lines: t.Sequence[str], error: str, unread: str) -> str:
    """The line that says why, introduced as what it is. unread: why the log could not be read."""
    if error:
        return "the engine says: {0}".format(_cut(line))
    if unread:
        return "its log could not be read: {0}".format(unread)
    if not line:
        return "its log is empty" if state != RUNS else ""
    if state != RUNS:
        return "its log says: {0}".format(_cut(line))
    # Of a node that runs a complaint may be over; an error is quoted as such, anything less where it is still said.
    if level_of(line) == ERROR:
        return "the last error in its log is: {0}".format(_cut(line))
    return "its log ends with: {0}".format(_cut(line)) if line == lines[-1] else ""


def _state(node: Container) -> tuple[str, str]:
    """Code and words for what the engine says."""
    if not node.get("exists"):
        return ABSENT, "does not exist"
    state, code = str(node.get("state") or "unknown"), node.get("exit_code")
    restarts = int(node.get("restarts") or 0)
    after = " after {0}".format(amount(restarts, "restart")) if restarts else ""
    if node.get("oom_killed"):
        with_code = "" if code is None else " (exit code {0})".format(code)
        return OUT_OF_MEMORY, "was killed for want of memory{0}{1}".format(after, with_code)
    if state == "restarting":
        words = "ends and is started again: {0} so far, exit code {1} last"
        return "NODE_RESTARTS", words.format(amount(restarts, "restart"), code)
    if state in ("exited", "dead"):
        killed = ", killed from outside" if code == KILLED else ""
        return "NODE_EXITED", "has ended with exit code {0}{1}{2}".format(code, killed, after)
    if state == "created":
        return "NODE_NOT_STARTED", "was made and never started"
    if state != "running":
        return "NODE_" + state.upper(), "is {0}".format(state)
    if restarts:
        return "NODE_RESTARTS", "runs{0}{1}".format(after, "" if code is None else ", exit code {0} last".format(code))
    return RUNS, "runs"


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 3] + "..."


def examined_hosts(looped: t.Mapping[str, t.Any]) -> dict[str, t.Mapping[str, t.Any]]:
    """By host what wa_node_info returned, from the result of a loop over C(dict2items) of C(suspects)."""
    return {str(one["item"]["key"]): one for one in looped.get("results") or () if one.get("item")}


def node_lines(examined: t.Mapping[str, t.Mapping[str, t.Any]], secrets: t.Iterable[t.Any]) -> list[str]:
    """One line for each reason, with the nodes it is about, the worst first.

    examined: by host what wa_node_info returned there.
    """
    secrets = list(secrets)
    groups: dict[tuple[str, str], list[tuple[str, Reason]]] = {}
    quiet, unread = [], []
    for host, result in examined.items():
        if "nodes" not in result:
            why = masked(said(result), secrets).splitlines() or ["no answer"]
            unread.append("{0} could not be asked about its nodes: {1}".format(host, _cut(why[0])))
        for node in result.get("nodes") or []:
            reason = reason_of(node, secrets)
            name = "{0} on {1}".format(node["name"], host)
            if reason.quiet:
                quiet.append(name)
            else:
                groups.setdefault((reason.state, reason.code), []).append((name, reason))
    shown = [_group_line(members) for members in groups.values()]
    lines = shown[:MOST_GROUPS] + unread
    if len(shown) > MOST_GROUPS:
        lines.append("There are {0} more reasons like these.".format(len(shown) - MOST_GROUPS))
    if quiet:
        are = "runs, and its log has no error" if len(quiet) == 1 else "run, and their logs have no error"
        lines.append("{0} {1}.".format(_few(quiet), are))
    return lines


def _group_line(members: t.Sequence[tuple[str, Reason]]) -> str:
    """C([CODE] first what; its log says: line. Advice. The same with others.) from nodes with the same reason."""
    name, reason = members[0]
    text = "; ".join(part for part in (reason.what, reason.quote) if part)
    parts = ["[{0}] {1} {2}".format(reason.code, name, text if text.endswith((".", "!", "?")) else text + ".")]
    if reason.advice:
        parts.append("{0}{1}.".format(reason.advice[0].upper(), reason.advice[1:]))
    if len(members) > 1:
        parts.append("The same with {0}.".format(_few([other for other, _reason in members[1:]])))
    return " ".join(parts)


def _few(names: t.Sequence[str]) -> str:
    """Up to five names, and how many more."""
    if len(names) <= 5:
        return enumerate_all(names)
    return "{0} and {1} more".format(", ".join(names[:5]), len(names) - 5)
