# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test uses, by itself and by the functions and fixtures that it names, in whatever file of the tests."""

from __future__ import annotations

import ast
import functools
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT

PACKAGE = "ansible_collections.waent.fleet."


class Place(t.NamedTuple):
    """A function, by the file it is in and its name."""

    path: Path
    name: str


class Names(t.NamedTuple):
    """What a file has. functions: the names in each. imported: where each imported name comes from."""

    functions: dict[str, frozenset[str]]
    imported: dict[str, Place]


@functools.cache
def names_of(path: Path) -> Names:
    """Of a file of the tests."""
    tree = ast.parse(path.read_text())
    functions = {one.name: frozenset(_names(one)) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name: Place(_file_of(one.module or ""), alias.name)
        for one in tree.body
        if isinstance(one, ast.ImportFrom)
        for alias in one.names
    }
    return Names(functions, imported)


def _names(function: ast.AST) -> t.Iterator[str]:
    for one in ast.walk(function):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.arg):
            yield one.arg


def _file_of(module: str) -> Path:
    return ROOT / (module.removeprefix(PACKAGE).replace(".", "/") + ".py")


def used_by(place: Place) -> set[Place]:
    """All functions of the tests that one uses, at any depth, itself included."""
    found: set[Place] = set()
    waiting = [place]
    while waiting:
        place = waiting.pop()
        if place in found or not place.path.is_file():
            continue
        names = names_of(place.path)
        if place.name in names.functions:
            found.add(place)
            waiting += [Place(place.path, name) for name in names.functions[place.name] if name != place.name]
        elif place.name in names.imported:
            waiting.append(names.imported[place.name])
    return found
