# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only computes answers in the controller's process as it does as a module."""

from __future__ import annotations

import importlib
import json
from unittest.mock import Mock

import pytest
from ansible.errors import AnsibleError
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

PLUGINS = "ansible_collections.waent.fleet.plugins."
HOST = {"name": "one", "rack": "a", "kinds": ["coreapp", "master", "webapp"]}
CASES = {
    "placed": ("wa_placement", {"shards": 1, "hosts": [HOST, {**HOST, "name": "two"}]}),
    "not placed": ("wa_placement", {"shards": 3, "hosts": [HOST], "settings": {"pin": "12"}}),
    "nothing to check": ("wa_preflight", {"hosts": [], "nodes": []}),
    "checked": (
        "wa_preflight",
        {"hosts": [], "nodes": [], "reports": [{"problems": [{"code": "ODD", "message": "It is odd."}]}]},
    ),
    "no plan": ("wa_reshard_plan", {"shards": 3, "hosts": [HOST], "observed": []}),
    "no drain": ("wa_drain_plan", {"shards": 3, "hosts": [HOST], "observed": []}),
    "no upgrade": (
        "wa_upgrade_plan",
        {"version": "new", "shards": 1, "nodes": [], "observed": []},
    ),
}


def act(name, options):
    """The result of the action plugin."""
    plugin = importlib.import_module(PLUGINS + "action." + name).ActionModule
    task = Mock(args=options, async_val=0, check_mode=False, action="waent.fleet." + name)
    return plugin(task, Mock(), Mock(), Mock(), Mock(), Mock()).run(task_vars={})


@pytest.mark.parametrize("case", list(CASES))
def test_the_action_answers_as_the_module(case, capfd):
    name, options = CASES[case]
    module = run_module(importlib.import_module(PLUGINS + "modules." + name), capfd, **options)
    module.pop("invocation", None)
    action = json.loads(json.dumps(act(name, options)))
    assert bool(action.pop("failed", False)) == bool(module.pop("failed", False))
    assert action == module


@pytest.mark.parametrize(
    "name", ["wa_placement", "wa_preflight", "wa_reshard_plan", "wa_drain_plan", "wa_upgrade_plan"]
)
def test_options_are_checked(name):
    with pytest.raises(AnsibleError, match="missing required arguments"):
        act(name, {})
