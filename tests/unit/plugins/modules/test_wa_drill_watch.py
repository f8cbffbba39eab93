# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_drill_watch through main() against a real HTTPS server."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_drill_watch
from ansible_collections.waent.fleet.tests.support.scripted_api import run_module

STATES = Path(__file__).parents[2] / "fixtures" / "states"


@pytest.fixture
def run(api, capfd, access):
    """Runs the module on recorded states, one after the other."""

    def call(*names, **args):
        api.refuse("GET", "/metrics?format=prometheus", 1006, status=404)
        for name in names:
            recorded = json.loads((STATES / (name + ".json")).read_text(encoding="utf-8"))
            api.on("GET", "/v1/health", recorded["health"])
            api.on("GET", "/v1/support", recorded["support"])
            api.on("GET", "/v1/account/shards", recorded["account_shards"])
        options = {"since": time.time(), "timeout": 60, "least": 0, "shards": 2}
        result = run_module(wa_drill_watch, capfd, **dict(access, **{**options, **args}))
        assert api.writes == []
        return result

    return call


def test_an_outage_lasts_until_every_shard_has_an_owner(run):
    result = run("mc_owner_died_errors", "mc_owner_died_errors", "mc_healthy")
    assert result["service"]["back"] is True
    assert result["service"]["seconds"] > 0
    assert result["primary"] == {"seconds": 0.0, "back": True}
    assert len(result["observations"]) == 2


def test_what_was_broken_owns_nothing(run):
    result = run("mc_healthy", broken=["wa-2:wa-coreapp-1"], timeout=0.5)
    assert result["service"]["back"] is False
    assert result["primary"]["back"] is True


def test_counters_that_could_not_be_read_are_not_counters_of_nothing():
    assert wa_drill_watch.counted(None, {}) == wa_drill_watch.counted({}, None) == {"requests": None, "errors": None}
    assert wa_drill_watch.counted({}, {}) == {"requests": 0, "errors": 0}
