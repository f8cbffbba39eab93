# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks is brought, whichever it is; and no condition is a list, as Ansible takes none for yes."""

from __future__ import annotations

import itertools
import typing as t

import jinja2
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from jinja2 import nodes
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


FILES = sorted([*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/*.yml")])
NO_SWITCHES = {name for name, one in NOTHING.items() if not isinstance(one, bool)} | {
    name
    for path in ROOT.glob("roles/*/meta/argument_specs.yml")
    for entry in safe_load(path.read_text())["argument_specs"].values()
    for name, option in entry.get("options", {}).items()
    if option.get("type") in ("list", "dict", "str")
}
"""Names of what is no yes or no by itself."""


def conditions(part: t.Any) -> t.Iterator[str]:
    """All of a file of tasks or plays."""
    if isinstance(part, list):
        for one in part:
            yield from conditions(one)
    elif isinstance(part, dict):
        found = part.get("when", [])
        yield from (str(one) for one in (found if isinstance(found, list) else [found]))
        for one in part.values():
            yield from conditions(one)


def operands(node: nodes.Node) -> t.Iterator[str]:
    """Names that a condition takes for yes or no as they are."""
    if isinstance(node, (nodes.And, nodes.Or)):
        yield from operands(node.left)
        yield from operands(node.right)
    elif isinstance(node, nodes.Not):
        yield from operands(node.node)
    elif isinstance(node, nodes.Name):
        yield node.name
    elif isinstance(node, nodes.Getattr):
        yield node.attr


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_no_condition_is_a_list_or_a_text(path) -> None:
    used = set()
    for condition in conditions(safe_load(path.read_text())):
        (output,) = jinja2.Environment().parse("{{ (" + condition + ") }}").body
        used |= set(operands(output.nodes[0]))
    assert used & NO_SWITCHES == set()
