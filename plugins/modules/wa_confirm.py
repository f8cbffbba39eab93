#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_confirm
short_description: Ask the person at the terminal whether to go on
version_added: 0.1.0
description:
  - Asks once, and fails unless the answer is the word C(yes).
  - The same rule for all playbooks of this collection. With C(-e confirm=yes) on the command line nobody is asked; V(y)
    and V(true) say the same, in any case, and any other value stops the run.
  - Where nobody is at the terminal, a change of shards or version goes on, since the command itself names the
    change. What destroys data, such as an uninstallation, stops unless it was confirmed on the command line;
    O(destroys_data) says which it is.
  - Runs on the controller and changes nothing. Does not ask in check mode.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  action:
    support: full
    description: Runs on the controller only.
  check_mode:
    support: full
    details:
      - Goes on without a question.
  diff_mode:
    support: none
    details:
      - There is nothing to change.
  idempotent:
    support: full
    details:
      - Asks again each time; nothing is changed by it.
options:
  prompt:
    description: The question.
    type: str
    required: true
  destroys_data:
    description: Whether what follows destroys data, so that it is not done without a word where nobody can be asked.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Ask before anything is removed
  waent.fleet.wa_confirm:
    prompt: Remove all this?
    destroys_data: true
  run_once: true
"""

RETURN = r"""
asked:
  description: Whether somebody was asked.
  returned: success
  type: bool
  sample: true
failure:
  description: Why it failed. The code is V(NOT_CONFIRMED).
  returned: failure
  type: dict
  sample: {code: NOT_CONFIRMED, message: "Nothing was changed: the answer was not yes.", details: {}}
"""
