#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_found_inventory
short_description: Write the inventory that describes nodes which compose files have started
version_added: 0.3.0
description:
  - Takes what M(waent.fleet.wa_host_info) and M(waent.fleet.wa_node_environment) read on the hosts, and
    M(waent.fleet.wa_database_info) of the database, and writes an inventory whose nodes are those that were found.
  - Secrets are written into a file of their own, encrypted where Ansible was given a vault password, and readable for
    their owner only. They are in no result.
  - Nothing is written over. What cannot be described is a problem, and then nothing is written.
  - Runs on the controller.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - Half of what it writes is secret.
  idempotent:
    support: full
options:
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  environments:
    description: By host what M(waent.fleet.wa_node_environment) returned as
      RV(waent.fleet.wa_node_environment#module:environments).
    type: dict
    required: true
  addresses:
    description: By host its own addresses, the best first.
    type: dict
    default: {}
  variables:
    description: By host those of its variables that are taken over, such as C(ansible_host).
    type: dict
    default: {}
  given:
    description: Variables of the cluster that the user has set already, by name.
    type: dict
    default: {}
  database:
    description: What M(waent.fleet.wa_database_info) returned as RV(waent.fleet.wa_database_info#module:database).
    type: dict
    default: {}
  unread:
    description: Hosts that could not be read, and why.
    type: dict
    default: {}
  directory:
    description: Where the inventory is written to. It may be there, without an inventory in it.
    type: str
    required: true
seealso:
  - module: waent.fleet.wa_host_info
  - module: waent.fleet.wa_node_environment
"""

EXAMPLES = r"""
- name: Write what was found
  waent.fleet.wa_found_inventory:
    hosts: "{{ ansible_play_hosts | map('extract', hostvars, ['gathered', 'host']) }}"
    environments: {rack-a-1: "{{ hostvars['rack-a-1'].given.environments }}"}
    database: "{{ read.database }}"
    directory: inventories/production
  delegate_to: localhost
  run_once: true
  no_log: true
"""

RETURN = r"""
lines:
  description: What was found and written, in words.
  returned: always
  type: list
  elements: str
  sample: ["Found: 1 webapp, 2 masters and 3 coreapps on rack-a-1."]
files:
  description: The files that were written, or would be.
  returned: always
  type: list
  elements: str
missing:
  description: Variables that the user has to write.
  returned: always
  type: list
  elements: str
  sample: [wa_admin_password]
problems:
  description: Why nothing was written, with C(code), C(message), C(variable), C(value) and C(host).
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
      [FOUND_NOTHING] There is no container of the client that this collection has not started itself on rack-a-1; ...
    details: {codes: [FOUND_NOTHING]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.found import unread_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._plan.found_inventory import (
    FoundInventory,
    HostFacts,
    describe,
)

CODE = "WA_ADOPT_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "environments": {"type": "dict", "required": True},
    "addresses": {"type": "dict", "default": {}},
    "variables": {"type": "dict", "default": {}},
    "given": {"type": "dict", "default": {}},
    "database": {"type": "dict", "default": {}},
    "unread": {"type": "dict", "default": {}},
    "directory": {"type": "str", "required": True},
}


def described(params: t.Mapping[str, t.Any]) -> tuple[FoundInventory | None, list[Problem]]:
    """The inventory for the module's options. Unknown is not absent: a host that was not read may have nodes."""
    problems = unread_problems(params["unread"])
    if problems:
        return None, problems
    facts = {
        host["name"]: HostFacts(
            tuple(params["addresses"].get(host["name"]) or ()), params["variables"].get(host["name"]) or {}
        )
        for host in params["hosts"]
    }
    environments = {
        (host, name): values for host, found in params["environments"].items() for name, values in found.items()
    }
    return describe(params["hosts"], environments, facts, params["database"], params["given"])


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    module.fail_json(msg="This module runs on the controller, by its action plugin.")


if __name__ == "__main__":
    main()
