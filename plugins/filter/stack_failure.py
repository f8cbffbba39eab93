# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stack_failure
short_description: Why AWS has not brought a stack about
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - From the result of C(amazon.aws.cloudformation) that failed, with the resource over which it failed and the
    reason that AWS gives.
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
- name: Stop
  ansible.builtin.fail:
    msg: "{{ result | waent.fleet.stack_failure('waent-production-db') }}"
"""

RETURN = r"""
_value:
  description: The message, with its code in brackets.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.aws_stack import stack_failure


class FilterModule:
    """Filters that word messages."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"stack_failure": stack_failure}
