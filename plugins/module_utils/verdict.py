# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that turns problems into a failed module. Internal to waent.fleet: may change any time."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils.errors import Refusal, failure
from ansible_collections.waent.fleet.plugins.module_utils.problems import Problem, summary


def verdict(code: str, problems: t.Sequence[Problem]) -> Refusal:
    """All problems as one refusal. C(details.codes) are the codes of the problems, each once."""
    head = "1 problem was found" if len(problems) == 1 else "{0} problems were found".format(len(problems))
    message = "{0}, nothing was changed.\n{1}".format(head, summary(problems))
    return Refusal(code, message, {"codes": sorted({problem.code for problem in problems})})


def outcome(code: str, problems: t.Sequence[Problem], result: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the module returns: C(result), and that it failed where there are problems."""
    told = {"changed": False, **result, "problems": [problem.as_dict() for problem in problems]}
    if problems:
        refused = failure(verdict(code, problems))
        told.update(failed=True, msg=refused["message"], failure=refused)
    return told


def leave(module: t.Any, code: str, problems: t.Sequence[Problem], result: dict[str, t.Any]) -> t.NoReturn:
    """Ends the module with C(result), and as failed where there are problems."""
    told = outcome(code, problems, result)
    if told.pop("failed", False):
        module.fail_json(**told)
    module.exit_json(**told)
    raise AssertionError("exit_json ends the module")
