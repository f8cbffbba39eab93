# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is added to a command to go on without hosts. Internal to waent.fleet: may change in any release. Pure.

Apart from the checks of such hosts: whatever reads a host needs it, and Ansible compiles there all that is imported.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction


def argument(names: t.Iterable[str]) -> str:
    """What is added to a command to go on without these hosts."""
    return instruction("host_not_read", hosts=list(names))
