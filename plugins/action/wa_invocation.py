# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_invocation in the controller's own process; documented in plugins/modules/wa_invocation.py."""

from __future__ import annotations

import typing as t

from ansible.utils.vars import load_extra_vars
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import CLUSTER
from ansible_collections.waent.fleet.plugins.module_utils._check.without import VARIABLE
from ansible_collections.waent.fleet.plugins.modules.wa_invocation import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import value_of
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction


class ActionModule(PureAction):
    """Module wa_invocation: checks how a playbook was called."""

    options = ARGUMENTS
    answer = staticmethod(answer)
    code = CODE

    def prepared(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """With the names that C(-e) gives, which no variable of a play holds by themselves, and the hosts to leave out.

        Those are read of a host of the cluster: this play may be that of localhost, which has not its group variables.
        """
        first = next(iter(params["groups"].get(CLUSTER) or ()), None)
        without = value_of(task_vars["hostvars"][first], VARIABLE) if first else None
        return {**params, "extra": sorted(load_extra_vars(self._loader)), "without": without}, []

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Without the parts that only a program reads: this failure is shown as it is."""
        result = super().run(tmp, task_vars)
        result.pop("problems", None)
        return result
