# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: node_reasons
short_description: Why nodes do not come up, without secrets
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - For each reason one line, with the state of the container, its exit code, how often it was restarted, the line of
    its log that says why, and what to do where that is known.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The result of M(waent.fleet.wa_node_info) in a loop over P(waent.fleet.suspect_nodes#filter).
    type: dict
    required: true
  secrets:
    description: Values that must not be shown, as P(waent.fleet.failure_reason#filter) takes them.
    type: list
    elements: raw
    required: true
"""

EXAMPLES = r"""
- name: Report why
  ansible.builtin.fail:
    msg: "{{ examined | waent.fleet.node_reasons([wa_db_password]) | join('\\n') }}"
"""

RETURN = r"""
_value:
  description: The lines; none where no node was examined.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.node_reason import examined_hosts, node_lines


def node_reasons(examined: t.Mapping[str, t.Any], secrets: t.Iterable[t.Any]) -> list[str]:
    """The lines for what a loop has returned."""
    return node_lines(examined_hosts(examined), secrets)


class FilterModule:
    """Filters that say why something failed."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"node_reasons": node_reasons}
