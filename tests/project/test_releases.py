# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of ansible-core and Python: what is claimed is what is tested, and what older ones cannot do is not used."""

from __future__ import annotations

import re
import typing as t
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.plugins.module_utils._desired.access import (
    SECRETS,
)
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROLES, ROOT, load, name_of, tracked
from ansible_collections.waent.fleet.tests.support.task_files import IN_PROCESS, action_of, role_file

NAMED_BY_TEMPLATE = re.compile(r"^[\w/]*\{\{ [^{}]+ \}\}\.yml$")
SHOWS_REASON = "waent.fleet.failure_reason(_wa_secrets, "


def minor(version: str) -> str:
    """C(2.17) of C(2.17.14)."""
    return ".".join(version.split(".")[:2])


def releases_tested() -> list[str]:
    """The releases that tests run with, oldest first: those with a lock of their own, and that of .venv."""
    locks = sorted(path.stem.removeprefix("core-") for path in (ROOT / "requirements").glob("core-*.txt"))
    return [*locks, minor(metadata.version("ansible-core"))]


def test_the_oldest_release_that_is_tested_is_the_oldest_that_is_admitted() -> None:
    assert load(ROOT / "meta" / "runtime.yml")["requires_ansible"] == ">={0}.0".format(releases_tested()[0])


def test_the_readme_names_the_releases_that_are_tested() -> None:
    oldest, *between, newest = releases_tested()
    reported = "ansible-core {0} or newer (tested: {1} and {2})".format(oldest, ", ".join([oldest, *between]), newest)
    assert reported in (ROOT / "README.md").read_text()


def test_the_locks_of_releases_hold_the_release_in_their_name() -> None:
    for path in (ROOT / "requirements").glob("core-*.txt"):
        version = next(line for line in path.read_text().splitlines() if line.startswith("ansible-core=="))
        assert minor(version.partition("==")[2]) == path.stem.removeprefix("core-")


def test_readme_and_scripts_name_the_same_pythons() -> None:
    low, high = re.search(r"Python (3\.\d+) to (3\.\d+);", (ROOT / "README.md").read_text()).groups()
    script = (ROOT / "tools" / "venv.sh").read_text()
    bounds = re.search(r"not \((\d), (\d+)\) <= sys\.version_info < \((\d), (\d+)\)", script).groups()
    assert (low, high) == ("{0}.{1}".format(*bounds[:2]), "{0}.{1}".format(bounds[2], int(bounds[3]) - 1))


def test_the_execution_environment_brings_what_the_demo_installs() -> None:
    """Drivers and libraries: whatever the demo's environment has beside Ansible and its collections."""
    described = load(ROOT / "meta" / "execution-environment.yml")["dependencies"]
    files = {kind: (ROOT / name).read_text().splitlines() for kind, name in described.items()}
    assert sorted(files) == ["python", "system"]
    lines = (ROOT / "requirements" / "demo.in").read_text().splitlines()
    direct = {line.partition("=")[0] for line in lines if "==" in line} - {"ansible", "ansible-core"}
    named = {re.split(r"[<>= ]", line)[0] for line in files["python"] if not line.startswith("#")}
    assert named == direct


# --- what older releases cannot do ------------------------------------------------------------------------------------


def every_task(tasks: t.Sequence[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """All tasks of a list, out of their blocks."""
    for task in tasks:
        inner = [one for key in ("block", "rescue", "always") for one in task.get(key, [])]
        yield from every_task(inner) if inner else [task]


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_no_static_import_below_a_file_that_is_named_by_a_template(role: Path) -> None:
    """ansible-core 2.17 and 2.18 resolve the template before there are any variables of hosts, and end."""
    files = {path.name: list(every_task(load(path) or [])) for path in (role / "tasks").rglob("*.yml")}
    includes = [task.get("ansible.builtin.include_tasks", "") for tasks in files.values() for task in tasks]
    if not any(NAMED_BY_TEMPLATE.match(str(name)) for name in includes):
        return
    entries = {path.name for path in entry_files()}
    importing = {name for name, tasks in files.items() if any("ansible.builtin.import_tasks" in one for one in tasks)}
    assert importing - entries == set()


def entry_files() -> set[Path]:
    """Task files that a playbook or another role names by itself."""
    found = set()
    for path in [*PLAYBOOKS, *tracked("roles/*/tasks/*.yml")]:
        plays = load(path) or []
        lists = [play.get(part, []) for play in plays for part in ("tasks", "block")] if path in PLAYBOOKS else [plays]
        for task in (one for tasks in lists for one in every_task(tasks)):
            arguments = next((task[key] for key in ("ansible.builtin.import_role",) if key in task), None)
            if arguments:
                found.add(role_file(arguments))
    return found


# --- hidden output ----------------------------------------------------------------------------------------------------


def without_reason(tasks: t.Sequence[dict[str, t.Any]], reported: bool) -> t.Iterator[str]:
    """Names of tasks whose output is hidden, and with it why they failed. reported: a rescue around them says it."""
    for task in tasks:
        if "block" in task:
            says = reported or SHOWS_REASON in yaml.safe_dump(task.get("rescue", []), width=1000)
            yield from without_reason(task["block"], says)
            for part in ("rescue", "always"):
                yield from without_reason(task.get(part, []), reported)
        elif "no_log" in task and not (reported or task.get("failed_when") is False or action_of(task) in IN_PROCESS):
            yield task["name"]


#: Files whose tasks run only inside a rescue in another file that says why.
RESCUED = {
    "node/schema_upgrade.yml": ["rollout/evidence.yml"],
    "rollout/cleanup.yml": ["rollout/evidence.yml"],
}


def short_name(path: Path) -> str:
    """C(role/file.yml) of a file of tasks."""
    return "{0}/{1}".format(path.relative_to(ROOT / "roles").parts[0], path.name)


@pytest.mark.parametrize("path", tracked("roles/*/tasks/*.yml"), ids=short_name)
def test_what_is_hidden_still_says_why_it_failed(path: Path) -> None:
    name = short_name(path)
    reported = name in RESCUED
    for rescuing in RESCUED.get(name, []):
        role, _slash, file = rescuing.partition("/")
        assert SHOWS_REASON in (ROOT / "roles" / role / "tasks" / file).read_text()
    assert list(without_reason(load(path) or [], reported)) == []


def test_every_secret_of_the_roles_is_masked() -> None:
    specs = [load(role / "meta" / "argument_specs.yml").get("argument_specs", {}) for role in ROLES]
    secrets = {
        name
        for spec in specs
        for entry in spec.values()
        for name, option in (entry.get("options") or {}).items()
        if option.get("no_log")
    }
    assert secrets - set(SECRETS) == set()
    assert len(secrets) > 5
    assert "cluster_facts', 'secrets'" in load(ROOT / "roles" / "cluster" / "vars" / "main.yml")["_wa_secrets"]
