# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the person at the terminal; documented in plugins/modules/wa_confirm.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

ARGUMENTS: dict[str, t.Any] = {
    "prompt": {"type": "str", "required": True},
    "ask": {"type": "bool", "default": True},
    "unattended": {"type": "str", "choices": ["proceed", "refuse"], "default": "refuse"},
}


def refused(sentence: str) -> dict[str, t.Any]:
    """A failed result with the code NOT_CONFIRMED."""
    message = "[NOT_CONFIRMED] Nothing was changed: {0}".format(sentence)
    failure = {"code": "NOT_CONFIRMED", "message": message, "details": {}}
    return {"failed": True, "msg": message, "failure": failure}


def verdict(answer: str | None, unattended: str) -> dict[str, t.Any]:
    """What follows from the answer; None when nobody was there to give one."""
    if answer is None:
        if unattended == "proceed":
            return {"asked": False}
        return refused("there is nobody to ask; add -e confirm=yes to the command if it is meant.")
    if answer.strip() == "yes":
        return {"asked": True}
    return refused("the answer was not yes.")


class ActionModule(ActionBase):
    """Asks once, on the controller."""

    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _spec, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        if not arguments["ask"] or self._task.check_mode:
            return {"changed": False, "asked": False}
        return {"changed": False, **verdict(self._answer(arguments["prompt"]), arguments["unattended"])}

    def _answer(self, prompt: str) -> str | None:
        try:
            typed = display.prompt_until("{0} Only the word yes goes on: ".format(prompt))
        except AnsiblePromptNoninteractive:
            return None
        except AnsiblePromptInterrupt:
            return ""
        return typed.decode("utf-8", "replace") if isinstance(typed, bytes) else str(typed)
