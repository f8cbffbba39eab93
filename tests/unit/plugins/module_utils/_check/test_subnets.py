# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker networks that hide other hosts."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check import subnets
from ansible_collections.waent.fleet.plugins.module_utils._check.subnets import subnet_problems
from ansible_collections.waent.fleet.tests.support.observed_host import network, observed
from hypothesis import given
from hypothesis import strategies as st

BRIDGE = network("waent", ["172.23.0.0/16", "fd00:23::/64"])


def node(host: str, address: str | None) -> dict[str, str | None]:
    return {"host": host, "address": address, "kind": "coreapp"}


def test_an_address_in_the_subnet_of_a_bridge_is_out_of_reach() -> None:
    host = observed("h1", networks=[BRIDGE])
    (problem,) = subnet_problems([host], [node("h2", "172.23.4.5"), node("h3", "10.0.0.3")])
    assert (problem.code, problem.host, problem.value) == ("SUBNET_OVERLAPS", "h1", "172.23.0.0/16")
    hidden = "172.23.4.5, an address of h2, lies in 172.23.0.0/16, a subnet of the Docker network waent"
    assert problem.message.startswith(hidden)
    (problem,) = subnet_problems([host], [node("h2", "fd00:23::7")])
    assert problem.value == "fd00:23::/64"


def test_what_is_reached_through_the_network_is_no_problem() -> None:
    nodes = [node("h2", "172.23.4.5")]
    for fine in (
        network("waent", ["172.23.0.0/16"], addresses=["172.23.4.5"]),
        network("lan", ["172.23.0.0/16"], driver="macvlan"),
        network("waent"),
    ):
        assert not subnet_problems([observed("h1", networks=[fine])], nodes), fine
    assert not subnet_problems([observed("h2", networks=[BRIDGE])], nodes), "its own address"
    assert not subnet_problems([observed("h1", networks=[BRIDGE])], [node("h2", "rack-a-1"), node("h3", None)])


def test_without_the_library_it_is_said_and_not_taken_for_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subnets, "HAS_NETADDR", False)
    (problem,) = subnet_problems([observed("h1")], [])
    assert problem.code == "LIBRARY_MISSING"
    assert "pip install netaddr" in problem.message


@given(st.ip_addresses(v=4), st.integers(8, 30), st.ip_addresses(v=4))
def test_an_address_is_hidden_exactly_where_it_lies_in_the_subnet(
    base: ipaddress.IPv4Address, prefix: int, address: ipaddress.IPv4Address
) -> None:
    subnet = ipaddress.ip_network("{0}/{1}".format(base, prefix), strict=False)
    host = observed("h1", networks=[network("n", [str(subnet)])])
    inside = subnet[int(address) % subnet.num_addresses]
    assert len(subnet_problems([host], [node("h2", str(inside))])) == 1
    assert bool(subnet_problems([host], [node("h2", str(address))])) is (address in subnet)
