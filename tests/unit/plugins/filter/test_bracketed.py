# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as they stand in URLs and ports."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.bracketed import FilterModule, bracketed


def test_only_ipv6_gets_brackets() -> None:
    assert [bracketed(one) for one in ("::", "192.0.2.1", "db")] == ["[::]", "192.0.2.1", "db"]


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"bracketed": bracketed}
