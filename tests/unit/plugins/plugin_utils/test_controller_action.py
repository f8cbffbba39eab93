# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set for hosts does not reach a module on the controller; on a host nothing is different."""

from __future__ import annotations

import sys
from unittest.mock import Mock

import pytest
from ansible.playbook.play_context import PlayContext
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import (
    ControllerAction,
    host_of_task,
    with_own_python,
)

THEIRS = {"ansible_python_interpreter": "/opt/theirs"}


@pytest.mark.parametrize(
    ("delegate_to", "variables", "host"),
    [
        (None, {"inventory_hostname": "one"}, "one"),
        ("localhost", {"inventory_hostname": "one"}, "localhost"),
        ("one", {"inventory_hostname": "localhost"}, "one"),
        (None, {}, ""),
    ],
)
def test_a_task_acts_on_the_host_it_is_delegated_to(delegate_to, variables, host):
    assert host_of_task(delegate_to, variables) == host


def test_only_this_host_gets_the_python_and_the_variables_given_are_left_alone():
    given = {**THEIRS, "wa": 1, "ansible_delegated_vars": {"localhost": {**THEIRS, "x": 2}, "two": dict(THEIRS)}}
    before = repr(given)
    assert with_own_python("localhost", given, "/ours") == {
        "wa": 1,
        "ansible_python_interpreter": "/ours",
        "ansible_delegated_vars": {"localhost": {"ansible_python_interpreter": "/ours", "x": 2}, "two": THEIRS},
    }
    assert repr(given) == before


def executed(delegate_to):
    """Connection and variables with which the action runs its module, and the connection it was given."""
    seen = {}
    theirs = Mock()
    task = Mock(delegate_to=delegate_to, async_val=0, check_mode=False, args={})
    action = ControllerAction(task, theirs, PlayContext(), Mock(), Mock(), Mock())

    def execute(task_vars):
        seen.update(connection=action._connection, python=task_vars["ansible_python_interpreter"])
        return {"changed": True, "kept": 1}

    action._execute_module = execute
    result = action.run(task_vars={**THEIRS, "inventory_hostname": "one"})
    assert (result["changed"], result["kept"]) == (True, 1)
    return seen["connection"], seen["python"], theirs


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_on_the_controller_it_runs_as_its_user(name):
    connection, python, theirs = executed(name)
    assert connection is not theirs
    assert (connection.transport, connection.become, python) == ("local", None, sys.executable)


@pytest.mark.parametrize("name", [None, "two"])
def test_on_a_host_it_runs_as_any_module(name):
    connection, python, theirs = executed(name)
    assert connection is theirs
    assert python == THEIRS["ansible_python_interpreter"]
