# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users write is read of other hosts in one way, which fills in templates that ask for other hosts as well.

C(hostvars) itself does not: in it such a template is an error in one release of ansible-core, and text in another.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

SOURCES = sorted((ROOT / "plugins").rglob("*.py"))
GIVEN = ROOT / "plugins" / "filter" / "inventory_hosts.py"
"""It reads what it is given, and gets C(EveryHost)."""

YAML = sorted(path for room in ("roles", "playbooks") for path in (ROOT / room).rglob("*.yml"))
OF_A_TASK = {
    "roles/rollout/vars/main.yml": "__wa_plan",
    "roles/aws/tasks/reshard_after.yml": "__wa_leaving",
    "playbooks/backup.yml": "__wa_desired",
    "playbooks/_rollout.yml": "__wa_plan|__wa_desired|__wa_gate|__wa_gate_failure",
}
"""Files that read the results of tasks in hostvars, which hold no template, and which."""


def direct_reads(source: str) -> list[int]:
    """Lines that take a host out of hostvars with its templates still to be filled in by hostvars."""
    names = re.compile(r"\bhostvars\b[\"']?\]?$")
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript) and names.search(ast.unparse(node.value))
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('task_vars["hostvars"][first]', [1]),
        ("x\nself.hostvars[host]", [2]),
        ("hostvars[host].get(name)", [1]),
        ('task_vars["hostvars"]', []),
        ("hostvars.raw_get(host)[name]", []),
    ],
)
def test_what_counts_as_a_direct_read(source: str, lines: list[int]) -> None:
    assert direct_reads(source) == lines


@pytest.mark.parametrize("path", [path for path in SOURCES if path != GIVEN], ids=lambda path: path.name)
def test_no_plugin_reads_a_host_out_of_hostvars_itself(path: Path) -> None:
    assert direct_reads(path.read_text()) == []


def test_tasks_and_plays_read_results_of_tasks_only() -> None:
    using = {str(path.relative_to(ROOT)) for path in YAML if re.search(r"\bhostvars\b", path.read_text())}
    assert using == set(OF_A_TASK)
    for name, results in OF_A_TASK.items():
        read = re.findall(r"(?:hostvars\[[^\]]*\]\.|_wa_planner\.|hostvars, \[')(\w+)", (ROOT / name).read_text())
        assert set(read) <= set(results.split("|")), name


USERS = re.compile(r"(?<![_.\w])wa_\w+(?!\w)(?! \| default\()")
"""A variable of the inventory, without what stands for it where the inventory has none."""


@pytest.mark.parametrize(("text", "found"), [("wa_x", 1), ("wa_x | default('a', true)", 0), ("_wa_x or 'a'", 0)])
def test_what_may_be_undefined(text: str, found: int) -> None:
    assert len(USERS.findall(text)) == found


@pytest.mark.parametrize("path", YAML, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_delegated_to_what_may_be_undefined(path: Path) -> None:
    """Ansible fills delegate_to in before it asks when: a variable that nobody has set ends the play there."""
    delegated = re.findall(r"^ *delegate_to: (.*)$", path.read_text(), re.MULTILINE)
    assert [text for text in delegated if USERS.search(text)] == []
