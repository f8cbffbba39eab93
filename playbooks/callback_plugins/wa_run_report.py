# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes wa_report for the playbooks beside which it lies: Ansible loads it with them, from wherever they are called.

A run ends in many places, and a playbook has none that comes last whatever happens; a callback has. It only
passes on what Ansible reports. Results of tasks with no_log come here without their contents.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: wa_run_report
type: notification
short_description: Write what a run plans, does and ends with as JSON
description:
  - Writes the file that C(wa_report) names for C(site.yml), C(upgrade.yml), C(reshard.yml) and C(drain.yml), from the
    beginning of the run on and after each step. docs/run-report.schema.json describes it.
  - Does nothing where C(wa_report) is not set.
"""

import typing as t

from ansible.playbook.play import Play
from ansible.plugins.callback import CallbackBase
from ansible_collections.waent.fleet.plugins.module_utils._plan.run_report import RunReport
from ansible_collections.waent.fleet.plugins.plugin_utils.report_file import moment, not_written, write_report

PLANS = ("wa_upgrade_plan", "wa_reshard_plan", "wa_drain_plan")
LAST_WORDS = ("fail", "assert")
"""Tasks whose message says why it ends, whatever has failed before or fails while things are cleared up."""

STEP = "Run step | Show which one it is"


class CallbackModule(CallbackBase):
    """Follows one run after the other: a playbook may import several of ours."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "wa_run_report"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self.report: RunReport | None = None
        self.path = ""
        self.failures: dict[str, list[tuple[str, str]]] = {}
        """By host the actions that failed and what they said, those that were rescued among them."""
        self.unreachable: set[str] = set()

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """The play before has ended well, or there would be no other."""
        if self.report:
            self.report.pass_on()
            self._write()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """What was planned, which step it is, and whether something was changed."""
        module = self._module(result)
        if module == "wa_invocation":
            self._begin(result._result)
        if not self.report:
            # Ansible copies a result when it is read, and that of a host is what a large cluster has most of.
            return
        found = result._result
        changed = bool(found.get("changed"))
        if changed:
            self.report.change(result._host.get_name())
        if module == "wa_checks" and self.report.playbook == "site":
            self.report.will_change((found.get("preflight") or {}).get("planned_changes") or ())
        elif module in PLANS and not found.get("refusal"):
            self.report.plan(found)
        elif result._task.get_name().endswith(STEP):
            self.report.begin(int(str(found["msg"]).partition(".")[0]))
        elif not changed:
            return
        self._write()

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """It may be rescued: whether the host has failed is known in the end."""
        module = self._module(result)
        if module == "wa_invocation":
            self._begin(result._result)
        if self.report and not ignore_errors:
            host, said = result._host.get_name(), str(result._result.get("msg") or "")
            self.failures.setdefault(host, []).append((module, said))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Where that is no failure, the task says so."""
        if self.report and not result._task.ignore_unreachable:
            self.unreachable.add(result._host.get_name())

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The last of all."""
        self._end(stats)

    def _begin(self, found: t.Mapping[str, t.Any]) -> None:
        self._end(None)
        about = dict(found.get("report") or {})
        if about:
            self.path = about.pop("path")
            self.report = RunReport(**about)

    def _end(self, stats: t.Any) -> None:
        if not self.report:
            return
        for host, failed in self.failures.items():
            if stats is not None and stats.failures.get(host):
                words = [said for module, said in failed if module in LAST_WORDS] or [said for _module, said in failed]
                self.report.fail(words[-1], host)
        for host in sorted(self.unreachable):
            self.report.lose(host)
        self.report.end()
        self._write()
        self.report, self.failures, self.unreachable = None, {}, set()

    def _write(self) -> None:
        if not self.report:
            return
        try:
            write_report(self.path, self.report.document(moment()))
        except OSError as error:
            # That it can be written was found out before anything was changed; a run does not end over it half-way.
            self._display.warning(not_written(self.path, error).message)

    @staticmethod
    def _module(result: t.Any) -> str:
        return str(result._task.action).rpartition(".")[2]
