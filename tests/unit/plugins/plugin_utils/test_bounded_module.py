# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module on a host that is not waited for longer than a deadline."""

from __future__ import annotations

import types

from ansible_collections.waent.fleet.plugins.plugin_utils.bounded_module import execute_bounded
from hypothesis import given
from hypothesis import strategies as st

STATUS = "ansible.legacy.async_status"


class Action:
    """What an action plugin has of a host on which the module ends after so many questions; None: never."""

    def __init__(self, questions, answer, begun=None):
        self._task = types.SimpleNamespace(async_val=0)
        self.left, self.answer, self.begun = questions, answer, begun or {"ansible_job_id": "j7", "started": True}
        self.asked = []

    def get_shell_option(self, _name, default):
        return default

    def _execute_module(self, module_name, module_args, task_vars, wrap_async=False):
        # The host's wrapper takes its deadline from there.
        assert self._task.async_val == 20
        self.asked.append((module_name, module_args.get("mode")))
        if wrap_async:
            return self.begun
        if module_args["mode"] == "cleanup":
            return {}
        if self.left is None or self.left > 0:
            self.left = None if self.left is None else self.left - 1
            return {"finished": False, "started": True}
        return {**self.answer, "finished": True}


def bounded(action, passes=0.0):
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds + passes

    found = execute_bounded(action, "ansible.posix.mount", {"path": "/x"}, {}, 20, lambda: now[0], sleep)
    assert action._task.async_val == 0
    return found, now[0]


@given(st.integers(0, 6), st.booleans())
def test_the_answer_of_a_module_that_ends(questions, changed):
    action = Action(questions, {"changed": changed, "name": "/x"})
    found, _seconds = bounded(action)
    assert (found["changed"], found["name"]) == (changed, "/x")
    assert action.asked[0] == ("ansible.posix.mount", None)
    assert action.asked[-1] == (STATUS, "cleanup")


@given(st.floats(0, 5))
def test_one_that_does_not_end_is_not_waited_for(passes):
    action = Action(None, {})
    found, seconds = bounded(action, passes)
    assert found is None
    assert 20 <= seconds <= 20 + 2 + passes
    # Its wrapper still writes its own answer there.
    assert (STATUS, "cleanup") not in action.asked


def test_one_that_the_wrapper_has_ended():
    assert bounded(Action(0, {"failed": True, "msg": "Timeout exceeded", "child_pid": 42}))[0] is None


def test_one_that_could_not_be_begun():
    lost = {"failed": True, "msg": "MODULE FAILURE"}
    action = Action(0, {}, begun=lost)
    assert bounded(action)[0] == lost
    assert len(action.asked) == 1
