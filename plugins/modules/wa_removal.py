#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_removal
short_description: Decide what goes when a WhatsApp Business API cluster is removed from its hosts
version_added: 0.1.0
description:
  - Takes what M(waent.fleet.wa_host_info) read on each host, and answers what goes, in which order, and what stays.
  - Only what has the cluster's label goes. A network or volume that containers of others use stays.
  - A host that could not be read, or whose engine does not answer, is named in RV(unread). Only a host without any
    engine has nothing for sure.
  - Runs on the controller, changes nothing and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  expected:
    description:
      - All hosts that were to be read, each with C(message) of a failure, and its C(code) where there is one; both are
        empty where it was read.
    type: dict
    required: true
  cluster_name:
    description: The cluster that is removed.
    type: str
    required: true
  remove_data:
    description: Whether volumes go as well, with their data.
    type: bool
    default: false
seealso:
  - module: waent.fleet.wa_host_info
"""

EXAMPLES = r"""
- name: Decide what goes
  waent.fleet.wa_removal:
    hosts: "{{ ansible_play_hosts_all | map('extract', hostvars, ['read', 'host']) }}"
    expected: {rack-a-1: {message: ""}, rack-b-1: {message: "Connection refused"}}
    cluster_name: waent
  delegate_to: localhost
  run_once: true
  register: removal
"""

RETURN = r"""
hosts:
  description: By inventory name what goes from a host; hosts that keep everything or have nothing are left out.
  returned: always
  type: dict
  sample:
    rack-a-1:
      containers: [wa-webapp-1, wa-coreapp-1]
      networks: []
      volumes: []
      stays: ["network waent, used by b-webapp-1"]
planned_changes:
  description: The same to be shown, with what stays and with the hosts that cannot be read.
  returned: always
  type: list
  elements: str
  sample:
    - "Of cluster waent this goes:"
    - "  rack-a-1: container wa-webapp-1"
    - "  rack-a-1: stays: network waent, used by b-webapp-1"
unread:
  description: By inventory name a sentence for each host of which nobody knows what the cluster has there.
  returned: always
  type: dict
  sample: {rack-b-1: "[ENGINE_STOPPED] rack-b-1: Docker Engine is stopped; start it."}
refusals:
  description: By inventory name the text with which the removal ends for such a host.
  returned: always
  type: dict
  sample: {}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import (
    plan_removal,
    planned_changes,
    refusal,
    unread_hosts,
)

CODE = "WA_REMOVAL_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "expected": {"type": "dict", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "remove_data": {"type": "bool", "default": False},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result; a host that could not be read does not keep the others from being done, so it is no problem here."""
    unread = unread_hosts(params["hosts"], params["expected"])
    plans = {
        host["name"]: plan_removal(host, params["cluster_name"], params["remove_data"])
        for host in params["hosts"]
        if host["name"] not in unread
    }
    result = {
        "hosts": {name: plan.as_dict() for name, plan in plans.items() if plan.anything},
        "planned_changes": planned_changes(params["cluster_name"], plans, unread),
        "unread": {name: summary([problem]) for name, problem in unread.items()},
        "refusals": {name: refusal(problem) for name, problem in unread.items()},
    }
    return result, []


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, _problems = answer(module.params)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
