# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the work of wa_backup in the controller's own process, and what concerns its file, which is always there.

Documented in plugins/modules. The password of the file never leaves this process.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.modules import wa_backup
from ansible_collections.waent.fleet.plugins.plugin_utils.backup_file import (
    check_password,
    read_encrypted,
    write_encrypted,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import ControllerAction

NOT_SENT = "not sent"
"""What the module gets in place of the password."""


class ActionModule(ControllerAction):
    """Module wa_backup."""

    module = wa_backup

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        args = dict(self._task.args)
        path, password = str(args.get("path") or ""), str(args.get("encryption_password") or "")
        try:
            check_password(password)
            changed = {"encryption_password": NOT_SENT, "document": None}
            if args.get("state") == "restored":
                changed["document"] = read_encrypted(path, password)
            self._task.args = {**args, **changed}
            try:
                result = super().run(tmp, task_vars)
            finally:
                self._task.args = args
            # Whatever becomes of the file, the result must not hold it.
            document = result.pop("document", None)
            if document and not result.get("failed"):
                write_encrypted(path, document, password)
        except Refusal as error:
            return {
                "failed": True,
                "changed": False,
                "msg": error.message,
                "failure": error.as_failure(),
                "problems": [problem.as_dict() for problem in error.problems],
            }
        return result
