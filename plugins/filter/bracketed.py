# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bracketed
short_description: An address as it stands before a colon and a port
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - Puts an IPv6 address into brackets, and leaves names and IPv4 addresses as they are.
options:
  _input:
    description: The address or name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Name a published port
  ansible.builtin.debug:
    msg: "{{ wa_publish_address | waent.fleet.bracketed }}:6250:6250"
"""

RETURN = r"""
_value:
  description: The address.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils.addresses import bracketed


class FilterModule:
    """Filters that name addresses."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"bracketed": bracketed}
