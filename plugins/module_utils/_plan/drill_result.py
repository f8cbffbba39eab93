# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What wa_drill_plan and wa_drill_report answer. Internal to waent.fleet. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import (
    DATABASE,
    left_problems,
    script_name,
    unknown_drill,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes, ours
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import CODED, failed_results, said
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    Refusal,
    failure_in,
    lines_of,
    summary,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._plan import drill as drills
from ansible_collections.waent.fleet.plugins.module_utils._plan.outage import CONNECT_SECONDS
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import read_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import PRODUCT

Params = t.Mapping[str, t.Any]
Answer = t.Tuple[t.Dict[str, t.Any], t.List[Problem]]

PRODUCTION = (
    "The inventory is that of a production cluster (wa_production is true), and a drill is an outage on purpose; add"
    " {0} to the command if it is meant.".format(instruction("drill_in_production"))
)
UNHEALTHY = (
    "The cluster is not healthy, so that nobody could say what the drill has done; run "
    + instruction("drill_of_unhealthy")
    + ". {0}"
)


def plan(params: Params) -> Answer:
    """The drill, or everything that speaks against it; of one that was left, how it is ended."""
    left = {host["name"]: host["drill"] for host in params["observed"] if host.get("drill")}
    if left and {one["drill"] for one in left.values()} == {params["drill"]}:
        return _restoration(params, left), []
    problems = _against(params)
    if problems:
        return {}, problems
    scene = scene_of(params)
    try:
        choice = drills.choose(params["drill"], params["target"], scene)
    except Refusal as refusal:
        return {}, [Problem(refusal.code, refusal.message, "target", params["target"])]
    predicted = drills.predict(params["drill"], choice, scene, unhealthy_interval(params))
    if params["drill"] != DATABASE and predicted.longest >= params["deadline"]:
        message = (
            "wa_drill_deadline_seconds is {0}, and the outage may last {1} s; allowed is more than that, as the hosts"
            " would restore what is broken before the cluster has helped itself."
        ).format(params["deadline"], predicted.longest)
        return {}, [Problem("DRILL_DEADLINE_SHORT", message, "wa_drill_deadline_seconds", params["deadline"])]
    return _result(params, scene, choice, predicted), []


def _against(params: Params) -> list[Problem]:
    problems = unknown_drill(params["drill"])
    if params["production"] and not params["really"]:
        problems.append(Problem("DRILL_ON_PRODUCTION", PRODUCTION, "wa_production", True))
    for host in params["observed"]:
        problems += left_problems(host)
    health = params["health"]
    wrong = lines_of([*params["checks"], health])
    broken = any(check.get("problems") or failure_in(check) for check in params["checks"])
    if not problems and (broken or not health.get("healthy")):
        problems.append(Problem("DRILL_NOT_HEALTHY", UNHEALTHY.format(" ".join(wrong)).strip()))
    return problems


def _restoration(params: Params, left: t.Mapping[str, t.Mapping[str, str]]) -> dict[str, t.Any]:
    """The same command again, after a run that was killed: it restores what that has broken, and breaks nothing."""
    where = enumerate_all(["{0} ({1})".format(host, one["what"]) for host, one in sorted(left.items())])
    return {
        "drill": params["drill"],
        "target": params["target"] or "",
        "begun": params["begun"],
        "restores": True,
        "sentences": [
            "A drill is under way or was left on {0}.".format(where),
            "What it broke is restored now. Nothing more is broken, and nothing is measured.",
        ],
        "predicted": {"service": None, "primary": None, "documented_service": None, "documented_primary": None},
        "script_name": script_name(params["cluster_name"]),
        "hosts": {host: {} for host in left},
    }


def scene_of(params: Params) -> drills.Scene:
    """What was read. Only containers with the label of this cluster are among the nodes."""
    placed = [node for node in params["nodes"] if _is_ours(node, params["observed"])]
    databases = {
        host["name"]: container["name"]
        for host in params["observed"]
        for container in host["containers"]
        if container["kind"] == "database" and container["state"] == "running" and ours(container, host)
    }
    return drills.Scene(
        read_state(placed, params["observed"], params["health"], params["shards"]),
        {node["key"]: node["name"] for node in placed},
        {node["host"]: str(node.get("rack") or "") for node in placed},
        databases,
    )


def _is_ours(node: Params, observed: t.Iterable[Params]) -> bool:
    return any(
        host["name"] == node["host"] and container["name"] == node["name"]
        for host in observed
        for container in cluster_nodes(host)
    )


