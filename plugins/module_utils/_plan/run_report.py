# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that changes a cluster as one document, for machines. Internal to waent.fleet. Pure.

What a run shows is noted here while it goes on: what it plans, the step that it is in, why it ends. The form of the
document is the user's interface: docs/run-report.schema.json describes it, and FORMAT_VERSION changes with every member
that goes or changes its meaning. New members do not change it. Everybody may read it: of what failed it has only
sentences with a code, which hold no secret.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

Entry = t.Mapping[str, t.Any]

FORMAT, FORMAT_VERSION = "waent.fleet.run", 1

PLAYBOOKS = (
    "site", "upgrade", "reshard", "drain", "adopt", "certificates", "rotate", "backup", "restore", "uninstall", "drill",
    "engine", "aws", "aws_remove",
)  # fmt: skip
"""Those that write it: all but status.yml, which has a report of its own, and logs.yml, which collects the last one."""

SAYS = {
    "site": ("wa_checks", "preflight.planned_changes"),
    "uninstall": ("wa_removal", "planned_changes"),
    "rotate": ("wa_rotation", "sentences"),
    "aws": ("wa_aws_plan", "lines"),
    "aws_remove": ("wa_aws_plan", "lines"),
    "certificates": ("wa_show", "lines"),
}
"""The module that says what a playbook changes beside the steps of a plan, and where its result has that, with dots."""

SHOWS = {"certificates": "Plan certificates | Show what is brought"}
"""The one task of a module with many uses that says it."""

RUNNING, DONE, PLANNED, REFUSED, STOPPED = "running", "done", "planned", "refused", "stopped"
"""What came of it. C(RUNNING) is also what a run leaves that was killed."""

BEGUN, FAILED = "begun", "failed"
"""What a step may be besides C(PLANNED) and C(DONE)."""

OTHERWISE = "TASK_FAILED"
UNREACHABLE = "HOST_LOST"

_CODED = re.compile(
    r"^(?:Why: )?\[(?P<code>[A-Z][A-Z0-9_]+)\] (?:(?P<host>[\w.:-]+): )?(?P<message>.*\S)", re.MULTILINE
)


@dataclass
class Step:
    """One step of a plan. number: as it is shown; a run may have two plans, each with a first step."""

    number: int
    action: str
    nodes: list[str]
    sentence: str
    state: str = PLANNED

    def as_dict(self) -> dict[str, t.Any]:
        """For the document."""
        return {
            "number": self.number,
            "action": self.action,
            "nodes": self.nodes,
            "sentence": self.sentence,
            "state": self.state,
        }


@dataclass
class RunReport:
    """What is known of a run so far. hosts: names of the inventory. check: whether it only shows what it would do."""

    playbook: str
    cluster_name: str
    check: bool
    started: str
    hosts: t.Collection[str] = ()
    target: str | int | None = None
    changes: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    problems: list[dict[str, t.Any]] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    result: str = RUNNING
    _certain: int = 0
    _rest: bool = False

    def will_change(self, sentences: t.Iterable[str]) -> None:
        """What will be changed, as preflight shows it; read again, it is another."""
        self.changes = [str(sentence).strip() for sentence in sentences]

    def hear(self, module: str, task: str, result: Entry) -> bool:
        """A module has ended well: whether it said what will be changed. What it says when that is done is left out."""
        says, where = SAYS.get(self.playbook, ("", ""))
        if module != says or not task.endswith(SHOWS.get(self.playbook, "")):
            return False
        found: t.Any = result
        for name in where.split("."):
            found = found.get(name) or {}
        if not found or (self.changes and self.playbook != "site"):
            return False
        self.will_change(found)
        return True

    def plan(self, plan: Entry) -> None:
        """A plan was made: the first one, the rest of the one before, or that of another operation."""
        # What site.yml recreates is planned as an upgrade to the version that is there: it leads to no other.
        if self.playbook == plan.get("operation") != "site":
            target = str(plan.get("target") or "")
            self.target = int(target) if self.playbook == "reshard" and target.isdigit() else target or None
        if self._rest:
            del self.steps[self._certain :]
        first = self._certain + 1 if self._rest else 1
        self.steps += [
            Step(number, str(step["action"]), [str(key) for key in step.get("nodes") or ()], str(step["sentence"]))
            for number, step in enumerate(plan.get("steps") or (), first)
        ]
        self._rest = bool(plan.get("again"))
        self._certain = len(plan.get("batches") or ()) if self._rest else 0

    def begin(self, number: int) -> None:
        """The step with this number begins, so that the ones before it are over."""
        self.pass_on()
        for step in self.steps:
            if step.number == number and step.state == PLANNED:
                step.state = BEGUN
                return

    def pass_on(self) -> None:
        """A play ended well, or a step: it is done."""
        for step in self.steps:
            if step.state == BEGUN:
                step.state = DONE

    def change(self, host: str) -> None:
        """A task changed something."""
        self.changed[host] = self.changed.get(host, 0) + 1

    def fail(self, message: str, host: str) -> None:
        """The run ends for a host: the sentences with a code in its message, or that it failed where there is none."""
        found = [self._problem(match) for match in _CODED.finditer(message)]
        text = "A task failed without a code on {0}; the output of the run has its words.".format(host)
        for problem in found or [{"code": OTHERWISE, "host": host, "message": text}]:
            if problem not in self.problems:
                self.problems.append(problem)

    def lose(self, host: str) -> None:
        """A host cannot be reached any more, and the run ends for it."""
        self.problems.append(
            {"code": UNREACHABLE, "host": host, "message": "{0} cannot be reached any more.".format(host)}
        )

    def _problem(self, match: re.Match[str]) -> dict[str, t.Any]:
        host, message = match["host"], match["message"]
        if host is not None and host not in self.hosts:
            host, message = None, "{0}: {1}".format(host, message)
        return {"code": match["code"], "host": host, "message": message}

    def end(self) -> None:
        """The run is over; what failed was noted before."""
        if not self.problems:
            self.pass_on()
            self.result = PLANNED if self.check else DONE
            return
        begun = [step for step in self.steps if step.state == BEGUN]
        for step in begun:
            step.state = FAILED
        touched = self.changed and not self.check
        self.result = STOPPED if touched or begun or any(step.state == DONE for step in self.steps) else REFUSED

    def document(self, now: str) -> dict[str, t.Any]:
        """The document. now: when it is written, in UTC."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "started": self.started,
            "time": now,
            "playbook": self.playbook,
            "cluster_name": self.cluster_name,
            "check": self.check,
            "target": self.target,
            "result": self.result,
            "problems": self.problems,
            "changes": self.changes,
            "steps": [step.as_dict() for step in self.steps],
            "changed": self.changed,
        }
