# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read and is desired to the result of wa_reshard_plan. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, failure_in
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, first_words
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import running_slots
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import timers_from
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import read_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import plan_problems, plan_reshard
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import (
    Shown,
    described,
    empty,
    read_checks,
    refusal,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import certain
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import timer_problems

Params = t.Mapping[str, t.Any]

PLANNED = ("REGISTRATION_UNREAD", "TOO_FEW_COREAPPS", "NO_SPARE")
"""What wa_shards misses before set-shards, and the plan brings: nodes that answer."""


def answer(params: Params) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and what forbids to begin."""
    result = {
        **empty(),
        "operation": "reshard",
        "target": params["shards"],
        "timers": timers_from(params).as_dict(),
        "desired": {},
    }
    checks = read_checks(params["checks"]).without(PLANNED)
    problems = list(checks.problems)
    spec, wrong = read_cluster_spec(params)
    problems += [problem for problem in wrong if problem.code not in {known.code for known in problems}]
    # Where no webapp answers, what is wrong with the hosts explains it.
    if spec is not None and (params["health"].get("cluster") or not (problems or checks.failures)):
        planned, found = _planned(params, spec)
        problems += [problem for problem in found if problem.code not in {known.code for known in problems}]
        result.update(planned)
    result["refusal"] = refusal(problems, checks.failures, params["first"])
    if result["refusal"]:
        result.update(empty())
    return result, problems


def _planned(params: Params, spec: ClusterSpec) -> tuple[dict[str, t.Any], list[Problem]]:
    """The plan as a result, and its problems."""
    cluster = params["health"].get("cluster") or {}
    placement = place(spec, running_slots(params))
    placed = [node.as_dict() for node in placement.nodes]
    there = [node for node in placed if node["exists"]]
    state = read_state(there, params["observed"], params["health"], spec.shards)
    known = isinstance(cluster.get("shards"), int)
    problems = plan_problems(state, cluster.get("nodes") or [], known, why_unread(params["health"]))
    if problems:
        return {}, problems
    plan = plan_reshard(state, spec, placement)
    # Where the plan starts masters, settings can be read before the rest is planned again.
    led = any(master.alive for master in state.of("master"))
    steps = plan.steps if led else certain(plan.steps)
    problems = [] if state.of("master") else [_no_master()]
    problems += [*plan.problems, *timer_problems(steps, params["declared_settings"], params["settings_unread"])]
    if problems:
        return {}, problems
    shown = _shown(state.shards, spec.shards, params["first"], params["declared_shards"])
    result = described(state, plan.steps, placed, shown, first=params["first"], shared_tokens=params["shared_tokens"])
    going = {key for step in plan.steps if step.action == "remove" for key in step.nodes}
    stay = [node for node in placed if node["key"] not in going]
    result["desired"] = {"nodes": stay, "counts": {"coreapp": sum(node["kind"] == "coreapp" for node in stay)}}
    return result, []


def _no_master() -> Problem:
    message = (
        "The cluster has no master, and the primary master is what gives the shards to coreapps; run {0}, which makes"
        " masters, and then {1}."
    ).format(instruction("no_master"), instruction("no_master_then"))
    return Problem("NO_PRIMARY_MASTER", message, "wa_masters")


def why_unread(health: t.Mapping[str, t.Any]) -> str:
    """Why the API showed nothing of the cluster, and what helps; empty where it did."""
    cluster = health.get("cluster") or {}
    if not cluster:
        return "no webapp of the cluster runs; run {0}, which starts them, and then {1}".format(
            instruction("no_webapp"), instruction("no_webapp_then")
        )
    if cluster.get("form") == "cluster":
        return ""
    reason = failure_in({**health, "problems": []}) or ""
    return first_words(reason)


def _shown(before: int, after: int, first: int, declared: t.Any) -> Shown:
    """What is said besides the steps. before, after, declared: numbers of shards; first: number of the first step."""
    if first > 1:
        headline = "Left to do:"
    elif before != after:
        headline = "From {0} to {1}:".format(before, amount(after, "shard"))
    else:
        headline = "The coreapps that {0} need:".format(amount(after, "shard"))
    nothing = "The cluster has {0} and the coreapps that takes: nothing to do.".format(amount(after, "shard"))
    note = "Write wa_shards: {0} into the inventory: site.yml refuses to go on with another number.".format(after)
    return Shown(headline, nothing, "" if str(declared) == str(after) else note)
