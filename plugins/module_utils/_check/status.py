# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster, put together from what was read of hosts, database and API. Internal to waent.fleet. Pure.

Each part is the result of a module, and may be one that failed: with half of it away, the other half is still shown.
What is not known is said to be unknown, and nothing is guessed from it.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.waent.fleet.plugins.module_utils._check.authority import EXPIRED
from ansible_collections.waent.fleet.plugins.module_utils._check.without import left_out_notes
from ansible_collections.waent.fleet.plugins.module_utils._check.without_argument import argument
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    failure_in,
    problem_from,
    summary,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.product import CONTROL_SHARD
from ansible_collections.waent.fleet.plugins.module_utils._common.table import status_rows, table_lines
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

Result = t.Mapping[str, t.Any]
Nodes = t.Sequence[t.Mapping[str, t.Any]]

UNHEALTHY = "The cluster is not healthy."
WARNING = "warning"

VERSIONS = ("VERSION_DIFFERS", "WRONG_VERSION", "MIXED_VERSIONS")
"""What nodes of two versions look like to checks that know nothing of an upgrade: its problem says it better."""

OF_A_HOST = ("HOST_NOT_READ", "WITHOUT_HOST_LIVES")
"""Said once of a host, whoever found it."""

SAYS_IT_ALL = {
    "UPGRADE_UNFINISHED": VERSIONS,
    "VERSION_DIFFERS": ("WRONG_VERSION",),
    "SHARDS_DIFFER": ("SHARD_COUNT_DIFFERS",),
    "LOGIN_REFUSED": ("API_AUTH",),
    "API_KEY_REFUSED": ("API_AUTH",),
    EXPIRED: ("API_TLS",),
}
"""By its code what a problem makes superfluous."""

NOT_THERE = ("NODE_MISSING", "NODE_UNREACHABLE", "API_UNREACHABLE")
"""What is said of nodes whose containers may not run."""

DONE_BY_SITE = {"create": "creates", "recreate": "recreates", "start": "starts"}
"""By its action what site.yml does with a container that does not run."""


@dataclass(frozen=True)
class Reports:
    """What was read, as results of modules; empty where one did not run.

    nodes: of wa_placement, without those of which nobody knows whether they exist. leaving: those that have to go.
    authority: problems of what is pinned for the API. unfinished: of C(_plan/unfinished). unread: hosts that could not
    be read, and why. spared: those to name for a run that goes on. left_out: hosts that this run goes on without.
    has_key: whether wa_api_key is set. notes: lines of others. media_share: rows, lines and problems of
    C(_check/media_status), empty without a share. backups: those of C(_check/backup_status).
    """

    nodes: Nodes
    health: Result
    identity: Result = field(default_factory=dict)
    preflight: Result = field(default_factory=dict)
    settings: Result = field(default_factory=dict)
    login: Result = field(default_factory=dict)
    authority: Nodes = ()
    unfinished: t.Sequence[Problem] = ()
    unread: t.Mapping[str, str] = field(default_factory=dict)
    spared: t.Sequence[str] = ()
    left_out: t.Sequence[str] = ()
    has_key: bool = False
    notes: t.Sequence[str] = ()
    leaving: Nodes = ()
    media_share: Result = field(default_factory=dict)
    backups: Result = field(default_factory=dict)


# --- what is wrong ---------------------------------------------------------------------------------------------------


def problems(reports: Reports) -> list[Problem]:
    """Everything that somebody has to do something about, each once; empty where the cluster is healthy and ours."""
    found = unread_problems(reports.unread, reports.spared) + login_problems(reports) + list(reports.unfinished)
    found += map(problem_from, reports.authority)
    found += _of(reports.media_share) + _of(reports.backups)
    found += _of(reports.health) + _of(reports.identity) + _of(reports.preflight) + behind_problems(reports)
    if not reports.health.get("healthy") and not found:
        found = [Problem("CLUSTER_NOT_HEALTHY", UNHEALTHY)]
    codes = {problem.code for problem in found}
    covered = {code for better, worse in SAYS_IT_ALL.items() if better in codes for code in worse}
    kept: dict[tuple[str, str | None, str], Problem] = {}
    for problem in found:
        # Preflight knows of these too, and less.
        said = "" if problem.code in OF_A_HOST else problem.message
        if problem.code not in covered:
            kept.setdefault((problem.code, problem.host, said), problem)
    done = _done_by_site(reports)
    return [_with_advice(problem, done) for problem in kept.values()]


