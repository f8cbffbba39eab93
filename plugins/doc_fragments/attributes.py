# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What modules state about themselves, and whom they are for."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what would change without changing it.
  diff_mode:
    description: Shows in C(diff) what changes, in diff mode.
  idempotent:
    description: Run again with the same options, it changes nothing.
  platform:
    description: Systems that the module can run on.
    support: full
    platforms:
      - posix
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

    DATABASE_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/waent.fleet.database) in C(module_defaults) to give the access to the database once.
    support: full
    membership:
      - waent.fleet.database
"""

    API_AND_DATABASE_GROUP = r"""
attributes:
  action_group:
    description:
      - Use C(group/waent.fleet.api) and C(group/waent.fleet.database) in C(module_defaults) to give the access to the
        API and to the database once.
    support: full
    membership:
      - waent.fleet.api
      - waent.fleet.database
"""

    NO_GROUP = r"""
attributes:
  action_group:
    description: Has no options in common with other modules, so it is in no group of C(module_defaults).
    support: none
    membership: []
"""

    # Which modules and filters these are is said by their use of it, and by nothing else: tools/docs.py sorts by it.
    INTERNAL = r"""
attributes: {}
notes:
  - Used by the playbooks of this collection. Its options and results may change in any release.
"""
