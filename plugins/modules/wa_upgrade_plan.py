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
  - Answers with the ordered steps from the cluster as it is to the desired version, each with what must hold before the
    next one and what it costs. Does none of them.
  - Within one line of versions nodes are replaced in turn (V(rolling)). Coreapps without a shard come first, one alone
    and then the others; the owner of a shard is stopped only when one that is new can take over; the primary master
    comes after the other masters; webapps come one at a time.
  - Between lines (V(schema)) everything that writes is stopped while the schema of the database is upgraded.
  - Where no webapp runs, nobody shows who owns which shard. Within one line the plan is to have webapps then, and the
    rest is planned again, with O(plans_again); between lines it is enough to know what runs.
  - The plan of a cluster that an earlier run left half upgraded is what was left to do.
  - Nodes that have the version already and differ otherwise are recreated in the same order.
  - Last come hosts whose media share has to be mounted again (O(remount)), one at a time with all their nodes.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.plan
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  version:
    description: The desired version, with or without the leading v.
    type: raw
    required: true
  declared_version:
    description: The version in the inventory, to say what has to be written there.
    type: raw
  strategy:
    description: How to get there. V(auto) is V(rolling) within one line of versions (2.19), else V(schema).
    type: raw
    default: auto
  allow_no_ha:
    description: Accept that shards are without service where no coreapp is a standby, or that the only master goes.
    type: bool
    default: false
  shards:
    description: Configured number of shards, for where the API does not show it.
    type: int
    required: true
  nodes:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes).
    type: list
    elements: dict
    required: true
  leaving:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:leaving).
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
  plans_again:
    description: Whether another plan can follow, as where no webapp runs and nodes are to be replaced in turn.
    type: bool
    default: false
    version_added: 0.3.0
  snapshot:
    description:
      - The task file that takes a snapshot of the database, V(none) where there is one already. Empty where neither is
        declared.
    type: str
    default: none
  remount:
    description:
      - Hosts whose media share has to be unmounted and mounted again for its options, as
        RV(waent.fleet.wa_preflight#module:remounts). Their nodes stop for it, one host at a time.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_reshard_plan
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Plan the way to another version
  waent.fleet.wa_upgrade_plan:
    version: v2.19.7
    shards: 4
    nodes: "{{ placement.nodes }}"
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
operation:
  description: V(upgrade), or V(site) where no node changes its version.
  returned: always
  type: str
  sample: upgrade
strategy:
  description: V(rolling) or V(schema).
  returned: always
  type: str
  sample: rolling
target:
  description: The version or the number of shards that the plan leads to.
  returned: always
  type: str
steps:
  description: What to do, in this order. Empty when every node is in its desired state.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description:
        - V(replace) nodes by new ones, V(switchover) the shard of a coreapp by stopping it, V(stop) nodes, take a
          V(snapshot) of the database, V(cleanup) old messages, V(schema_upgrade), V(remount) the media share of a host
          with all its nodes stopped.
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
      description: Whether the nodes it touches are known only once the steps before it are done.
      type: bool
      returned: always
  sample:
    - action: switchover
      nodes: ["rack-a-1:wa-coreapp-1"]
      gate: {owned: [0], away: ["rack-a-1:wa-coreapp-1"]}
      downtime: {"0": 10}
      sentence: >-
        Stop rack-a-1:wa-coreapp-1, which owns shard 0, and wait for failover: an up-to-date standby takes over, about
        10 s without service there.
      predicted: false
batches:
  description:
    - For each step the entries a play needs, one for each node, or one for a step without nodes.
    - C(name) is unique, C(host) is the inventory host it is done on, C(node) the node as placed, C(expect) the gate.
  returned: always
  type: list
  elements: list
again:
  description: Whether another plan has to be made after the batches.
  returned: always
  type: bool
sentences:
  description: The plan in words, warnings first.
  returned: always
  type: list
  elements: str
  sample: ["From v2.19.4: 7 nodes to v2.19.7, rolling:", "1. Replace 1 coreapp without a shard: rack-b-1:wa-coreapp-2."]
refusal:
  description: Why the steps may not begin, one line for each reason. Empty where they may.
  returned: always
  type: str
downtime:
  description: Expected seconds without service by shard, all steps together.
  returned: always
  type: dict
  sample: {"0": 10}
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
one_shots:
  description: Where the one-shot container of the schema upgrade is, or is going to be, as C({host}).
  returned: always
  type: list
  elements: dict
inventory_note:
  description: What to write into the inventory in the end. Empty where it is there already.
  returned: always
  type: str
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._plan.options import plan_options
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_result import answer

CODE = "WA_UPGRADE_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "version": {"type": "raw", "required": True},
    "declared_version": {"type": "raw"},
    "strategy": {"type": "raw", "default": "auto"},
    "allow_no_ha": {"type": "bool", "default": False},
    "shards": {"type": "int", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "leaving": {"type": "list", "elements": "dict", "default": []},
    "snapshot": {"type": "str", "default": "none"},
    "remount": {"type": "list", "elements": "str", "default": []},
    "plans_again": {"type": "bool", "default": False},
    **plan_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