def _done_by_site(reports: Reports) -> dict[str, str]:
    """By its key, of a webapp its URL, what site.yml does with a node whose container is not as desired.

    Nothing where it would refuse.
    """
    refused = {entry["code"] for entry in reports.preflight.get("problems") or ()}
    if reports.unfinished or reports.unread or "VERSION_DIFFERS" in refused:
        return {}
    keys = {
        (node["host"], node["name"]): webapp_url(node) if node["kind"] == "webapp" else node["key"]
        for node in reports.nodes
    }
    planned = {
        keys.get((act.get("host"), str(act.get("what")).partition(" ")[0])): DONE_BY_SITE.get(act["action"])
        for act in reports.preflight.get("plan") or ()
    }
    return {key: does for key, does in planned.items() if key and does}


def _with_advice(problem: Problem, done: t.Mapping[str, str]) -> Problem:
    """done: by every name of a node, as sentences have it, what site.yml does with its container."""
    named = {*_NAMES.findall(problem.message), problem.host}
    does = sorted({what for name, what in done.items() if name in named}) if problem.code in NOT_THERE else []
    if not does:
        return problem
    one = sum(name in named for name in done) == 1
    text = "{0} {1} not run as desired: run {2}, which {3} {4}."
    whose, it = ("Its container does", "it") if one else ("Their containers do", "them")
    words = text.format(problem.message, whose, instruction("node_not_running"), " or ".join(does), it)
    return replace(problem, message=words)


_NAMES = re.compile(r"[\w./:\[\]-]*[\w\]]")
"""Keys and URLs in a sentence."""


def warnings(reports: Reports) -> list[Problem]:
    """What leaves the cluster healthy and is worth knowing."""
    of_both = [*(reports.health.get("problems") or ()), *(reports.backups.get("problems") or ())]
    found = [entry for entry in of_both if entry.get("kind") == WARNING]
    superfluous = SAYS_IT_ALL["UPGRADE_UNFINISHED"] if reports.unfinished else ()
    answer = {problem.host for problem in _of(reports.identity) if problem.code == "WITHOUT_HOST_ANSWERS"}
    return left_out_notes(host for host in reports.left_out if host not in answer) + [
        problem_from(entry) for entry in found if entry["code"] not in superfluous
    ]


def result_line(found: t.Sequence[Problem]) -> str:
    """What it comes to, for a reader who has seen the sentences."""
    codes = ", ".join(dict.fromkeys(problem.code for problem in found))
    return "The cluster is not healthy, for the reasons above: {0}.".format(codes) if codes else ""


def sentence(problem: Problem) -> str:
    """One line: C([CODE] host: sentence)."""
    return summary([problem])


def _of(report: Result) -> list[Problem]:
    """The problems of a result that are more than warnings; of one that failed without any, why."""
    found = [problem_from(entry) for entry in report.get("problems") or () if entry.get("kind") != WARNING]
    failure = failure_in(report)
    if found or failure is None:
        return found
    return [Problem((report.get("failure") or {}).get("code") or "NOT_CHECKED", failure)]


def unread_problems(unread: t.Mapping[str, str], spared: t.Sequence[str] = ()) -> list[Problem]:
    """Hosts of which nobody knows what they run. spared: those that the other playbooks can go on without."""
    text = (
        "The host could not be read{0}, so what runs there is not known. Have it answer again{1}; where it is gone for"
        " good, take it out of the inventory and run {2}, which replaces its nodes."
    )
    meanwhile = "; until then site.yml, upgrade.yml and reshard.yml go on without it with {0}".format(argument(spared))
    return [
        Problem(
            "HOST_NOT_READ",
            text.format(
                " ({0})".format(why) if why else "", meanwhile if host in spared else "", instruction("host_gone")
            ),
            host=host,
        )
        for host, why in unread.items()
    ]


def behind_problems(reports: Reports) -> list[Problem]:
    """Hosts whose nodes are not as desired while others of their kind are, as of a host that was away for a change.

    A change that nobody has begun leaves no node as desired; another version is an upgrade's matter.
    """
    kinds = {(node["host"], node["name"]): node["kind"] for node in reports.nodes}
    done: set[tuple[str | None, str]] = set()
    behind: dict[str, list[Result]] = {}
    for act in reports.preflight.get("plan") or ():
        kind = kinds.get((act.get("host"), act.get("what")))
        if kind is not None and act["action"] == "keep":
            done.add((kind, act["host"]))
        elif kind is not None and act["action"] == "recreate" and not _another_version(act):
            behind.setdefault(act["host"], []).append(act)
    text = (
        "{0} not as desired here, and others of {1} kind are: the host was away while they were changed, or a run has"
        " ended half-way. {4} recreates {2}: {3}."
    )
    found = []
    for host, acts in behind.items():
        late = [act for act in acts if any(k == kinds[host, act["what"]] and h not in behind for k, h in done)]
        if late:
            names, one = [act["what"] for act in late], len(late) == 1
            why = "; ".join(dict.fromkeys(reason for act in late for reason in act["why"]))
            whose, run = ("its", "it") if one else ("their", "them"), instruction("host_behind")
            message = text.format(enumerate_all(names) + (" is" if one else " are"), *whose, why, run)
            found.append(Problem("HOST_BEHIND", message, host=host))
    return found


