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
        result.update(self.answered(task_vars or {}))
        return result

    def answered(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """What the module would return for the options of the task."""
        params, warnings = self.prepared(self._checked(), task_vars)
        found, problems = self.answer(params)
        return {**outcome(self.code, problems, found), **({"warnings": warnings} if warnings else {})}

    def _checked(self) -> dict[str, t.Any]:
        """The checked options.

        Ansible copies all that it checks, in depth. What was read of a thousand hosts is left out of that: where an
        option takes dictionaries whatever is in them, there is nothing to convert in those that are given.
        """
        given = dict(self._task.args)
        whole = {name: value for name, value in given.items() if _taken_as_it_is(self.options.get(name) or {}, value)}
        stand_ins: dict[str, t.Any] = {name: [] if isinstance(value, list) else {} for name, value in whole.items()}
        self._task.args = {**given, **stand_ins}
        try:
            _spec, params = self.validate_argument_spec(argument_spec=self.options)
        finally:
            self._task.args = given
        return {**params, **whole}


def _taken_as_it_is(option: t.Mapping[str, t.Any], value: t.Any) -> bool:
    if option.get("options"):
        return False
    if option.get("type") == "list":
        return option.get("elements") == "dict" and isinstance(value, list) and all(isinstance(v, dict) for v in value)
    return option.get("type") == "dict" and isinstance(value, dict)
