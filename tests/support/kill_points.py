# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the callbacks beside this file end a playbook, and how its output shows where that was."""

from __future__ import annotations

import os
import signal
import sys

BEGIN, END = "\nKILLED AT [", "]\n"


def kill(where: str) -> None:
    """Say where, then end the process group of this playbook."""
    sys.stdout.write(BEGIN + where + END)
    sys.stdout.flush()
    os.killpg(0, signal.SIGKILL)


def killed_at(output: str) -> str:
    """Where a playbook said it was killed; empty when it did not say."""
    return output.rpartition(BEGIN)[2].partition(END)[0] if BEGIN in output else ""
