# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins: each documented, tested, and in the action group it belongs to."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import (
    FILTERS,
    MODULE_UTILS,
    MODULES,
    ROOT,
    load,
    name_of,
    run,
    tracked,
)

HEADER = [
    "# Copyright (c) 2026, waent.fleet contributors",
    "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
]


def text_of(*patterns: str) -> str:
    """All files of a kind as one text."""
    return "\n".join(path.read_text() for path in tracked(*patterns))


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, t.Any]]:
    """What ansible-doc finds out about everything in the collection: kind of plugin, then full name."""
    done = run("ansible-doc", "--metadata-dump", "--no-fail-on-errors", "waent.fleet")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["all"]


@pytest.mark.parametrize("path", tracked("plugins/*.py"), ids=name_of)
def test_the_licence_stands_on_top(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#!")]
    assert lines[:3] == HEADER


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_documented_with_examples_and_results(path: Path, described: dict[str, dict[str, t.Any]]) -> None:
    found = described["module"][f"waent.fleet.{path.stem}"]
    assert "error" not in found
    assert found["doc"]["short_description"]
    assert f"waent.fleet.{path.stem}" in found["examples"]
    assert found["return"]


@pytest.mark.parametrize("path", FILTERS, ids=name_of)
def test_a_filter_is_documented_with_examples_and_results(path: Path, described: dict[str, dict[str, t.Any]]) -> None:
    found = described["filter"][f"waent.fleet.{path.stem}"]
    assert "error" not in found
    assert f"waent.fleet.{path.stem}" in found["examples"]
    assert found["return"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_a_unit_test_and_runs_in_an_integration_test(path: Path) -> None:
    """By itself, or in the playbooks and roles, which integration tests and molecule run as users do."""
    assert (ROOT / "tests" / "unit" / "plugins" / "modules" / f"test_{path.name}").exists()
    assert path.stem in text_of("tests/integration/*", "roles/*.yml", "playbooks/*.yml")


@pytest.mark.parametrize("path", MODULE_UTILS, ids=name_of)
def test_shared_code_is_imported_by_a_unit_test(path: Path) -> None:
    """By itself, or by a module: every module has a unit test that runs it."""
    room = path.parent.name
    imported = re.compile(rf"module_utils\.{room}\.{path.stem} import|module_utils\.{room} import .*\b{path.stem}\b")
    assert imported.search(text_of("tests/unit/*.py", "plugins/modules/*.py"))


@pytest.mark.parametrize("path", FILTERS, ids=name_of)
def test_a_filter_has_a_unit_test(path: Path) -> None:
    assert f"plugins.filter.{path.stem} import" in text_of("tests/unit/*.py")


@pytest.mark.parametrize("group", ["api", "database"])
def test_an_action_group_holds_the_modules_that_share_its_options(group: str) -> None:
    sharing = set()
    for path in MODULES:
        documentation = path.read_text().partition('DOCUMENTATION = r"""')[2].partition('"""')[0]
        fragments = yaml.safe_load(documentation).get("extends_documentation_fragment", [])
        if f"waent.fleet.{group}" in fragments:
            sharing.add(path.stem)
    assert set(load(ROOT / "meta" / "runtime.yml")["action_groups"][group]) == sharing
