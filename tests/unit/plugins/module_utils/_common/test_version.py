# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions with and without their v."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.version import (
    Version,
    parse_version,
    plain_version,
    same_version,
)
from hypothesis import given
from hypothesis import strategies as st

numbers = st.integers(0, 999_999)


@given(numbers, numbers, numbers)
def test_a_version_has_two_spellings_and_is_one(major, minor, patch):
    version = Version(major, minor, patch)
    assert parse_version(str(version)) == parse_version(plain_version(str(version))) == version
    assert same_version(str(version), plain_version(str(version))) and version.line == (major, minor)


@pytest.mark.parametrize("text", ["", "v", "2.19", "v2.19.4.1", "V2.19.4", "2.19.x", " v2.19.4", "v2.19.4\n", None, 2])
def test_what_is_no_version(text):
    assert parse_version(text) is None


def test_versions_are_compared_as_numbers():
    assert parse_version("2.9.10") < parse_version("v2.19.4") < parse_version("2.19.10")
    assert parse_version("2.19.4") == parse_version("v2.19.4") == Version(2, 19, 4)
    assert parse_version("2.19.4").line == parse_version("2.19.7").line != parse_version("2.21.4").line
