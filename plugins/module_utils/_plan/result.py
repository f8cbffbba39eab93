# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as modules return it: steps, words for them, and why they may not begin. Internal to waent.fleet. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    failure_in,
    problem_from,
    summary,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.batches import batches
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step, by_host, certain, total_downtime
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState

Entry = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Checks:
    """What other modules found: their problems, and the words of those that could not do their work."""

    problems: tuple[Problem, ...] = ()
    failures: tuple[str, ...] = ()

    def without(self, codes: t.Container[str]) -> Checks:
        """The same without problems of these codes."""
        return Checks(tuple(problem for problem in self.problems if problem.code not in codes), self.failures)


def read_checks(results: t.Iterable[Entry]) -> Checks:
    """From the results of modules that were registered; one that was skipped says nothing."""
    results = list(results)
    problems = [problem_from(entry) for result in results for entry in result.get("problems") or ()]
    failures = [failure for failure in map(failure_in, results) if failure is not None]
    return Checks(tuple(problems), tuple(failures))


def refusal(problems: t.Sequence[Problem], failures: t.Sequence[str], first: int = 1) -> str:
    """Why the steps may not begin, one line for each reason; empty where they may. first: number of the first step."""
    lines = [*summary(problems).splitlines(), *failures]
    if not lines:
        return ""
    head = ["Nothing was changed."] if first == 1 else []
    return "\n".join(head + list(dict.fromkeys(lines)))


@dataclass(frozen=True)
class Shown:
    """What a plan says besides its steps: before them, without any, and in the end. warnings: before all."""

    headline: str
    nothing: str
    inventory: str = ""
    warnings: tuple[Problem, ...] = ()


def empty() -> dict[str, t.Any]:
    """The result of a plan that was not made."""
    return {"steps": [], "batches": [], "sentences": [], "downtime": {}, "again": False, "inventory_note": ""}


def in_words_of_the_inventory(steps: t.Sequence[Step], placed: t.Iterable[Entry]) -> list[Step]:
    """The same with sentences that have the host of the inventory in the place of its address."""
    names = {node["key"]: by_host(node) for node in placed}
    # Of two keys of which one begins with the other, the longer one is meant where both fit.
    keys = re.compile("|".join(re.escape(key) for key in sorted(names, key=len, reverse=True)) or "(?!)")
    return [replace(step, sentence=keys.sub(lambda found: names[found[0]], step.sentence)) for step in steps]


def described(
    state: ClusterState,
    steps: t.Sequence[Step],
    placed: t.Sequence[Entry],
    shown: Shown,
    *,
    version: Version | None = None,
    first: int = 1,
    shared_tokens: bool = True,
) -> dict[str, t.Any]:
    """The part of a module's result that describes the plan.

    again: steps are predicted, so a plan has to be made once more after the batches. first: number of the first step.
    """
    steps = in_words_of_the_inventory(steps, placed)
    now = certain(steps)
    sentences = ["Warning: " + line for line in summary(shown.warnings).splitlines()]
    if steps:
        sentences.append(shown.headline)
        sentences += ["{0}. {1}".format(number, step.sentence) for number, step in enumerate(steps, first)]
    else:
        sentences.append(shown.nothing)
    return {
        "steps": [step.as_dict() for step in steps],
        "batches": batches(state, now, placed, version, first, shared_tokens),
        "sentences": sentences,
        "downtime": total_downtime(steps),
        "again": len(now) < len(steps),
        "inventory_note": shown.inventory,
    }
