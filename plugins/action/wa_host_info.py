# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs wa_host_info, and does what only the controller can do.

It hides the values that containers shall have, puts its own clock beside the host's, and says what is wrong with a
Python that gave no answer. This is the first module that any playbook runs on a host.
"""

from __future__ import annotations

import importlib
import re
import secrets
import shlex
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as core_version
from ansible.utils.display import Display
from ansible_collections.waent.fleet.plugins.module_utils._check.host import ClockSample, clock_window
from ansible_collections.waent.fleet.plugins.module_utils._check.python import QUESTION, Answer, python_problem
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, summary
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import sealed

# Ansible imports an action in the process from which it forks one for each host. Each of them would compile what the
# lookup of the options needs; imported here it is there already.
importlib.import_module("ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts")


def module_arguments(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the module gets: the same, but for the values of C(environment)."""
    environment = arguments.get("environment")
    if not environment:
        return dict(arguments)
    if not isinstance(environment, dict) or not all(isinstance(one, dict) for one in environment.values()):
        raise AnsibleActionFail("environment has to be a dictionary of dictionaries: the environment of each kind.")
    return dict(arguments, environment=sealed(environment, secrets.token_hex(16)))


display = Display()

SHOWS_OPTIONS = 3
"""From this verbosity on Ansible shows the options that a module was given."""

NO_ANSWER = ("module_stdout", "module_stderr", "exception", "rc", "msg")
"""What Ansible returns of a module that did not answer."""


def core_needs() -> tuple[int, ...]:
    """The oldest Python of a host that this ansible-core can work with; empty where it does not say."""
    return tuple(getattr(basic, "_PY_MIN", ()))


class ActionModule(ActionBase):
    """Module wa_host_info, with C(host.clock) added."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        before = time.time()
        result.update(self._execute_module(module_args=module_arguments(self._task.args), task_vars=task_vars))
        after = time.time()
        if display.verbosity < SHOWS_OPTIONS:
            # The process that keeps what all hosts have answered goes through each of them several times.
            result.pop("invocation", None)
        host = result.get("host")
        if host is None and not result.get("failure"):
            return self._explained(result)
        if host is None or result.get("failed"):
            return result
        samples = [ClockSample(before, host["time"], after), self._ask_clock()]
        least, most = clock_window([sample for sample in samples if sample is not None])
        host["clock"] = {"at_least": round(least, 3), "at_most": round(most, 3)}
        return result

    def _explained(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        """A result without an answer of the module: with a sentence in its place, where that is Python's fault."""
        # As it stands in the module's first line, "#!/usr/bin/python3".
        interpreter = (self._used_interpreter or "").lstrip("#!").strip()
        if not interpreter:
            return result
        asked = self._low_level_execute_command("{0} -c {1}".format(interpreter, shlex.quote(QUESTION)))
        answer = Answer(asked["rc"], "{0}\n{1}".format(asked.get("stdout") or "", asked.get("stderr") or ""))
        name = str(self._task.args.get("name") or "")
        problem = python_problem(name, interpreter, answer, core_version, core_needs())
        if problem is None:
            return result
        failure = Refusal(problem.code, problem.message, {"interpreter": interpreter}).as_failure()
        kept = {key: value for key, value in result.items() if key not in NO_ANSWER}
        said = "Nothing was changed on {0}.\n{1}".format(name, summary([problem]))
        return {**kept, "failed": True, "msg": said, "failure": failure}

    def _ask_clock(self) -> ClockSample | None:
        """A second look over the open connection, far quicker than a module; None where C(date) is unusual."""
        before = time.time()
        answer = self._low_level_execute_command("date +%s.%N", sudoable=False)
        after = time.time()
        match = re.search(r"^([0-9]{9,11})(?:\.([0-9]{9}))?", answer.get("stdout") or "", re.MULTILINE)
        if match is None:
            return None
        if match.group(2) is None:
            return ClockSample(before, float(match.group(1)), after, resolution=1.0)
        return ClockSample(before, float(match.group(0)), after)
