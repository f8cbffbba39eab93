# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever connects to a host does so from a role by whose defaults the silence of a host is noticed."""

from __future__ import annotations

import configparser
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.lookup.ssh_extra_args import NOTICES_SILENCE
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROLES, ROOT, load, name_of

DEFAULT = "ansible_ssh_extra_args"
ON_THE_CONTROLLER = {
    *("ansible.builtin." + name for name in ("add_host", "fail", "import_role", "include_role", "meta", "set_fact")),
    "waent.fleet.wa_invocation",
}
"""What a play does by itself without a connection to its host."""


def tasks_of(entries: t.Iterable[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """All tasks of a list, those of blocks among them."""
    for entry in entries:
        parts = [entry[part] for part in ("block", "rescue", "always") if part in entry]
        if not parts:
            yield entry
        for part in parts:
            yield from tasks_of(part)


def defaults_with_dependencies(role: Path) -> dict[str, t.Any]:
    """Defaults of a role, and of those that it depends on."""
    found: dict[str, t.Any] = {}
    for entry in load(role / "meta" / "main.yml").get("dependencies", []):
        found.update(defaults_with_dependencies(ROOT / "roles" / entry["role"].rpartition(".")[2]))
    return {**found, **load(role / "defaults" / "main.yml")}


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_a_role_notices_that_a_host_is_silent(role: Path) -> None:
    assert defaults_with_dependencies(role).get(DEFAULT) == "{{ lookup('waent.fleet.ssh_extra_args') }}"


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=name_of)
def test_nothing_connects_outside_of_a_role(playbook: Path) -> None:
    for play in load(playbook):
        lists = [play.get(part, []) for part in ("pre_tasks", "tasks", "post_tasks", "handlers")]
        called = {name for tasks in lists for task in tasks_of(tasks) for name in task if "." in name}
        assert called <= ON_THE_CONTROLLER, play["name"]
        assert "ansible.builtin.import_playbook" in play or play.get("gather_facts") is False, play["name"]


def test_connections_that_other_commands_leave_open_in_a_checkout_notice_it_too() -> None:
    """Ours go through those."""
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "ansible.cfg")
    assert NOTICES_SILENCE in configuration["ssh_connection"]["ssh_args"]
