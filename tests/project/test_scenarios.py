# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of Molecule: one recipe of hosts for all, and nothing that a run leaves behind."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tools import checks

SCENARIOS = {file.parent.name: yaml.safe_load(file.read_text()) for file in ROOT.glob("molecule/*/molecule.yml")}
OWN = {
    "ansible.playbooks.prepare",
    "ansible.playbooks.converge",
    "provisioner.inventory.links.hosts",
    "provisioner.inventory.links.scenario.yml",
    "scenario.test_sequence",
}
"""What a scenario says itself. All else is said once, in .config/molecule/config.yml."""


def leaves(tree: t.Any, path: str = "") -> set[str]:
    """The paths of all values that are no mapping."""
    if not isinstance(tree, dict):
        return {path}
    return {leaf for key, value in tree.items() for leaf in leaves(value, "{0}.{1}".format(path, key).lstrip("."))}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_repeats_nothing_that_all_have_in_common(name: str) -> None:
    assert leaves(SCENARIOS[name]) <= OWN


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_cleans_up_and_runs_everything_twice(name: str) -> None:
    sequence = SCENARIOS[name]["scenario"]["test_sequence"]
    assert sequence[0] == sequence[-1] == "destroy"
    assert sequence[sequence.index("converge") + 1] == "idempotence"
    assert "verify" in sequence


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_tests_that_a_scenario_names_are_there(name: str) -> None:
    for step in SCENARIOS[name]["scenario"]["test_sequence"]:
        for path in step.split()[1:]:
            assert list((ROOT / "molecule" / name / path).resolve().glob("test_*.py")), step


def test_every_scenario_is_a_check_and_documented() -> None:
    assert {check.commands[0][-1] for check in checks.CHECKS if check.commands[0][0] == "molecule"} == set(SCENARIOS)
    documented = (ROOT / "docs" / "testing.md").read_text().partition("## Scenarios")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", documented, re.MULTILINE)) == set(SCENARIOS)
