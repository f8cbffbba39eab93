# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: step_failure
short_description: What is reported when a step of a rollout fails
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - One message with the step, the reason, what is wrong with nodes, the last log lines of the step's own node, which
    nodes were changed and which were not, and how to go on.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The entry of the plan that failed.
    type: dict
    required: true
  plan:
    description: What M(waent.fleet.wa_upgrade_plan) or M(waent.fleet.wa_reshard_plan) returned.
    type: dict
    required: true
  why:
    description: The reason, from P(waent.fleet.failure_reason#filter).
    type: str
    required: true
  examined:
    description: The result of M(waent.fleet.wa_node_info) in a loop over P(waent.fleet.suspect_nodes#filter).
    type: dict
    default: {}
  secrets:
    description: Values that must not be shown, as P(waent.fleet.failure_reason#filter) takes them.
    type: list
    elements: raw
    default: []
  still_shortened:
    description: Whether the failover timers could not be restored.
    type: bool
    default: false
  one_shot:
    description: Name of the container that upgrades the schema.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Report where it stopped
  ansible.builtin.fail:
    msg: "{{ entry | waent.fleet.step_failure(plan, 'no answer') }}"
"""

RETURN = r"""
_value:
  description: The message.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.node_reason import examined_hosts, log_of, node_lines
from ansible_collections.waent.fleet.plugins.module_utils._plan.step_failure import step_failure


def from_results(
    entry: t.Mapping[str, t.Any],
    plan: t.Mapping[str, t.Any],
    why: str,
    examined: t.Mapping[str, t.Any] | None = None,
    secrets: t.Iterable[t.Any] = (),
    still_shortened: bool = False,
    one_shot: str = "",
) -> str:
    """The message for what a play has at hand."""
    secrets = list(secrets)
    hosts = examined_hosts(examined or {})
    own = (entry["node"] or {}).get("name") or one_shot
    there = (hosts.get(str(entry["host"])) or {}).get("nodes") or []
    log = [line for node in there if node["name"] == own for line in log_of(node, secrets)]
    return step_failure(
        plan["operation"],
        plan["target"],
        entry,
        plan["batches"],
        why,
        node_lines(hosts, secrets),
        log,
        still_shortened,
        one_shot,
    )


class FilterModule:
    """Filters that word messages."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"step_failure": from_results}