def unhealthy_interval(params: Params) -> int:
    """The failover timer: as the API shows it, else the declared one, else the product's."""
    name = "unhealthy_interval"
    return int(params["settings"].get(name) or params["declared_settings"].get(name) or PRODUCT[name])


def _result(
    params: Params, scene: drills.Scene, choice: drills.Choice, predicted: drills.Prediction
) -> dict[str, t.Any]:
    drill, network = params["drill"], params["network"]
    is_database = drill == DATABASE
    containers: dict[str, list[str]] = {choice.hosts[0]: [choice.target]} if is_database else {}
    for node in choice.nodes:
        if node.slot:
            containers.setdefault(node.slot.host, []).append(scene.names[node.key])
    deadline = drills.HOLD_SECONDS if is_database else params["deadline"]
    gone = {node.key for node in choice.nodes}
    return {
        "drill": drill,
        "target": choice.target,
        "begun": params["begun"],
        "restores": False,
        "sentences": drills.sentences(drill, choice, scene, predicted, deadline),
        "predicted": asdict(predicted),
        "script_name": script_name(params["cluster_name"]),
        "write": drills.write_command(script_name(params["cluster_name"])),
        "deadline": deadline,
        "broken": sorted(gone),
        "webapps": [
            webapp_url(node)
            for node in params["nodes"]
            if node["kind"] == "webapp" and node["key"] in scene.names and node["key"] not in gone
        ],
        "away": [name for name, seconds in (("service", predicted.service), ("primary", predicted.primary)) if seconds],
        "shards": scene.state.shards,
        "watch_seconds": predicted.longest * 2 if is_database else min(predicted.longest * 2 + 30, params["deadline"]),
        "least_seconds": drills.HOLD_SECONDS if is_database else CONNECT_SECONDS,
        "hosts": {
            host: {
                "commands": drills.break_commands(drill, names, network),
                "script": drills.restore_script(drill, names, network, deadline, params["begun"]),
            }
            for host, names in containers.items()
        },
    }


def failures_of(result: Params, code: str) -> list[Problem]:
    """What a task said that did not do its part, if so. code: ours, unless there is one in its words."""
    found = []
    for _item, one in failed_results(result):
        if not (one.get("unreachable") or one.get("failed") or one.get("rc")):
            continue
        words = str(one.get("stderr") or "").strip() if one.get("rc") else ""
        words = words or said(one) or "A task failed without a word."
        if CODED.match(words):
            own, _bracket, words = words[1:].partition("] ")
            found.append(Problem(own, words))
        else:
            found.append(Problem(code, words))
    return found


def traffic(requests: int | None, errors: int | None) -> str:
    """What became of requests meanwhile; None is what could not be read."""
    if requests is None:
        return "How many requests failed meanwhile is not known: what the webapps count could not be read."
    if not requests:
        return "No requests were counted meanwhile."
    return "{0} of {1} requests failed meanwhile, through the webapps left.".format(errors, requests)


def report(params: Params) -> dict[str, t.Any]:
    """The table, what goes into the file, and why the drill ends red."""
    made, watched = params["plan"], params["watched"]
    rows = drills.rows(made["predicted"], watched)
    problems = [problem for result in params["break_results"] for problem in failures_of(result, "DRILL_STOPPED")]
    # What was not broken was not watched either.
    problems += drills.shortcomings(rows) if watched.get("service") or not problems else []
    problems += [problem for result in params["results"] for problem in failures_of(result, "DRILL_NOT_RESTORED")]
    problems = list(dict.fromkeys(problems))
    requests, errors = watched.get("requests", 0), watched.get("errors", 0)
    lines = [*drills.table(rows), traffic(requests, errors)]
    end = "The drill went as predicted." if not problems else "The drill did not go as it should."
    if made["restores"]:
        lines = []
        end = "What the drill broke is restored." if not problems else "What the drill broke is not restored."
    return {
        "refusal": summary(problems),
        "lines": [*lines, end],
        "report": {
            "drill": made["drill"],
            "target": made["target"],
            "begun": made["begun"],
            "restored_only": made["restores"],
            "passed": not problems,
            "outages": [row._asdict() for row in rows],
            "requests": requests,
            "errors": errors,
            "observations": watched.get("observations") or [],
            "problems": [problem.as_dict() for problem in problems],
        },
    }
