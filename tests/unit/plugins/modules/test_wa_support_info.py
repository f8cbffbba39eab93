# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_support_info through main() against a real HTTPS server."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_support_info
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

SUPPORT, HEALTH, SETTINGS = "/v1/support", "/v1/health", "/v1/settings/application"
KEYS = {"changed", "support", "health", "settings", "version", "unread"}


@pytest.fixture
def run(capfd, access, clock):
    def call(**args):
        result = run_module(wa_support_info, capfd, **dict(access, **args))
        assert set(result) >= KEYS
        assert "canary-hook" not in str(result)
        return result

    return call


def test_everything_with_passwords_of_addresses_hidden(api, run):
    api.on("GET", SUPPORT, {"support": {"db_engine": "MYSQL"}, "meta": META})
    api.on("GET", HEALTH, {"health": {"h:c": {"gateway_status": "connected"}}, "meta": META})
    webhooks = {"webhooks": {"url": "https://u:canary-hook@h/x"}}
    api.on("GET", SETTINGS, {"settings": {"application": webhooks}, "meta": META})
    result = run()
    assert result["support"] == {"db_engine": "MYSQL"}
    assert result["health"] == {"h:c": {"gateway_status": "connected"}}
    assert result["settings"] == {"webhooks": {"url": "https://***@h/x"}}
    assert (result["version"], result["unread"], result["changed"]) == (META["version"], {}, False)


def test_one_question_that_fails_says_nothing_of_the_next(api, run):
    api.refuse("GET", SUPPORT, 1011, status=503)
    api.on("GET", HEALTH, {"health": {"h:c": {}}, "meta": META})
    api.on("GET", SETTINGS, {"something": "else"})
    result = run()
    assert result["health"] == {"h:c": {}}
    assert "1011" in result["unread"]["support"]
    assert "something else" in result["unread"]["settings"]
    assert "failed" not in result


def test_nothing_at_all_is_a_failure(api, run):
    for path in (SUPPORT, HEALTH, SETTINGS):
        api.on("GET", path, None, status=401)
    result = run()
    assert result["failed"] and result["failure"]["code"] == "API_AUTH"
    assert set(result["unread"]) == {"support", "health", "settings"}
