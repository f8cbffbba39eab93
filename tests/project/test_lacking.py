# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks for a rollout is brought, whichever of all things it is; Ansible takes no list for yes or no."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from yaml import safe_load

ROLE = ROOT / "roles" / "rollout"
NOTHING: dict[str, t.Any] = safe_load((ROLE / "vars" / "main.yml").read_text())["_wa_lacks_nothing"]
LACKING = [
    {**NOTHING, **dict.fromkeys(names)}
    for count in range(len(NOTHING) + 1)
    for names in itertools.combinations(NOTHING, count)
]


def filled(lacking: dict[str, t.Any]) -> dict[str, t.Any]:
    """None stands for what the host lacks, of the type that it has."""
    return {name: (True if NOTHING[name] is False else ["x"]) if one is None else one for name, one in lacking.items()}


@pytest.mark.parametrize("lacking", LACKING, ids=lambda one: "-".join(name for name in one if one[name] is None) or "-")
def test_whatever_a_host_lacks_is_brought(lacking: dict[str, t.Any]) -> None:
    (block,) = (task["block"] for task in safe_load((ROLE / "tasks" / "prepare.yml").read_text()) if "block" in task)
    (condition,) = (task["when"] for task in block if task.get("ansible.builtin.include_tasks") == "lacking.yml")
    templar = Templar(DataLoader(), variables={"_wa_lacking": filled(lacking)})
    assert templar.evaluate_conditional(trust_as_template(condition)) is (None in lacking.values())
