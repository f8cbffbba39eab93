# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ssh_extra_args
short_description: Arguments of ssh that notice a host which answers no more
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - What the command, the environment or the configuration says for C(ssh_extra_args), and behind it what ends a
    connection to a host that is frozen or dead after 15 s, when it has left three questions unanswered. Of an option
    that is there twice ssh takes the first, so whatever is set in any of the ways that Ansible has stays as it is.
  - A default of the roles, C(ansible_ssh_extra_args), is made here. The same variable in an inventory takes its place.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _terms:
    description: Nothing.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
ansible_ssh_extra_args: "{{ lookup('waent.fleet.ssh_extra_args') }}"
"""

RETURN = r"""
_value:
  description: All of them, as one text.
  type: list
  elements: str
"""

import typing as t

from ansible import constants as C
from ansible.plugins.loader import connection_loader
from ansible.plugins.lookup import LookupBase

NOTICES_SILENCE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=2"
"""Asks every 5 s; the third question without an answer ends the connection. ansible.cfg of a checkout has the same."""


class LookupModule(LookupBase):
    """The arguments. Without the variables, of which the default that asks here is one."""

    def run(
        self,
        terms: t.Sequence[str],  # noqa: ARG002 - so it does these
        variables: t.Mapping[str, t.Any] | None = None,  # noqa: ARG002 - Ansible gives it by this name
        **_options: t.Any,
    ) -> list:
        # Only then does the configuration know what options there are.
        connection_loader.get("ssh", class_only=True)
        given = C.config.get_config_value("ssh_extra_args", plugin_type="connection", plugin_name="ssh")
        return ["{0} {1}".format(given or "", NOTICES_SILENCE).strip()]
