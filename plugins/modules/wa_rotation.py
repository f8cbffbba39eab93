#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_rotation
short_description: Decide whether a secret of a WhatsApp Business API cluster can be rotated
version_added: 0.2.0
description:
  - Takes what M(waent.fleet.wa_host_info) read on each host, and answers which nodes have another secret than the
    inventory, what rotating it does to the service, and what keeps it from being rotated.
  - Runs on the controller, changes nothing and reads nothing itself. No value of a secret is given to it.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  rotate:
    description: The secret.
    type: str
    required: true
    choices: [admin_password, api_key, jwt_key, database_password, wa_secret]
  nodes:
    description: The nodes as M(waent.fleet.wa_placement) has placed them.
    type: list
    elements: dict
    required: true
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  unread:
    description: Hosts that could not be read, and why.
    type: dict
    default: {}
  spared:
    description: Hosts to name for a run that goes on without them.
    type: list
    elements: str
    default: []
  done:
    description: Whether everything is done, so that a node which still differs is a problem.
    type: bool
    default: false
seealso:
  - module: waent.fleet.wa_host_info
"""

EXAMPLES = r"""
- name: Decide whether the API key can be rotated
  waent.fleet.wa_rotation:
    rotate: api_key
    nodes: "{{ placement.nodes }}"
    hosts: "{{ ansible_play_hosts_all | map('extract', hostvars, ['read', 'host']) }}"
  delegate_to: localhost
  run_once: true
  register: rotation
"""

RETURN = r"""
nodes:
  description: Names of the nodes that have another secret.
  returned: always
  type: list
  elements: str
  sample: [wa-webapp-1]
sentences:
  description: What is going to be done, and what it costs.
  returned: always
  type: list
  elements: str
  sample: ["wa_api_key goes to wa-webapp-1.", "..."]
outage:
  description: Whether there is no service meanwhile.
  returned: always
  type: bool
problems:
  description: What keeps it from being rotated.
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on.
  returned: failure
  type: dict
  sample:
    code: WA_ROTATION_REFUSED
    message: ...
    details: {codes: [ROTATE_SAME_USER]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._plan.rotation import answer

CODE = "WA_ROTATION_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "rotate": {
        "type": "str",
        "required": True,
        "choices": ["admin_password", "api_key", "jwt_key", "database_password", "wa_secret"],
    },
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "unread": {"type": "dict", "default": {}},
    "spared": {"type": "list", "elements": "str", "default": []},
    "done": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
