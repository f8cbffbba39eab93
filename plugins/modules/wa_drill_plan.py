#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_drill_plan
short_description: Choose what a drill breaks in a running cluster, and predict the outage
version_added: 0.2.0
description:
  - A drill breaks one thing on purpose, a node, a host, a rack, the network of a host, or the database, to see whether
    the cluster helps itself as it should.
  - Refuses a production cluster without O(really), a drill or target that there is not, a cluster that is not healthy,
    and a breakage after which nobody could take over.
  - Answers with what is broken on which host, with the script by which the host restores it, and with the outage that
    follows from the rules of the product.
  - Where hosts have such a script of the same drill, as a run was killed, it answers with those hosts, and nothing more
    is broken. A script of another drill is a reason to refuse.
  - Runs on the controller, changes nothing and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  drill:
    description: What to break, V(coreapp), V(master), V(webapp), V(host), V(rack), V(partition) or V(database).
    type: raw
    required: true
  target:
    description:
      - Which one, a node by its name in health or its container's name, a host, a rack, or a database's container.
      - Without it an owner, or what has one, that is not on the host of the primary master; the primary for V(master).
    type: str
  production:
    description: Whether the inventory is that of a production cluster.
    type: bool
    default: false
  really:
    description: Whether the drill is meant for a production cluster all the same.
    type: bool
    default: false
  nodes:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes).
    type: list
    elements: dict
    required: true
  observed:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  health:
    description: What M(waent.fleet.wa_cluster_health) returned.
    type: dict
    default: {}
  checks:
    description: Results of modules that checked something before; with a problem in one the cluster is not healthy.
    type: list
    elements: dict
    default: []
  shards:
    description: Number of shards, for where the API does not show it.
    type: int
    default: 1
  settings:
    description: The application settings as they are.
    type: dict
    default: {}
  declared_settings:
    description: Application settings that are declared in the inventory.
    type: dict
    default: {}
  network:
    description: The network of the nodes on each host.
    type: str
    required: true
  cluster_name:
    description: The cluster.
    type: str
    required: true
  deadline:
    description: After so many seconds a host restores by itself what was broken.
    type: int
    default: 300
  begun:
    description: The moment at which the run began, as text.
    type: str
    required: true
seealso:
  - module: waent.fleet.wa_drill_watch
  - module: waent.fleet.wa_drill_report
"""

EXAMPLES = r"""
- name: Predict what the loss of an owner does
  waent.fleet.wa_drill_plan:
    drill: coreapp
    nodes: "{{ placement.nodes }}"
    observed: "{{ ansible_play_hosts_all | map('extract', hostvars, ['read', 'host']) }}"
    health: "{{ health }}"
    network: waent
    cluster_name: waent
    begun: 2026-11-28T10:00:00Z
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
sentences:
  description: What is broken and what is predicted, to be shown.
  returned: success
  type: list
  elements: str
  sample: ["Drill: coreapp. Kill wa-coreapp-1 on a-1.", "Prediction: shard 0 without an owner for 35 s at most."]
predicted:
  description:
    - Seconds of outage at most, C(service) of shards and webapps, C(primary) of the primary master, which is null where
      it is not touched; C(documented_service) and C(documented_primary) with the product's own failover timers.
  returned: success
  type: dict
  sample: {service: 35, primary: null, documented_service: 35, documented_primary: null}
restores:
  description: Whether it is only restored what another run has broken.
  returned: success
  type: bool
  sample: false
write:
  description: The command that writes the script on a host, which is given it as standard input.
  returned: where something is broken
  type: list
  elements: str
  sample: [sh, -c, "...", ./.waent-drill-waent.sh]
hosts:
  description:
    - By inventory name C(commands), which break it, and C(script), which restores it; neither with RV(restores).
  returned: success
  type: dict
  sample: {a-1: {commands: [[docker, kill, --signal, KILL, wa-coreapp-1]], script: "#!/bin/sh ..."}}
broken:
  description: The nodes that are broken, by their names in health.
  returned: success
  type: list
  elements: str
  sample: ["a-1:wa-coreapp-1"]
webapps:
  description: The URLs of the webapps that are left.
  returned: success
  type: list
  elements: str
  sample: ["https://a-1:9090"]
script_name:
  description: Name of the script that restores it, in the home directory of the user on a host.
  returned: success
  type: str
  sample: .waent-drill-waent.sh
deadline:
  description: Seconds after which a host restores it by itself.
  returned: where something is broken
  type: int
  sample: 300
away:
  description: What is going to be away for a while, V(service), V(primary) or both.
  returned: where something is broken
  type: list
  elements: str
  sample: [service]
shards:
  description: Number of shards that the cluster is set to.
  returned: where something is broken
  type: int
  sample: 2
watch_seconds:
  description: Seconds to watch at most.
  returned: where something is broken
  type: int
  sample: 300
least_seconds:
  description: Seconds to watch at least.
  returned: where something is broken
  type: int
  sample: 35
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._plan.drill_result import plan as answer

CODE = "WA_DRILL_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "drill": {"type": "raw", "required": True},
    "target": {"type": "str"},
    "production": {"type": "bool", "default": False},
    "really": {"type": "bool", "default": False},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "observed": {"type": "list", "elements": "dict", "required": True},
    "health": {"type": "dict", "default": {}},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "shards": {"type": "int", "default": 1},
    "settings": {"type": "dict", "default": {}},
    "declared_settings": {"type": "dict", "default": {}},
    "network": {"type": "str", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "deadline": {"type": "int", "default": 300},
    "begun": {"type": "str", "required": True},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
