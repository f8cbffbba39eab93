# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_log_archive in the controller's own process; documented in plugins/modules/wa_log_archive.py."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.modules.wa_log_archive import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_log_archive: makes the archive of logs."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE

    def prepared(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """With what the module asks Ansible for."""
        del task_vars
        return {**params, "check_mode": self._task.check_mode}, []
