# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stack_changes
short_description: What AWS would change in a stack
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - From the result of C(amazon.aws.cloudformation) in check mode, one line for each resource of its change set.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The result.
    type: dict
    required: true
  stack:
    description: Name of the stack.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what would change
  ansible.builtin.debug:
    msg: "{{ result | waent.fleet.stack_changes('waent-production-db') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.aws_stack import stack_changes


class FilterModule:
    """Filters that word messages."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"stack_changes": stack_changes}
