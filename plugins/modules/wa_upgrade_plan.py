#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_upgrade_plan
short_description: Plan how a running WhatsApp Business API cluster changes its version
version_added: 0.1.0
description:
  - Answers with the ordered steps from the cluster as it is to the wanted version, each with what must hold before the
    next one and what it costs. Does none of them.
  - Within one line of versions nodes are replaced in turn (V(rolling)). Coreapps without a shard come first, one alone
    and then the others; the owner of a shard is stopped only when one that is new can take over; the primary master
    comes after the other masters; webapps come one at a time.
  - Between lines (V(schema)) everything that writes is stopped while the schema of the database is upgraded.
  - The plan of a cluster that an earlier run left half upgraded is what was left to do.
  - Nodes that have the version already and differ otherwise are replaced in the same careful order.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  version:
    description: The wanted version, with or without the leading v.
    type: raw
    required: true
  strategy:
    description: How to get there. V(auto) is V(rolling) within one line of versions (2.19), else V(schema).
    type: raw
    default: auto
  allow_no_ha:
    description: Accept that shards are without service where no coreapp stands by, or that the only master goes.
    type: bool
    default: false
  shards:
    description: Configured number of shards, for where the API does not tell.
    type: int
    required: true
  nodes:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes), told what runs.
    type: list
    elements: dict
    required: true
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  health:
    description: Everything that M(waent.fleet.wa_cluster_health) returned, asked with a token and without a version.
    type: dict
    required: true
  schema:
    description: How far the schema upgrade to this version is, by its one-shot container.
    type: str
    choices: [none, begun, done]
    default: none
  anew:
    description: Keys of nodes whose containers are known to differ from what is wanted, beyond what was read.
    type: list
    elements: str
    default: []
  problems:
    description:
      - Problems that were found elsewhere, to be told in the same go.
      - Those that an upgrade mends, such as C(VERSION_DIFFERS), are left out.
    type: list
    elements: dict
    default: []
seealso:
  - module: waent.fleet.wa_plan
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan the way to another version
  waent.fleet.wa_upgrade_plan:
    version: v2.19.7
    shards: 4
    nodes: "{{ placement.nodes }}"
    hosts: "{{ ansible_play_hosts | map('extract', hostvars, ['look', 'host']) }}"
    health: "{{ health }}"
  delegate_to: localhost
  run_once: true
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.forecast }}"
"""

RETURN = r"""
strategy:
  description: V(rolling) or V(schema).
  returned: always
  type: str
  sample: rolling
steps:
  description: What to do, in this order. Empty when every node is as wanted.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(replace) nodes by new ones, V(hand_over) the shard of a coreapp by stopping it, V(stop) nodes, take a
          V(snapshot) of the database, V(clean_up) old messages, V(schema_upgrade).
      type: str
      returned: always
    nodes:
      description: Keys of the nodes it touches, as in the health endpoint.
      type: list
      elements: str
      returned: always
    gate:
      description:
        - What must hold before the next step. V(alive) are keys that report, V(away) keys that are stopped,
          V(connected) the number of connected coreapps, V(owned) are shards that have another owner.
      type: dict
      returned: always
    downtime:
      description: Expected seconds without service, by shard.
      type: dict
      returned: always
    sentence:
      description: The step in words.
      type: str
      returned: always
    predicted:
      description: Always V(false), for the same shape as M(waent.fleet.wa_plan).
      type: bool
      returned: always
  sample:
    - action: hand_over
      nodes: ["rack-a-1:wa-coreapp-1"]
      gate: {owned: [0], away: ["rack-a-1:wa-coreapp-1"]}
      downtime: {"0": 10}
      sentence: >-
        Stop rack-a-1:wa-coreapp-1, which owns shard 0; a standby that is new takes over, about 10 s without service
        there.
      predicted: false
forecast:
  description: The sentences of the steps, numbered.
  returned: always
  type: list
  elements: str
  sample: ["1. Replace 1 coreapp without a shard: rack-b-1:wa-coreapp-2."]
batches:
  description:
    - For each step the entries a play needs, one for each node, or one for a step without nodes.
    - C(name) is unique, C(host) is the inventory host it is done on, C(node) the node as placed, C(expect) the gate.
  returned: always
  type: list
  elements: list
downtime:
  description: Expected seconds without service by shard, all steps together.
  returned: always
  type: dict
  sample: {"0": 10}
versions:
  description: Which versions run on how many nodes.
  returned: always
  type: str
  sample: "v2.19.4: 7 nodes"
changes_version:
  description: Whether a node runs another version; where none does, nodes differ from what is wanted in something else.
  returned: always
  type: bool
  sample: true
