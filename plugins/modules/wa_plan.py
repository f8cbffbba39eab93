#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_plan
short_description: Plan how a running WhatsApp Business API cluster changes its number of shards
version_added: 0.1.0
description:
  - Answers with the ordered steps from the cluster as it is to the wanted number of shards and the coreapps that takes,
    each with what must hold before the next one and what it costs. Does none of them.
  - New coreapps come first, then set-shards; surplus coreapps go only when all are back, and never while they own a
    shard.
  - To be asked again before each step. What set-shards does with the owners of shards is not known before.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.shape
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  cluster:
    description: What M(waent.fleet.wa_cluster_health) returned as RV(waent.fleet.wa_cluster_health#module:cluster).
    type: dict
    required: true
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan the way to 8 shards
  waent.fleet.wa_plan:
    shards: 8
    survive:
      racks: 1
    hosts:
      - {name: rack-a-1, rack: a, kinds: [coreapp, master, webapp]}
      - {name: rack-b-1, rack: b, kinds: [coreapp, master, webapp]}
    running: "{{ ansible_play_hosts | map('extract', hostvars, ['look', 'host', 'nodes']) | flatten }}"
    cluster: "{{ health.cluster }}"
  delegate_to: localhost
  run_once: true
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.steps | map(attribute='sentence') }}"
"""

RETURN = r"""
steps:
  description: What to do, in this order. Empty when the cluster is as wanted.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(create) coreapps, V(start) coreapps that do not report, V(set_shards), V(hand_over) the shard of a
          coreapp by stopping it, or V(remove) coreapps.
      type: str
      returned: always
    nodes:
      description: Keys of the nodes it touches, as in the health endpoint.
      type: list
      elements: str
      returned: always
    gate:
      description:
        - What must hold before the next step. V(alive) are keys that report, V(shards) is the configured number,
          V(connected) the number of connected coreapps, V(owned) are shards that have another owner, V(absent) are keys
          that are gone.
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
      description: Whether the nodes are a guess, since it depends on what an earlier step brings about.
      type: bool
      returned: always
  sample:
    - action: set_shards
      nodes: []
      gate: {shards: 2, alive: ["h:wa-coreapp-1", "h:wa-coreapp-2", "h:wa-coreapp-3"], connected: 2}
      downtime: {"0": 60}
      sentence: >-
        Set shards from 1 to 2: all 3 coreapps restart by themselves, 45 to 60 s without service on every shard; wait
        until all are back and 2 are connected.
      predicted: false
grow:
  description: Keys of the coreapps that some step creates or starts.
  returned: always
  type: list
  elements: str
hand_over:
  description: Keys of the coreapps that hand over their shards before they go.
  returned: always
  type: list
  elements: str
shrink:
  description: Keys of the coreapps that go, those of RV(hand_over) among them.
  returned: always
  type: list
  elements: str
downtime:
  description: Expected seconds without service by shard, all steps together.
  returned: always
  type: dict
  sample: {"0": 60}
nodes:
  description: All coreapps, those to be created among them, in the form of M(waent.fleet.wa_placement).
  returned: always
  type: list
  elements: dict
problems:
  description: What forbids to begin, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_PLAN_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_PLAN_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [WA_SURVIVE_IMPOSSIBLE] wa_survive asks that the loss of 1 rack be survived: hosts for coreapps are in 1 rack (a),
      need 2.
    details: {codes: [WA_SURVIVE_IMPOSSIBLE]}
"""

import typing as t
from collections import Counter

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_wanted
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import running_slots, shape_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard import plan_reshard, read_state

CODE = "WA_PLAN_REFUSED"
ARGUMENTS: dict[str, t.Any] = {**shape_options(), "cluster": {"type": "dict", "required": True}}


def answer(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The plan for the module's options, or what forbids it."""
    result: dict[str, t.Any] = {"steps": [], "downtime": {}, "nodes": [], "grow": [], "hand_over": [], "shrink": []}
    wanted, problems = read_wanted(params)
    if wanted is None:
        return result, problems
    state, problems = read_state(params["cluster"], running_slots(params), wanted)
    if state is None:
        return result, problems
    plan = plan_reshard(state, wanted)
    seconds: Counter[str] = Counter()
    for step in plan.steps:
        seconds.update(step.as_dict()["downtime"])
    result.update(
        steps=[step.as_dict() for step in plan.steps],
        downtime=dict(seconds),
        nodes=[node.as_dict() for node in plan.nodes],
        grow=plan.keys_of("create", "start"),
        hand_over=plan.keys_of("hand_over"),
        shrink=plan.keys_of("remove"),
    )
    return result, list(plan.problems)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
