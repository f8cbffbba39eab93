# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wrong_version
short_description: Whether a node reports another version than its image is tagged with
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - A tag can hold another version than it says. A node that does not report its version is not wrong.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: What M(waent.fleet.wa_cluster_health) returned.
    type: dict
    required: true
  node:
    description: The node, as M(waent.fleet.wa_placement) returns it.
    type: dict
    required: true
  version:
    description: The version it should be of.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Stop where the node reports another version
  ansible.builtin.assert:
    that: health | waent.fleet.wrong_version(node, 'v2.19.7') | length == 0
"""

RETURN = r"""
_value:
  description: A sentence with the code C(WRONG_VERSION), empty where nothing is wrong.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.reported_version import wrong_version


class FilterModule:
    """Filters that check what nodes report."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"wrong_version": wrong_version}
