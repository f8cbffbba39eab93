# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to hosts that there are not: what a playbook runs there is answered at once, with what it would find.

Only the controller works then, so what it costs can be measured for any number of hosts, and counted.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: pretend
short_description: Pretend that a host answers
description:
  - For tests and benchmarks of the controller.
options:
  directory:
    description: Where tests/support/pretend_hosts.py has written what each host is like.
    type: path
    required: true
    vars: [{name: pretend_directory}]
  host:
    description: Name of the host in the inventory.
    type: str
    required: true
    vars: [{name: inventory_hostname}]
"""

import typing as t

from ansible.plugins.connection import ConnectionBase
from ansible_collections.waent.fleet.tests.support.pretend_hosts import answered


class Connection(ConnectionBase):
    """Connected as soon as it is asked for."""

    transport = "pretend"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """A module comes as a program in C(in_data), anything else as a command."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        directory, host = self.get_option("directory"), self.get_option("host")
        return answered(directory, host, cmd, in_data or b"")

    def put_file(self, in_path: str, out_path: str) -> None:
        """Nothing is copied: modules are piped."""
        raise NotImplementedError

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Nothing is fetched."""
        raise NotImplementedError

    def close(self) -> t.Any:
        """There was nothing."""
        self._connected = False
