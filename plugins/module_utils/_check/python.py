# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the Python of a host can run modules. Internal to waent.fleet: may change in any release. Pure.

A Python that is too old, or is not there, ends every module with a traceback or without any answer. So nothing on the
host can say it, and the interpreter is asked directly, where the first module gave no answer.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

PythonVersion = t.Tuple[int, ...]

OLDEST: PythonVersion = (3, 8)
"""What this collection's own modules need. An ansible-core may need more."""

QUESTION = "import sys; print('python %d.%d.%d' % sys.version_info[:3])"
"""A program that every Python understands, the second one as well."""


class Answer(t.NamedTuple):
    """What came of a command. text: standard output and error together, as some connections mix them."""

    code: int
    text: str


def python_problem(
    host: str, interpreter: str, answer: Answer, core: str, core_needs: PythonVersion = ()
) -> Problem | None:
    """Why this interpreter runs no modules; None where it is not the reason.

    answer: to QUESTION. core: version of ansible-core on the controller; core_needs: the oldest Python it works with.
    """
    needed = max(OLDEST, tuple(core_needs))
    allowed = "{0} or newer is needed with ansible-core {1}".format(".".join(str(one) for one in needed), core)
    version = _version(answer.text)
    if version is not None and version < needed:
        found = "Python {0} ({1}) runs Ansible's modules here".format(".".join(map(str, version)), interpreter)
        advice = "install one beside it, and set ansible_python_interpreter to it where Ansible does not find it"
        code = "PYTHON_TOO_OLD"
    elif version is None and answer.code == 127 and _not_found(interpreter, answer.text):
        found = "There is no Python {0} to run Ansible's modules".format(interpreter)
        advice = "install one (package python3), or set ansible_python_interpreter to the one that is there"
        code = "PYTHON_MISSING"
    else:
        return None
    message = "{0}; {1}: {2}.".format(found, allowed, advice)
    return Problem(code, message, "ansible_python_interpreter", interpreter, host)


def _version(text: str) -> PythonVersion | None:
    match = re.search(r"^python (\d+)\.(\d+)\.(\d+)\s*$", text, re.MULTILINE)
    return tuple(int(number) for number in match.groups()) if match else None


def _not_found(interpreter: str, text: str) -> bool:
    """Whether it is the interpreter that a shell, or env, did not find; it may be sudo."""
    name = re.escape(interpreter.split()[-1])
    return re.search(name + r"\W*: (No such file or directory|(command )?not found)", text) is not None
