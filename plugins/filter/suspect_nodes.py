# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: suspect_nodes
short_description: Which nodes may be behind the failure of a task
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Nodes that the failure names; all of them where it says that the cluster does not work and names none; none where it
    is about something else, such as a password.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: Result of the task, such as C(ansible_failed_result).
    type: dict
    required: true
  nodes:
    description: All nodes of the cluster, as M(waent.fleet.wa_placement) returns them.
    type: list
    elements: dict
    required: true
  own:
    description: By host the names of containers that the task was about; they are among the suspects always.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: See how they are
  waent.fleet.wa_node_info:
    names: "{{ item.value }}"
  delegate_to: "{{ item.key }}"
  loop: "{{ ansible_failed_result | waent.fleet.suspect_nodes(placed.nodes) | dict2items }}"
  register: examined
  no_log: true
"""

RETURN = r"""
_value:
  description: Names of containers, by the inventory name of their host.
  type: dict
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.node_reason import suspects


class FilterModule:
    """Filters that say whom to ask."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"suspect_nodes": suspects}
