# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: from_the_start
short_description: Refuse a playbook that is to begin in the middle
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Gives a pattern of hosts as it is, and fails with one sentence where C(--start-at-task) was given. The first play of
    every playbook of this collection has its hosts from here.
  - With that option Ansible skips tasks, and with them whatever checks how a playbook was called, but it makes the
    hosts of each play. Where no task has the name it skips all, and ends with 0.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _terms:
    description: The pattern of hosts, alone.
    type: list
    elements: str
    required: true
  playbook:
    description: Name of the playbook that was called.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check how the playbook was called
  hosts: "{{ lookup('waent.fleet.from_the_start', 'localhost:all', playbook='site') }}"
"""

RETURN = r"""
_value:
  description: The pattern.
  type: list
  elements: str
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import start_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import refusal_for
from ansible_collections.waent.fleet.plugins.modules.wa_invocation import CODE


class LookupModule(LookupBase):
    """The pattern, of a run from its beginning."""

    def run(
        self,
        terms: t.Sequence[str],
        variables: t.Mapping[str, t.Any] | None = None,  # noqa: ARG002 - Ansible gives it by this name
        **options: t.Any,
    ) -> list:
        problems = start_problems(options["playbook"], context.CLIARGS.get("start_at_task"))
        if problems:
            raise AnsibleLookupError(refusal_for(CODE, problems).message)
        return list(terms)
