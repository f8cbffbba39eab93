# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failure_reason
short_description: Why a task failed whose output is hidden, without the secrets
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - A task with C(no_log) hides the reason of its failure as well. This filter takes it from the result and masks every
    secret value in it, as it is and as it is written in JSON, in Python, in an address or as base64.

extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: Result of the task, such as C(ansible_failed_result); of a loop, too.
    type: dict
    required: true
  secrets:
    description:
      - Values that must not be shown; empty ones are ignored. A dictionary is taken for an environment, of which values
        of 8 characters and more are secret.
    type: list
    elements: raw
    required: true
  code:
    description: Stands in brackets before every reason that has no code of its own.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Stop the container
  block:
    - name: Stop the container
      community.docker.docker_container:
        name: wa-coreapp-1
        state: stopped
      no_log: true
  rescue:
    - name: Report why
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result | waent.fleet.failure_reason([wa_db_password], 'NODE_NOT_STOPPED') }}"
"""

RETURN = r"""
_value:
  description: One line for each thing that failed.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import reasons


def failure_reason(result: t.Mapping[str, t.Any], secrets: t.Iterable[t.Any], code: str) -> str:
    """The reasons as text, one line each."""
    return "\n".join(reasons(result, secrets, code))


class FilterModule:
    """Filters that say why something failed."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"failure_reason": failure_reason}
