#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_adopt_plan
short_description: Plan how nodes of compose files become nodes of this collection
version_added: 0.3.0
description:
  - Returns the ordered steps after which every node that compose files have started has one of this collection in its
    place, each with what must hold before the next one and what it costs. Does none of them.
  - Which nodes those are is decided by O(observed), by the database they have.
  - Of a cluster they are adopted one after the other, standbys before owners, secondary masters before the primary. A
    single instance stops before the first node of the cluster starts.
  - Where no webapp or no master runs, those come first, and what is left is planned again from what can be read then,
    with O(plans_again).
  - The plan of an adoption that was interrupted is what is left of it.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.shape
  - waent.fleet.plan
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  plans_again:
    description: Whether another plan can follow. Without it what cannot be read is a refusal.
    type: bool
    default: false
    version_added: 0.3.0
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan how the nodes of compose files are adopted
  waent.fleet.wa_adopt_plan:
    shards: 2
    hosts:
      - {name: rack-a-1, kinds: [coreapp, master, webapp], pins: {webapp: 1, master: 2, coreapp: 3}}
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
  description: Always empty.
  returned: always
  type: str
steps:
  description: What to do, in this order. Empty when no node of a compose file is left, and all that is placed runs.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(create) nodes, V(start) nodes that do not report, V(adopt) nodes in the place of others, V(switchover) the
          shard of a coreapp by stopping it, V(stop) nodes, or V(discard) containers of compose files.
      type: str
      returned: always
    nodes:
      description: Keys of the nodes it touches, as in the health endpoint.
      type: list
      elements: str
      returned: always
    gate:
      description:
        - What must hold before the next step. V(alive) are keys that report, V(connected) is the number of connected
          coreapps, V(owned) are shards that have another owner, V(away) are keys that are stopped, V(absent) are keys
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
      description: Whether the nodes it touches are known only once the steps before it are done.
      type: bool
      returned: always
  sample:
    - action: adopt
      nodes: ["192.0.2.11:wa-coreapp-1"]
      gate: {alive: ["192.0.2.11:wa-coreapp-1"], absent: ["wacore1:0123456789ab"], connected: 1}
      downtime: {}
      sentence: "Adopt 1 coreapp without a shard: dev_wacore1_1 as rack-a-1:wa-coreapp-1."
      predicted: false
batches:
  description:
    - For each step the entries a play needs, one for each node.
    - C(name) is unique, C(host) is the inventory host it is done on, C(node) the node as placed, C(expect) the gate.
  returned: always
  type: list
  elements: list
again:
  description: Whether another plan has to be made after the batches.
  returned: always
  type: bool
sentences:
  description: The plan in words.
  returned: always
  type: list
  elements: str
  sample: ["The nodes that compose files have started are adopted (dev_wacore1_1):"]
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
  description: Always empty; the inventory is there.
  returned: always
  type: str
operation:
  description: Always V(adopt).
  returned: always
  type: str
downtime:
  description: Expected seconds without service by shard, all steps together.
  returned: always
  type: dict
  sample: {"0": 10}
problems:
  description: What forbids to begin, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_ADOPT_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_ADOPT_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [HOST_NOT_READ] rack-b-1: The host could not be read (timed out), but nodes are placed on it.
    details: {codes: [HOST_NOT_READ]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import shape_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.adopt_result import answer
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import plan_options

CODE = "WA_ADOPT_REFUSED"
ARGUMENTS: dict[str, t.Any] = {**shape_options(), **plan_options(), "plans_again": {"type": "bool", "default": False}}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
