# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that talk to the API or the database, run on the controller as the person who runs Ansible.

Internal to waent.fleet: may change any time.

The controller is not one of the hosts. What is set for hosts (C(become), the connection, the interpreter) reaches a
task delegated to localhost as well: from C(-b), ansible.cfg, the group C(all), and from C(-e), which wins over every
variable that a task could set against it. So it is not left to variables: an action plugin of the module's name does
the module's work in the process that it is in itself (C(in_process.py)): that of the person who runs Ansible, with the
Python that does, and no other one is started. Other hosts: as ever.
"""

from __future__ import annotations

import types
import typing as t

from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible.vars.clean import strip_internal_keys
from ansible_collections.waent.fleet.plugins.plugin_utils.in_process import Crashed, answer_of

display = Display()

#: What Ansible takes for the controller without an entry in the inventory.
CONTROLLER = ("localhost", "127.0.0.1", "::1")


def host_of_task(delegate_to: str | None, task_vars: t.Mapping[str, t.Any]) -> str:
    """Name of the host that a task acts on."""
    return delegate_to or str(task_vars.get("inventory_hostname", ""))


class ControllerAction(ActionBase):
    """Runs the module of its own name; where its host is the controller, without anything that is set for hosts.

    module: that module.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    module: types.ModuleType

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        host = host_of_task(self._task.delegate_to, variables)
        if host in CONTROLLER:
            result.update(self._answer(variables))
        else:
            result.update(self._execute_module(task_vars=variables))
        return result

    def _answer(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's answer, from this process."""
        # A new connection has no become plugin, and the shell that belongs to it.
        self._connection = connection_loader.get("local", self._play_context)
        arguments = dict(self._task.args)
        self._update_module_args(self._task.action, arguments, variables)
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        try:
            answer = answer_of(self.module, arguments, environment)
        except Crashed as crash:
            if not self._task.no_log:
                display.vvv(crash.trace)
            return {"failed": True, "msg": str(crash)}
        cleaned: dict[str, t.Any] = strip_internal_keys(answer)
        return cleaned
