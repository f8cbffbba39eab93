# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker networks that hide the rest of the fleet. Internal to waent.fleet: may change in any release. Pure.

A bridge routes its whole subnet to itself. Docker takes such subnets from private ranges, without asking whether the
data centre uses them already: a host whose address lies in one is out of reach from that machine and its containers.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import ip_of
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem

try:
    from netaddr import all_matching_cidrs
except ImportError:
    HAS_NETADDR = False
else:
    HAS_NETADDR = True

BRIDGE = "bridge"
MISSING = "The Python package netaddr is not installed on the machine that runs Ansible; run pip install netaddr there."


def subnet_problems(
    hosts: t.Iterable[t.Mapping[str, t.Any]], nodes: t.Iterable[t.Mapping[str, t.Any]]
) -> list[Problem]:
    """Addresses of other hosts' nodes that lie in a subnet of a host's own bridges.

    hosts: what wa_host_info returns as C(host). nodes: as wa_placement returns them. An address that one of the
    network's own containers has is reached through it, and no problem. A database has none: hosts reach it otherwise.
    """
    if not HAS_NETADDR:
        return [Problem("LIBRARY_MISSING", MISSING)]
    addresses = sorted({(node["address"], node["host"]) for node in nodes if ip_of(node.get("address") or "")})
    return [
        Problem(
            "SUBNET_OVERLAPS",
            "{0}, an address of {1}, lies in {2}, a subnet of the Docker network {3}, so nothing here reaches it;"
            " recreate the network with another subnet (default-address-pools in the engine's daemon.json).".format(
                address, other, subnet, network["name"]
            ),
            None,
            str(subnet),
            host["name"],
        )
        for host in hosts
        for network in host["networks"]
        if network["driver"] == BRIDGE
        for address, other in addresses
        if other != host["name"] and address not in network["addresses"]
        for subnet in all_matching_cidrs(address, network["subnets"])
    ]
