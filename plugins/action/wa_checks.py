# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks everything that was read, in the controller's own process; documented in plugins/modules/wa_checks.py."""

from __future__ import annotations

import copy
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.action import wa_identity, wa_placement, wa_preflight
from ansible_collections.waent.fleet.plugins.action.wa_show import show
from ansible_collections.waent.fleet.plugins.modules import wa_sizing
from ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts import FACTS, Play
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction

ARGUMENTS: dict[str, t.Any] = {
    "health": {"type": "dict"},
    "login": {"type": "dict"},
    "show": {"type": "bool", "default": False},
    "watched": {"type": "bool", "default": False},
}


class Sizing(PureAction):
    """Module wa_sizing, whose own action does the module's work whole."""

    options = wa_sizing.ARGUMENTS
    answer = staticmethod(wa_sizing.answer)
    code = wa_sizing.CODE


class ActionModule(ActionBase):
    """Module wa_checks."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        variables = dict(task_vars or {})
        # One for all of them: what it finds out about the inventory once stays.
        play = Play(variables, self._templar.template)

        def answered(kind: type[PureAction], **options: t.Any) -> dict[str, t.Any]:
            return self._as(kind, options).answered(variables)

        # Known to the facts of the next one by the names that they have in a play; what an earlier run of this has
        # registered is about what was read before.
        for name in ("__wa_first_room", "__wa_identity", "__wa_preflight"):
            variables[name] = {}
        desired = answered(wa_placement.ActionModule, **FACTS["placement"](play), running=FACTS["running"](play))
        variables["__wa_desired"] = desired
        # What has no place has no size: the declared numbers may be none.
        asked = {} if desired["problems"] else FACTS["first_sizing"](play)
        variables["__wa_first_room"] = answered(Sizing, **asked) if asked else {}
        variables["__wa_identity"] = answered(wa_identity.ActionModule, **FACTS["identity"](play))
        seen = {name: given[name] for name in ("health", "login") if given[name] is not None}
        preflight = answered(wa_preflight.ActionModule, **FACTS["preflight"](play), **seen)
        decided = given["watched"] or not variables["__wa_identity"]["suspects"]
        if given["show"] and decided and not preflight["refusal"] and not preflight["ask_service"]:
            show(preflight["planned_changes"])
        found = {"first_room": variables["__wa_first_room"], "identity": variables["__wa_identity"]}
        # Problems fail nothing here, so what is said of the placement is not said of the task.
        result.update({**desired, **found, "preflight": preflight, "failed": False})
        return result

    def _as(self, kind: type[PureAction], options: dict[str, t.Any]) -> PureAction:
        """An action of another module, with options of its own."""
        task = copy.copy(self._task)
        task.args = options
        return kind(task, self._connection, self._play_context, self._loader, self._templar, self._shared_loader_obj)
