# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows lines on the terminal; documented in plugins/modules/wa_show.py."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.plugins.callback.default import CallbackModule
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

display = Display()

ARGUMENTS: dict[str, t.Any] = {"lines": {"type": "list", "elements": "str", "required": True}}


def for_people(callback: str) -> bool:
    """Whether what a callback of this name writes is text for people, which lines may stand between.

    One that makes a document of the whole run would be spoilt by them.
    """
    plugin = callback_loader.get(callback.removeprefix("ansible.builtin."), class_only=True)
    return isinstance(plugin, type) and issubclass(plugin, CallbackModule)


def show(lines: t.Iterable[str]) -> bool:
    """Write the lines where they are for people; whether they were."""
    shown = for_people(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))
    if shown:
        display.display("\n".join(["", *lines]))
    return shown


class ActionModule(ActionBase):
    """Module wa_show: lines as they are."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        shown = show(arguments["lines"])
        if not shown:
            result["_ansible_verbose_always"] = True
        result.update(changed=False, shown=shown, lines=arguments["lines"])
        return result
