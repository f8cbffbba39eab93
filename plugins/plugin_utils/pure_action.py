# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that only compute, run in the controller's own process. Internal to waent.fleet: may change any time.

Such a module needs no host, no connection and no privileges. Starting a Python for it costs ten times what the answer
does, so an action plugin of the same name answers with the module's own function.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, outcome


class PureAction(ActionBase):
    """A module with C(answer(params)) as its whole work.

    options: the module's argument specification. code: of the failure when there are problems.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_async = False
    options: t.ClassVar[dict[str, t.Any]]
    code: t.ClassVar[str]

    @staticmethod
    def answer(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
        """Result and problems for checked options: the module's own function."""
        raise NotImplementedError

    def prepared(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """The checked options as the function gets them, and warnings; here an action adds what it has to read."""
        del task_vars
        return params, []

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, params = self.validate_argument_spec(argument_spec=self.options)
        params, warnings = self.prepared(params, task_vars or {})
        found, problems = self.answer(params)
        result.update(outcome(self.code, problems, found))
        if warnings:
            result["warnings"] = warnings
        return result
