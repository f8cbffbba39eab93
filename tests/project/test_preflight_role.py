# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role preflight reads and checks, and changes nothing, ever; and a host meets only plays that have work for it.

Every task that its files lead to is one of a few actions that cannot change a host, a database or a cluster. The one
thing it leaves behind is a session of the API, which it ends: what can only be asked by somebody who has logged in.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._plan.preflight import (
    GROUPS,
)
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load, name_of
from ansible_collections.waent.fleet.tests.support.task_files import Task, action_of, tasks_of

READS = {
    "waent.fleet." + name
    for name in (
        "wa_host_info", "wa_database_info", "wa_cluster_health", "wa_placement", "wa_preflight", "wa_identity",
        "wa_sizing", "wa_ports", "wa_served_certificate", "wa_checks",
    )
}  # fmt: skip
"""Modules that read, or only compute; C(changes_nothing) of their documentation is checked below."""
SPEAKS = {"ansible.builtin." + name for name in ("fail", "assert", "debug", "ping")} | {"waent.fleet.wa_show"}
SORTS = {"ansible.builtin.add_host", "ansible.builtin.set_fact"}
"""They change what this run knows, and nothing outside of it."""
FILES = sorted((ROOT / "roles" / "preflight" / "tasks").glob("*.yml"))


def may_change(one: Task) -> bool:
    """Whether a task could change anything but what the run itself knows."""
    action = action_of(one.task)
    if action in READS | SPEAKS | SORTS:
        return False
    if action == "waent.fleet.wa_login":
        # The first login replaces the password of a new installation, but not in check mode; a logout ends the session.
        arguments = one.task[action]
        return one.task.get("check_mode") is not True and arguments.get("state") != "absent"
    if action == "waent.fleet.wa_api_authority":
        # It pins the authority, but not in check mode.
        return one.task.get("check_mode") is not True
    return True


def changing(file: Path) -> list[str]:
    """Names of the tasks of a file, and of all that it leads to, that might change something."""
    return [one.task.get("name", action_of(one.task)) for one in tasks_of(file, load(file), None) if may_change(one)]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_preflight_changes_nothing(file: Path) -> None:
    assert changing(file) == []


def test_its_tasks_are_found_through_includes_and_imports() -> None:
    """From the file that leads to most of it, and to another role."""
    hosts = FILES[0].parent / "hosts.yml"
    found = {action_of(one.task) for one in tasks_of(hosts, load(hosts), None)}
    assert {"waent.fleet.wa_host_info", "waent.fleet.wa_database_info", "waent.fleet.wa_login"} <= found


def test_nothing_is_named_by_a_template_or_handed_to_a_handler() -> None:
    """What a file is named by a template could be any file."""
    texts = {file.name: file.read_text() for file in FILES}
    assert [name for name, text in texts.items() if 'include_tasks: "{{' in text or "notify" in text] == []
    assert not (ROOT / "roles" / "preflight" / "handlers").exists()


@pytest.mark.parametrize("module", sorted(READS))
def test_what_it_reads_with_says_that_it_changes_nothing(module: str) -> None:
    source = (ROOT / "plugins" / "modules" / (module.rpartition(".")[2] + ".py")).read_text()
    documentation = yaml.safe_load(source.partition('DOCUMENTATION = r"""')[2].partition('"""')[0])
    assert "waent.fleet.attributes.info" in documentation["extends_documentation_fragment"]


PLANTED = """
- {name: one, community.docker.docker_container: {name: x, state: stopped}}
- {name: two, ansible.builtin.command: {cmd: id}}
- {name: three, waent.fleet.wa_settings: {settings: {}}}
- {name: four, waent.fleet.wa_login: {username: admin}}
- {name: reads, waent.fleet.wa_login: {username: admin}, check_mode: true}
- {name: ends, waent.fleet.wa_login: {state: absent}}
- block:
    - {name: reads, waent.fleet.wa_host_info: {name: x}}
  always:
    - name: five
      ansible.builtin.import_role: {name: waent.fleet.node, tasks_from: stores}
"""


def test_what_would_change_something_is_found() -> None:
    tasks = tasks_of(Path("planted.yml"), yaml.safe_load(PLANTED), None)
    found = [one.task["name"] for one in tasks if may_change(one)]
    assert found == ["one", "two", "three", "four", "Make the network and the volumes of the nodes"]


# --- groups -----------------------------------------------------------------------------------------------------------


def test_the_plays_of_site_name_the_groups_that_hosts_are_sorted_into() -> None:
    plays = [play["hosts"] for play in load(ROOT / "playbooks" / "site.yml") if "hosts" in play]
    named = {group for hosts in plays for group in re.findall(r"\b_?wa_\w+", hosts)}
    before = {"wa_cluster", "wa_database_hosts", "_wa_left_out", "_wa_media", "_wa_media_move", "_wa_media_moved"}
    before.add("_wa_none")  # that no host is ever in
    assert named - before == set(GROUPS)
