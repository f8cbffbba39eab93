# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: addresses and names of hosts, their forms in URLs and ports. Internal to waent.fleet: may change any time."""

from __future__ import annotations

import ipaddress
import re
import typing as t

HOST_GATEWAY = "host-gateway"
"""What Docker takes in place of an address, for the host that a container runs on."""

IP = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*"
                   r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?\Z")  # fmt: skip
_LOOPBACK_NAMES = re.compile(r"(localhost[46]?|ip6-localhost|ip6-loopback)(\.localdomain[46]?)?\Z|.*\.localhost\Z")


def ip_of(text: str) -> IP | None:
    """The IPv4 or IPv6 address that C(text) is; None for names, and for an address with a zone (C(fe80::1%eth0))."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def looks_numeric(text: str) -> bool:
    """Whether C(text) is meant as an IP address: digits and dots only, a colon, or brackets around it."""
    return re.match(r"([0-9.]+|.*[:\[\]].*|0[xX][0-9a-fA-F]+)\Z", text, re.DOTALL) is not None


def names_a_host(text: str) -> bool:
    """Whether C(text) can be the address of a host: a valid IP address without brackets, or a DNS name."""
    return ip_of(text) is not None if looks_numeric(text) else _NAME.match(text) is not None


def is_ipv6(text: str) -> bool:
    """Whether C(text) is an IPv6 address."""
    address = ip_of(text)
    return address is not None and address.version == 6


def means_this_machine(text: str) -> bool:
    """Whether C(text) leads back to who uses it: loopback, or no address at all (C(0.0.0.0), C(::))."""
    address = ip_of(text)
    if address is None:
        return _LOOPBACK_NAMES.match(text.lower().rstrip(".")) is not None
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_unspecified)


def bracketed(address: str) -> str:
    """An address as it stands before a colon and a port: IPv6 in brackets, everything else as it is."""
    return "[{0}]".format(address) if is_ipv6(address) else address


def webapp_url(node: t.Mapping[str, t.Any]) -> str:
    """Base URL of the API of a webapp, an entry of C(nodes) of wa_placement: C({api_address, ports})."""
    return "https://{0}:{1}".format(bracketed(str(node["api_address"])), node["ports"][0])
