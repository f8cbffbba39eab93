# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host has to reach which port of which other host, and what it means that it did not. Internal. Pure.

All four ports of a coreapp or master have to be reached from every other host that runs a node (reference 2.2). Those
of a node that runs are answered by the node itself; for one that does not run yet, a process listens for seconds.
Between hosts on which this run starts nothing, the nodes that run are the proof, and nobody asks.

C(plan) is everywhere what C(port_plan) returns, plain data on its way to the hosts.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, PlacedNode
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import bracketed
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import CORE_KINDS, KINDS, LISTENER
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all, enumerate_some, one_line

ANSWER_SECONDS = 5.0
"""How long a host waits for all its answers together."""

REFUSED, SILENT, NO_ROUTE, NO_NAME, OTHER, NOT_TRIED = (
    "refused", "no_answer", "no_route", "no_name", "other_answer", "not_tried",
)  # fmt: skip
"""How a port was not reached."""


Plan = t.Mapping[str, t.Any]


class Target(t.NamedTuple):
    """A port that a host has to reach. host, node: whose it is. listens: a process of ours answers there."""

    host: str
    node: str
    address: str
    port: int
    listens: bool


# --- what is tried ----------------------------------------------------------------------------------------------------


def port_plan(
    observed: t.Sequence[Observed],
    nodes: t.Iterable[PlacedNode],
    starting: t.Container[tuple[str, str]],
    forks: int,
) -> dict[str, t.Any]:
    """What the hosts need to know to listen and to try; empty where no port has to be tried.

    starting: host and name of the nodes that this run creates, starts or recreates. forks: how many hosts Ansible works
    on at a time.
    """
    by_name = {host["name"]: host for host in observed}
    placed = [node for node in nodes if node["kind"] in KINDS and node["host"] in by_name]
    new = {node["host"] for node in placed if (node["host"], node["name"]) in starting}
    hosts = {name: _of_host(host, name in new) for name, host in by_name.items() if _has_nodes(name, placed)}
    if not new or len(hosts) < 2:
        return {}
    held = {name: {entry["port"] for entry in host["listeners"] if _counts(entry)} for name, host in by_name.items()}
    return {
        "cluster": observed[0]["asked"]["cluster_name"],
        "seconds": listening_seconds(len(hosts), forks),
        "hosts": hosts,
        "nodes": [
            {
                "name": node["name"],
                "host": node["host"],
                "address": node["address"],
                "ports": list(node["ports"]),
                "free": [port for port in node["ports"] if port not in held[node["host"]]],
                "new": (node["host"], node["name"]) in starting,
            }
            for node in placed
            if node["kind"] in CORE_KINDS
        ],
    }


def _has_nodes(host: str, placed: t.Iterable[PlacedNode]) -> bool:
    return any(node["host"] == host for node in placed)


def _of_host(observed: Observed, new: bool) -> dict[str, t.Any]:
    settings = observed["asked"].get("container_settings") or {}
    return {
        "new": new,
        "publish_address": settings.get("publish_address") or "0.0.0.0",
        "extra_hosts": settings.get("extra_hosts") or {},
    }


def _counts(holder: t.Mapping[str, t.Any]) -> bool:
    """Whether somebody really holds the port: a process of ours, left by a run that was killed, is asked to go."""
    return holder["process"] != LISTENER


