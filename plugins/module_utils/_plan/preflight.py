# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the checks of all hosts: which plays a host takes part in, and what is shown. Internal. Pure.

C(observed) is what wa_host_info returned as C(host), for each host that could be read, in the order of the play.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, PlacedNode, ours
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, problem_from
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import ROLL, Act
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING, STOPPED
from ansible_collections.waent.fleet.plugins.module_utils._state.found import adopted_nodes

GATHER_AGAIN, ENGINE_STOPPED, ENGINE_MISSING = "_wa_gather_again", "_wa_engine_stopped", "_wa_engine_missing"
SINGLE_CONNECT, ACT, API, RECREATE = "_wa_single_connect", "_wa_act", "_wa_act_api", "_wa_act_roll"
PORTS, PORTS_UNCLEAR = "_wa_ports", "_wa_ports_unclear"
DRAIN = "_wa_act_drain"
NODES = "_wa_act_nodes"
KIND_GROUPS = {kind: "{0}_{1}".format(ACT, kind) for kind in ("database", "webapp", "master", "coreapp")}
GROUPS = (
    GATHER_AGAIN,
    ENGINE_STOPPED,
    ENGINE_MISSING,
    PORTS,
    PORTS_UNCLEAR,
    SINGLE_CONNECT,
    ACT,
    API,
    RECREATE,
    DRAIN,
    NODES,
    *KIND_GROUPS.values(),
)
"""The groups that the plays of site.yml name, so that a play meets only hosts it has work for."""

NEEDED_FIRST = ("install_engine", "create_network", "pull")
"""Actions that must come before anything else that needs an engine, a network or an image."""

SILENT_ROW = "LIVENESS_STALE"
"""Where no master is left to remove it, the row of a coreapp that has been silent for minutes stays. Such a coreapp is
what a run starts; the nodes are checked by what they report themselves."""

NOTHING_TO_DO = "Containers, images, networks and volumes are as desired: nothing to do there."


