# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set for hosts does not reach a module on the controller; on a host nothing is different."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from ansible.playbook.play_context import PlayContext
from ansible_collections.waent.fleet.plugins.modules import wa_sizing
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import (
    ControllerAction,
    host_of_task,
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


class Sizing(ControllerAction):
    """A module that asks nobody."""

    module = wa_sizing


def executed(delegate_to, **options):
    """What the action answers, and the connection with which it ran the module, None where it ran none."""
    seen = {}
    theirs = Mock()
    said = {"async_val": 0, "check_mode": False, "diff": False, "no_log": False, "environment": []}
    task = Mock(delegate_to=delegate_to, args=options, action="wa_sizing", **said)
    context = PlayContext()
    context.become = True
    action = Sizing(task, theirs, context, Mock(), Mock(), Mock())

    def execute(task_vars):
        seen.update(connection=action._connection, variables=task_vars)
        return {"changed": True, "kept": 1}

    action._execute_module = execute
    result = action.run(task_vars={**THEIRS, "inventory_hostname": "one"})
    return result, seen, theirs


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_on_the_controller_no_module_is_run(name):
    given = {"shards": 8}
    result, seen, theirs = executed(name, **given)
    assert result["needs"]["connections"] == 700
    assert seen == {} and theirs.mock_calls == []
    assert given == {"shards": 8}


@pytest.mark.parametrize("name", [None, "two"])
def test_on_a_host_it_runs_as_any_module(name):
    result, seen, theirs = executed(name, shards=8)
    assert (result["changed"], result["kept"]) == (True, 1)
    assert seen["connection"] is theirs
    assert seen["variables"]["ansible_python_interpreter"] == THEIRS["ansible_python_interpreter"]
