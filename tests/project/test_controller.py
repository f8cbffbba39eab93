# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is not a host: no task on it takes over what is set for hosts.

With C(-b), become in ansible.cfg or an interpreter in the group C(all), a delegated task fails on a controller without
sudo. So a task on the controller is an action that starts no process there, one of our modules whose action plugin sees
to it, or has the variables PROTECTION of its own. A block's variables would not do: they reach those of its tasks too
that are delegated to a host.
"""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.plugin_utils.controller_action import (
    CONTROLLER,
    ControllerAction,
)
from ansible_collections.waent.fleet.tests.support.checkout import MODULES, PLAYBOOKS, ROOT, load, name_of, tracked
from ansible_collections.waent.fleet.tests.support.task_files import IN_PROCESS, Task, action_of, role_file, tasks_of

PROTECTION = {
    "ansible_become": False,
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}
#: What runs on hosts by its very purpose; everything else of ours may be delegated to the controller.
OF_HOSTS = {
    "wa_backup_timer",
    "wa_containers",
    "wa_host_info",
    "wa_media_copy",
    "wa_nfs_media",
    "wa_node_environment",
    "wa_node_info",
    "wa_node_logs",
    "wa_ports",
    "wa_served_certificate",
}


def plays_of(file: Path, plays: t.Sequence[dict[str, t.Any]]) -> t.Iterator[Task]:
    """All tasks of a playbook."""
    for play in plays:
        if "hosts" not in play:
            continue
        host = play["hosts"] if play["hosts"] in CONTROLLER else None
        for part in ("pre_tasks", "tasks", "post_tasks", "handlers"):
            yield from tasks_of(file, play.get(part, []), host)
        for role in play.get("roles", []):
            named = role_file({"name": role["role"]})
            yield from tasks_of(named, load(named), host)


def all_tasks() -> list[Task]:
    """Of every playbook, task file and example."""
    found = [task for file in PLAYBOOKS for task in plays_of(file, load(file))]
    for file in tracked("roles/*/tasks/*.yml", "docs/examples/*.yml"):
        found += tasks_of(file, load(file), None)
    return found


def stays_here(action: str) -> bool:
    """Whether this action, for the controller, needs no connection, no become and no interpreter of any host."""
    if not action.startswith("waent.fleet."):
        return action in IN_PROCESS
    name = action.rpartition(".")[2]
    if not (ROOT / "plugins" / "action" / "{0}.py".format(name)).exists():
        return False
    plugin = importlib.import_module("ansible_collections.waent.fleet.plugins.action." + name).ActionModule
    return issubclass(plugin, ControllerAction) or not plugin._requires_connection


def unprotected(tasks: t.Iterable[Task]) -> list[str]:
    """Names of tasks on the controller that would take over what is set for hosts."""
    return sorted(
        {
            "{0}: {1}".format(one.file.name, one.task.get("name", action_of(one.task)))
            for one in tasks
            if one.host in CONTROLLER
            and not stays_here(action_of(one.task))
            and {name: one.task.get("vars", {}).get(name) for name in PROTECTION} != PROTECTION
        }
    )


def test_no_task_on_the_controller_takes_over_what_is_set_for_hosts() -> None:
    tasks = all_tasks()
    assert len([one for one in tasks if one.host in CONTROLLER]) > 30
    assert unprotected(tasks) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in OF_HOSTS], ids=name_of)
def test_a_module_that_may_run_on_the_controller_runs_there_as_its_user(path: Path) -> None:
    assert stays_here("waent.fleet." + path.stem)


PLANTED = """
- hosts: localhost
  tasks:
    - {name: one, ansible.builtin.command: {cmd: id}}
- hosts: all
  tasks:
    - delegate_to: localhost
      vars: PROTECTION
      block:
        - {name: two, ansible.builtin.uri: {url: x}}
        - {name: host, ansible.builtin.uri: {url: x}, delegate_to: "{{ item }}"}
      always:
        - {name: three, ansible.builtin.uri: {url: x}, become: false}
        - {name: debug, ansible.builtin.debug: {msg: x}}
        - {name: module, waent.fleet.wa_login: {state: absent}}
    - {name: four, waent.fleet.wa_host_info: {name: x}, delegate_to: 127.0.0.1}
    - name: host
      ansible.builtin.include_role: {name: waent.fleet.node, tasks_from: remove}
    - name: imported
      ansible.builtin.import_role: {name: waent.fleet.node, tasks_from: stores}
      delegate_to: localhost
    - name: good
      ansible.builtin.command: {cmd: id}
      delegate_to: localhost
      vars: PROTECTION
"""


def test_what_would_take_it_over_is_found() -> None:
    plays = yaml.safe_load(PLANTED.replace("PROTECTION", str(PROTECTION)))
    assert unprotected(plays_of(Path("planted.yml"), plays)) == [
        "planted.yml: four",
        "planted.yml: one",
        "planted.yml: three",
        "planted.yml: two",
        "stores.yml: Make the network and the volumes of the nodes",
    ]
