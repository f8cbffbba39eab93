# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a message says to run can be run: C(_common/instruction.py) has all of it, and nobody else any.

A sentence may mention a playbook, and say what it does not do; what to run it has from there. docs/instructions.md
names for each instruction the test that runs it from the state in which it is printed.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.confirmation import needs_question
from ansible_collections.waent.fleet.plugins.module_utils._check.drill import unknown_drill
from ansible_collections.waent.fleet.plugins.module_utils._check.rotation import unknown_secret
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import (
    ADDED,
    AGAIN,
    INSTRUCTIONS,
    OTHER,
    facts_of,
    instruction,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import KNOWN as SETTINGS
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import names_in, whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME, COMMAND_LINE, switch_on
from ansible_collections.waent.fleet.tests.support.called import Place, used_by
from ansible_collections.waent.fleet.tests.support.checkout import PLAYBOOKS, ROOT, has_test, load
from ansible_collections.waent.fleet.tests.support.printed import BLANK, commands

CATALOGUE = ROOT / "plugins" / "module_utils" / "_common" / "instruction.py"
SOURCES = sorted(
    path for path in ROOT.glob("plugins/**/*.py") if path != CATALOGUE and path.parent.name != "doc_fragments"
)
TASKS = sorted([*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/*.yml")])
PUBLIC = {path.stem for path in PLAYBOOKS if not path.stem.startswith("_")}

DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
SHOWN = {"msg", "fail_msg", "success_msg", "prompt", "_wa_alone"}
"""What of a task the user reads."""

FACTS = {
    "database": "waentDatabase",
    "drill": "coreapp",
    "host": "a-1",
    "hosts": ["a-1", "b-1"],
    "option": "--tags",
    "path": "/srv/media",
    "shards": 4,
    "survive": {"racks": 1},
    "version": "v2.19.7",
    "volume": "whatsappMedia",
}
"""A value of each fact that an instruction takes."""

FILLED = {
    "backup": "/srv/x.vault",
    "drill": "coreapp", "host": "a-1", "into": "inventories/mine", "rotate": "api_key", "shards": "8",
    "version": "v2.19.4",
    "wa_registration_code": "123-456", "wa_version": "v2.19.4",
}  # fmt: skip
"""What a user fills in."""

MENTION = re.compile(
    r"[\w{}]+\.yml(?:, \w+\.yml)*(?: and \w+\.yml)?"
    r" (?:would|may|refuses|cannot|does not|has no|was not given|go on without it)\b"
)
"""What a playbook does or refuses, which is nothing to run."""

OWN_COMMAND = re.compile(
    r"(?<![^\s(])-e\b(?! \{0\}= is no argument)|\bplaybooks/|\b[Rr]un (?:it|this)\b(?! to)"
    r"|\bthe playbook\b|\bthis again\b"
)
OTHER_NAME = re.compile(r"\brun waent\.fleet\.(\w+)")


def named_by(path: Path) -> str:
    """A file of a plugin by its directory and its name."""
    return "{0}/{1}".format(path.parent.name, path.stem)


def sentences(path: Path) -> list[str]:
    """All text in a file of Python but its documentation."""
    tree = ast.parse(path.read_text())
    documents = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    documents += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id in DOCUMENTATION for target in node.targets)
    ]
    skipped = {id(node) for node in documents}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
    ]


def shown(tasks: t.Any) -> list[str]:
    """The texts in a file of tasks that the user reads."""
    if isinstance(tasks, dict):
        texts = [value for key, value in tasks.items() if key in SHOWN and isinstance(value, str)]
        return texts + [text for value in tasks.values() for text in shown(value)]
    return [text for one in tasks for text in shown(one)] if isinstance(tasks, list) else []


def faults(text: str) -> list[str]:
    """What in a text should have come from the catalogue, or cannot be run."""
    found = [match[0] for match in OWN_COMMAND.finditer(text)]
    found += re.findall(r"\S+\.yml", MENTION.sub("", text))
    mentioned = re.findall(r"(\w+)\.yml", " ".join(MENTION.findall(text))) + OTHER_NAME.findall(text)
    return found + [name for name in mentioned if name not in PUBLIC]


def is_taken(name: str, value: t.Any) -> bool:
    """Whether a playbook takes this value with -e."""
    if name in BY_NAME:
        return not BY_NAME[name].problems(value, is_needed=False)
    return {
        "backup": lambda: bool(value),
        "confirm": lambda: not needs_question(value),
        "drill": lambda: not unknown_drill(value),
        "really": lambda: switch_on(value),
        "rotate": lambda: not unknown_secret(value),
        "host": lambda: bool(names_in(value)),
        "into": lambda: isinstance(value, str),
        "shards": lambda: whole_number(value) in SHARD_COUNTS,
        "version": lambda: parse_version(value) is not None,
    }[name]()


@pytest.mark.parametrize("path", SOURCES, ids=named_by)
def test_no_sentence_writes_a_command_itself(path: Path) -> None:
    assert [(text, found) for text in sentences(path) if (found := faults(text))] == []


@pytest.mark.parametrize("path", TASKS, ids=lambda path: "{0}/{1}".format(path.parts[-3], path.name))
def test_no_task_writes_a_command_itself(path: Path) -> None:
    assert [(text, found) for text in shown(load(path)) if (found := faults(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "Fix it and run site.yml.",
        "Run the playbook again with -e wa_shards=2.",
        "Docker Engine is absent; playbooks/site.yml installs it.",
        "site.yml recreates it.",
        "add a coreapp with site.yml, or wait",
        "Fix it and run it again.",
        "restart it, and run this again.",
        "Stop it, or give -e wa_stop=true.",
        "sites.yml would change:",
        "run waent.fleet.rollout instead",
        "volume x (-e wa_remove_data=true removes it)",
    ],
)
def test_what_is_found_in_a_sentence(text: str) -> None:
    assert faults(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "site.yml would change:",
        "{0}.yml was not given {1}; add {2} to the command ({3}).",
        "until then site.yml, upgrade.yml and reshard.yml go on without it with {0}",
        "used by playbooks of this collection; run waent.fleet.site instead.",
        "{0} is started again after {1} s",
    ],
)
def test_what_is_no_command(text: str) -> None:
    assert faults(text) == []


def uses() -> dict[str, set[frozenset[str]]]:
    """For each instruction the facts that it is given, by every call."""
    found: dict[str, set[frozenset[str]]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "instruction":
                (name,) = node.args
                assert isinstance(name, ast.Constant), "{0}:{1} computes a name".format(path, node.lineno)
                found.setdefault(name.value, set()).add(frozenset(str(one.arg) for one in node.keywords))
    return found


def test_every_instruction_is_used_with_the_facts_it_needs() -> None:
    assert uses() == {name: {frozenset(facts_of(name))} for name in INSTRUCTIONS}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_an_instruction_names_what_there_is(name: str) -> None:
    one = INSTRUCTIONS[name]
    assert one.form in (OTHER, AGAIN, ADDED)
    assert one.playbook in PUBLIC or (not one.playbook and one.form != OTHER)
    for given in one.arguments:
        assert given in BY_NAME or one.playbook in COMMAND_LINE[given] or not one.playbook
    assert not one.without or one.form == AGAIN


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_a_user_who_reads_it_runs_what_is_meant(name: str) -> None:
    """Read back from the words, in the middle of a sentence."""
    one = INSTRUCTIONS[name]
    words = instruction(name, **FACTS)
    (read,) = commands("Fix this (or that), and run {0}, which fixes it.".format(words))
    assert (read.playbook, read.again) == (one.playbook if one.form == OTHER else "", one.form != ADDED)
    assert list(read.arguments) == list(one.arguments)
    for given, value in read.arguments.items():
        assert is_taken(given, FILLED[given] if BLANK.match(str(value)) else value), (given, value)


def test_a_command_at_the_end_of_a_sentence_is_read_without_its_full_stop() -> None:
    (read,) = commands("Run {0}.".format(instruction("upgrade_unfinished", version="v2.19.7")))
    assert read.given() == ["-e", "version=v2.19.7"]
    (blank,) = commands("run " + instruction("registration_code_missing"))
    assert blank.given(wa_registration_code="1") == ["-e", "wa_registration_code=1"]
    with pytest.raises(KeyError):
        blank.given()


# --- names -----------------------------------------------------------------------------------------------------------

SNAKE = re.compile(r"(?<![\w./{])[a-z]+(?:_[a-z0-9]+)+(?![\w(}/]|\.[a-z])")
WITH_WORDS = re.compile(r"[a-z]{2,} [a-z]{2,} ")
NO_SENTENCE = re.compile(r"[a-z]\||\b(?:SELECT|FROM|WHERE)\b|ends the module$")
"""Patterns, SQL, and what only an assertion says."""
ELSEWHERE = frozenset(("max_connections", "host_pattern_mismatch", "mysql_native_password", "no_root_squash"))
"""Names of databases, of exports and of Ansible's settings, which users know from there."""
CALLERS = {
    "_io/client": {"api_url"},
    "_io/database": {"last_seen", "node_key", "phone_number"},
    "_check/set_shards": {"registered_at"},
    "modules/wa_database_info": {"db_host"},
    "modules/wa_nfs_media": {"wa_nfs_media"},
}
"""Columns, and options in sentences about their values, which no playbook gets wrong: callers of a module see them."""
GROUPS = frozenset(
    ("wa_cluster", "wa_database_hosts", "wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts", "wa_adopt_hosts")
)


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.parent.name in ("_check", "_plan", "_desired", "_common", "modules", "_io")],
    ids=named_by,
)
def test_sentences_name_variables_of_the_user(path: Path) -> None:
    """Never an option of a module, which whoever runs a playbook cannot set."""
    known = set(BY_NAME) | set(COMMAND_LINE) | set(SETTINGS) | ELSEWHERE | GROUPS | CALLERS.get(named_by(path), set())
    texts = [text for text in sentences(path) if WITH_WORDS.search(text) and not NO_SENTENCE.search(text)]
    named = {name for text in texts for name in SNAKE.findall(text) if not name.startswith("ansible_")}
    assert named - known == set()


def test_no_option_may_be_named_that_no_sentence_names() -> None:
    """The exceptions do not outlive their sentences."""
    named = {named_by(path): {name for text in sentences(path) for name in SNAKE.findall(text)} for path in SOURCES}
    assert [(file, options) for file, options in CALLERS.items() if options - named[file]] == []


# --- the table -------------------------------------------------------------------------------------------------------

TABLE = ROOT / "docs" / "instructions.md"
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    for line in TABLE.read_text().splitlines()
    if re.match(r"\| `", line)
]


def test_the_table_has_every_instruction_in_its_words() -> None:
    assert [(row[0].strip("`"), row[1].strip("`")) for row in ROWS] == [
        (name, instruction(name, **{fact: fact.upper() for fact in facts_of(name)})) for name in INSTRUCTIONS
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_the_test_of_an_instruction_exists(row: list[str]) -> None:
    _name, _words, by = row
    assert has_test(by.strip("`"))
    assert by.split("/")[1] in ("integration", "hosts", "versions", "aws"), "from the state in which it is printed"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_the_test_of_an_instruction_reads_it_from_the_message(row: list[str]) -> None:
    """One that knows the command by itself stays green when the message says another one."""
    path, _colons, name = row[2].strip("`").partition("::")
    read = {Place(ROOT / "tests" / "support" / "printed.py", name) for name in ("commands", "commands_after")}
    assert used_by(Place(ROOT / path, name)) & read
