# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_preflight in the controller's own process; documented in plugins/modules/wa_preflight.py."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.modules.wa_preflight import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_preflight: checks all hosts together."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE

    def prepared(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """The options, and whether this is check mode: then a host is left out where a rollout has to stop there."""
        del task_vars
        return {**params, "check_mode": bool(self._task.check_mode)}, []
