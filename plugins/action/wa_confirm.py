# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the person at the terminal; documented in plugins/modules/wa_confirm.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.waent.fleet.plugins.module_utils._check.confirmation import check_answer, needs_question
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal

display = Display()

ARGUMENTS: dict[str, t.Any] = {
    "prompt": {"type": "str", "required": True},
    "destroys_data": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    """Asks once, on the controller."""

    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _spec, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        if self._task.check_mode:
            return {"changed": False, "asked": False}
        try:
            return {"changed": False, "asked": self._confirmed(arguments, (task_vars or {}).get("confirm"))}
        except Refusal as refusal:
            return {"failed": True, "msg": refusal.message, "failure": refusal.as_failure()}

    def _confirmed(self, arguments: t.Mapping[str, t.Any], confirm: t.Any) -> bool:
        """Whether somebody was asked; raises a Refusal where the run must not go on."""
        if not needs_question(None if confirm is None else self._templar.template(confirm)):
            return False
        answer = self._answer(arguments["prompt"])
        check_answer(answer, arguments["destroys_data"])
        return answer is not None

    def _answer(self, prompt: str) -> str | None:
        """What was typed; None where there is nobody."""
        try:
            typed = display.prompt_until("{0} Only the word yes goes on: ".format(prompt))
        except AnsiblePromptNoninteractive:
            return None
        except AnsiblePromptInterrupt:
            return ""
        return typed.decode("utf-8", "replace") if isinstance(typed, bytes) else str(typed)
