#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_status
short_description: Put the status of a WhatsApp Business API cluster together
version_added: 0.2.0
description:
  - Takes what other modules returned about hosts, database and API, and answers with the lines that
    playbooks/status.yml shows. Any of them may have failed.
  - Runs on the controller, changes nothing and reads nothing itself.
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
  health:
    description: What M(waent.fleet.wa_cluster_health) returned.
    type: dict
    required: true
  identity:
    description: What M(waent.fleet.wa_identity) returned.
    type: dict
    default: {}
  preflight:
    description: What M(waent.fleet.wa_preflight) returned.
    type: dict
    default: {}
  settings:
    description: What M(waent.fleet.wa_settings) returned in check mode.
    type: dict
    default: {}
  notes:
    description: Lines to show below the table.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Put the status together
  waent.fleet.wa_status:
    nodes: "{{ placement.nodes }}"
    health: "{{ health }}"
    identity: "{{ identity }}"
  register: status

- name: Show it
  ansible.builtin.debug:
    msg: "{{ status.lines }}"
"""

RETURN = r"""
lines:
  description: The table of all nodes, what it comes to, the spare coreapps, and what stays unknown.
  returned: always
  type: list
  elements: str
drift:
  description: What playbooks/site.yml would change, under a heading; empty where everything is as desired.
  returned: always
  type: list
  elements: str
refusal:
  description: Everything that is wrong, one line for each thing; empty where nothing is.
  returned: always
  type: str
problems:
  description: Always empty, as other modules found the problems.
  returned: always
  type: list
  elements: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.status import cluster_lines, drift_lines, refusal
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave

CODE = "WA_STATUS_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "health": {"type": "dict", "required": True},
    "identity": {"type": "dict", "default": {}},
    "preflight": {"type": "dict", "default": {}},
    "settings": {"type": "dict", "default": {}},
    "notes": {"type": "list", "elements": "str", "default": []},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The lines; problems are in them, and none of this module's own."""
    health, identity, preflight = params["health"], params["identity"], params["preflight"]
    shown = cluster_lines(health, identity, params["nodes"])
    result = {
        "lines": shown + params["notes"],
        "drift": drift_lines(preflight, params["settings"]),
        "refusal": refusal(health, identity, preflight),
    }
    return result, []


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
