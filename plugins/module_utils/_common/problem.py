# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong, in one shape, whoever finds it. Internal to waent.fleet: may change in any release. Pure.

A problem has a stable code for playbooks and tests to branch on, and a sentence for the person who reads it.
Every check collects all its problems before anybody fails, so that one run shows everything there is to fix.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    code: stable, upper case, for example C(WA_SHARDS_INVALID).
    message: one sentence that names the variable, the value and what is allowed. Never holds a secret.
    variable, value: what the user can change and what it is now; C(value) is None for secrets.
    host: the inventory host or node that is concerned, None when it is the whole cluster.
    """

    code: str
    message: str
    variable: str | None = None
    value: t.Any = None
    host: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({code, message, variable, value, host})."""
        return asdict(self)


def summary(problems: t.Sequence[Problem]) -> str:
    """All problems as text, one line each: C([CODE] host: sentence).

    The host is left out where the sentence begins with it.
    """
    return "\n".join("[{0}] {1}{2}".format(p.code, _place(p), p.message) for p in problems)


def _place(problem: Problem) -> str:
    return problem.host + ": " if problem.host and not _names(problem, at_the_beginning=True) else ""


def _names(problem: Problem, *, at_the_beginning: bool = False) -> bool:
    """Whether the sentence names the host: as a whole name, since C(web) is no part of C(wa-webapp-1)."""
    name = r"(?<![\w.-]){0}(?![\w-]|\.\w)".format(re.escape(problem.host or ""))
    return bool((re.match if at_the_beginning else re.search)(name, problem.message))


class Refusal(Exception):
    """We do not do what was asked, for a reason of our own. C(code) is stable, C(message) one sentence.

    problems: all of them, where these are the reason.
    """

    def __init__(
        self, code: str, message: str, details: dict[str, t.Any] | None = None, problems: t.Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or {}
        self.problems = tuple(problems)

    def as_failure(self) -> dict[str, t.Any]:
        """The shape modules return as C(failure): C({code, message, details})."""
        return {"code": self.code, "message": self.message, "details": self.details}


def refusal_for(code: str, problems: t.Sequence[Problem]) -> Refusal:
    """All problems as one refusal. C(details.codes) are the codes of the problems, each once."""
    head = "1 problem was found" if len(problems) == 1 else "{0} problems were found".format(len(problems))
    message = "{0}, nothing was changed.\n{1}".format(head, summary(problems))
    return Refusal(code, message, {"codes": sorted({problem.code for problem in problems})}, problems)


def outcome(code: str, problems: t.Sequence[Problem], result: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the module returns: C(result), and that it failed where there are problems."""
    returned = {"changed": False, **result, "problems": [problem.as_dict() for problem in problems]}
    if problems:
        refused = refusal_for(code, problems).as_failure()
        returned.update(failed=True, msg=refused["message"], failure=refused)
    return returned


def leave(module: t.Any, code: str, problems: t.Sequence[Problem], result: dict[str, t.Any]) -> t.NoReturn:
    """Ends the module with C(result), and as failed where there are problems."""
    returned = outcome(code, problems, result)
    if returned.pop("failed", False):
        module.fail_json(**returned)
    module.exit_json(**returned)
    raise AssertionError("exit_json ends the module")


def problem_from(entry: t.Mapping[str, t.Any]) -> Problem:
    """A problem out of a module's result; what the result has besides, as of a finding, is left out."""
    return Problem(entry["code"], entry["message"], entry.get("variable"), entry.get("value"), entry.get("host"))


def failure_in(result: t.Mapping[str, t.Any]) -> str | None:
    """What a module said that could not do its check; None where it did, found problems, or did not run.

    That a check found nothing is known only where its result has C(problems): anything else that says something failed,
    also where failed_when hides it.
    """
    if result.get("problems") or result.get("skipped"):
        return None
    unread = "problems" not in result and (result.get("msg") or result.get("exception"))
    if not (result.get("failed") or result.get("failure") or unread):
        return None
    return str((result.get("failure") or {}).get("message") or result.get("msg") or "The check failed.")


def lines_of(reports: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """What is wrong according to the results of modules, one line for each thing, each once.

    Of a result that failed without problems it is the message; one of a check that did not run has nothing. The host
    stands in front only where the sentence does not name it.
    """
    lines: list[str] = []
    for report in reports:
        failure = failure_in(report)
        lines += [] if failure is None else [failure]
        for problem in map(problem_from, report.get("problems") or ()):
            lines.append(summary([replace(problem, host=None) if problem.host and _names(problem) else problem]))
    return list(dict.fromkeys(lines))
