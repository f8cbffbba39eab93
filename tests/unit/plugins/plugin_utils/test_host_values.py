# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of all hosts costs little for each, and is what Ansible itself gives."""

from __future__ import annotations

import multiprocessing

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.waent.fleet.plugins.plugin_utils import host_values
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import (
    EveryHost,
    ShownValues,
    may_be_template,
    registered,
)

INVENTORY = """
all:
  hosts:
    one: {plain: text, number: 7, none: null, listed: ["{{ plain }}"], made: "{{ plain }}s", broken: "{{ nobody }}"}
    two: {}
"""


@pytest.fixture
def manager(tmp_path):
    """Variables of hosts as Ansible keeps them, and hostvars of them."""
    path = tmp_path / "hosts.yml"
    path.write_text(INVENTORY)
    loader = DataLoader()
    inventory = InventoryManager(loader, sources=[str(path)])
    manager = VariableManager(loader=loader, inventory=inventory)
    HostVars(inventory=inventory, variable_manager=manager, loader=loader)
    return manager


@pytest.fixture
def asked(manager, monkeypatch):
    """The hosts whose variables Ansible was asked to put together."""
    names = []
    whole = manager.get_vars

    def get_vars(*arguments, **named):
        names.append(named["host"].name)
        return whole(*arguments, **named)

    monkeypatch.setattr(manager, "get_vars", get_vars)
    return names


def test_a_result_is_found_as_in_hostvars_without_all_other_variables(manager, asked):
    manager.set_nonpersistent_facts("one", {"__wa_host": {"host": {"name": "one"}}})
    assert registered(manager._hostvars, "one", "__wa_host") == {"host": {"name": "one"}}
    assert registered(manager._hostvars, "one", "__wa_other") is None
    assert registered(manager._hostvars, "two", "__wa_host") is None
    assert asked == []
    assert manager._hostvars.raw_get("one")["__wa_host"] == registered(manager._hostvars, "one", "__wa_host")


def test_where_ansible_keeps_results_elsewhere_they_are_found_too(manager):
    class Elsewhere:
        def raw_get(self, host):
            return {"__wa_host": host}

    assert registered(Elsewhere(), "one", "__wa_host") == "one"


def test_values_are_those_of_the_host(manager):
    one = EveryHost(manager._hostvars)["one"]
    found = {name: one[name] for name in ("plain", "number", "none", "listed", "made", "broken")}
    assert found == {
        "plain": "text", "number": 7, "none": None, "listed": ["text"], "made": "texts", "broken": "{{ nobody }}",
    }  # fmt: skip


def _reads_twice(manager, queue):
    asked = []
    whole = manager.get_vars
    manager.get_vars = lambda *arguments, **named: asked.append(named["host"].name) or whole(*arguments, **named)
    for _time in range(2):
        assert ShownValues(manager._hostvars, "one")["made"] == "texts"
    queue.put(asked)


def test_a_process_for_one_task_asks_for_each_host_once(manager):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_reads_twice, args=(manager, queue))
    process.start()
    assert queue.get(timeout=60) == ["one"]
    process.join()


def test_the_process_of_the_run_sees_what_changes(manager):
    assert "new" not in ShownValues(manager._hostvars, "one")
    manager.set_nonpersistent_facts("one", {"new": 1})
    assert ShownValues(manager._hostvars, "one")["new"] == 1
    assert host_values._RAW == {}


@pytest.mark.parametrize("value", ["{{ x }}", "{% if x %}{% endif %}", "{# x #}", "#jinja2: x", ["a"], {}, object()])
def test_what_may_hold_a_template(value):
    assert may_be_template(value)


@pytest.mark.parametrize("value", ["text", "", "# jinja", 7, 7.5, True, None])
def test_what_holds_none(value):
    assert not may_be_template(value)
