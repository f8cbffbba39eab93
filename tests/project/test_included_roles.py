# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook or a role includes, rather than imports, finds its variables.

A role that is imported by a play gives its variables to all of the play; one that is included keeps them to its own
tasks, unless it is included with C(public). A condition is evaluated for each task that it stands around, so that one
around tasks of another role, as of a login, may not find what the role that it is written in depends on: those tasks
have the variables of their own role with all that it depends on, and of each role on the way there only its own.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import jinja2
import pytest
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROOT, load
from ansible_collections.waent.fleet.tests.support.task_files import beside, role_file, role_of
from jinja2 import meta

Tasks = t.Sequence[dict[str, t.Any]]
IMPORT_ROLE, INCLUDE_ROLE = "ansible.builtin.import_role", "ansible.builtin.include_role"
IMPORT_TASKS, INCLUDE_TASKS = "ansible.builtin.import_tasks", "ansible.builtin.include_tasks"


def all_tasks(tasks: Tasks, around: tuple[str, ...] = ()) -> t.Iterator[tuple[dict[str, t.Any], tuple[str, ...]]]:
    """Those of blocks too, each with the conditions that stand around it and its own."""
    for task in tasks:
        own = task.get("when", [])
        there = (*around, *(str(one) for one in (own if isinstance(own, list) else [own])))
        yield task, there
        for part in ("block", "rescue", "always"):
            yield from all_tasks(task.get(part, []), there)


def named_in(around: t.Sequence[str]) -> set[str]:
    """The variables that conditions name."""
    condition = " and ".join(f"({one})" for one in around) or "true"
    return meta.find_undeclared_variables(jinja2.Environment().parse("{{ " + condition + " }}"))


class Imported(t.NamedTuple):
    """A role whose tasks are imported. way: the roles in which that stands. around: the conditions."""

    role: str
    way: tuple[str, ...]
    around: tuple[str, ...]


def imported(file: Path, way: tuple[str, ...], around: tuple[str, ...] = ()) -> t.Iterator[Imported]:
    """What a task file imports of other roles, itself and by the files of its role."""
    for task, there in all_tasks(load(file), around):
        if IMPORT_ROLE in task:
            name = role_of(task[IMPORT_ROLE])
            yield Imported(name, way, there)
            yield from imported(role_file(task[IMPORT_ROLE]), (*way, name), there)
        for form, conditions in ((IMPORT_TASKS, there), (INCLUDE_TASKS, ())):
            named = task.get(form)
            path = named if isinstance(named, str) else (named or {}).get("file", "{{")
            # A task file that follows something in turns includes itself.
            if "{{" not in path and beside(file, path) != file:
                yield from imported(beside(file, path), way, conditions)


def own_variables(role: str) -> set[str]:
    """Names of what a role has in its variables and defaults."""
    files = [ROOT / "roles" / role / part / "main.yml" for part in ("vars", "defaults")]
    return {name for file in files if file.exists() for name in load(file) or {}}


def variables_of(role: str) -> set[str]:
    """The same, with those of the roles that it depends on."""
    found = own_variables(role)
    about = ROOT / "roles" / role / "meta" / "main.yml"
    for dependency in (load(about) or {}).get("dependencies", []) if about.exists() else []:
        found |= variables_of(role_of({"name": dependency["role"]}))
    return found


KNOWN = {name for path in ROOT.glob("roles/*") for name in own_variables(path.name)}
FILES = [
    *((playbook.stem, [task for play in load(playbook) for task in play.get("tasks", [])]) for playbook in PLAYBOOKS),
    *((file.parts[-3], load(file)) for file in sorted(ROOT.glob("roles/*/tasks/*.yml"))),
]
INCLUDES = [
    (name, task[INCLUDE_ROLE])
    for name, tasks in FILES
    for task, _around in all_tasks(tasks)
    if INCLUDE_ROLE in task and not task[INCLUDE_ROLE].get("public")
]


@pytest.mark.parametrize(
    ("name", "arguments"), INCLUDES, ids=[f"{one}-{arguments.get('tasks_from')}" for one, arguments in INCLUDES]
)
def test_a_condition_around_tasks_of_another_role_names_what_that_role_knows(
    name: str, arguments: dict[str, t.Any]
) -> None:
    included = role_of(arguments)
    for role, way, around in imported(role_file(arguments), (included,)):
        there = variables_of(role).union(*map(own_variables, way))
        assert named_in(around) & KNOWN - there == set(), (name, role, around)


def test_some_are_included() -> None:
    assert ("site", "prepare") in [(one, arguments.get("tasks_from")) for one, arguments in INCLUDES]


def changed_on_the_way(tasks: Tasks) -> list[str]:
    """Names that the condition of a block has, and that a task in it registers or sets."""
    found = []
    for task, around in all_tasks(tasks):
        if "block" in task and "when" in task:
            for inside, _conditions in all_tasks(task["block"]):
                found += sorted(
                    named_in(around) & {str(inside.get("register")), *inside.get("ansible.builtin.set_fact", {})}
                )
    return found


@pytest.mark.parametrize(
    ("inside", "names"),
    [
        ({"ansible.builtin.command": "true", "register": "read"}, ["read"]),
        ({"block": [{"ansible.builtin.set_fact": {"read": 1}}]}, ["read"]),
        ({"ansible.builtin.command": "true", "register": "read_now"}, []),
    ],
)
def test_what_counts_as_changed_on_the_way(inside: dict[str, t.Any], names: list[str]) -> None:
    assert changed_on_the_way([{"when": "read.rc != 0", "block": [inside]}]) == names


@pytest.mark.parametrize(("name", "tasks"), FILES, ids=[name for name, _tasks in FILES])
def test_a_condition_around_tasks_stays_what_it_was(name: str, tasks: Tasks) -> None:
    """It is evaluated for each of them: those after the one that changes it would be skipped, or end with an error."""
    assert changed_on_the_way(tasks) == []