class Run(t.NamedTuple):
    """How a run goes on from the checks.

    check_mode: whether it only shows what it would do. starts_engines: it starts engines that are stopped, before
    anything else is decided, as what they hold may be all that is desired. stopped: the hosts of those. first: who
    stands for the whole cluster where the API is worked with. has_api: whether a webapp runs that can be asked. way:
    how running nodes are recreated. drains: whether nodes have to leave their hosts. all_run: whether every node that
    is placed runs already. begins: nothing of the cluster runs, and its nodes may start in any order.
    """

    check_mode: bool
    starts_engines: bool
    stopped: tuple[str, ...]
    first: str | None
    has_api: bool
    way: str
    drains: bool = False
    all_run: bool = True
    begins: bool = False

    @property
    def asks_api(self) -> bool:
        """Whether the API is worked with: in check mode nobody waits for nodes that are not created."""
        return not self.check_mode or (self.has_api and self.all_run)

    @property
    def gathers_again(self) -> bool:
        """Whether engines are started first, and every host is read again then."""
        return self.starts_engines and bool(self.stopped)

    def steps_come_next(self, facts: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
        """Whether running nodes are recreated before anything else is done that may fail. facts: of every host."""
        return self.way == ROLL and not any(one["engine_missing"] or one["single_connect"] for one in facts)


def run_of(
    observed: t.Sequence[Observed],
    stopped: t.Sequence[str],
    fixed: t.Container[str],
    way: str,
    check_mode: bool,
    drains: bool = False,
    all_run: bool = True,
) -> Run:
    """fixed: states of engines that the run fixes."""
    first = observed[0]["name"] if observed else None
    begins = not any(node["state"] in RUNNING for host in observed for node in host["nodes"])
    return Run(check_mode, STOPPED in fixed, tuple(stopped), first, has_api(observed), way, drains, all_run, begins)


def has_api(observed: t.Iterable[Observed]) -> bool:
    """Whether a webapp of the cluster runs, so that there is an API to ask."""
    observed = list(observed)
    ours = (node["kind"] == "webapp" and node["state"] == "running" for host in observed for node in host["nodes"])
    found = (node for host in observed for node in adopted_nodes(host))
    return any(ours) or any(node.kind == "webapp" and node.state == "running" for node in found)


def known_nodes(nodes: t.Iterable[dict[str, t.Any]], unseen: t.Collection[str]) -> list[dict[str, t.Any]]:
    """The nodes that can be asked for: where hosts could not be seen, one that was placed elsewhere may be there.

    unseen: names of those hosts.
    """
    return [node for node in nodes if not unseen or node["exists"] or node["host"] in unseen]


def database_exists(observed: t.Iterable[Observed], hosts: t.Collection[str]) -> bool:
    """Whether there is a database to read; one that this run creates or starts is not there yet.

    hosts: those that run a database of our own; without any it is somebody else's, and there.
    """
    return not hosts or any(
        ours(container, host) and container["kind"] == "database" and container["state"] == "running"
        for host in observed
        for container in host["containers"]
    )


def groups_of(host: str, facts: t.Mapping[str, t.Any], acts: t.Iterable[Act], run: Run) -> list[str]:
    """The groups of a host. facts: what wa_preflight returns of it. acts: what is done there.

    In check mode a host is left out where it lacks what every container needs, and the API where nobody answers yet or
    nodes are missing; and nothing is drained, as the nodes that must be there before were not made.
    """
    if run.gathers_again:
        return [] if run.check_mode else [GATHER_AGAIN] + ([ENGINE_STOPPED] if host in run.stopped else [])
    groups = [PORTS] if facts["tries_ports"] else []
    groups += [ENGINE_MISSING] if facts["engine_missing"] else []
    groups += [SINGLE_CONNECT] if facts["single_connect"] else []
    if not (run.check_mode and any(act.action in NEEDED_FIRST for act in acts)):
        groups += [ACT] if facts["images_missing"] or facts["db_ssl_missing"] else []
        groups += _groups_of_kinds(facts["kinds"], run.begins)
    if host == run.first and run.asks_api:
        groups.append(API)
    groups += [RECREATE] if run.way == ROLL else []
    return groups + ([DRAIN] if run.drains and not run.check_mode else [])


def _groups_of_kinds(kinds: t.Collection[str], begins: bool) -> list[str]:
    """Where nothing of the cluster runs, a host's nodes start together, with the database where it has one."""
    if not begins or not kinds:
        return [KIND_GROUPS[kind] for kind in kinds]
    return [KIND_GROUPS["database"] if "database" in kinds else NODES]


def runs_beside_database(groups: t.Container[str]) -> bool:
    """Whether a host's nodes are run together with its database. groups: what C(groups_of) says of it."""
    return KIND_GROUPS["database"] in groups and not any(KIND_GROUPS[kind] in groups for kind in KINDS)


def api_changes(desired: t.Mapping[str, t.Any]) -> list[str]:
    """What is done through the API of a cluster that does not run yet. desired: option C(api) of wa_preflight."""
    number = "registration of +{cc} {phone_number} by {registration_method}, where it is not registered yet"
    settings = ", ".join(desired["settings"] or {}) or "none"
    return [
        "first login to the API, which replaces the initial password of the user admin",
        number.format(**desired) if desired["register"] else "no registration (wa_register is false)",
        "application settings: {0}".format(settings),
        "wait until the cluster is healthy, for {0} s at most".format(desired["health_timeout_seconds"]),
    ]


API_LATER = "what is set through the API is compared when these nodes run, and not in check mode"


def planned_changes(changes: t.Sequence[str], desired: t.Mapping[str, t.Any] | None, run: Run) -> list[str]:
    """The lines to show. changes: sentences of what is going to be changed on the hosts."""
    shown = list(changes) or [NOTHING_TO_DO]
    shown += [API_LATER] if run.has_api and not run.asks_api and not run.gathers_again else []
    return shown + (api_changes(desired) if desired and not run.has_api and not run.gathers_again else [])


def removals(leaving: t.Iterable[PlacedNode], host: str) -> list[Act]:
    """What goes from a host that is drained."""
    return [Act(host, "remove", node["name"], ("the host is drained",)) for node in leaving if node["host"] == host]


def share_changes(media: t.Mapping[str, t.Mapping[str, t.Any]], host: str) -> list[Act]:
    """What is done for the media share of a host, before its nodes. media: option C(media_share) of wa_preflight."""
    share = media.get(host)
    action = "remount_share" if share and share.get("remount") else "mount_share"
    return [Act(host, action, share["what"], tuple(share["why"]))] if share and share["why"] else []


def drain_unfinished(observed: t.Sequence[Observed], leaving: t.Sequence[PlacedNode]) -> list[Problem]:
    """Hosts that are drained and not empty: one that was retired may have come back with all its nodes."""
    found = []
    for host in observed:
        states = {c["name"]: c["state"] for c in host["containers"] if ours(c, host)}
        names = [node["name"] for node in leaving if node["host"] == host["name"]]
        if names:
            message = (
                "The host is drained, and has {0} of the cluster; run {1}, which moves to other hosts what has to be"
                " elsewhere, and removes what is here.".format(
                    enumerate_all("{0} ({1})".format(name, states.get(name, "unknown")) for name in names),
                    instruction("drain_unfinished"),
                )
            )
            found.append(Problem("DRAIN_UNFINISHED", message, "wa_drained", True, host["name"]))
    return found


def reported(reports: t.Iterable[t.Mapping[str, t.Any]]) -> list[Problem]:
    """The problems in the results of other checks, in their order. A check that was left out has none."""
    found = [problem_from(entry) for report in reports for entry in report.get("problems") or ()]
    return [problem for problem in found if problem.code != SILENT_ROW]


def notes_of(
    reports: t.Iterable[t.Mapping[str, t.Any]], observed: t.Sequence[Observed], nodes: t.Iterable[PlacedNode]
) -> list[str]:
    """What stays unknown, from the results of other checks. A database that this run creates has no number yet."""
    databases = [node["host"] for node in nodes if node["kind"] == "database"]
    if not database_exists(observed, databases):
        return []
    return [note for report in reports for note in report.get("notes") or ()]


def refusal(message: str, started: t.Sequence[str]) -> str:
    """The sentence with which a run stops. started: hosts whose engine it has started before that."""
    if not message or not started:
        return message
    return "Docker Engine was started on {0}; beyond that: {1}".format(", ".join(started), message)


def first_sizing(
    variables: t.Mapping[str, t.Any],
    placed: t.Mapping[str, t.Any],
    database: t.Mapping[str, t.Any],
    observed: t.Sequence[Observed],
    hosts: t.Collection[str],
    database_hosts: t.Collection[str],
) -> dict[str, t.Any]:
    """Options of wa_sizing for a new cluster; empty where there is nothing to ask.

    A database of our own that does not run yet will allow what is declared; of another one that cannot be read nothing
    is known. placed: result of wa_placement. database: what wa_database_info returned as C(database). hosts: all of the
    play: where one could not be read, a coreapp may run there.
    """
    own = bool(database_hosts) and not database_exists(observed, database_hosts)
    allowed = database.get("max_connections") or (
        whole_number(variables["wa_database_max_connections"]) if own else None
    )
    coreapps = any(node["kind"] == "coreapp" for host in observed for node in host["nodes"])
    if not allowed or not placed.get("shards") or len(observed) != len(hosts) or coreapps:
        return {}
    options = {
        "shards": placed["shards"],
        "shards_now": 0,
        "max_connections": allowed,
        "connections": database.get("connections") or 0,
        "messages_per_second": variables["wa_messages_per_second"],
        "tls": bool(variables["wa_db_ssl_ca"]),
        "database_class": variables["wa_database_class"],
    }
    unknown = ("messages_per_second", "database_class")
    return {name: value for name, value in options.items() if name not in unknown or value not in (None, "", 0, "0")}
