#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_drill_report
short_description: Compare the outage of a drill with what was predicted and documented
version_added: 0.2.0
description:
  - Names what is wrong where the measured outage is more than 10 percent longer than the documented one, or something
    did not come back.
  - Runs on the controller, changes nothing and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  plan:
    description: What M(waent.fleet.wa_drill_plan) returned.
    type: dict
    required: true
  watched:
    description: What M(waent.fleet.wa_drill_watch) returned; empty where it did not come to that.
    type: dict
    default: {}
  break_results:
    description: Results of tasks that could not break it, or not watch it, as they failed.
    type: list
    elements: dict
    default: []
  results:
    description: Results of the tasks that restore it and that prove the cluster healthy, as they were registered.
    type: list
    elements: dict
    default: []
seealso:
  - module: waent.fleet.wa_drill_plan
"""

EXAMPLES = r"""
- name: Report
  waent.fleet.wa_drill_report:
    plan: "{{ drill }}"
    watched: "{{ watched }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
refusal:
  description: Why the drill ends red, one line for each reason; empty where it went as predicted.
  returned: always
  type: str
  sample: ""
lines:
  description: A table, and what else is to be shown.
  returned: always
  type: list
  elements: str
  sample: ["outage of                   predicted      documented  measured"]
report:
  description: The same as data, for a file.
  returned: always
  type: dict
  sample: {drill: coreapp, target: "a-1:wa-coreapp-1", passed: true}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._plan.drill_result import report

CODE = "WA_DRILL_REPORT_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "plan": {"type": "dict", "required": True},
    "watched": {"type": "dict", "default": {}},
    "break_results": {"type": "list", "elements": "dict", "default": []},
    "results": {"type": "list", "elements": "dict", "default": []},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The report; what is wrong stands in it, so that it is shown before the run ends."""
    return report(params), []


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, _problems = answer(module.params)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