def login_problems(reports: Reports) -> list[Problem]:
    """Credentials that are refused, whatever else is read without them."""
    failure = reports.login.get("failure") or {}
    code, health = failure.get("code"), {entry["code"] for entry in reports.health.get("problems") or ()}
    found = []
    if reports.login.get("password_changed") and not code:
        message = "admin still has the first password: nobody has logged in yet; run {0}, which replaces it."
        found.append(Problem("FIRST_PASSWORD", message.format(instruction("first_password"))))
    elif code == "API_AUTH":
        message = (
            "The API refuses the user admin with wa_admin_password: site.yml, upgrade.yml and reshard.yml would stop"
            " there. Correct it in the inventory."
        )
        found.append(Problem("LOGIN_REFUSED", message, "wa_admin_password"))
    elif code and code not in health:
        found.append(Problem(code, failure.get("message") or reports.login.get("msg") or "The login failed."))
    if "API_AUTH" in health and reports.has_key and (found or code):
        message = (
            "The webapps refuse the key in wa_api_key; correct it, or run {0}, which gives it to the webapps, once a"
            " login is possible."
        ).format(instruction("api_key_refused"))
        found.append(Problem("API_KEY_REFUSED", message, "wa_api_key"))
    return found


# --- what is shown ---------------------------------------------------------------------------------------------------


def rows(reports: Reports) -> list[list[str]]:
    """Each node in the columns of the table."""
    cluster = reports.health.get("cluster") or {}
    return status_rows(
        cluster.get("nodes") or [],
        [*reports.nodes, *reports.leaving],
        reports.health.get("webapps") or [],
        reports.unread.keys(),
        cluster.get("form") or "unreadable",
    )


def spares(reports: Reports) -> list[str]:
    """The spare coreapps. A node that the inventory does not place is nobody's spare."""
    placed = {node["key"] for node in reports.nodes}
    return [name for name in (reports.health.get("cluster") or {}).get("spares") or () if name in placed]


def cluster_lines(reports: Reports) -> list[str]:
    """The table of nodes, its summary, the spares, what stays unknown, and warnings."""
    lines = [*table_lines(rows(reports)), "", _summary(reports.health)]
    cluster = reports.health.get("cluster") or {}
    if cluster.get("form") == "cluster":
        lines.append("spare coreapps: {0}".format(", ".join(spares(reports)) or "none"))
    if any(CONTROL_SHARD in (node.get("shards") or ()) for node in cluster.get("nodes") or ()):
        lines.append("shard -1 is the control shard, which carries no messages")
    lines += [*(reports.media_share.get("lines") or ()), *(reports.backups.get("lines") or ())]
    return lines + notes(reports) + ["Warning: " + sentence(warning) for warning in warnings(reports)]


def _summary(health: Result) -> str:
    if (health.get("cluster") or {}).get("form") == "unreadable" or "summary" not in health:
        return "The API could not be read, so the state of the nodes is not known."
    return str(health["summary"])


def notes(reports: Reports) -> list[str]:
    """What stays unknown, and what others have to say."""
    found = list(reports.identity.get("notes") or ())
    why = failure_in(reports.settings)
    if why is not None and not reports.login.get("failure"):
        found.append("The application settings were not compared: {0}".format(why))
    return found + list(reports.notes)


def drift(reports: Reports) -> list[str]:
    """What site.yml would change on hosts and of the application settings.

    Not what it refuses, as another version is no matter of site.yml; and no node that may exist on a host that could
    not be read.
    """
    codes = {entry["code"] for entry in reports.preflight.get("problems") or ()}
    acts = [act for act in reports.preflight.get("plan") or () if act["action"] != "keep"]
    if reports.unread:
        acts = [act for act in acts if act["action"] != "create"]
    if "VERSION_DIFFERS" in codes:
        acts = [act for act in acts if act["action"] != "pull" and not _another_version(act)]
    changed = [
        "setting {name} from {before} to {after}".format(**{name: _shown(one.get(name)) for name in one})
        for one in reports.settings.get("changes") or ()
    ]
    return [act["sentence"] for act in acts] + changed


def _another_version(act: t.Mapping[str, t.Any]) -> bool:
    return act["action"] == "recreate" and any(why.startswith("image: ") for why in act["why"])


def _shown(value: t.Any) -> str:
    """As the settings are written in an inventory."""
    return str(value).lower() if isinstance(value, bool) else "nothing" if value is None else str(value)
