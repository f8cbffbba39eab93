# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read and is desired to the result of wa_drain_plan. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.status import unread_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import running_slots
from ansible_collections.waent.fleet.plugins.module_utils._plan.drain import drain_problems, plan_drain
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import timers_from
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import read_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard_result import why_unread
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import (
    Shown,
    described,
    empty,
    read_checks,
    refusal,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import timer_problems

Params = t.Mapping[str, t.Any]


def answer(params: Params) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and what forbids to begin."""
    spec, wrong = read_cluster_spec(params)
    drained = [host.name for host in spec.hosts if host.drained] if spec else []
    result = {
        **empty(),
        "operation": "drain",
        "target": ", ".join(drained),
        "timers": timers_from(params).as_dict(),
    }
    checks = read_checks(params["checks"])
    problems = list(checks.problems)
    # Unknown is not absent: a host that is not read is not known to be empty.
    problems += unread_problems({host: why for host, why in params["unread"].items() if host in drained})
    problems += [problem for problem in wrong if problem.code not in {known.code for known in problems}]
    if spec is not None and not problems and not checks.failures:
        planned, found = _planned(params, spec, drained)
        problems += found
        result.update(planned)
    result["refusal"] = refusal(problems, checks.failures, 2 if params["begun"] else params["first"])
    if result["refusal"]:
        result.update(empty())
    return result, problems


def _planned(params: Params, spec: t.Any, drained: t.Sequence[str]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The plan as a result, and its problems."""
    placement = place(spec, running_slots(params))
    placed = [node.as_dict() for node in placement.nodes]
    there = [node for node in placed if node["exists"]]
    state = read_state(there, params["observed"], params["health"], spec.shards)
    steps = plan_drain(state, placement.nodes) if not placement.problems else []
    problems = list(placement.problems)
    if steps:
        problems += drain_problems(state, there, params["observed"], params["health"], why_unread(params["health"]))
        problems += timer_problems(steps, params["declared_settings"], params["settings_unread"])
    if problems:
        return {}, problems
    shown = _shown(drained, params["to_declare"], [host for host in params["database_hosts"] if host in drained])
    return described(state, steps, placed, shown, shared_tokens=params["shared_tokens"]), []


def _shown(drained: t.Sequence[str], to_declare: t.Sequence[str], databases: t.Sequence[str]) -> Shown:
    """What is said besides the steps."""
    if not drained:
        return Shown("", "No host is drained: nothing to do.")
    names, verb = enumerate_all(drained), "is" if len(drained) == 1 else "are"
    has = "has" if len(drained) == 1 else "have"
    nothing = "{0} {1} drained and {2} no node of the cluster: nothing to do.".format(names, verb, has)
    note = ""
    if to_declare:
        note = (
            "Write wa_drained: true for {0} into the inventory, or take {1} out of it: otherwise site.yml may place"
            " nodes there again.".format(enumerate_all(to_declare), "it" if len(to_declare) == 1 else "them")
        )
    warnings = [
        Problem(
            "DATABASE_STAYS",
            "The database of wa_database_hosts runs here and is not moved: as long as the host is away, so is it.",
            "wa_database_hosts",
            None,
            host,
        )
        for host in databases
    ]
    return Shown("{0} {1} emptied:".format(names, verb), nothing, note, tuple(warnings))
