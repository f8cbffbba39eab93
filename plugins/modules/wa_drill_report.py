#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_drill_report
short_description: Compare the outage of a drill with what was foretold and documented
version_added: 0.2.0
description:
  - Names what is wrong where the measured outage is more than 10 percent longer than the documented one, or something
    did not come back.
  - Runs on the controller. Writes O(path), and nothing else.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
    details:
      - Writes no file then.
  diff_mode:
    support: none
    details:
      - The report is returned.
  idempotent:
    support: full
    details:
      - The same measurements give the same file.
options:
  plan:
    description: What M(waent.fleet.wa_drill_plan) returned.
    type: dict
    required: true
  watched:
    description: What M(waent.fleet.wa_drill_watch) returned; empty where it did not come to that.
    type: dict
    default: {}
  results:
    description: Results of the tasks that put it back and that prove the cluster healthy, as they were registered.
    type: list
    elements: dict
    default: []
  path:
    description: The file on the controller that gets the report as JSON.
    type: path
seealso:
  - module: waent.fleet.wa_drill_plan
"""

EXAMPLES = r"""
- name: Report
  waent.fleet.wa_drill_report:
    plan: "{{ drill }}"
    watched: "{{ watched }}"
    path: drill.json
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
refusal:
  description: Why the drill ends red, one line for each reason; empty where it went as foretold.
  returned: always
  type: str
  sample: ""
lines:
  description: A table, and what else is to be shown.
  returned: always
  type: list
  elements: str
  sample: ["outage of                   foretold      documented  measured"]
report:
  description: The same as data, as in the file.
  returned: always
  type: dict
  sample: {drill: coreapp, target: "a-1:wa-coreapp-1", passed: true}
"""

import json
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._plan.drill_result import report as answer

ARGUMENTS: dict[str, t.Any] = {
    "plan": {"type": "dict", "required": True},
    "watched": {"type": "dict", "default": {}},
    "results": {"type": "list", "elements": "dict", "default": []},
    "path": {"type": "path"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = answer(module.params)
    if module.params["path"] and not module.check_mode:
        try:
            with open(module.params["path"], "w", encoding="utf-8") as file:
                json.dump(result["report"], file, indent=2)
        except OSError as error:
            message = "drill_report is {0!r}, which cannot be written: {1}.".format(
                module.params["path"], error.strerror
            )
            fail(module, Refusal("DRILL_REPORT_NOT_WRITTEN", message), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
