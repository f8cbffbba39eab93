# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_checks
short_description: Place the nodes of a cluster and check everything that was read of it, in one task
version_added: 0.2.0
description:
  - Does what M(waent.fleet.wa_placement), M(waent.fleet.wa_sizing), M(waent.fleet.wa_identity) and
    M(waent.fleet.wa_preflight) do, one after the other, each with what the ones before it have found out.
  - Takes what it needs from the variables of the play, and from what C(__wa_host) and C(__wa_database) hold of its
    hosts and of the database. What was read of a thousand hosts is gone through once in place of four times.
  - Fails only where one of them cannot do its work; who runs it decides what a problem means.
  - Runs on the controller, contacts nobody and changes nothing.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  action:
    support: full
    description: Runs on the controller only.
options:
  health:
    description: As O(waent.fleet.wa_preflight#module:health).
    type: dict
  login:
    description: As O(waent.fleet.wa_preflight#module:login).
    type: dict
  show:
    description:
      - Whether what is going to be changed is shown on the terminal, as M(waent.fleet.wa_show) shows lines. Not where
        RV(preflight) refuses, where it takes O(health) to know, and where nodes have to be watched first.
    type: bool
    default: false
  watched:
    description:
      - Whether RV(waent.fleet.wa_identity#module:suspects) had time for a sign of life before the database was read.
    type: bool
    default: false
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_sizing
  - module: waent.fleet.wa_identity
  - module: waent.fleet.wa_preflight
"""

EXAMPLES = r"""
- name: Check all hosts together
  waent.fleet.wa_checks:
    show: true
  register: __wa_desired
  run_once: true
"""

RETURN = r"""
nodes:
  description: This and all else that M(waent.fleet.wa_placement) returns.
  returned: always
  type: list
  elements: dict
first_room:
  description: What M(waent.fleet.wa_sizing) returns for a new cluster; empty where there is nothing to ask.
  returned: always
  type: dict
identity:
  description: What M(waent.fleet.wa_identity) returns.
  returned: always
  type: dict
preflight:
  description: What M(waent.fleet.wa_preflight) returns.
  returned: always
  type: dict
"""
