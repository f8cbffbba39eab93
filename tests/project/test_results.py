# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks read of a module's answer is in it, by its documentation: with a default() nobody would miss it.

A list that was looked for one level too high was an empty one, and what it named was left alone.
"""

from __future__ import annotations

import ast
import functools
import re
import typing as t

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import MODULES, ROOT, load

OF_EVERY_MODULE = {"changed", "failed", "skipped", "msg", "results"}
TASKS = sorted([*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/*.yml")])
OURS = "waent.fleet."


def answers(path: t.Any) -> set[str]:
    """The keys that a module documents of its answer."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "RETURN":
            return set(yaml.safe_load(ast.literal_eval(node.value)) or ())
    return set()


def tasks_in(data: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Every mapping at any depth, tasks among them."""
    if isinstance(data, dict):
        yield data
        data = list(data.values())
    for one in data if isinstance(data, list) else ():
        yield from tasks_in(one)


@functools.cache
def registered() -> dict[str, set[str]]:
    """By variable the keys of the answers that are registered in it, where all are those of our modules."""
    known = {OURS + path.stem: answers(path) for path in MODULES}
    found: dict[str, set[str]] = {}
    others: set[str] = set()
    for task in (task for path in TASKS for task in tasks_in(load(path))):
        others |= set(task.get("ansible.builtin.set_fact") or ())
        if "register" in task:
            module = next((name for name in task if name in known), "")
            found.setdefault(task["register"], set()).update(known.get(module, ()))
            others |= set() if module else {task["register"]}
    return {name: keys | OF_EVERY_MODULE for name, keys in found.items() if name not in others}


def unknown(text: str, results: t.Mapping[str, set[str]]) -> list[str]:
    """What a text reads of an answer that is not in it."""
    read = re.findall(r"(?<![\w.])\(?(__?wa_\w+)(?: \| default\(\{\}\)\))?\.(\w+)", text)
    return ["{0}.{1}".format(name, key) for name, key in read if name in results and key not in results[name]]


@pytest.mark.parametrize("path", TASKS, ids=lambda path: "{0}/{1}".format(path.parts[-3], path.name))
def test_what_is_read_of_an_answer_is_in_it(path: t.Any) -> None:
    assert unknown(path.read_text(), registered()) == []


def test_what_is_found() -> None:
    results = registered()
    assert len(results) > 20 and "host" in results["__wa_host"]
    assert unknown("{{ __wa_host.single_connect | default([]) }}", results) == ["__wa_host.single_connect"]
    assert unknown("{{ (__wa_host | default({})).nodes }}", results) == ["__wa_host.nodes"]
    assert unknown("{{ __wa_host.host.nodes }} {{ x.__wa_host.nodes }}", results) == []
