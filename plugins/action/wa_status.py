# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_status in the controller's own process, and writes its report; documented in plugins/modules."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary
from ansible_collections.waent.fleet.plugins.modules.wa_status import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction

READABLE_BY_ALL = 0o644


def write_whole(path: str, document: t.Mapping[str, t.Any]) -> None:
    """In one piece: whoever reads the file meets the old document or the new one. Raises OSError."""
    directory = os.path.dirname(os.path.abspath(path))
    handle, beside = tempfile.mkstemp(dir=directory, prefix=".wa-report-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, sort_keys=True)
            file.write("\n")
        os.chmod(beside, READABLE_BY_ALL)
        os.replace(beside, path)
    except OSError:
        os.unlink(beside)
        raise


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
            write_whole(os.path.expanduser(path), result["document"])
        except OSError as error:
            message = "wa_report is {0}, which could not be written ({1}).".format(path, error.strerror)
            problem = Problem("REPORT_NOT_WRITTEN", message, "wa_report", path)
            result["refusal"] = "\n".join(filter(None, [result["refusal"], summary([problem])]))
            result["result_line"] = message
        return result
