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
from ansible_collections.waent.fleet.tests.support import debian13
from ansible_collections.waent.fleet.tests.support.ansible_core_releases import PYTHONS, RELEASES, minor
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROLES, ROOT, load, name_of, tracked
from ansible_collections.waent.fleet.tests.support.task_files import IN_PROCESS, action_of, role_file

NAMED_BY_TEMPLATE = re.compile(r"^[\w/]*\{\{ [^{}]+ \}\}\.yml$")
SHOWS_REASON = "waent.fleet.failure_reason(_wa_secrets, "


README = (ROOT / "README.md").read_text()


def numbers(version: str) -> tuple[int, ...]:
    """C((2, 17)) of C(2.17)."""
    return tuple(int(part) for part in version.split("."))


def test_every_release_from_the_oldest_to_the_newest_is_tested() -> None:
    (first, oldest), (last, newest) = numbers(RELEASES[0]), numbers(RELEASES[-1])
    assert first == last
    assert ["{0}.{1}".format(first, number) for number in range(oldest, newest + 1)] == RELEASES


def test_the_releases_that_are_tested_are_those_that_are_admitted() -> None:
    major, newest = numbers(RELEASES[-1])
    admitted = ">={0}.0,<{1}.{2}.0".format(RELEASES[0], major, newest + 1)
    assert load(ROOT / "meta" / "runtime.yml")["requires_ansible"] == admitted


def test_the_readme_names_the_releases_that_are_tested() -> None:
    assert "ansible-core {0} to {1} (each of them is tested)".format(RELEASES[0], RELEASES[-1]) in README
    with_newer = next(release for release in RELEASES if PYTHONS.get(release))
    assert "{0} and newer with Python 3.12 or newer".format(with_newer) in README


def test_the_readme_names_the_pythons_that_are_tested() -> None:
    pythons = {"3.11", *filter(None, PYTHONS.values())}
    assert "(tested: {0})".format(" and ".join(sorted(pythons, key=numbers))) in README


def test_other_pythons_are_those_of_the_machine_that_has_them() -> None:
    assert set(filter(None, PYTHONS.values())) == {debian13.PYTHON}


def test_every_lock_of_a_release_is_tested_and_holds_the_release_in_its_name() -> None:
    paths = sorted((ROOT / "requirements").glob("core-*.txt"))
    assert {path.stem.removeprefix("core-") for path in paths} == set(PYTHONS)
    for path in paths:
        version = next(line for line in path.read_text().splitlines() if line.startswith("ansible-core=="))
        assert minor(version.partition("==")[2]) == path.stem.removeprefix("core-")


USED = re.compile(r"(?<![\w./])([a-z]\w*\.[a-z]\w*)\.[a-z]\w*(?![\w.(])")
FILTERS = re.compile(r"\|\s*([a-z]\w*\.[a-z]\w*)\.[a-z]\w*\(")


def collections_used() -> set[str]:
    """Collections that the package ansible has and whose modules or plugins are named by tasks or called by actions."""
    site = Path(str(metadata.distribution("ansible").locate_file("ansible_collections")))
    there = {"{0}.{1}".format(*path.parts[-2:]) for path in site.glob("*/*") if path.is_dir()}
    files = tracked("roles/*.yml", "playbooks/*.yml", "plugins/action/*.py", "plugins/plugin_utils/*.py")
    texts = [without_imports(path.read_text()) for path in files]
    named = {name for text in texts for form in (USED, FILTERS) for name in form.findall(text)}
    return named & there


def without_imports(text: str) -> str:
    """Python's own modules have names of the same form: ansible.utils.vars."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(("import ", "from ")))


FOR_SOME = {"amazon.aws": ROOT / "docs" / "guides" / "aws.md"}
"""Collections that only those need who follow a guide, which names them."""


def test_the_collections_that_are_used_are_those_that_are_required() -> None:
    assert collections_used() - FOR_SOME.keys() == set(load(ROOT / "galaxy.yml")["dependencies"])
    for name, guide in FOR_SOME.items():
        assert "ansible-galaxy collection install {0}".format(name) in guide.read_text()


def test_the_readme_names_the_collections_that_are_required() -> None:
    for name, versions in load(ROOT / "galaxy.yml")["dependencies"].items():
        oldest, limit = re.fullmatch(r">=([\d.]+),<(\d+)\.0\.0", versions).groups()
        assert "{0} {1} to {2}.x".format(name, oldest, int(limit) - 1) in README


def test_the_collections_that_are_tested_are_the_ends_of_those_that_are_admitted() -> None:
    """The oldest lies in .venv; whether the newest is admitted, a test of the check versions asks, which has it."""
    site = Path(str(metadata.distribution("ansible").locate_file("ansible_collections")))
    for name, versions in load(ROOT / "galaxy.yml")["dependencies"].items():
        manifest = load(site.joinpath(*name.split("."), "MANIFEST.json"))
        assert versions.startswith(">={0},".format(manifest["collection_info"]["version"]))


def test_readme_and_scripts_name_the_same_pythons() -> None:
    low, high = re.search(r"Python (3\.\d+) to (3\.\d+) \(", README).groups()
    script = (ROOT / "tools" / "venv.sh").read_text()
    bounds = re.search(r"not \((\d), (\d+)\) <= sys\.version_info < \((\d), (\d+)\)", script).groups()
    assert (low, high) == ("{0}.{1}".format(*bounds[:2]), "{0}.{1}".format(bounds[2], int(bounds[3]) - 1))


def test_the_execution_environment_brings_what_the_demo_installs() -> None:
    """Drivers and libraries: whatever the demo's environment has beside Ansible and its collections."""
    described = load(ROOT / "meta" / "execution-environment.yml")["dependencies"]
    files = {kind: (ROOT / name).read_text().splitlines() for kind, name in described.items()}
    assert sorted(files) == ["python", "system"]
    lines = (ROOT / "requirements" / "demo.in").read_text().splitlines()
    # The last one builds the emulator's images; the collection does without.
    direct = {line.partition("=")[0] for line in lines if "==" in line} - {"ansible", "ansible-core", "docker"}
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
    "node/schema_follow.yml": ["rollout/evidence.yml"],
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
    assert "cluster_facts', 'secrets'" in load(ROOT / "roles" / "variables" / "vars" / "main.yml")["_wa_secrets"]
