#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_show
short_description: Show lines on the terminal as they are
version_added: 0.2.0
description:
  - Writes tables and sentences plainly, where C(ansible.builtin.debug) quotes and folds them as YAML or JSON.
  - Only where what Ansible writes is made for people, by its default callback or one that is derived from it. Any other
    callback, such as C(ansible.posix.json), gets the lines as RV(lines) of the result and nothing in between.
  - Runs on the controller and changes nothing.
author:
  - waent.fleet contributors (@waent)
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
      - Only reads, so it does the same.
  diff_mode:
    support: none
    details:
      - There is nothing to change.
  idempotent:
    support: full
    details:
      - Shows the same again.
options:
  lines:
    description: What to show.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the cluster
  waent.fleet.wa_show:
    lines: "{{ status.lines }}"
  run_once: true
"""

RETURN = r"""
shown:
  description: Whether they stand on the terminal, so that a failure which follows need not repeat them.
  returned: always
  type: bool
lines:
  description: The lines, for callbacks that make something else of them.
  returned: always
  type: list
  elements: str
"""
