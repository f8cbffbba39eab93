# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks for git: they run checks that exist, and read commit messages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load, run
from ansible_collections.waent.fleet.tools import checks, commit_message

HOOKS = [hook for repo in load(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def test_hooks_fetch_nothing() -> None:
    assert [repo["repo"] for repo in load(ROOT / ".pre-commit-config.yaml")["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


def test_hooks_run_checks_that_exist_and_need_nothing_else() -> None:
    run_by_hooks = []
    for hook in HOOKS:
        command = shlex.split(hook["entry"])
        assert command[0] == "make" or (ROOT / command[0]).stat().st_mode & 0o100, command
        run_by_hooks += [name for word in command if word.startswith("CHECKS=") for name in word[7:].split()]
    assert set(run_by_hooks) <= checks.BY_NAME.keys()
    assert {"ruff", "yamllint", "ansible-lint", "mypy"} <= set(run_by_hooks)
    assert [check.name for check in checks.chosen(run_by_hooks) if check.name not in run_by_hooks] == []


@pytest.mark.parametrize(
    "message",
    [
        "upgrade: stop at a lost host",
        "roles, playbooks: refuse direct use\n\nWhy.",
        "module_utils/_plan: spread nodes by rack\n# a comment\n",
        "docs: " + "x" * 66,
        "\n# Please enter\nwords: add one\n# ------------------------ >8 ------------------------\ndiff --git\nx",
        "Merge branch 'a'",
        'Revert "Something that was never written this way."',
        "fixup! anything",
    ],
)
def test_a_good_message(message: str) -> None:
    assert commit_message.problems(message) == []


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("A shorter line", "'area: verb ...'"),
        ("", "'area: verb ...'"),
        ("Upgrade: stop", "'area: verb ...'"),
        ("upgrade: Stop", "'area: verb ...'"),
        ("docs: " + "x" * 67, "has 73 characters; at most 72"),
        ("docs: write guides.", "ends with a full stop"),
        ("docs: write guides\nbecause", "second line has text"),
    ],
)
def test_a_message_that_is_refused(message: str, sentence: str) -> None:
    (found,) = commit_message.problems(message)
    assert sentence in found


def test_the_hook_reads_the_file_that_git_names(tmp_path: Path) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text("Wrong")
    refused = run("tools/commit_message.py", str(message))
    message.write_text("tools: check subjects")
    assert (refused.returncode, bool(re.search("area: verb", refused.stderr))) == (1, True)
    assert run("tools/commit_message.py", str(message)).returncode == 0
