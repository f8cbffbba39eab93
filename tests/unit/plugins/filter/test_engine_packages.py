# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter, as a role finds it; the decision is tested with the function."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.engine_packages import FilterModule


def test_the_filter():
    packages = FilterModule().filters()["engine_packages"]
    assert packages(["docker.io"], "Package: docker.io\nRecommends: docker-cli") == ["docker.io", "docker-cli"]
    assert packages(["docker.io"], "") == ["docker.io"]
