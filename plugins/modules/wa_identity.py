#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_identity
short_description: Check that a WhatsApp Business API cluster is the declared one, by its number and its nodes
version_added: 0.1.0
description:
  - Nodes that share a database are one cluster, whoever started them. This module compares what the database, the API
    and the hosts report with what is declared, and fails with everything that shows another cluster - another number is
    registered, nodes take part that the inventory does not place, a cluster in service has another number of shards.
  - What could not be read is no reason to fail; RV(notes) says what stays unknown.
  - Runs on the controller and reads nothing itself. Of a phone number only the last four digits are shown.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  nodes:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes).
    type: list
    elements: dict
    required: true
  inventory:
    description: Every host of the inventory with its C(name) and the C(address) that its nodes advertise.
    type: list
    elements: dict
    required: true
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    default: []
  database:
    description:
      - What M(waent.fleet.wa_database_info) returned as RV(waent.fleet.wa_database_info#module:database). Empty means
        that it was not read.
    type: dict
    default: {}
  cluster:
    description:
      - What M(waent.fleet.wa_cluster_health) returned as RV(waent.fleet.wa_cluster_health#module:cluster). Empty means
        that it was not read.
    type: dict
    default: {}
  left_out:
    description:
      - "By name of each host that the run goes on without its signs of life, C({answers, webapps}): whether it answers
        Ansible, and the webapps on it that answer."
    type: dict
    default: {}
  number:
    description: The declared number, digits with country code. Empty means that it is not compared.
    type: str
    default: ""
  shards:
    description: The declared number of shards. Without it it is not compared.
    type: int
  may_reshard:
    description: Whether the number of shards is about to be changed, so that another one is no problem.
    type: bool
    default: false
  name_prefix:
    description: How the names of the nodes begin.
    type: str
    default: wa
  db_address:
    description: Host and port of the database, for messages.
    type: str
    default: ""
  db_name_prefix:
    description: Prefix of every database name, for messages.
    type: str
    default: ""
seealso:
  - module: waent.fleet.wa_database_info
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Stop where the database is another cluster's
  waent.fleet.wa_identity:
    nodes: "{{ placement.nodes }}"
    inventory:
      - {name: rack-a-1, address: 10.0.0.1}
      - {name: rack-b-1, address: 10.0.0.2}
    hosts: "{{ ansible_play_hosts | map('extract', hostvars, ['gathered', 'host']) }}"
    database: "{{ database.database }}"
    number: "15550100"
    db_address: db.example.com:3306
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
suspects:
  description:
    - Nodes that are not the inventory's, or on a host that is left out, and may live by the age of their liveness rows
      alone. O(database) may be read with O(waent.fleet.wa_database_info#module:await_sign_of) to find out.
  returned: always
  type: list
  elements: str
  sample: ["10.0.0.9:wa-coreapp-1"]
registered:
  description: Whether a number is registered, null where it is not known.
  returned: always
  type: bool
  sample: true
notes:
  description: Sentences about what could not be found out.
  returned: always
  type: list
  elements: str
  sample: []
problems:
  description: Everything that is wrong, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
  sample: []
failure:
  description: What failed, for playbooks to branch on. The code is V(OTHER_CLUSTER).
  returned: failure
  type: dict
  sample:
    code: OTHER_CLUSTER
    message: |-
      1 problem was found, nothing was changed.
      [OTHER_NUMBER_REGISTERED] The cluster is registered for the number that ends in 0100, and ...
    details: {codes: [OTHER_NUMBER_REGISTERED]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import ARGUMENTS, OTHER_CODE, compared
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave

CODE = OTHER_CODE


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result, and everything that is wrong."""
    return compared(params)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, found = answer(module.params)
    leave(module, CODE, found, result)


if __name__ == "__main__":
    main()
