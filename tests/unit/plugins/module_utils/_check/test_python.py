# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pythons of hosts that run no modules, and other reasons for no answer."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.action.wa_host_info import core_needs
from ansible_collections.waent.fleet.plugins.module_utils._check.python import (
    OLDEST,
    QUESTION,
    Answer,
    python_problem,
)
from ansible_collections.waent.fleet.tests.support.checkout import MODULE_UTILS, MODULES, name_of
from hypothesis import given
from hypothesis import strategies as st

PYTHON = "/usr/bin/python3"


def found(code, text, interpreter=PYTHON, needs=()):
    return python_problem("h1", interpreter, Answer(code, text), "2.19.14", needs)


@given(st.tuples(*[st.integers(2, 4), st.integers(0, 30), st.integers(0, 30)]), st.sampled_from([(), (3, 7), (3, 9)]))
def test_whatever_is_older_than_needed_is_named(version, needs):
    text = "Welcome!\npython {0}.{1}.{2}\n".format(*version)
    problem = found(0, text, needs=needs)
    assert (problem is not None) == (version < max(OLDEST, needs))
    if problem:
        assert (problem.code, problem.host, problem.variable) == ("PYTHON_TOO_OLD", "h1", "ansible_python_interpreter")
        assert "Python {0}.{1}.{2} (/usr/bin/python3)".format(*version) in problem.message
        assert "3.{0} or newer is needed with ansible-core 2.19.14".format(max(OLDEST, needs)[1]) in problem.message


@pytest.mark.parametrize(
    ("interpreter", "text"),
    [
        (PYTHON, "/bin/sh: 1: /usr/bin/python3: not found"),
        (PYTHON, "bash: line 1: /usr/bin/python3: No such file or directory"),
        ("/usr/bin/env python3", "/usr/bin/env: 'python3': No such file or directory"),
        ("/usr/bin/env python3", "/usr/bin/env: \u2018python3\u2019: No such file or directory"),
        ("python3", "bash: python3: command not found"),
    ],
)
def test_a_python_that_is_not_there(interpreter, text):
    problem = found(127, text, interpreter)
    assert problem.code == "PYTHON_MISSING"
    assert "no Python {0} to run".format(interpreter) in problem.message
    assert "3.8 or newer is needed" in problem.message and "package python3" in problem.message


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "python 3.8.0"),
        (0, "python 3.13.1\n"),
        (127, "/bin/sh: 1: sudo: not found"),
        (1, "sudo: a password is required"),
        (1, "sudo: I want python 2.0.0 to be asked nicely"),
        (126, "/bin/sh: 1: /usr/bin/python3: Permission denied"),
        (139, "Segmentation fault"),
        (0, ""),
    ],
)
def test_other_reasons_are_left_alone(code, text):
    assert found(code, text) is None


def test_a_real_python_understands_the_question():
    done = subprocess.run([sys.executable, "-c", QUESTION], capture_output=True, text=True, check=True)
    assert found(0, done.stdout) is None
    assert found(0, done.stdout, needs=(99,)).code == "PYTHON_TOO_OLD"


def test_this_ansible_core_says_what_it_needs():
    """It is no promise of ansible-core's: where it says it in another way, this shows it."""
    assert (3, 7) <= core_needs() < (4,)


@pytest.mark.parametrize("path", [*MODULES, *MODULE_UTILS], ids=name_of)
def test_what_runs_on_hosts_is_written_for_the_oldest(path: Path) -> None:
    """Syntax only; what the standard library has is for reviewers."""
    ast.parse(path.read_text(), feature_version=OLDEST)
