# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_identity: what was read goes in, what shows another cluster comes out."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.waent.fleet.plugins.modules import wa_identity
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

UNKNOWN = {"node": "h9:wb-coreapp-1", "role": "coreapp", "version": "v2.19.4", "age_seconds": 3.0}
REGISTERED = {"registered": True, "registered_number": "15550100244", "configured_shards": 1}


@pytest.fixture
def run(capsys):
    def call(**params):
        given = {
            "nodes": placed(),
            "inventory": [{"name": "h1", "address": "h1"}],
            "hosts": [observed(containers=[node_container(node) for node in placed()])],
            "number": "15550100244",
            **params,
        }
        with patch_module_args(given), pytest.raises(SystemExit):
            wa_identity.main()
        return json.loads(capsys.readouterr().out)

    return call


def test_our_own_cluster(run):
    result = run(database={**REGISTERED, "liveness": [], "databases": ["configStore"]}, shards=1)
    assert (result["changed"], result["problems"], result["suspects"], result["notes"]) == (False, [], [], [])
    assert result["registered"] is True and "failure" not in result


def test_everything_that_shows_another_cluster_is_reported_at_once(run):
    result = run(database={**REGISTERED, "liveness": [UNKNOWN]}, number="15550100245", shards=2)
    reported = ["OTHER_NUMBER_REGISTERED", "DATABASE_OF_OTHER_CLUSTER"]  # nothing about shards, which are the other's
    assert [problem["code"] for problem in result["problems"]] == reported
    assert result["failure"]["code"] == "OTHER_CLUSTER"
    assert result["suspects"] == ["h9:wb-coreapp-1"]
    assert "15550100244" not in json.dumps(result["problems"])


def test_nothing_was_read(run):
    result = run()
    assert result["problems"] == [] and result["registered"] is None
    assert len(result["notes"]) == 1
