# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: log_lines
short_description: What a container has logged, without secrets
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - The lines that C(docker logs) has written, those of its standard output first, with every secret of the cluster
    replaced by asterisks.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: Result of M(ansible.builtin.command).
    type: dict
    required: true
  secrets:
    description: Values that must not be shown, as P(waent.fleet.failure_reason#filter) takes them.
    type: list
    elements: raw
    required: true
"""

EXAMPLES = r"""
- name: Read what it says
  ansible.builtin.command:
    argv: [docker, logs, wa-schema-upgrade]
  register: said
  changed_when: false
  no_log: true

- name: Show it
  ansible.builtin.debug:
    msg: "{{ said | waent.fleet.log_lines(secrets) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked


def log_lines(result: t.Mapping[str, t.Any], secrets: t.Iterable[t.Any]) -> list[str]:
    """The lines of both streams; none of a command that was not run."""
    lines = [*result.get("stdout_lines", ()), *result.get("stderr_lines", ())]
    # As one text: a secret of several lines would not be found in one of them.
    return masked("\n".join(lines), secrets).splitlines()


class FilterModule:
    """Filters that show what was logged."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"log_lines": log_lines}
