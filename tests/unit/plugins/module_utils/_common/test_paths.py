# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Absolute paths as text."""

from __future__ import annotations

import posixpath

from ansible_collections.waent.fleet.plugins.module_utils._common.paths import from_the_root, normalized
from hypothesis import given
from hypothesis import strategies as st

PATHS = st.lists(st.sampled_from(["a", "b c", ".", "", "..."])).map(lambda parts: "/" + "/".join(parts))


@given(PATHS)
def test_normalized_as_the_standard_library_has_it(path):
    assert normalized(path) == "/" + posixpath.normpath(path).lstrip("/")


@given(PATHS)
def test_each_directory_is_the_parent_of_the_next(path):
    found = from_the_root(path)
    assert (found[0], found[-1]) == ("/", normalized(path))
    assert [posixpath.dirname(below) for below in found[1:]] == found[:-1]
