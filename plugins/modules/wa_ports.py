#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_ports
short_description: Try whether hosts reach the ports that the nodes of the others are going to have
version_added: 0.2.0
author:
  - waent.fleet contributors (@waent)
description:
  - Every host listens where its nodes are going to, then every host tries all ports of the others at once, with one
    deadline for all of them.
  - A process listens for seconds on ports that nothing else listens on. It ends when all hosts have been there, and by
    itself when nobody comes. It changes nothing and leaves nothing. Ports of nodes that run are answered by these.
  - As root it also sees which connections arrive at the host, so that a closed network is known from a firewall of the
    host itself, which published ports of containers do not pass.
  - What the results mean is decided on the machine that runs Ansible.
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  name:
    description: Inventory name of the host.
    type: str
    required: true
  action:
    description:
      - V(listen) begins to listen and returns at once, V(try) tries the ports of the other hosts, V(report) ends the
        process that listens and returns what it has seen.
    type: str
    choices: [listen, try, report]
    required: true
  plan:
    description: RV(waent.fleet.wa_preflight#module:ports), or as much of it as the host needs.
    type: dict
    required: true
  timeout:
    description: Seconds within which all ports have to answer, all together.
    type: float
    default: 5.0
seealso:
  - module: waent.fleet.wa_preflight
"""

EXAMPLES = r"""
- name: Listen where the nodes of this host are going to
  waent.fleet.wa_ports:
    name: "{{ inventory_hostname }}"
    action: listen
    plan: "{{ preflight.ports }}"
  register: listening

- name: Try every port of the other hosts
  waent.fleet.wa_ports:
    name: "{{ inventory_hostname }}"
    action: try
    plan: "{{ preflight.ports }}"
  register: tried
"""

RETURN = r"""
listening:
  description: Ports that the process listens on.
  returned: for O(action=listen)
  type: list
  elements: int
not_listening:
  description: Ports on which it cannot, each with C(port), C(reason), and whether the address is C(absent) here.
  returned: for O(action=listen)
  type: list
  elements: dict
unreached:
  description:
    - The ports that were not reached, each with C(host), C(node), C(address), C(port), whether a process C(listens) for
      the node, C(how) it was not reached, C(by) whom or what, and C(from) which address and port it was tried.
  returned: for O(action=try)
  type: list
  elements: dict
listened:
  description: Whether the process was there until now.
  returned: for O(action=report)
  type: bool
arrived:
  description: Connections that arrived at the host, as root, each with C(from) and the port.
  returned: for O(action=report)
  type: list
  elements: list
answered:
  description: Those that the host has answered.
  returned: for O(action=report)
  type: list
  elements: list
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.ports import targets, visitors
from ansible_collections.waent.fleet.plugins.module_utils._io import listener
from ansible_collections.waent.fleet.plugins.module_utils._io.ports import try_ports

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "action": {"type": "str", "choices": ["listen", "try", "report"], "required": True},
    "plan": {"type": "dict", "required": True},
    "timeout": {"type": "float", "default": 5.0},
}


def answer(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the module returns."""
    name, plan = params["name"], params["plan"]
    if params["action"] == "listen":
        expected = visitors(plan, name)
        if not expected:
            return {"listening": [], "not_listening": []}
        address = plan["hosts"][name]["publish_address"]
        opened = listener.start(plan["cluster"], name, address, expected, plan["seconds"])
        return {"listening": sorted(opened.links), "not_listening": opened.failed}
    if params["action"] == "try":
        return {"unreached": try_ports(targets(plan, name), name, plan["cluster"], params["timeout"])}
    return listener.report(plan["cluster"], name)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    module.exit_json(changed=False, **answer(module.params))


if __name__ == "__main__":
    main()
