# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stop_message
short_description: Why a play stops of itself, with code and sentence
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - The message for a task that ends the run over something it met while it acted, such as a host that was lost.
  - Facts of the sentence are given by keyword, such as O(host). Which ones a reason takes stands beside its sentence.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: The reason.
    type: str
    required: true
    choices: [aws_hosts_not_found, certificates_missing, code_missing, drill_not_prepared, engine_before_share,
      host_lost, hosts_lost, hosts_not_prepared, media_from_missing, not_prepared, schema_container_gone,
      schema_upgrade_failed, schema_upgrade_slow, share_lost, share_not_remounted]
  environment:
    description: Tag of the hosts of an environment on AWS.
    type: str
  host:
    description: The host that was lost, or whose engine is left alone.
    type: str
  hosts:
    description: Several of them, those that are not prepared, or not found.
    type: list
    elements: str
  why:
    description: What the attempt to reach it said, or why its media share was not mounted again.
    type: str
  container:
    description: Name of the container that upgrades the schema.
    type: str
  exit_code:
    description: What that container ended with.
    type: int
  seconds:
    description: How long was waited.
    type: int
  cc:
    description: Country code of the number.
    type: str
  number:
    description: The number without it.
    type: str
  method:
    description: How the code was sent.
    type: str
"""

EXAMPLES = r"""
- name: Stop
  ansible.builtin.fail:
    msg: "{{ 'host_lost' | waent.fleet.stop_message(host='rack-a-1', why='no answer') }}"
"""

RETURN = r"""
_value:
  description: The message, with its code in brackets. V(not_prepared), V(share_not_remounted) and
    V(share_lost) have none, as they follow a reason that has one.
  type: str
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._plan.stops import stop_message


class FilterModule:
    """Filters that word messages."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"stop_message": stop_message}
