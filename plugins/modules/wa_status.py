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
  leaving:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:leaving).
    type: list
    elements: dict
    default: []
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
  login:
    description: What M(waent.fleet.wa_login) returned in check mode, without the token.
    type: dict
    default: {}
  authority:
    description: What is wrong with the authority that is pinned for the API.
    type: list
    elements: dict
    default: []
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    default: []
  unread_hosts:
    description: Hosts that could not be read, and why.
    type: dict
    default: {}
  spared_hosts:
    description: The hosts to name in C(wa_without_hosts) for a run of another playbook that goes on.
    type: list
    elements: str
    default: []
  left_out:
    description: Hosts that this run goes on without.
    type: list
    elements: str
    default: []
  has_key:
    description: Whether a static key for the API is declared.
    type: bool
    default: false
  shards:
    description: The declared number of shards.
    type: int
  declared_settings:
    description: The declared application settings.
    type: dict
    default: {}
  shortened_timers:
    description: The failover timers during a switchover.
    type: dict
    default: {}
  cluster_name:
    description: Name of the cluster.
    type: str
    default: ""
  report:
    description:
      - File on the controller to which RV(document) is written as JSON, in one piece and readable by everybody (mode
        0644), since it holds no secret. Its directory has to exist. Empty writes none.
      - Written in check mode too.
    type: str
    default: ""
  notes:
    description: Lines to show below the table.
    type: list
    elements: str
    default: []
  media_share:
    description: The media share with its C(rows), C(lines) and C(problems); empty where there is none.
    type: dict
    default: {}
  backups:
    description: Backups on a schedule, with C(rows), C(lines) and C(problems).
    type: dict
    default: {}
    version_added: 0.2.0
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
result_line:
  description: The codes of what is wrong, for where RV(refusal) is shown already; empty where nothing is.
  returned: always
  type: str
  sample: "The cluster is not healthy, for the reasons above: HOST_NOT_READ, SHARD_WITHOUT_OWNER."
document:
  description:
    - The same for machines. docs/status-report.schema.json describes it.
    - C(healthy) is false where RV(refusal) is not empty, with the reasons as C(problems).
  returned: always
  type: dict
  sample: {format: waent.fleet.status, format_version: 1, healthy: true, problems: []}
problems:
  description: Always empty, as other modules found the problems.
  returned: always
  type: list
  elements: dict
"""

import datetime
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check import status
from ansible_collections.waent.fleet.plugins.module_utils._check.report import report
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._plan.unfinished import Found, unfinished

CODE = "WA_STATUS_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "leaving": {"type": "list", "elements": "dict", "default": []},
    "health": {"type": "dict", "required": True},
    "identity": {"type": "dict", "default": {}},
    "preflight": {"type": "dict", "default": {}},
    "settings": {"type": "dict", "default": {}},
    "login": {"type": "dict", "default": {}},
    "authority": {"type": "list", "elements": "dict", "default": []},
    "hosts": {"type": "list", "elements": "dict", "default": []},
    "unread_hosts": {"type": "dict", "default": {}},
    "spared_hosts": {"type": "list", "elements": "str", "default": []},
    "left_out": {"type": "list", "elements": "str", "default": []},
    "has_key": {"type": "bool", "default": False},
    "shards": {"type": "int"},
    "declared_settings": {"type": "dict", "default": {}},
    "shortened_timers": {"type": "dict", "default": {}},
    "cluster_name": {"type": "str", "default": ""},
    "report": {"type": "str", "default": ""},
    "notes": {"type": "list", "elements": "str", "default": []},
    "media_share": {"type": "dict", "default": {}},
    "backups": {"type": "dict", "default": {}},
}


def reports_of(params: t.Mapping[str, t.Any]) -> status.Reports:
    """What was read, from the options."""
    settings = params["settings"].get("settings") or {}
    begun = Found(
        params["nodes"],
        params["hosts"],
        params["health"],
        settings,
        params["declared_settings"],
        params["shortened_timers"],
    )
    return status.Reports(
        params["nodes"],
        params["health"],
        identity=params["identity"],
        preflight=params["preflight"],
        settings=params["settings"],
        login=params["login"],
        authority=params["authority"],
        unfinished=unfinished(begun),
        unread=params["unread_hosts"],
        spared=params["spared_hosts"],
        left_out=params["left_out"],
        has_key=params["has_key"],
        notes=params["notes"],
        leaving=params["leaving"],
        media_share=params["media_share"],
        backups=params["backups"],
    )


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The lines; problems are in them, and none of this module's own."""
    reports = reports_of(params)
    drift = status.drift(reports)
    wrong = status.problems(reports)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = {
        "lines": status.cluster_lines(reports),
        "drift": ["site.yml would change:", *("  " + line for line in drift)] if drift else [],
        "refusal": "\n".join(map(status.sentence, wrong)),
        "result_line": status.result_line(wrong),
        "document": report(reports, cluster_name=params["cluster_name"], time=now, shards=params["shards"]),
    }
    return result, []


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
