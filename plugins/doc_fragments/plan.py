# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What the modules that plan a change of a running cluster have in common."""

    DOCUMENTATION = r"""
options:
  observed:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  health:
    description:
      - Everything that M(waent.fleet.wa_cluster_health) returned, queried with a token and without a version.
      - Empty where no webapp answers.
    type: dict
    default: {}
  checks:
    description:
      - Results of modules that checked something before, as they were registered. Their problems are part of the
        refusal, and so are the words of a module that failed without any; one that was skipped says nothing.
    type: list
    elements: dict
    default: []
  settings:
    description: The application settings as they are.
    type: dict
    default: {}
  settings_unread:
    description: Why the application settings could not be read. Empty where they were, and where nobody could be asked.
    type: str
    default: ""
  declared_settings:
    description: Application settings that are declared in the inventory.
    type: dict
    default: {}
  shortened_timers:
    description: The failover timers C(heartbeat_interval) and C(unhealthy_interval) during a switchover, in seconds.
    type: dict
    default: {heartbeat_interval: 1, unhealthy_interval: 3}
  shared_tokens:
    description: Whether a key for tokens is declared, so that a webapp which is recreated still accepts them.
    type: bool
    default: true
  first:
    description:
      - Number of the first step. Above 1 the plan is the rest of one of which some steps are done already.
    type: int
    default: 1
"""
