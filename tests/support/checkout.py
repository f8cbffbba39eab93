# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project as files: where its parts lie, for the tests that compare one part with another."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent

MODULES = sorted((ROOT / "plugins" / "modules").glob("wa_*.py"))
FILTERS = sorted((ROOT / "plugins" / "filter").glob("*.py"))
MODULE_UTILS = sorted((ROOT / "plugins" / "module_utils").glob("_*/*.py"))
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
#: Those that are files. The one for AWS asks AWS, and is tested where a stand-in for that is there.
INVENTORIES = sorted(path for path in (ROOT / "inventories").iterdir() if (path / "hosts.yml").exists())
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())


def name_of(path: Path) -> str:
    """How a parametrized test names the file it is about."""
    return path.stem


def load(path: Path) -> t.Any:
    """What a YAML file holds; an empty mapping where there is no file."""
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or would know if they were added; no caches, no environments."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(path for path in (ROOT / name for name in names) if path.is_file() and not path.is_symlink())


def has_test(reference: str) -> bool:
    """Whether there is the test that a page names as C(tests/.../test_x.py::test_y)."""
    path, _colons, name = reference.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    names = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    return name in names and name.startswith("test_")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in the checkout, as a user would, whatever the outcome."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)]),
        "ANSIBLE_NOCOLOR": "1",
    }
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
