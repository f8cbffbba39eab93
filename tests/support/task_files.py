# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does and which file it names, as it stands in YAML."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT

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


def action_of(task: t.Mapping[str, t.Any]) -> str:
    """The action's full name: every one has dots, and no keyword has."""
    return next(key for key in task if "." in key)


def role_file(arguments: t.Mapping[str, t.Any]) -> Path:
    """The task file that import_role or include_role names."""
    name = arguments["name"].removeprefix("waent.fleet.")
    return ROOT / "roles" / name / "tasks" / "{0}.yml".format(arguments.get("tasks_from", "main"))
