# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_backup_timer on the host, with the program that the host is to run; documented in plugins/modules."""

from __future__ import annotations

import base64
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.plugin_utils.backup_program import program


class ActionModule(ActionBase):
    """Module wa_backup_timer."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("state", "present") == "present":
            arguments["program"] = base64.b64encode(program()).decode("ascii")
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        return result
