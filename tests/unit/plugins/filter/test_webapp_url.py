# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as they stand in URLs and ports."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.webapp_url import FilterModule, webapp_url


def test_an_ipv6_address_gets_its_brackets() -> None:
    assert webapp_url({"api_address": "2001:db8::15", "ports": [9090]}) == "https://[2001:db8::15]:9090"
    assert webapp_url({"api_address": "web-1", "ports": [9091]}) == "https://web-1:9091"


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"webapp_url": webapp_url}
