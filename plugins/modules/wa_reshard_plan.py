#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_reshard_plan
short_description: Plan how a running WhatsApp Business API cluster changes its number of shards
version_added: 0.2.0
description:
  - Returns the ordered steps from the cluster as it is to the desired number of shards and the coreapps that takes,
    each with what must hold before the next one and what it costs. Does none of them.
  - New coreapps come first, then set-shards; surplus coreapps go only when all are back, and never while they own a
    shard.
  - Which coreapps own shards after set-shards is not known before, so steps after it are predicted, and a plan is made
    again then.
options:
  declared_shards:
    description: The number of shards in the inventory, to say what has to be written there.
    type: raw
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.shape
  - waent.fleet.plan
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan the way to 8 shards
  waent.fleet.wa_reshard_plan:
    shards: 8
    survive:
      racks: 1
    hosts:
      - {name: rack-a-1, rack: a, kinds: [coreapp, master, webapp]}
      - {name: rack-b-1, rack: b, kinds: [coreapp, master, webapp]}
    running: "{{ ansible_play_hosts | map('extract', hostvars, ['gathered', 'host', 'nodes']) | flatten }}"
    observed: "{{ ansible_play_hosts | map('extract', hostvars, ['gathered', 'host']) }}"
    health: "{{ health }}"
  delegate_to: localhost
  run_once: true
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.sentences }}"
"""

RETURN = r"""
target:
  description: The version or the number of shards that the plan leads to.
  returned: always
  type: str
steps:
  description: What to do, in this order. Empty when the cluster is in the desired state.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(create) coreapps, V(start) coreapps that do not report, V(set_shards), V(switchover) the shard of a
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
batches:
  description:
    - For each step the entries a play needs, one for each node, or one for a step without nodes, up to the first step
      that is predicted.
    - C(name) is unique, C(host) is the inventory host it is done on, C(node) the node as placed, C(expect) the gate.
  returned: always
  type: list
  elements: list
again:
  description: Whether steps are predicted, so that a plan has to be made once more after the batches.
  returned: always
  type: bool
sentences:
  description: The plan in words.
  returned: always
  type: list
  elements: str
  sample: ["From 1 to 2 shards:", "1. Create 1 coreapp: h:wa-coreapp-3; wait until each is a standby."]
refusal:
  description: Why the steps may not begin, one line for each reason. Empty where they may.
  returned: always
  type: str
timers:
  description:
    - The failover timers C(heartbeat_interval) and C(unhealthy_interval), C(shortened) during switchovers and
      C(restored) afterwards. C(left) is true where a killed run has left some shortened.
  returned: always
  type: dict
  sample:
    shortened: {heartbeat_interval: 1, unhealthy_interval: 3}
    restored: {heartbeat_interval: 5, unhealthy_interval: 30}
    left: false
inventory_note:
  description: What to write into the inventory in the end.
  returned: always
  type: str
operation:
  description: Always V(reshard).
  returned: always
  type: str
downtime:
  description: Expected seconds without service by shard, all steps together.
  returned: always
  type: dict
  sample: {"0": 60}
desired:
  description:
    - The cluster after the steps. C(nodes) in the form of M(waent.fleet.wa_placement), C(counts) of C(coreapp).
  returned: success
  type: dict
problems:
  description: What forbids to begin, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_RESHARD_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_RESHARD_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [WA_SURVIVE_IMPOSSIBLE] wa_survive asks that the loss of 1 rack be survived: hosts for coreapps are in 1 rack (a),
      need 2.
    details: {codes: [WA_SURVIVE_IMPOSSIBLE]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import shape_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import plan_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.reshard_result import answer

CODE = "WA_RESHARD_REFUSED"
ARGUMENTS: dict[str, t.Any] = {"declared_shards": {"type": "raw"}, **shape_options(), **plan_options()}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
