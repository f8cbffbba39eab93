# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for wa_invocation in the controller's own process; documented in plugins/modules/wa_invocation.py."""

from __future__ import annotations

import os
import typing as t

from ansible.utils.vars import load_extra_vars
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import CLUSTER
from ansible_collections.waent.fleet.plugins.module_utils._check.without import VARIABLE
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import outcome, problem_from
from ansible_collections.waent.fleet.plugins.module_utils._plan.run_report import PLAYBOOKS, RunReport
from ansible_collections.waent.fleet.plugins.modules.wa_invocation import ARGUMENTS, CODE, answer
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import HostValues
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import value_of
from ansible_collections.waent.fleet.plugins.plugin_utils.pure_action import PureAction
from ansible_collections.waent.fleet.plugins.plugin_utils.report_file import moment, not_written, write_report

DEFAULT_CLUSTER_NAME = "waent"
"""Of the role variables, whose defaults this play has not."""


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
        given = load_extra_vars(self._loader)
        values = HostValues(task_vars["hostvars"], first) if first else {**task_vars, **given}
        report = self._report(params, values)
        extra = sorted(given)
        without = value_of(values, VARIABLE) if first else None
        return {**params, "extra": extra, "without": without, "report": report}, []

    def _report(self, params: t.Mapping[str, t.Any], values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What is known of the run by now; empty where nobody wants a report, or not at a place that can be meant."""
        path = value_of(values, "wa_report")
        other = params["playbook"] not in PLAYBOOKS or params["within"]
        if other or not isinstance(path, str) or not os.path.isabs(path):
            return {}
        return {
            "path": path,
            "playbook": params["playbook"],
            "cluster_name": str(value_of(values, "wa_cluster_name") or DEFAULT_CLUSTER_NAME),
            "check": bool(self._task.check_mode),
            "started": moment(),
            "hosts": sorted({host for hosts in params["groups"].values() for host in hosts}),
        }

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Without the parts that only a program reads: this failure is shown as it is.

        A report that cannot be written ends the run here, and not when it has something to say.
        """
        result = super().run(tmp, task_vars)
        about = dict(result["report"])
        if about:
            path = about.pop("path")
            try:
                write_report(path, RunReport(**about).document(about["started"]))
            except OSError as error:
                problems = [*map(problem_from, result["problems"]), not_written(path, error)]
                result.update(outcome(self.code, problems, {"report": {}}))
        result.pop("problems", None)
        return result
