#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_invocation
short_description: Check that a playbook was called in a way in which it can do its work
version_added: 0.1.0
description:
  - Every playbook of this collection begins with it, before any host is contacted.
  - Fails where the inventory lacks a group or has it misspelt, where C(--limit), C(--tags) or C(--skip-tags) would
    leave out what the playbook is for, and where it does not say what it has to say. Ansible itself skips plays
    without hosts and tasks without the tag, and ends with 0.
  - Runs on the controller, in its own process, and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  playbook:
    description: Name of the playbook that was called. V(_validate) is refused, as it only checks for the others.
    type: str
    required: true
    choices:
      - site
      - status
      - reshard
      - upgrade
      - drain
      - uninstall
      - engine
      - drill
      - logs
      - backup
      - restore
      - certificates
      - rotate
      - aws
      - aws_remove
      - adopt
      - _validate
  groups:
    description: The groups of the inventory, as C(groups) holds them.
    type: dict
    required: true
  hosts:
    description: The hosts that C(--limit) leaves.
    type: list
    elements: str
    required: true
  limit:
    description: What C(--limit) says.
    type: str
    default: ""
  tags:
    description: What C(--tags) says.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description: What C(--skip-tags) says.
    type: list
    elements: str
    default: []
  sources:
    description: Where the inventory was read.
    type: list
    elements: str
    default: []
  shards:
    description: The number of shards that was given on the command line. Whether it can be meant is not checked here.
    type: raw
  since:
    description: The span of time that was given on the command line, such as V(3h).
    type: raw
  host:
    description: The host that was given on the command line, or several.
    type: raw
  backup:
    description: The file that was given on the command line.
    type: raw
  drill:
    description: The drill that was given on the command line.
    type: raw
  into:
    description: The directory for an inventory that was given on the command line.
    type: raw
  rotate:
    description: The secret that was given on the command line, to be rotated.
    type: raw
  extra:
    description: Names of everything that C(-e) gives. The action reads them itself.
    type: list
    elements: str
    default: []
  version:
    description: The version that was given on the command line. Whether it can be meant is not checked here.
    type: raw
  pattern_mismatch:
    description: Ansible's setting C(host_pattern_mismatch).
    type: str
    default: ignore
  without:
    description:
      - The hosts to go on without, C(wa_without_hosts) as it is. The action reads it itself.
      - Playbooks that work on each host by itself leave out none.
    type: raw
  report:
    description: What is known of the run for the file that C(wa_report) names. The action reads it itself.
    type: dict
    default: {}
  within:
    description: The playbook that has run this one as a part of itself; empty where it runs alone.
    type: str
    default: ""
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_placement
"""

EXAMPLES = r"""
- name: Check how the playbook was called
  hosts: localhost:all
  gather_facts: false
  tasks:
    - name: Check how the playbook was called
      waent.fleet.wa_invocation:
        playbook: site
        groups: "{{ groups }}"
        hosts: "{{ ansible_play_hosts_all }}"
        limit: "{{ ansible_limit | default('') }}"
        tags: "{{ ansible_run_tags }}"
        skip_tags: "{{ ansible_skip_tags }}"
      run_once: true
      tags: always
"""

RETURN = r"""
without:
  description: The hosts that the run goes on without, each once.
  returned: always
  type: list
  elements: str
  sample: [rack-b-1]
report:
  description: What is known of the run for the file that C(wa_report) names; empty where nobody wants one.
  returned: always
  type: dict
within:
  description: The playbook of whose run this is a part, and of whose report; empty for a run of its own.
  returned: always
  type: str
  sample: ""
failure:
  description: Why it failed. The code is V(WA_INVOCATION_INVALID), C(details.codes) are the codes of the problems.
  returned: failure
  type: dict
  sample:
    code: WA_INVOCATION_INVALID
    message: "1 problem was found, nothing was changed.\n[SHARDS_MISSING] ..."
    details: {codes: [SHARDS_MISSING]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import (
    Call,
    call_problems,
    hosts_left_out,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse

GIVEN = ("backup", "drill", "host", "into", "rotate", "shards", "since", "version")
CODE = "WA_INVOCATION_INVALID"
ARGUMENTS: dict[str, t.Any] = {
    "playbook": {
        "type": "str",
        "required": True,
        "choices": [
            "site",
            "status",
            "reshard",
            "upgrade",
            "drain",
            "uninstall",
            "engine",
            "drill",
            "adopt",
            "logs",
            "backup",
            "restore",
            "certificates",
            "rotate",
            "aws",
            "aws_remove",
            "_validate",
        ],
    },
    "groups": {"type": "dict", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "limit": {"type": "str", "default": ""},
    "tags": {"type": "list", "elements": "str", "default": ["all"]},
    "skip_tags": {"type": "list", "elements": "str", "default": []},
    "sources": {"type": "list", "elements": "str", "default": []},
    "extra": {"type": "list", "elements": "str", "default": []},
    "backup": {"type": "raw"},
    "drill": {"type": "raw"},
    "host": {"type": "raw"},
    "into": {"type": "raw"},
    "rotate": {"type": "raw"},
    "shards": {"type": "raw"},
    "since": {"type": "raw"},
    "version": {"type": "raw"},
    "pattern_mismatch": {"type": "str", "default": "ignore"},
    "without": {"type": "raw"},
    "report": {"type": "dict", "default": {}},
    "within": {"type": "str", "default": ""},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """Which hosts are left out, and everything that is wrong."""
    given = {key: params[key] for key in Call._fields if key in params}
    call = Call(**given, arguments={key: params[key] for key in GIVEN})
    problems = call_problems(call)
    without = [] if problems else hosts_left_out(call)
    return {"without": without, "within": params["within"], "report": params["report"]}, problems


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    if problems:
        refuse(module, refusal_for(CODE, problems), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
