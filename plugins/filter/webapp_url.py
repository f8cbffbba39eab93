# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: webapp_url
short_description: URL of the API of a webapp
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - The base URL by which the machine that runs Ansible reaches the API of a webapp. An IPv6 address gets its brackets.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: A node of kind C(webapp), as M(waent.fleet.wa_placement) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Name the URLs of all webapps
  ansible.builtin.debug:
    msg: "{{ placement.nodes | selectattr('kind', 'eq', 'webapp') | map('waent.fleet.webapp_url') | list }}"
"""

RETURN = r"""
_value:
  description: The URL, without a slash at its end.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url


class FilterModule:
    """Filters that name addresses."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"webapp_url": webapp_url}
