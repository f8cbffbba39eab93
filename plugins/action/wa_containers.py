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
from ansible_collections.waent.fleet.plugins.module_utils._common.container_results import together

PLACES = ("_module_container", "module_container")
"""Where community.docker has had the code of docker_container."""


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
        containers = self._task.args.get("containers")
        if not isinstance(containers, list) or not all(isinstance(one, dict) for one in containers):
            raise AnsibleActionFail("containers has to be a list of dictionaries: the options of docker_container.")
        answers = []
        for one in containers:
            answers.append(
                self._execute_module("community.docker.docker_container", module_args=one, task_vars=task_vars)
            )
            if answers[-1].get("unreachable"):
                return {**result, **answers[-1]}
        diffs = [answer["diff"] for answer in answers if answer.get("diff")]
        return {**result, **together(containers, answers), **({"diff": diffs} if diffs else {})}
