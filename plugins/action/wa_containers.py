# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_containers, or docker_container for one after the other where its code is in a place that is not known.

The module uses what community.docker calls private: a later release may move it.
"""

from __future__ import annotations

import importlib.util
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.waent.fleet.plugins.module_utils._common.container_results import (
    STAGES,
    Answer,
    Thing,
    in_stages,
    together,
)

PLACES = ("_module_container", "module_container")
"""Where community.docker has had the code of docker_container."""

MODULES = {"networks": ("docker_network", {}), "volumes": ("docker_volume", {"recreate": "never"})}
"""What makes them where that code is elsewhere, and options besides theirs; docker_container makes all others."""


def code_is_known() -> bool:
    """Whether the module will find that code on the host: it is sent along from here."""
    for place in PLACES:
        name = "ansible_collections.community.docker.plugins.module_utils.{0}.docker_api".format(place)
        try:
            if importlib.util.find_spec(name) is not None:
                return True
        except ImportError:
            continue
    return False


class ActionModule(ActionBase):
    """Module wa_containers."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if code_is_known():
            result.update(self._execute_module(task_vars=task_vars))
            return result
        stages = [(name, self._task.args.get(name) or []) for name in STAGES]
        for name, desired in stages:
            if not isinstance(desired, list) or not all(isinstance(one, dict) for one in desired):
                raise AnsibleActionFail("{0} has to be a list of dictionaries.".format(name))
        things, answers = in_stages(stages, lambda stage, desired: self._one_by_one(stage, desired, task_vars))
        if answers and answers[-1].get("unreachable"):
            return {**result, **answers[-1]}
        diffs = [answer["diff"] for answer in answers if answer.get("diff")]
        return {**result, **together(things, answers), **({"diff": diffs} if diffs else {})}

    def _one_by_one(self, stage: str, desired: t.Sequence[Thing], task_vars: t.Any) -> list[Answer]:
        """The answers of a module for each; none after that of a host that is lost."""
        module, more = MODULES.get(stage, ("docker_container", {}))
        answers: list[Answer] = []
        for one in desired:
            answers.append(
                self._execute_module("community.docker." + module, module_args={**one, **more}, task_vars=task_vars)
            )
            if answers[-1].get("unreachable"):
                break
        return answers
