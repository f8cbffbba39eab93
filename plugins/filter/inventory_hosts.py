# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_hosts
short_description: What the inventory says about the hosts of a cluster
version_added: 0.1.0
author: waent.fleet contributors (@waent)
description:
  - Turns C(hostvars) and C(groups) into the list of hosts that M(waent.fleet.wa_placement) takes.
  - Reads the inventory only; no host is contacted.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description: All variables of all hosts, as C(hostvars) holds them.
    type: dict
    required: true
  groups:
    description: The groups of the inventory, as C(groups) holds them.
    type: dict
    required: true
  drained:
    description: Hosts that are to be drained beside those that have C(wa_drained).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Place the nodes
  waent.fleet.wa_placement:
    hosts: "{{ hostvars | waent.fleet.inventory_hosts(groups) }}"
    shards: 4
    version: v2.19.4
"""

RETURN = r"""
_value:
  description: One entry per host that may run nodes, or is drained, in the order of the inventory.
  type: list
  elements: dict
  contains:
    name:
      description: Name of the host in the inventory.
      type: str
    rack:
      description: Its C(rack), none where it has none.
      type: str
    address:
      description: Its C(wa_address), else its name.
      type: str
    api_address:
      description: Its C(wa_api_address), else its C(ansible_host), else its address.
      type: str
    kinds:
      description: The kinds of nodes it may run.
      type: list
      elements: str
    webapp_port:
      description: Its C(wa_webapp_port), left out where it is not set. C(master_port) and C(coreapp_port) likewise.
      type: int
    pins:
      description: Numbers of nodes fixed by C(wa_webapps), C(wa_masters) and C(wa_coreapps).
      type: dict
    drained:
      description: Its C(wa_drained), true as well where the host is in O(drained).
      type: raw
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on


def describe_host(
    name: str, variables: t.Mapping[str, t.Any], kinds: t.Sequence[str], drained: bool = False
) -> dict[str, t.Any]:
    """One host as wa_placement takes it: name, rack, address, api_address, kinds, pins, drained."""
    address = variables.get("wa_address", name)
    pins = {kind: variables["wa_{0}s".format(kind)] for kind in KINDS if "wa_{0}s".format(kind) in variables}
    ports = {k + "_port": variables["wa_{0}_port".format(k)] for k in KINDS if "wa_{0}_port".format(k) in variables}
    return {
        "name": name,
        "rack": variables.get("rack"),
        "address": address,
        "api_address": variables.get("wa_api_address", variables.get("ansible_host", address)),
        "kinds": list(kinds),
        "pins": pins,
        "drained": drained or variables.get("wa_drained", False),
        **ports,
    }


def inventory_hosts(
    hostvars: t.Mapping[str, t.Any], groups: t.Mapping[str, t.Sequence[str]], drained: t.Collection[str] = ()
) -> list[dict[str, t.Any]]:
    """The hosts that may run nodes, or may not any more, in inventory order, with what placement needs of each."""
    allowed = {kind: set(groups.get("wa_{0}_hosts".format(kind), ())) for kind in KINDS}
    hosts = [
        describe_host(name, hostvars[name], [kind for kind in KINDS if name in allowed[kind]], name in drained)
        for name in groups.get("wa_cluster", ())
    ]
    return [host for host in hosts if host["kinds"] or switch_on(host["drained"])]


class FilterModule:
    """Filters that read the inventory."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"inventory_hosts": inventory_hosts}
