# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in a process of its own, as on a host: arguments on standard input, its answer on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from ansible_collections.waent.fleet.tests.support.checkout import ROOT


def run_module_process(
    module: str, *, check_mode: bool = False, path: str = os.defpath, **options: t.Any
) -> dict[str, t.Any]:
    """The module's answer. path: where it finds programs; nothing else of this environment is handed on."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check_mode, "_ansible_remote_tmp": "/tmp"}}
    process = subprocess.run(
        [sys.executable, "-m", "ansible_collections.waent.fleet.plugins.modules." + module],
        cwd=ROOT / ".collections",  # where -m finds the collection of this checkout
        input=json.dumps(arguments), capture_output=True, text=True, check=False, env={"PATH": path},
    )  # fmt: skip
    assert process.stdout, process.stderr
    answer: dict[str, t.Any] = json.loads(process.stdout)
    return answer
