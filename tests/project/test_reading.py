# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible reads before a playbook begins, which was half of what site.yml costs with nothing to do.

It reads a role again for each import, with all roles it depends on, and copies what it has read. Counted, not timed.
"""

from __future__ import annotations

import collections
import functools
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROOT, load, tracked
from ansible_collections.waent.fleet.tests.support.playbook_runs import environment

READ = re.compile(r"Loading data from (\S+)")
LINES = 9_000
"""So many lines of files may be read for site.yml; it was 26,500 when every role depended on one with all specs."""

PUBLIC = [playbook for playbook in PLAYBOOKS if not playbook.stem.startswith("_")]


@functools.cache
def read_for(playbook: Path) -> collections.Counter[str]:
    """How often Ansible reads each file of the roles before the playbook begins."""
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "--syntax-check", str(playbook)],
        cwd=ROOT,
        env=environment(ANSIBLE_DEBUG="1", COLUMNS="400"),
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [os.path.realpath(path) for path in READ.findall(done.stdout + done.stderr)]
    return collections.Counter(os.path.relpath(path, ROOT) for path in paths if path.startswith(str(ROOT / "roles")))


def lines_of(path: str) -> int:
    """Lines of a file of the checkout."""
    return (ROOT / path).read_text().count("\n")


@pytest.mark.parametrize("playbook", PUBLIC, ids=lambda path: path.stem)
def test_the_specs_of_all_variables_are_not_read(playbook: Path) -> None:
    assert read_for(playbook)["roles/variables/defaults/main.yml"] > 0
    assert read_for(playbook)["roles/cluster/meta/argument_specs.yml"] == 0


def test_what_is_read_for_site_does_not_grow() -> None:
    read = read_for(ROOT / "playbooks" / "site.yml")
    assert sum(lines_of(path) * times for path, times in read.items()) < LINES, read.most_common(10)


def imports(tasks: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Every role that tasks or plays import or include, at any depth."""
    for task in tasks or []:
        for form in ("import_role", "include_role"):
            if "ansible.builtin." + form in task:
                yield task["ansible.builtin." + form]
        for key in ("tasks", "block", "rescue", "always"):
            yield from imports(task.get(key))


def test_imports_of_the_role_with_the_specs_of_all_variables_leave_those_alone() -> None:
    """Those that are included are read while the playbook runs."""
    files = tracked("playbooks/*.yml", "roles/*/tasks/*.yml")
    found = [(file.name, role) for file in files for role in imports(load(file))]
    of_cluster = [(name, role) for name, role in found if role["name"] == "waent.fleet.cluster"]
    assert len(of_cluster) > 10
    assert [entry for entry in of_cluster if entry[1].get("rolespec_validate") is not False] == []
