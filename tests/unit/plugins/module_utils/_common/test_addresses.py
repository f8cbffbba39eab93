# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: what names a host, what means this machine, and how IPv6 stands before a port."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import (
    bracketed,
    means_this_machine,
    names_a_host,
    webapp_url,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import checked_base_url
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text", ["db", "db.example.com", "db.example.com.", "a_b-c", "192.0.2.1", "2001:db8::1", "::1", "3com.example"]
)
def test_names_of_hosts(text):
    assert names_a_host(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a..b",
        "-a",
        "a-",
        "x" * 64,
        "192.0.2.300",
        "1.2.3",
        "[::1]",
        "::g",
        "a:1",
        "http://a",
        "fe80::1%eth0",
        "192.0.2.1/24",
        "0x7f000001",
        "a\n",
    ],
)
def test_what_names_no_host(text):
    assert not names_a_host(text)


@given(st.ip_addresses())
def test_this_machine_is_loopback_or_no_address(address):
    inner = getattr(address, "ipv4_mapped", None) or address
    assert means_this_machine(str(address)) == (inner.is_loopback or inner.is_unspecified)


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_all_of_the_loopback_network(address):
    assert means_this_machine(str(address)) and means_this_machine("::ffff:{0}".format(address))


@given(st.ip_addresses(), st.integers(1, 65535))
def test_a_url_is_what_the_client_takes_and_gives_the_address_back(address, port):
    url = webapp_url({"api_address": str(address), "ports": [port]})
    assert checked_base_url(url) == url
    assert ipaddress.ip_address(urlsplit(url).hostname) == address
    assert urlsplit(url).port == port


@pytest.mark.parametrize(
    "address, before_a_port", [("::", "[::]"), ("0.0.0.0", "0.0.0.0"), ("web-1.example.com", "web-1.example.com")]
)
def test_only_ipv6_gets_brackets(address, before_a_port):
    assert bracketed(address) == before_a_port
