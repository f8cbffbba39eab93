# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: host_variables
short_description: What a second inventory entry for the same host needs
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - Picks from the variables of a host how it is connected to, and the cluster's variables, so that a node can be an
    inventory entry of its own with its host's connection.
  - The result may hold secrets, as the variables of the host do.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The variables of the host, as C(hostvars) holds them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Add a node
  ansible.builtin.add_host: >-
    {{ hostvars['rack-a-1'] | waent.fleet.host_variables
       | combine({'name': 'coreapp 1 of rack-a-1', 'groups': ['nodes']}) }}
"""

RETURN = r"""
_value:
  description: Names and values of the variables.
  type: dict
"""

import re
import typing as t

KEPT = re.compile(
    r"ansible_(connection|host|port|user|password|private_key_file|python_interpreter|remote_tmp|shell_\w+"
    r"|become\w*|ssh_\w+|sudo_\w+|scp_\w+|sftp_\w+|paramiko_\w+|winrm_\w+|docker_\w+|podman_\w+|timeout|pipelining"
    r"|control_path\w*|host_key_checking|connection_\w+)\Z|wa_\w+\Z|rack\Z"
)


def host_variables(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Connection and cluster variables; the address is the host's name where it has no C(ansible_host)."""
    found = {name: variables[name] for name in variables if KEPT.match(name)}
    found.setdefault("ansible_host", variables["inventory_hostname"])
    # What the cluster's other nodes dial: by default the name of the host, which the entry does not have.
    found.setdefault("wa_address", variables["inventory_hostname"])
    return found


class FilterModule:
    """Filters that read the inventory."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"host_variables": host_variables}
