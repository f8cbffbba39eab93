# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The options that describe the shape of a cluster: shards, survival, hosts, what exists."""

    DOCUMENTATION = r"""
options:
  shards:
    description:
      - Number of shards, one of 1, 2, 4, 8, 16 and 32. Text, as C(-e) gives on the command line, is accepted.
    type: raw
    required: true
  survive:
    description:
      - "What may be lost at once without loss of service, either C({hosts: N}) or C({racks: N})."
      - Empty means one spare coreapp and two masters, wherever they are.
    type: raw
  allow_no_ha:
    description: Accept fewer than two masters, or no spare coreapp, where numbers fixed by hand lead to that.
    type: bool
    default: false
  name_prefix:
    description: First word of the containers' names, so that two clusters can share hosts. Default is C(wa).
    type: raw
  coreapp_port:
    description: First host port of the first coreapp on each host. Default is 6250.
    type: raw
  master_port:
    description: First host port of the first master on each host. Default is 6254.
    type: raw
  webapp_port:
    description: Host port of the first webapp on each host. Default is 9090.
    type: raw
  hosts:
    description: The hosts of the cluster, in the order of the inventory.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Inventory name.
        type: str
        required: true
      rack:
        description: Name of the rack. Needed where racks must survive.
        type: raw
      address:
        description: Name or IP address by which other nodes reach the host, O(hosts[].name) by default.
        type: raw
      api_address:
        description: Name or IP address for the API of the host's webapps, O(hosts[].address) by default.
        type: raw
      kinds:
        description: Kinds of node the host may run.
        type: list
        elements: str
        default: []
      pins:
        description: "Numbers of nodes fixed by hand, by kind, such as C({coreapp: 2}). Null is no number."
        type: dict
        default: {}
      drained:
        description: Whether the host runs no node. What exists there is surplus, whatever its kind.
        type: raw
      coreapp_port:
        description: Overrides O(coreapp_port) on this host.
        type: raw
      master_port:
        description: Overrides O(master_port) on this host.
        type: raw
      webapp_port:
        description: Overrides O(webapp_port) on this host.
        type: raw
  without:
    description: Names of those of O(hosts) that are left out, as they are away. Nothing is placed on them.
    type: list
    elements: str
    default: []
  running:
    description:
      - The nodes that exist already, in whatever state, as M(waent.fleet.wa_host_info) returns them
        in RV(waent.fleet.wa_host_info#module:host.nodes).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Inventory name of the host.
        type: str
        required: true
      kind:
        description: Kind of node.
        type: str
        choices: [coreapp, master, webapp]
        required: true
      index:
        description: Number of the node among those of its kind on the host, from 1.
        type: int
        required: true
      name:
        description: Name of the container. Not used.
        type: str
      state:
        description: State of the container. Not used, since a stopped node has its place, too.
        type: str
      version:
        description: Version of the node. Not used.
        type: str
"""
