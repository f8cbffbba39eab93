# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the work of wa_login in the controller's own process; documented in plugins/modules."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import FIRST_USER
from ansible_collections.waent.fleet.plugins.modules import wa_login
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Module wa_login."""

    module = wa_login

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """As the module, but where there is a session that shall be kept."""
        given = self._task.args
        keeps = boolean(given.get("keep_session") or False, strict=False)
        if not keeps or not given.get("api_token") or given.get("state", "present") != "present":
            return super().run(tmp, task_vars)
        result: dict[str, t.Any] = ActionBase.run(self, tmp, task_vars)
        kept = {"token": given["api_token"], "expires_after": None, "password_changed": False}
        return {**result, **kept, "changed": False, "username": given.get("username") or FIRST_USER}
