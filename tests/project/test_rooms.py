# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of module_utils: what may import what. The pure ones reach neither Ansible nor any I/O.

Rooms are layers: each imports from those before it. I/O may use the pure ones, but for the plans, which decide what to
do next; nothing but modules, plugins and I/O itself uses I/O.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT

UTILS = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.waent.fleet.plugins.module_utils."
LAYERS = ("_common", "_desired", "_state", "_check", "_plan")
MAY_USE = {room: frozenset(LAYERS[: number + 1]) for number, room in enumerate(LAYERS)} | {
    "_io": frozenset(("_io", *LAYERS)) - {"_plan"}
}

PURE = frozenset(
    [
        "__future__",
        "base64",
        "binascii",
        "collections",
        "dataclasses",
        "datetime",
        "difflib",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "shlex",
        "string",
        "typing",
        "unicodedata",
        "urllib.parse",
    ]
)
"""Modules of the standard library that touch nothing outside of the process. Clocks are among those that do."""

LIBRARIES = frozenset(("netaddr",))
"""Packages that are as pure; meta/ee-requirements.txt has them."""

CLOCKS = frozenset(("now", "utcnow", "today"))
"""What in datetime reads a clock."""

BUILT_IN_IO = frozenset(("open", "input", "print", "__import__", "exec", "eval"))

FILES = sorted(file.relative_to(UTILS).as_posix() for file in UTILS.rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of modules, wherever in the file they are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # "from ..._common import addresses" imports a file of a room, "from ..._common.text import amount" a name.
            whole = module + "."
            yield from (whole + alias.name for alias in node.names) if whole.startswith(PACKAGE) else [module]


def faults(room: str, source: str) -> list[str]:
    """What a file of this room may not do."""
    tree = ast.parse(source)
    found = []
    for name in imported(tree):
        if name.startswith(PACKAGE):
            other = name[len(PACKAGE) :].partition(".")[0]
            if other not in MAY_USE[room]:
                found.append("{0} imports {1}".format(room, other))
        elif room != "_io" and name not in PURE | LIBRARIES:
            found.append("{0} imports {1}".format(room, name))
    if room != "_io":
        found += ["{0} calls {1}".format(room, name) for name in sorted(impure_calls(tree))]
    return found


def impure_calls(tree: ast.AST) -> set[str]:
    """Built-in functions that do I/O, and clocks."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {call.id for call in calls if isinstance(call, ast.Name)} & BUILT_IN_IO
    return named | ({call.attr for call in calls if isinstance(call, ast.Attribute)} & CLOCKS)


def test_every_file_is_in_a_room() -> None:
    assert {file.partition("/")[0] for file in FILES} == set(MAY_USE)


@pytest.mark.parametrize("file", FILES)
def test_rooms_are_kept(file: str) -> None:
    assert faults(file.partition("/")[0], (UTILS / file).read_text()) == []


def test_files_of_a_room_import_each_other_without_a_circle() -> None:
    """Layers forbid circles of rooms; inside of one, files may still run in one."""
    edges = {
        file: {
            name[len(PACKAGE) :].replace(".", "/") + ".py"
            for full in imported(ast.parse((UTILS / file).read_text()))
            for name in (full, full.rpartition(".")[0])
            if full.startswith(PACKAGE)
        }
        & set(FILES)
        for file in FILES
    }
    while edges:
        free = {file for file, others in edges.items() if not others & set(edges)}
        assert free, "a circle among {0}".format(sorted(edges))
        edges = {file: others for file, others in edges.items() if file not in free}


@pytest.mark.parametrize("file", FILES)
def test_the_first_words_of_a_file_say_whether_it_is_pure(file: str) -> None:
    text = ast.get_docstring(ast.parse((UTILS / file).read_text())) or ""
    assert "Internal" in text
    assert re.search(r"\bPure\b", text) is not None or file.startswith("_io/")
    assert not (file.startswith("_io/") and re.search(r"\bPure\b", text))


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("_check", "import re\nfrom " + PACKAGE + "_state.cluster import Node", []),
        ("_check", "from " + PACKAGE + "_common import addresses", []),
        ("_check", "from " + PACKAGE + "_io.client import Client", ["_check imports _io"]),
        ("_check", "from " + PACKAGE[:-1] + " import _io", ["_check imports _io"]),
        ("_check", "import " + PACKAGE + "_io.client", ["_check imports _io"]),
        ("_state", "from " + PACKAGE + "_check.host import ours", ["_state imports _check"]),
        ("_common", "from " + PACKAGE + "_desired.cluster import HostSpec", ["_common imports _desired"]),
        ("_io", "import socket\nimport os\nfrom " + PACKAGE + "_check.health import findings", []),
        ("_io", "from ansible.module_utils.urls import open_url", []),
        ("_io", "from " + PACKAGE + "_plan.step import Step", ["_io imports _plan"]),
        ("_plan", "from ansible.module_utils.basic import AnsibleModule", ["_plan imports ansible.module_utils.basic"]),
        ("_plan", "def later():\n    import subprocess", ["_plan imports subprocess"]),
        ("_plan", "from os import path", ["_plan imports os"]),
        ("_plan", "from time import sleep", ["_plan imports time"]),
        ("_plan", "from urllib.parse import quote", []),
        ("_plan", "from urllib.request import urlopen", ["_plan imports urllib.request"]),
        ("_plan", "from .step import Step", ["_plan imports .step"]),
        ("_plan", "open('x')", ["_plan calls open"]),
        ("_plan", "import datetime\ndatetime.date.today()", ["_plan calls today"]),
    ],
)
def test_what_is_no_way_to_keep_a_room(room: str, source: str, expected: list[str]) -> None:
    assert faults(room, source) == expected
