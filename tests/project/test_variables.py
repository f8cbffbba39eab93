# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables: what roles declare, what their argument specs document and what is used are the same."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import (
    BY_NAME,
    COMMAND_LINE,
    HOOK_INPUTS,
    INTERNAL,
    OF_EXAMPLES,
    OWN_ENVIRONMENT,
    RACK,
    VARIABLES,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts import FACTS
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROLES, ROOT, load, name_of, tracked

PUBLIC = re.compile(r"\bwa_[a-z0-9_]+\b")
# Facts of single hosts and of the command line: no role has a default for them.
BESIDE_DEFAULTS = {variable.name for variable in VARIABLES if not variable.role}
GIVEN = re.compile(r"(?<!\S)-e '?([a-z_]+)=")


def defaults(role: Path) -> dict[str, t.Any]:
    """Default values of a role."""
    return load(role / "defaults" / "main.yml")


def documented(role: Path) -> dict[str, dict[str, t.Any]]:
    """Options of all entry points of a role, by name."""
    specs = load(role / "meta" / "argument_specs.yml").get("argument_specs", {})
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def depends_on(role: Path) -> list[Path]:
    """The role itself and the roles of this collection it depends on."""
    names = [
        entry if isinstance(entry, str) else entry.get("role", entry.get("name", ""))
        for entry in load(role / "meta" / "main.yml").get("dependencies", [])
    ]
    return [role] + [ROOT / "roles" / name.rpartition(".")[2] for name in names]


def public_variables() -> set[str]:
    """Every variable a user may set."""
    names = {name for role in ROLES for name in [*defaults(role), *documented(role)]}
    return {name for name in names if name.startswith("wa_")}


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_a_role_documents_every_entry_point(role: Path) -> None:
    """By a spec of its own, or, as a check of arguments costs a task on every host, in the description of another."""
    specs = load(role / "meta" / "argument_specs.yml").get("argument_specs", {})
    named = set(re.findall(r"C\((\w+)\)", str([spec.get("description") for spec in specs.values()])))
    called = {
        match
        for file in tracked("playbooks/*.yml", "roles/*.yml")
        for match in re.findall(r"name: waent\.fleet\." + role.name + r"\n\s+tasks_from: (\w+)", file.read_text())
    }
    if (role / "tasks" / "main.yml").exists():
        called.add("main")
    assert called - specs.keys() - named == set()


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_every_default_is_documented(role: Path) -> None:
    # Ansible reads the specs of a role for each one that depends on it, so those of all shared variables are elsewhere.
    describing = ROOT / "roles" / "cluster" if role.name == "variables" else role
    ours = {name for name in defaults(role) if not name.startswith("ansible_")}
    assert ours - documented(describing).keys() == set()


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_every_documented_option_has_its_default_in_the_role_or_is_required(role: Path) -> None:
    have = {name for part in depends_on(role) for name in defaults(part)} | BESIDE_DEFAULTS
    optional = {name for name, option in documented(role).items() if not option.get("required")}
    assert {name for name in optional if name.startswith("wa_")} - have == set()


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_documented_defaults_are_the_real_ones(role: Path) -> None:
    real = {name: value for part in depends_on(role) for name, value in defaults(part).items()}
    stated = {name: option["default"] for name, option in documented(role).items() if "default" in option}
    assert stated == {name: real.get(name) for name in stated}


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_secrets_are_documented_as_such(role: Path) -> None:
    secret = {
        name: option.get("no_log")
        for name, option in documented(role).items()
        # These are paths of files.
        if name.endswith(("_password", "_key", "_pin", "_cert")) and "_ssl_" not in name
    }
    assert secret == dict.fromkeys(secret, True)


def test_no_variable_is_declared_that_nothing_uses() -> None:
    # What is said to Ansible is used by Ansible.
    declared = {name for role in ROLES for name in defaults(role) if not name.startswith("ansible_")}
    uses: dict[str, int] = dict.fromkeys(declared, 0)
    for file in tracked("roles/*.yml", "roles/*.j2", "playbooks/*.yml", "plugins/*.py"):
        if file.name == "argument_specs.yml":
            continue
        for name in PUBLIC.findall(file.read_text()):
            if name in uses:
                uses[name] += 1
    # The declaration itself is the one use of a variable that nothing else mentions.
    assert {name for name, count in uses.items() if count < 2} == set()


def test_inventories_set_only_variables_that_exist() -> None:
    known = public_variables() | BESIDE_DEFAULTS
    unknown = {}
    for file in tracked("inventories/*_vars/*.yml", "inventories/**/*_vars/**/*.yml"):
        names = {name for name in load(file) if name.startswith("wa_")} - known
        if names:
            unknown[str(file.relative_to(ROOT))] = names
    assert unknown == {}


def declared_in(file: Path) -> set[str]:
    """The variables that a test or script gives to a cluster that it makes, as keywords of C(declare)."""
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    declaring = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "declare")
    return {word.arg for call in declaring for word in call.keywords if word.arg and word.arg.startswith("wa_")}


def test_clusters_of_tests_and_scripts_set_only_variables_that_exist() -> None:
    """They take hours or run by hand, so that a variable that was renamed would be found late."""
    files = tracked("tests/*.py", "benchmarks/*.py")
    found = {str(file.relative_to(ROOT)): declared_in(file) - BY_NAME.keys() for file in files}
    assert {file: names for file, names in found.items() if names} == {}
    assert any(declared_in(file) for file in files)


