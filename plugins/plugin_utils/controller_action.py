# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that talk to the API or the database, run on the controller as the person who runs Ansible.

Internal to waent.fleet: may change any time.

The controller is not one of the hosts. What is set for hosts (C(become), the connection, the interpreter) reaches a
task delegated to localhost as well: from C(-b), ansible.cfg, the group C(all), and from C(-e), which wins over every
variable that a task could set against it. So it is not left to variables: an action plugin of the module's name runs
the module over a local connection, without C(become), with the Python that runs Ansible. Other hosts: as ever.
"""

from __future__ import annotations

import sys
import typing as t

from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader

#: What Ansible takes for the controller without an entry in the inventory.
CONTROLLER = ("localhost", "127.0.0.1", "::1")
INTERPRETER = "ansible_python_interpreter"


def host_of_task(delegate_to: str | None, task_vars: t.Mapping[str, t.Any]) -> str:
    """Name of the host that a task acts on."""
    return delegate_to or str(task_vars.get("inventory_hostname", ""))


def with_own_python(host: str, task_vars: t.Mapping[str, t.Any], python: str) -> dict[str, t.Any]:
    """The task's variables, with this interpreter in place of the hosts' for a task that acts on C(host).

    A delegated task reads the variables of its host from C(ansible_delegated_vars); both places are set.
    """
    changed = dict(task_vars, **{INTERPRETER: python})
    delegated = task_vars.get("ansible_delegated_vars") or {}
    if host in delegated:
        changed["ansible_delegated_vars"] = dict(delegated, **{host: dict(delegated[host], **{INTERPRETER: python})})
    return changed


class ControllerAction(ActionBase):
    """Runs the module of its own name; where its host is the controller, without anything that is set for hosts."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        host = host_of_task(self._task.delegate_to, variables)
        if host in CONTROLLER:
            # A new connection has no become plugin, and the shell that belongs to it.
            self._connection = connection_loader.get("local", self._play_context)
            variables = with_own_python(host, variables, sys.executable)
        result.update(self._execute_module(task_vars=variables))
        return result
