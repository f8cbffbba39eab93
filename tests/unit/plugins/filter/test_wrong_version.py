# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node is of the version that its image is tagged with."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.filter.wrong_version import FilterModule
from ansible_collections.waent.fleet.plugins.module_utils._check.reported_version import wrong_version

COREAPP = {"kind": "coreapp", "key": "h:wa-coreapp-1", "name": "wa-coreapp-1"}
WEBAPP = {"kind": "webapp", "key": "h:wa-webapp-1", "name": "wa-webapp-1", "api_address": "h", "ports": [9090]}


@pytest.mark.parametrize(
    ("reported", "wrong"), [("2.19.7", False), ("v2.19.7", False), (None, False), ("v2.19.4", True)]
)
def test_a_node_that_reports_another_version(reported, wrong):
    health = {
        "cluster": {
            "nodes": [{"name": "h:wa-coreapp-1", "version": reported}, {"name": "h:other", "version": "v1.0.0"}]
        },
        "webapps": [{"url": "https://h:9090", "version": reported}],
    }
    for node in (COREAPP, WEBAPP):
        sentence = wrong_version(health, node, "v2.19.7")
        assert bool(sentence) is wrong
        if wrong:
            assert sentence == "[WRONG_VERSION] {0} runs, and reports that it is v2.19.4.".format(node["key"])


def test_a_gate_that_read_nothing_reports_nothing():
    assert wrong_version({}, COREAPP, "v2.19.7") == wrong_version({}, WEBAPP, "v2.19.7") == ""


def test_the_filter_has_its_name():
    assert FilterModule().filters() == {"wrong_version": wrong_version}
