# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What modules say about themselves."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
  diff_mode:
    description: Tells in C(diff) what changes, in diff mode.
  idempotent:
    description: Run again with the same options, it changes nothing.
"""

    INFO = r"""
attributes:
  check_mode:
    support: full
    details:
      - Only reads, in any mode.
  diff_mode:
    support: none
    details:
      - There is nothing to change.
  idempotent:
    support: full
    details:
      - Only reads.
"""

    API_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/waent.fleet.api) in C(module_defaults) to give the access to the API once.
    support: full
    membership:
      - waent.fleet.api
"""