warnings_found:
  description: What the reader should know before, in the form of RV(problems).
  returned: always
  type: list
  elements: dict
problems:
  description: What forbids to begin, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_UPGRADE_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_UPGRADE_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [DOWNGRADE] version is v2.19.4, but the cluster runs v2.19.7 already; ...
    details: {codes: [DOWNGRADE]}
"""

import typing as t
from collections import Counter

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade import (
    STRATEGIES,
    UpgradePlan,
    UpgradeState,
    plan_upgrade,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_state import (
    UPGRADE_MENDS,
    batches,
    health_problems,
    nobody_to_ask,
    read_nodes,
    stranger_problems,
    table_of_versions,
    uncertain_owners,
)

CODE = "WA_UPGRADE_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "version": {"type": "raw", "required": True},
    "strategy": {"type": "raw", "default": "auto"},
    "allow_no_ha": {"type": "bool", "default": False},
    "shards": {"type": "int", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "health": {"type": "dict", "required": True},
    "schema": {"type": "str", "choices": ["none", "begun", "done"], "default": "none"},
    "anew": {"type": "list", "elements": "str", "default": []},
    "problems": {"type": "list", "elements": "dict", "default": []},
}


def option_problems(params: t.Mapping[str, t.Any]) -> list[Problem]:
    """What is wrong with the two values the user gives."""
    problems = []
    if parse_version(params["version"]) is None:
        message = "version is {0!r}; allowed is vN.N.N or N.N.N, for example v2.19.7.".format(params["version"])
        problems.append(Problem("VERSION_INVALID", message, "version", params["version"]))
    if params["strategy"] not in STRATEGIES:
        message = "strategy is {0!r}; allowed is {1}.".format(params["strategy"], " or ".join(STRATEGIES))
        problems.append(Problem("STRATEGY_INVALID", message, "strategy", params["strategy"]))
    return problems


def only_webapps(plan: UpgradePlan, state: UpgradeState) -> UpgradePlan:
    """What can be done while nobody can be asked: have a webapp again. The rest is planned when it answers."""
    webapps = {node.key for node in state.of("webapp")}
    steps = tuple(step for step in plan.steps if step.nodes and set(step.nodes) <= webapps)
    return UpgradePlan(plan.strategy, steps, plan.problems, plan.warnings)


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result, and what forbids to begin."""
    result: dict[str, t.Any] = {
        "strategy": "",
        "steps": [],
        "forecast": [],
        "batches": [],
        "downtime": {},
        "versions": "",
        "changes_version": False,
        "warnings_found": [],
    }
    problems = [Problem(**entry) for entry in params["problems"] if entry["code"] not in UPGRADE_MENDS]
    wrong = option_problems(params)
    version = parse_version(params["version"])
    if wrong or version is None or not params["nodes"]:
        return result, wrong + problems
    health = params["health"]
    nodes = read_nodes(params["nodes"], params["hosts"], health, version, params["anew"])
    schema = None if params["schema"] == "none" else params["schema"]
    state = UpgradeState(health["cluster"].get("shards") or params["shards"], tuple(nodes), schema)
    plan = plan_upgrade(state, version, params["strategy"], params["allow_no_ha"])
    if nobody_to_ask(nodes, health):
        plan = only_webapps(plan, state)
    elif plan.strategy == "rolling" and plan.steps:
        told = {problem.code for problem in problems} & {"NODE_UNKNOWN"}
        problems += [p for p in health_problems(nodes, params["nodes"], health) if p.code not in told]
        problems += stranger_problems(params["hosts"])
        if health["cluster"].get("registered"):
            problems += uncertain_owners(nodes, params["nodes"], params["hosts"], state.shards)
    problems += plan.problems
    other = any(node.version not in (None, version) for node in nodes)
    result.update(strategy=plan.strategy, versions=table_of_versions(nodes), changes_version=other)
    if not problems:
        result.update(described(plan, batches(state, plan, params["nodes"], version)))
    return result, problems


def described(plan: UpgradePlan, entries: list[list[t.Mapping[str, t.Any]]]) -> dict[str, t.Any]:
    """The part of the result that tells the plan."""
    steps = [step.as_dict() for step in plan.steps]
    seconds: Counter[str] = Counter()
    for step in steps:
        seconds.update(step["downtime"])
    return {
        "steps": steps,
        "forecast": ["{0}. {1}".format(number, step["sentence"]) for number, step in enumerate(steps, 1)],
        "batches": entries,
        "downtime": dict(seconds),
        "warnings_found": [warning.as_dict() for warning in plan.warnings],
    }


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