# --- the declarations of the variables ------------------------------------------------------------------------------


def test_every_variable_of_a_role_is_declared() -> None:
    assert public_variables() - BY_NAME.keys() - INTERNAL == set()


def test_every_declared_variable_is_one_of_its_role() -> None:
    of_roles = {role.name: {name for name in documented(role) if name.startswith("wa_")} for role in ROLES}
    declared = {variable.name: variable.role for variable in VARIABLES if variable.role}
    assert {name for name, role in declared.items() if name not in of_roles[role]} == set()
    assert {
        name for role in ("cluster", "rollout", "docker_engine") for name in of_roles[role]
    } - BY_NAME.keys() <= INTERNAL


def test_documented_types_and_secrets_are_those_that_are_checked() -> None:
    differing = {}
    for role in ROLES:
        for name, option in documented(role).items():
            declared = BY_NAME.get(name)
            if declared and (option["type"], option.get("no_log", False)) != (declared.kind.spec, declared.secret):
                differing[name] = (option["type"], option.get("no_log", False), declared.kind.spec, declared.secret)
    assert differing == {}


def test_defaults_are_of_the_declared_type() -> None:
    types = {"str": str, "int": int, "float": (int, float), "bool": bool, "dict": dict, "list": list}
    wrong = {}
    for role in ROLES:
        for name, value in defaults(role).items():
            # A template has its type when it is filled in.
            if name in BY_NAME and "{{" not in str(value) and not isinstance(value, types[BY_NAME[name].kind.spec]):
                wrong[name] = value
    assert wrong == {}


def test_names_in_examples_of_hooks_are_known() -> None:
    used = {
        name
        for file in tracked("docs/examples/*.yml")
        for name in re.findall(r"\b(?:register: |vars:\s+|\{\{ )(wa_[a-z0-9_]+)", file.read_text())
    }
    assert used - BY_NAME.keys() - INTERNAL - OF_EXAMPLES == set()


def test_what_a_variable_of_the_environment_comes_from_is_a_variable() -> None:
    assert {
        source for source in OWN_ENVIRONMENT.values() if source and not set(source.split(" and ")) <= BY_NAME.keys()
    } == set()


def test_what_no_role_has_a_default_for_is_documented_with_the_whole_cluster() -> None:
    assert (BESIDE_DEFAULTS | {RACK}) - documented(ROOT / "roles" / "cluster").keys() == set()


def test_names_of_the_command_line_are_documented_once_and_read() -> None:
    specs = [name for role in ROLES for name in documented(role) if not name.startswith(("wa_", "_wa_"))]
    assert sorted(specs) == sorted([*COMMAND_LINE, RACK])
    text = "".join(file.read_text() for file in tracked("roles/*.yml", "playbooks/*.yml", "plugins/action/*.py"))
    unread = {name for name in COMMAND_LINE if f"{name} | default(" not in text and f'.get("{name}")' not in text}
    assert unread == set()
    assert {name for names in COMMAND_LINE.values() for name in names} <= {path.stem for path in PLAYBOOKS}


def test_commands_in_docs_and_playbooks_give_names_that_exist() -> None:
    unknown = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in tracked("*.md", "playbooks/*.yml", "roles/*.yml", "inventories/*", "plugins/*.py", "tools/*.sh")
        for name in GIVEN.findall(file.read_text())
        if name not in BY_NAME and name not in COMMAND_LINE
    }
    assert unknown == set()


def test_what_a_hook_gets_is_said_where_its_variable_is_documented() -> None:
    options = documented(ROOT / "roles" / "rollout")
    unsaid = {
        (variable, name)
        for variable, names in HOOK_INPUTS.items()
        for name in names
        if f"C({name})" not in str(options[variable]["description"])
    }
    assert unsaid == set()


def test_internal_names_are_used() -> None:
    text = "".join(file.read_text() for file in tracked("roles/*.yml", "playbooks/*.yml", "docs/*.yml"))
    assert {name for name in INTERNAL if name not in text} == set()


def test_nothing_is_read_from_wa_extra_environment_that_is_refused_in_it() -> None:
    """Such a name has a variable of its own, and the environment never has it."""
    found = [
        "{0}: {1}".format(path.relative_to(ROOT), name)
        for path in tracked("roles/*.yml", "playbooks/*.yml")
        for name in re.findall(r"wa_extra_environment\W+(\w+)", path.read_text())
        if name in OWN_ENVIRONMENT
    ]
    assert found == []


VARS_LINES = 60
"""What is worked out in a role's variables is seen by nobody who reads its tasks."""


def test_roles_work_little_out_in_variables() -> None:
    lines = [line for file in (ROOT / "roles").glob("*/vars/*.yml") for line in file.read_text().splitlines()]
    assert len(lines) <= VARS_LINES
    names = {line.partition(":")[0] for line in lines if re.match(r"_wa_\w+:", line)}
    text = "\n".join(file.read_text() for file in tracked("roles/**/*.yml", "playbooks/*.yml", "plugins/**/*.py"))
    unused = {name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2}
    assert unused == set()


def test_every_fact_of_a_play_is_taken_somewhere() -> None:
    text = "\n".join(file.read_text() for file in tracked("roles/**/*.yml", "playbooks/*.yml", "plugins/**/*.py"))
    unused = {name for name in FACTS if not re.search(rf"cluster_facts', '{name}'|FACTS\[\"{name}\"\]", text)}
    assert unused == set()
