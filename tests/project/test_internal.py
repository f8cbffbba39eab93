# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the playbooks use refuses to run by itself, with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROLES, load, name_of, run

REFUSAL = "is used by the playbooks of this collection"
INTERNAL_ROLES = [
    role
    for role in ROLES
    if (role / "tasks" / "main.yml").exists() and REFUSAL in (role / "tasks" / "main.yml").read_text()
]
INTERNAL_PLAYBOOKS = [path for path in PLAYBOOKS if path.stem.startswith("_")]


def test_a_role_does_its_work_or_refuses() -> None:
    """A role without C(main) does nothing and ends green."""
    assert [role.name for role in ROLES if not (role / "tasks" / "main.yml").exists()] == []


def test_roles_that_are_no_use_by_themselves_are_internal() -> None:
    assert {role.name for role in INTERNAL_ROLES} >= {"cluster", "node", "preflight", "rollout", "uninstall"}


@pytest.mark.parametrize("role", INTERNAL_ROLES, ids=name_of)
def test_an_internal_role_refuses_direct_use(role: Path) -> None:
    done = run("ansible", "localhost", "-m", "include_role", "-a", f"name=waent.fleet.{role.name}")
    assert done.returncode != 0
    assert f"The role waent.fleet.{role.name} {REFUSAL}" in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("playbook", INTERNAL_PLAYBOOKS, ids=name_of)
def test_an_internal_playbook_refuses_direct_use(playbook: Path) -> None:
    done = run("ansible-playbook", str(playbook))
    assert done.returncode != 0
    assert f"The playbook waent.fleet.{playbook.stem} {REFUSAL}" in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_roles_depend_on_internal_ones_for_their_variables_only(role: Path) -> None:
    """Tasks of a dependency would refuse; with this tag they are left out without costing a skipped task."""
    internal = {f"waent.fleet.{other.name}" for other in INTERNAL_ROLES}
    needed = [entry for entry in load(role / "meta" / "main.yml").get("dependencies", []) if entry["role"] in internal]
    assert [entry["role"] for entry in needed if entry.get("tags") != "never"] == []


@pytest.mark.parametrize("role", INTERNAL_ROLES, ids=name_of)
def test_an_internal_role_says_so_in_its_documentation(role: Path) -> None:
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert "main" not in specs, "its arguments would be checked, on every host, for each role that depends on it"
    assert "sed by the playbooks" in str([spec["description"] for spec in specs.values()])