def listening_seconds(hosts: int, forks: int) -> float:
    """How long a process listens at most. It ends as soon as all have been there; this is for when nobody comes.

    With few forks the last host begins when the first one has listened for a while.
    """
    rounds = -(-hosts // max(forks, 1))
    return min(30.0 + rounds * (2 * ANSWER_SECONDS + 1), 900.0)


def targets(plan: Plan, source: str) -> list[Target]:
    """The ports that a host has to reach."""
    mine = plan["hosts"].get(source)
    return [
        Target(node["host"], node["name"], _address(node["address"], mine), port, port in node["free"])
        for node in plan["nodes"]
        if mine and node["host"] != source and (mine["new"] or node["new"])
        for port in node["ports"]
    ]


def _address(address: str, source: t.Mapping[str, t.Any]) -> str:
    """As the containers of a host know it, beyond DNS."""
    return str(source["extra_hosts"].get(address, address))


def visitors(plan: Plan, host: str) -> dict[int, list[str]]:
    """By port on which a host has to listen, who comes to try it."""
    found = {}
    for node in plan["nodes"]:
        if node["host"] == host:
            names = [name for name, other in plan["hosts"].items() if name != host and (other["new"] or node["new"])]
            found.update({port: names for port in node["free"] if names})
    return found


def part_of(plan: Plan, host: str, action: str) -> dict[str, t.Any]:
    """What one host needs of the plan to listen, to try, or to report: a plan too, and as short as it can be.

    Among a thousand hosts each would get the names of all the others, twice, though only few have somebody to listen
    for.
    """
    every = plan.get("nodes") or ()
    own = [node for node in every if node["host"] == host]
    if action == "try":
        nodes = [node for node in every if node["host"] != host]
        hosts = {name: one for name, one in plan.get("hosts", {}).items() if name == host}
    elif action == "listen":
        nodes, hosts = own, plan["hosts"] if own else {}
    else:
        nodes, hosts = [], {}
    return {**plan, "nodes": nodes, "hosts": hosts}


def taking_part(plan: Plan) -> list[str]:
    """Hosts that try a port or listen on one."""
    return [name for name in plan.get("hosts", ()) if visitors(plan, name) or targets(plan, name)]


# --- what came of it --------------------------------------------------------------------------------------------------

Results = t.Mapping[str, t.Mapping[str, t.Any]]
"""By host the result of wa_ports."""


def unclear(plan: Plan, listened: Results, tried: Results) -> bool:
    """Whether a port was not reached, or a host not asked: then the listeners are asked what they have seen."""
    hosts = taking_part(plan)
    return any(
        "unreached" not in tried.get(host, {}) or tried[host]["unreached"] or _lacking(listened.get(host, {}))
        for host in hosts
    )


def _lacking(listened: t.Mapping[str, t.Any]) -> bool:
    return "listening" not in listened or bool(listened["not_listening"])


class Outcome(t.NamedTuple):
    """problems: what is closed for sure. notes: what could not be known."""

    problems: list[Problem]
    notes: list[str]


def outcome(plan: Plan, listened: Results, tried: Results, seen: Results) -> Outcome:
    """What it means. seen: what the listeners report when they end."""
    problems, notes = _unusable(plan, listened)
    notes += [_unasked(host, tried.get(host, {})) for host in taking_part(plan) if _silent(host, tried)]
    closed: dict[_Way, dict[str, list[int]]] = {}
    for source in taking_part(plan):
        for entry in tried.get(source, {}).get("unreached", ()):
            meaning = _meaning(entry, listened.get(entry["host"], {}), seen.get(entry["host"], {}))
            if meaning is not None:
                way = _Way(entry["host"], entry["address"], meaning, str(entry["by"] or _WHY.get(entry["how"], "")))
                closed.setdefault(way, {}).setdefault(source, []).append(entry["port"])
    for way in sorted(closed):
        for sources, ports in _together(closed[way]):
            _add(plan, way, sources, ports, problems, notes)
    return Outcome(problems, list(dict.fromkeys(notes)))


class _Way(t.NamedTuple):
    """What the sentence about a host is made of. by: what was said, or who answered."""

    host: str
    address: str
    meaning: str
    by: str


CLOSED, NO_WAY_BACK, OWN_FIREWALL, NOT_LISTENING, WRONG_HOST, NODE_REFUSES, UNKNOWN = (
    "closed", "no_way_back", "own_firewall", "not_listening", "wrong_host", "node_refuses", "unknown",
)  # fmt: skip


def _meaning(entry: t.Mapping[str, t.Any], listened: t.Mapping[str, t.Any], seen: t.Mapping[str, t.Any]) -> str | None:
    """One try that failed; None where another sentence says it already."""
    how = entry["how"]
    if how == OTHER:
        return WRONG_HOST if entry["by"] else UNKNOWN
    if how == NOT_TRIED:
        return UNKNOWN
    if how == NO_NAME:
        return CLOSED + NO_NAME
    if not entry["listens"]:
        return NODE_REFUSES if how == REFUSED else CLOSED + how
    if "listening" not in listened:
        # A machine without a listener refuses by itself; what is dropped is dropped on the way, or it is down.
        return NOT_LISTENING if how == REFUSED else CLOSED + how
    if entry["port"] not in listened["listening"]:
        return None
    came = [entry["from"], entry["port"]]
    if came in seen.get("answered", ()):
        return NO_WAY_BACK
    if came in seen.get("arrived", ()):
        return OWN_FIREWALL
    return NOT_LISTENING if how == REFUSED and not seen.get("listened") else CLOSED + how


def _together(by_source: t.Mapping[str, t.Sequence[int]]) -> list[tuple[list[str], list[int]]]:
    """Sources that miss the same ports."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for source, ports in by_source.items():
        groups.setdefault(tuple(sorted(ports)), []).append(source)
    return [(sources, list(ports)) for ports, sources in groups.items()]


_HOW = {
    REFUSED: "refused",
    SILENT: "no answer within {0:g} s".format(ANSWER_SECONDS),
    NO_ROUTE: "no route, or rejected on the way",
    NO_NAME: "the name is not known",
}


def _add(
    plan: Plan, way: _Way, sources: list[str], ports: list[int], problems: list[Problem], notes: list[str]
) -> None:
    """The sentence about one host and these ports, where it belongs."""
    shown = "{0}:{1}".format(bracketed(way.address), ranges(ports))
    names = enumerate_all(_names(plan, way.host, ports))
    whose = "{0} ({1} on {2})".format(shown, names, way.host)
    who = enumerate_some(sources)
    host = sources[0] if len(sources) == 1 else None
    if way.meaning.startswith(CLOSED):
        how = way.meaning[len(CLOSED) :]
        said = _HOW[how] + (" ({0})".format(one_line(way.by)) if way.by else "")
        message = "{0} cannot reach {1}: {2}; {3}".format(who, whose, said, _advice(how, way.host, len(ports)))
        problems.append(Problem("PORT_CLOSED", message, "wa_check_ports", shown, host))
    elif way.meaning == NO_WAY_BACK:
        message = (
            "{0} cannot reach {1}: what it sends arrives, and the answer does not come back; open the way back for"
            " connections that are open, or correct the routes of {2}."
        ).format(who, whose, way.host)
        problems.append(Problem("PORT_CLOSED", message, "wa_check_ports", shown, host))
    elif way.meaning == WRONG_HOST:
        message = "wa_address is {0}, but {1} answers there (tried from {2}); correct it."
        message = message.format(way.address, way.by, who)
        problems.append(Problem("WA_ADDRESS_OF_OTHER", message, "wa_address", way.address, way.host))
    else:
        notes.append(_NOTES[way.meaning].format(who=who, whose=whose, host=way.host, by=way.by))


_NOTES = {
    OWN_FIREWALL: (
        "{host} drops what {who} sends to {whose} itself (a firewall on it). Docker publishes ports past that, unless"
        " its own rules are switched off: open it if the nodes do not reach each other"
    ),
    NOT_LISTENING: "whether {who} can reach {whose} is not known: nothing listened there",
    NODE_REFUSES: "{whose} refuses {who}, though the node runs: it may be starting, or a firewall rejects it",
    UNKNOWN: "whether {who} can reach {whose} is not known: {by}",
}

_WHY = {OTHER: "something else answered there", NOT_TRIED: "it was not tried in time"}


def _advice(how: str, host: str, count: int) -> str:
    if how == NO_NAME:
        return "correct wa_address of {0}, or make the name known there.".format(host)
    return "open {0} between the hosts, or correct wa_address of {1}.".format("it" if count == 1 else "them", host)


def _names(plan: Plan, host: str, ports: t.Collection[int]) -> list[str]:
    return [node["name"] for node in plan["nodes"] if node["host"] == host and set(ports) & set(node["ports"])]


def ranges(ports: t.Iterable[int]) -> str:
    """C(6250-6253,6260)."""
    parts = []
    for _key, run in itertools.groupby(enumerate(sorted(ports)), lambda pair: pair[1] - pair[0]):
        found = [port for _number, port in run]
        parts.append(str(found[0]) if len(found) == 1 else "{0}-{1}".format(found[0], found[-1]))
    return ",".join(parts)


def _silent(host: str, tried: Results) -> bool:
    return "unreached" not in tried.get(host, {})


def _unasked(host: str, result: t.Mapping[str, t.Any]) -> str:
    said = one_line(str(result.get("msg") or "no answer"))
    return "whether {0} can reach the nodes of the other hosts is not known: {1}".format(host, said)


def _unusable(plan: Plan, listened: Results) -> tuple[list[Problem], list[str]]:
    """Ports on which a host could not listen: an address that it does not have is none for its nodes either."""
    problems, notes = [], []
    for host in taking_part(plan):
        result = listened.get(host, {})
        if "listening" not in result and visitors(plan, host):
            said = one_line(str(result.get("msg") or "no answer"))
            notes.append("{0} could not listen for the other hosts: {1}".format(host, said))
        absent = [one["port"] for one in result.get("not_listening", ()) if one["absent"]]
        if absent:
            address = plan["hosts"][host]["publish_address"]
            message = "wa_publish_address is {0}, which is no address of this host; set it to one, or to 0.0.0.0."
            problems.append(
                Problem("WA_PUBLISH_ADDRESS_ABSENT", message.format(address), "wa_publish_address", address, host)
            )
        for one in result.get("not_listening", ()):
            if not one["absent"]:
                sentence = "whether {0} can be reached at port {1} is not known: {2}"
                notes.append(sentence.format(host, one["port"], one["reason"]))
    return problems, notes
