# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read and is desired to the result of wa_upgrade_plan. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import timers_from
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import one_shots, read_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import (
    Shown,
    described,
    empty,
    read_checks,
    refusal,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import certain, planned_then
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import timer_problems
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import (
    STRATEGIES,
    UpgradePlan,
    chosen_strategy,
    plan_upgrade,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_checks import (
    UPGRADE_FIXES,
    health_problems,
    nobody_to_ask,
    running_keys,
    secret_problems,
    table_of_versions,
    uncertain_owners,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState

Params = t.Mapping[str, t.Any]


def answer(params: Params) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and what forbids to begin."""
    version = parse_version(params["version"])
    result = {**empty(), "operation": "upgrade", "target": str(version), "strategy": "", "one_shots": []}
    result["timers"] = timers_from(params).as_dict()
    checks = read_checks(params["checks"]).without(UPGRADE_FIXES)
    problems = list(checks.problems)
    wrong = option_problems(params)
    if not wrong and version is not None and params["nodes"]:
        planned, found = _planned(params, version, {problem.code for problem in problems})
        problems += found
        result.update(planned)
    problems = wrong + problems
    result["refusal"] = refusal(problems, checks.failures, params["first"])
    if result["refusal"]:
        result.update(empty())
    return result, problems


def option_problems(params: Params) -> list[Problem]:
    """What is wrong with the two values the user gives."""
    problems = []
    if parse_version(params["version"]) is None:
        message = "version is {0!r}; allowed is vN.N.N or N.N.N, for example v2.19.7.".format(params["version"])
        problems.append(Problem("VERSION_INVALID", message, "version", params["version"]))
    if params["strategy"] not in STRATEGIES:
        message = "upgrade_strategy is {0!r}; allowed is {1}.".format(params["strategy"], " or ".join(STRATEGIES))
        problems.append(Problem("STRATEGY_INVALID", message, "upgrade_strategy", params["strategy"]))
    return problems


def _planned(params: Params, version: Version, reported: t.Container[str]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The plan as a result, and its problems. reported: codes of problems that are known already."""
    state = read_state(
        params["nodes"], params["observed"], params["health"], params["shards"], version, params.get("remount") or ()
    )
    nobody = nobody_to_ask(state.nodes, params["health"])
    if nobody and chosen_strategy(state, version, params["strategy"]) == "schema":
        # All of it stops, whoever owns what, so that it is enough to know what runs, or may any moment.
        cores = [node for node in params["nodes"] if node["kind"] != "webapp"]
        running = running_keys(cores, params["observed"], RUNNING)
        state = replace(state, nodes=tuple(replace(node, alive=node.key in running) for node in state.nodes))
    plan = plan_upgrade(state, version, params["strategy"], params["allow_no_ha"])
    problems: list[Problem] = []
    if nobody:
        plan = _without_api(plan, state, params["plans_again"])
    elif plan.strategy == "rolling" and plan.steps:
        problems += _rolling_problems(params, state, reported)
    problems += [*plan.problems, *_snapshot_problems(plan, params["snapshot"])]
    problems += timer_problems(certain(plan.steps), params["declared_settings"], params["settings_unread"])
    changes = any(node.version not in (None, version) for node in state.nodes)
    result = described(
        state,
        plan.steps,
        params["nodes"],
        _shown(state, plan, version, params["declared_version"], changes),
        version=version,
        first=params["first"],
        shared_tokens=params["shared_tokens"],
    )
    result.update(operation="upgrade" if changes else "site", strategy=plan.strategy)
    result["one_shots"] = _one_shots(params["observed"], version, result["batches"])
    return result, problems


def _rolling_problems(params: Params, state: ClusterState, reported: t.Container[str]) -> list[Problem]:
    health = params["health"]
    found = health_problems(state.nodes, [*params["nodes"], *params["leaving"]], health)
    problems = [problem for problem in found if not (problem.code == "NODE_UNKNOWN" and problem.code in reported)]
    problems += secret_problems(params["observed"])
    if (health.get("cluster") or {}).get("registered"):
        problems += uncertain_owners(state.nodes, params["nodes"], params["observed"], state.shards)
    return problems


def _snapshot_problems(plan: UpgradePlan, snapshot: str) -> list[Problem]:
    if snapshot or not any(step.action == "snapshot" for step in plan.steps):
        return []
    message = (
        "wa_db_snapshot is empty, and this upgrade changes the schema of the database, for which a snapshot is the only"
        " way back; name a task file that takes one, or say none where you have one."
    )
    return [Problem("SNAPSHOT_MISSING", message, "wa_db_snapshot", "")]


def _without_api(plan: UpgradePlan, state: ClusterState, plans_again: bool) -> UpgradePlan:
    """What can be done while nobody can be asked: all between lines, else to have a webapp again.

    A webapp of the new line on the old schema would answer nobody. plans_again: whether another plan can follow.
    """
    if plan.strategy == "schema":
        steps = tuple(step for step in plan.steps if step.action != "cleanup")
        skipped = (_NO_CLEANUP,) if len(steps) < len(plan.steps) else ()
        return replace(plan, steps=steps, warnings=(*plan.warnings, *skipped))
    webapps = {node.key for node in state.of("webapp")}
    steps = tuple(step for step in plan.steps if step.nodes and set(step.nodes) <= webapps)
    rest = dict.fromkeys(key for step in plan.steps for key in step.nodes if key not in webapps)
    if steps and rest and plans_again:
        steps += (planned_then("replace", rest, "recreate or start nodes, owners after a switchover"),)
    return replace(plan, steps=steps)


_NO_CLEANUP = Problem(
    "NO_CLEANUP",
    "No webapp runs, so that old messages are not cleaned up before the schema is upgraded; it takes longer.",
)


def _shown(state: ClusterState, plan: UpgradePlan, version: Version, declared: t.Any, changes: bool) -> Shown:
    """The same steps serve nodes of the desired version that differ in something else: site.yml recreates those."""
    remounts = all(step.action == "remount" for step in plan.steps)
    headline = (
        "From {0} to {1}, {2}:".format(table_of_versions(state.nodes), version, plan.strategy)
        if changes
        else "The media share is mounted again with other options, one host at a time:"
        if remounts
        else "Nodes that differ from the desired state are recreated, {0}:".format(plan.strategy)
    )
    nothing = "Every node is in the desired state, of version {0}, and reports: nothing to do.".format(version)
    note = "Write wa_version: {0} into the inventory: site.yml refuses to go on with another version.".format(version)
    return Shown(headline, nothing, "" if parse_version(declared) == version else note, plan.warnings)


def _one_shots(
    observed: t.Sequence[t.Mapping[str, t.Any]],
    version: Version,
    batches: t.Iterable[t.Iterable[t.Mapping[str, t.Any]]],
) -> list[dict[str, str]]:
    """Where a one-shot container of this upgrade is, or is going to be made: C({host})."""
    there = [one["host"] for one in one_shots(observed, version)]
    made = [one["host"] for batch in batches for one in batch if one["action"] == "schema_upgrade"]
    return [{"host": host} for host in dict.fromkeys(there + made)]
