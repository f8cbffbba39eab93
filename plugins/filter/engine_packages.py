# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: engine_packages
short_description: Which packages make a Docker Engine with its command
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - With some releases of Debian the command C(docker) is part of the engine's package, with some a package of its own
    that the engine only recommends. The release's own package lists say which.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The packages that are desired.
    type: list
    elements: str
    required: true
  records:
    description: What C(apt-cache show) says of them on the host.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Install the engine with its command
  ansible.builtin.apt:
    name: "{{ ['docker.io'] | waent.fleet.engine_packages(records.stdout) }}"
"""

RETURN = r"""
_value:
  description: The desired packages, and the command's where one of them recommends it.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.engine_packages import engine_packages


class FilterModule:
    """Filters for installing an engine."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"engine_packages": engine_packages}
