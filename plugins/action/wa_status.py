# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_status in the controller's own process, and writes its report; documented in plugins/modules."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import summary
from ansible_collections.waent.fleet.plugins.modules.wa_status import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction
from ansible_collections.waent.fleet.plugins.plugin_utils.report_file import not_written, write_report


class ActionModule(PureAction):
    """Module wa_status: puts the status of a cluster together."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        path = str(self._task.args.get("report") or "")
        if not path or "document" not in result:
            return result
        try:
            write_report(path, result["document"])
        except OSError as error:
            problem = not_written(path, error)
            result["refusal"] = "\n".join(filter(None, [result["refusal"], summary([problem])]))
            result["result_line"] = problem.message
        return result
