# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does and which file it names, as it stands in YAML."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load

#: Actions of Ansible itself that are done by the process that runs the playbook.
IN_PROCESS = {
    "ansible.builtin." + name
    for name in (
        "add_host",
        "assert",
        "debug",
        "fail",
        "group_by",
        "include_vars",
        "meta",
        "pause",
        "set_fact",
        "set_stats",
    )
}
FILES = {"ansible.builtin.import_tasks", "ansible.builtin.include_tasks"}
ROLES = {"ansible.builtin.import_role", "ansible.builtin.include_role"}


class Task(t.NamedTuple):
    """A task, and the host it is delegated to, by itself or by a block or import around it."""

    file: Path
    task: dict[str, t.Any]
    host: str | None


def action_of(task: t.Mapping[str, t.Any]) -> str:
    """The action's full name: every one has dots, and no keyword has."""
    return next(key for key in task if "." in key)


def role_of(arguments: t.Mapping[str, t.Any]) -> str:
    """The role that import_role or include_role names."""
    return str(arguments["name"]).removeprefix("waent.fleet.")


def role_file(arguments: t.Mapping[str, t.Any]) -> Path:
    """The task file that import_role or include_role names."""
    return ROOT / "roles" / role_of(arguments) / "tasks" / "{0}.yml".format(arguments.get("tasks_from", "main"))


def tasks_of(file: Path, tasks: t.Sequence[dict[str, t.Any]], host: str | None) -> t.Iterator[Task]:
    """All tasks of a list, with those of blocks and of files that are named by it.

    What a file is named by a template (C({{ ... }}.yml)) is read by itself only.
    """
    for task in tasks:
        own = task.get("delegate_to", host)
        parts = [task[key] for key in ("block", "rescue", "always") if key in task]
        if parts:
            for part in parts:
                yield from tasks_of(file, part, own)
            continue
        action = action_of(task)
        if action not in FILES | ROLES:
            yield Task(file, task, own)
            continue
        arguments = task[action]
        # An include hands on what stands around it, and what it applies, but not its own keywords.
        applied = arguments.get("apply", {}) if isinstance(arguments, dict) else {}
        inherited = own if "import" in action else applied.get("delegate_to", host)
        if action in ROLES:
            named = role_file(arguments)
        else:
            named = beside(file, arguments if isinstance(arguments, str) else arguments["file"])
        # A task file that follows something in turns includes itself.
        if "{{" not in str(named) and named != file:
            yield from tasks_of(named, load(named), inherited)


def beside(file: Path, name: str) -> Path:
    """The file that a task of this one includes by its name: beside it, else among the tasks of the role."""
    return file.parent / name if (file.parent / name).exists() else file.parent.parent / name
