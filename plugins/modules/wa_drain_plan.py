#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_drain_plan
short_description: Plan how hosts of a running WhatsApp Business API cluster are emptied
version_added: 0.2.0
description:
  - Returns the ordered steps after which no host that is drained has a node of the cluster, each with what must hold
    before the next one and what it costs. Does none of them.
  - Nodes that must be on other hosts come first. Then go nodes that do not report, standbys, owners one at a time, each
    after a switchover, masters, the primary last, and webapps one at a time.
  - The plan of a drain that was interrupted is what is left of it.
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
  to_declare:
    description: Hosts that are drained by a command and not by the inventory, for RV(inventory_note).
    type: list
    elements: str
    default: []
  database_hosts:
    description: Hosts that run a database of our own, which is not moved.
    type: list
    elements: str
    default: []
  unread:
    description: Hosts that could not be read, and why. Such a one that is drained is not known to be empty.
    type: dict
    default: {}
  begun:
    description: Whether the run has changed something before, so that a refusal does not say otherwise.
    type: bool
    default: false
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan how rack-a-1 is emptied
  waent.fleet.wa_drain_plan:
    shards: 2
    survive:
      racks: 1
    hosts:
      - {name: rack-a-1, rack: a, kinds: [coreapp, master, webapp], drained: true}
      - {name: rack-a-2, rack: a, kinds: [coreapp, master, webapp]}
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
  description: The hosts that are drained.
  returned: always
  type: str
  sample: rack-a-1
steps:
  description: What to do, in this order. Empty when the hosts are.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(create) nodes, V(start) nodes that do not report, V(switchover) the shard of a coreapp by stopping it, or
          V(remove) nodes.
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
      description: Always false, as the nodes are known before.
      type: bool
      returned: always
  sample:
    - action: switchover
      nodes: ["rack-a-1:wa-coreapp-1"]
      gate: {owned: [0], away: ["rack-a-1:wa-coreapp-1"]}
      downtime: {"0": 10}
      sentence: >-
        Stop rack-a-1:wa-coreapp-1, which owns shard 0 and has to go, and wait for failover: a standby elsewhere takes
        over, about 10 s without service there.
      predicted: false
batches:
  description:
    - For each step the entries a play needs, one for each node.
    - C(name) is unique, C(host) is the inventory host it is done on, C(node) the node as placed, C(expect) the gate.
  returned: always
  type: list
  elements: list
again:
  description: Always false; nothing is predicted.
  returned: always
  type: bool
sentences:
  description: The plan in words.
  returned: always
  type: list
  elements: str
  sample: ["rack-a-1 is emptied:", "1. Create 1 coreapp: rack-a-2:wa-coreapp-1; wait until each is there."]
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
  description: Always V(drain).
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
  description: What failed, for playbooks to branch on. The code is V(WA_DRAIN_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_DRAIN_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [WA_SURVIVE_IMPOSSIBLE] wa_survive asks that the loss of 1 rack be survived: hosts for coreapps are in 1 rack (a),
      need 2; rack-b-1 is drained.
    details: {codes: [WA_SURVIVE_IMPOSSIBLE]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import shape_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.drain_result import answer
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import plan_options

CODE = "WA_DRAIN_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "to_declare": {"type": "list", "elements": "str", "default": []},
    "database_hosts": {"type": "list", "elements": "str", "default": []},
    "unread": {"type": "dict", "default": {}},
    "begun": {"type": "bool", "default": False},
    **shape_options(),
    **plan_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
