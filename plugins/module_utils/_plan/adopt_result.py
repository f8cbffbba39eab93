# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read and is desired to the result of wa_adopt_plan. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.paths import normalized
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import NODE_SECRET
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, place
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import running_slots
from ansible_collections.waent.fleet.plugins.module_utils._plan.adopt import adoption, plan_adopt
from ansible_collections.waent.fleet.plugins.module_utils._plan.drain import drain_problems
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import timers_from
from ansible_collections.waent.fleet.plugins.module_utils._plan.preflight import has_api
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import read_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard_result import why_unread
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import (
    Shown,
    described,
    empty,
    read_checks,
    refusal,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import certain
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import timer_problems
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import PRIMARY
from ansible_collections.waent.fleet.plugins.module_utils._state.found import FoundNode, adopted_nodes
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

Params = t.Mapping[str, t.Any]
Entry = t.Mapping[str, t.Any]

NOTHING = "No node of a compose file is left: nothing to do."


def answer(params: Params) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and what forbids to begin."""
    spec, wrong = read_cluster_spec(params)
    result = {**empty(), "operation": "adopt", "target": "", "timers": timers_from(params).as_dict()}
    checks = read_checks(params["checks"])
    problems = list(checks.problems)
    problems += [problem for problem in wrong if problem.code not in {known.code for known in problems}]
    if spec is not None and not problems and not checks.failures:
        planned, found = _planned(params, spec)
        problems += found
        result.update(planned)
    result["refusal"] = refusal(problems, checks.failures, params["first"])
    if result["refusal"]:
        result.update(empty())
    return result, problems


def _planned(params: Params, spec: ClusterSpec) -> tuple[dict[str, t.Any], list[Problem]]:
    placement = place(spec, running_slots(params))
    found = [node for host in params["observed"] for node in adopted_nodes(host)]
    placed = [node.as_dict() for node in placement.nodes]
    there = [node for node in placed if node["exists"]]
    health = params["health"]
    if placement.problems:
        return {}, list(placement.problems)
    hosts = {host.name: host.api_address for host in spec.hosts}
    compose = [compose_entry(node, hosts) for node in found]
    ours = read_state(there, params["observed"], health, spec.shards)
    state = ClusterState(ours.shards, ours.nodes + tuple(found_state(node, hosts, health) for node in found))
    single = any(node.single for node in found)
    api = has_api(params["observed"])
    steps = plan_adopt(state, placed, found, api, params["plans_again"]) if found else []
    begins_unseen = not api and len(certain(steps)) < len(steps)
    problems = [] if found or there else [_nothing_found(params["observed"])]
    problems += _secret_problems(found)
    problems += _store_problems(found, params["observed"])
    if steps and not single and not begins_unseen:
        everything = [*there, *compose]
        problems += drain_problems(state, everything, params["observed"], health, why_unread(health))
        problems += timer_problems(certain(steps), params["declared_settings"], params["settings_unread"])
    if problems:
        return {}, problems
    taken = adoption(placed, found).taken if not single else {}
    entries = [
        {**node, "replaces": {"name": taken[node["key"]].name} if node["key"] in taken else None} for node in placed
    ]
    names = ", ".join(sorted(node.name for node in found))
    first, shared = params["first"], params["shared_tokens"]
    head = "The nodes that compose files have started are adopted ({0}):".format(names) if first == 1 else "Left to do:"
    shown = Shown(head, NOTHING)
    return described(state, steps, [*entries, *compose], shown, first=first, shared_tokens=shared), []


def _secret_problems(found: t.Iterable[FoundNode]) -> list[Problem]:
    """Nodes of both sorts work together until the last one is adopted."""
    names = [node.name for node in found if NODE_SECRET in node.differs and not node.single]
    if not names:
        return []
    message = (
        "{0} of {1} is not the one in wa_extra_environment, and nodes that do not share it do not understand each"
        " other; declare the one that they have."
    )
    return [Problem("NODE_SECRET_DIFFERS", message.format(NODE_SECRET, enumerate_all(names)), "wa_extra_environment")]


def _store_problems(found: t.Iterable[FoundNode], observed: t.Iterable[Entry]) -> list[Problem]:
    """Nodes of both sorts work beside each other, and what is in the store of one is to be found by all."""
    desired = {host["name"]: host["asked"].get("container_settings") or {} for host in observed}
    apart: dict[tuple[str, str, str, str], list[str]] = {}
    for node in found:
        for key, now in (("media", node.media), ("data", node.data)):
            then = desired[node.host].get(key)
            if now and then is not None and _store(now) != _store(then):
                apart.setdefault((node.host, key, now, then), []).append(node.name)
    message = (
        "{names} {have} {key} in {now}, and {variable} is {then}, so that what is there would be lost from view. Set"
        " {variable} of the host to {now}{share}, and change it once all nodes are adopted."
    )
    problems = []
    for (host, key, now, then), names in sorted(apart.items()):
        words = {"names": enumerate_all(names), "have": "has" if len(names) == 1 else "have", "key": key, "now": now}
        share = ", and leave wa_media_share out" if key == "media" and then.startswith("/") else ""
        variable = "wa_" + key
        text = message.format(variable=variable, then=then or "not set", share=share, **words)
        problems.append(Problem("ADOPT_STORE_DIFFERS", text, variable, then, host))
    return problems


def _store(source: str) -> str:
    """A volume by its name, a directory by its path."""
    return normalized(source) if source.startswith("/") else source


def _nothing_found(observed: t.Sequence[Entry]) -> Problem:
    """Neither a node of a compose file nor one of ours: whoever named the wrong hosts does not want a new cluster."""
    message = (
        "There is nothing to adopt on {0}: no container of the client there has the database of the inventory"
        " (wa_db_host, wa_db_port, wa_db_name_prefix), and none of its own nodes exists."
    )
    return Problem(
        "ADOPT_NOTHING_FOUND", message.format(enumerate_all(host["name"] for host in observed)), "wa_db_host"
    )


def compose_entry(node: FoundNode, api_addresses: t.Mapping[str, str]) -> dict[str, t.Any]:
    """A node of a compose file in the shape of a placed one. hostname: its part of the key, which is not its name."""
    return {
        "name": node.name,
        "hostname": node.hostname,
        "host": node.host,
        "rack": "",
        "kind": node.kind,
        "index": 0,
        "address": node.address,
        "api_address": api_addresses.get(node.host, node.host),
        "key": node.key,
        "ports": list(node.ports) or [0],
        "external_ports": "",
        "exists": True,
        "surplus": False,
        "replaces": None,
    }


def found_state(node: FoundNode, api_addresses: t.Mapping[str, str], health: Entry) -> NodeState:
    """How it is, by what the API shows. Its key for tokens is not known, so it is taken for another one."""
    cluster = health.get("cluster") or {}
    shown = next((one for one in cluster.get("nodes") or [] if one["name"] == node.key), None)
    answers = {webapp["url"] for webapp in health.get("webapps") or [] if webapp["answers"]}
    reports = shown is not None and shown["alive"]
    answered = bool(node.ports) and webapp_url(compose_entry(node, api_addresses)) in answers
    alive = node.state == "running" and (answered if node.kind == "webapp" else reports)
    return NodeState(
        node.key,
        node.kind,
        alive,
        primary=alive and shown is not None and shown["role"] == PRIMARY,
        shards=frozenset(s for s in (shown or {}).get("shards") or () if s >= 0) if alive else frozenset(),
        slot=Slot(node.host, node.kind, 0),
        version=node.version,
        other_tokens=node.kind == "webapp",
    )
