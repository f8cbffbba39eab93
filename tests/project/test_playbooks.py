# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks and inventories are valid by themselves, before any host is contacted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.invocation import MAKES_HOSTS
from ansible_collections.waent.fleet.plugins.module_utils._plan.run_report import PLAYBOOKS as REPORTING
from ansible_collections.waent.fleet.plugins.module_utils._plan.run_report import SHOWS
from ansible_collections.waent.fleet.tests.hosts.test_old_pythons import PLAYBOOKS as ON_OLD_PYTHONS
from ansible_collections.waent.fleet.tests.support.checkout import INVENTORIES, PLAYBOOKS, ROOT, load, name_of, run

PUBLIC = [path for path in PLAYBOOKS if not path.stem.startswith("_")]


INTERNAL = [path for path in PLAYBOOKS if path not in PUBLIC]
GIVEN = ("-e", "_wa_pass=1", "-e", "_wa_playbook=site", "-e", "_wa_hook=wa_reshard_before")
"""What those that import an internal playbook give; without it that one refuses."""


@pytest.mark.parametrize("inventory", INVENTORIES, ids=name_of)
@pytest.mark.parametrize(("playbooks", "given"), [(PUBLIC, ()), (INTERNAL, GIVEN)], ids=["public", "internal"])
def test_playbooks_are_valid_with_every_inventory(
    playbooks: list[Path], given: tuple[str, ...], inventory: Path
) -> None:
    """One process for all of them: it ends at the first that is not valid, and names it."""
    done = run("ansible-playbook", "-i", str(inventory), *map(str, playbooks), "--syntax-check", *given)
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("playbook: ")] == [
        str(playbook) for playbook in playbooks
    ]
    # Groups that a play makes for the next ones cannot be known yet.
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line and "host pattern" not in line]
    assert warnings == []


def groups(inventory: Path) -> dict[str, dict]:
    """An inventory as Ansible reads it."""
    done = run("ansible-inventory", "-i", str(inventory), "--list")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("inventory", INVENTORIES, ids=name_of)
def test_every_host_of_an_inventory_has_a_rack_and_something_to_run(inventory: Path) -> None:
    read = groups(inventory)
    variables = read["_meta"]["hostvars"]
    running = {host for kind in ("webapp", "master", "coreapp") for host in read[f"wa_{kind}_hosts"].get("hosts", [])}
    assert running
    assert [host for host in sorted(running) if not variables[host].get("rack")] == []


def test_the_production_example_spreads_over_three_racks_and_brings_no_database() -> None:
    read = groups(ROOT / "inventories" / "racks")
    racks = {variables["rack"] for variables in read["_meta"]["hostvars"].values() if "rack" in variables}
    assert len(racks) == 3
    assert "wa_database_hosts" not in read


@pytest.mark.parametrize("playbook", PUBLIC, ids=name_of)
def test_a_playbook_first_checks_how_it_was_called(playbook: Path) -> None:
    """Ansible skips a play whose group is missing, so that without this nothing at all would end green."""
    first = load(playbook)[0]
    assert first.get("ansible.builtin.import_playbook") == "_validate.yml"
    assert first["vars"] == {"_wa_playbook": playbook.stem}


def test_the_desired_state_is_checked_where_it_is_acted_on_and_nowhere_else() -> None:
    """Directly after the call; what is skipped on each of two hundred hosts costs as much as what is done."""
    imports = {path.stem: [play.get("ansible.builtin.import_playbook") for play in load(path)] for path in PUBLIC}
    assert {name for name, found in imports.items() if "_desired.yml" in found} == {
        "site",
        "reshard",
        "upgrade",
        "drain",
        "drill",
        "restore",
        "adopt",
        "certificates",
        "rotate",
    }
    assert {found.index("_desired.yml") for found in imports.values() if "_desired.yml" in found} == {1}


def test_hosts_that_the_rollout_prepares_are_prepared_once() -> None:
    """The rollout pulls the images of every host of its plan; no other play does it there."""
    site = load(ROOT / "playbooks" / "site.yml")
    parts: dict[tuple[str, str], list[str]] = {}
    for play in site:
        for task in play.get("tasks", []):
            role = task.get("ansible.builtin.import_role") or task.get("ansible.builtin.include_role")
            parts.setdefault((role["name"], role.get("tasks_from", "main")), []).append(play["hosts"]) if role else None
    # What hosts are drained for is prepared by then: it is gathered again, and nothing lacks.
    assert parts["waent.fleet.rollout", "prepare"] == ["_wa_act_roll", "_wa_act_drain"]
    for part in ("pull", "db_ssl"):
        assert parts["waent.fleet.node", part] == ["_wa_act:!_wa_act_roll"]


def test_what_is_imported_only_is_imported() -> None:
    imported = {play.get("ansible.builtin.import_playbook") for playbook in PUBLIC for play in load(playbook)}
    # rotate.yml has site.yml do what it has decided on, and aws.yml goes on with it.
    assert {path.name for path in PLAYBOOKS if path not in PUBLIC} == imported - {None} - {path.name for path in PUBLIC}


def test_every_playbook_writes_a_report_for_machines() -> None:
    """status.yml has one of its own, and logs.yml collects the last one that a run has written."""
    assert set(REPORTING) == {path.stem for path in PUBLIC} - {"status", "logs"}
    imports = {path.stem: load(path) for path in PUBLIC}
    parts = {
        (name, play["vars"].get("_wa_within"))
        for name, plays in imports.items()
        for play in plays
        if play.get("ansible.builtin.import_playbook") == "site.yml"
    }
    assert parts == {(name, name) for name, _within in parts}, "what another one runs goes into its report"


@pytest.mark.parametrize("name", SHOWS.values())
def test_a_task_that_a_report_is_made_from_is_there(name: str) -> None:
    tasks = [path.read_text() for path in ROOT.glob("roles/*/tasks/*.yml")]
    assert [text for text in tasks if "- name: {0}\n".format(name) in text] != []


def test_every_playbook_is_tried_on_a_host_whose_python_is_too_old() -> None:
    """Those hosts are made by make test-all only, and what it tries has to be known before. Some need no host."""
    assert set(ON_OLD_PYTHONS) == {path.stem for path in PUBLIC} - set(MAKES_HOSTS)
