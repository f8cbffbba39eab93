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
  - Knows whether there is anybody to ask, which M(ansible.builtin.pause) does not tell. O(unattended) says what to do
    where nobody is there.
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
  ask:
    description: Whether to ask at all.
    type: bool
    default: true
  unattended:
    description:
      - Where nobody can be asked, V(proceed) goes on and V(refuse) fails.
    type: str
    choices: [proceed, refuse]
    default: refuse
"""

EXAMPLES = r"""
- name: Ask before anything is removed
  waent.fleet.wa_confirm:
    prompt: Remove all this?
    ask: "{{ confirm | default('') != 'yes' }}"
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
