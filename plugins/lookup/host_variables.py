# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: host_variables
short_description: What a second inventory entry for the same host needs
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Picks from the variables of a host how it is connected to, and the cluster's variables, so that a node can be an
    inventory entry of its own with its host's connection. Templates are filled in as on the host, those too that ask
    for variables of other hosts.
  - The result may hold secrets, as the variables of the host do.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _terms:
    description: Names of hosts of the inventory.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Add a node
  ansible.builtin.add_host: >-
    {{ lookup('waent.fleet.host_variables', 'rack-a-1')
       | combine({'name': 'coreapp 1 of rack-a-1', 'groups': ['nodes']}) }}
"""

RETURN = r"""
_value:
  description: Names and values of the variables, for each host.
  type: list
  elements: dict
"""

import re
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import HostValues
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import plain

KEPT = re.compile(
    r"ansible_(connection|host|port|user|password|private_key_file|python_interpreter|remote_tmp|shell_\w+"
    r"|become\w*|ssh_\w+|sudo_\w+|scp_\w+|sftp_\w+|paramiko_\w+|winrm_\w+|docker_\w+|podman_\w+|timeout|pipelining"
    r"|control_path\w*|host_key_checking|connection_\w+)\Z|wa_\w+\Z|rack\Z"
)


def host_variables(host: str, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Connection and cluster variables; the address is the host's name where it has no C(ansible_host)."""
    found = {}
    for name in variables:
        if KEPT.match(name):
            try:
                found[name] = plain(variables[name])
            except Exception as error:  # Ansible has a family of errors for templates, another in each release.
                # Its text may hold what the template is made of.
                message = "{0}: {1} cannot be filled in ({2}).".format(host, name, type(error).__name__)
                raise AnsibleLookupError(message) from error
    found.setdefault("ansible_host", host)
    # What the cluster's other nodes dial: by default the name of the host, which the entry does not have.
    found.setdefault("wa_address", host)
    return found


class LookupModule(LookupBase):
    """Variables of hosts."""

    def run(self, terms: t.Sequence[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list:
        hostvars = (variables or {})["hostvars"]
        return [host_variables(host, HostValues(hostvars, host)) for host in terms]
