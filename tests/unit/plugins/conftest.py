# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: the scripted API, and time that does not pass."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import client
from ansible_collections.waent.fleet.plugins.module_utils._io import health_reader as watch
from ansible_collections.waent.fleet.tests.support.scripted_api import ManualClock, ScriptedApi, certificate


@pytest.fixture(scope="session")
def api_certificate(tmp_path_factory):
    """Paths of certificate and key of a server that is its own authority."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def start_api(api_certificate):
    """Starts more scripted APIs; none of them may have been asked what is not in its script."""
    started = []

    def start(cert=api_certificate):
        api = ScriptedApi(*cert) if cert else ScriptedApi()
        started.append(api)
        return api

    yield start
    for api in started:
        api.close()
    assert [api.unexpected for api in started if api.unexpected] == []


@pytest.fixture
def api(start_api):
    """One scripted API."""
    return start_api()


@pytest.fixture
def access(api):
    """The options by which a module reaches it."""
    return {"api_url": [api.url], "api_token": "canary-token-9f", "ca_path": api.ca_path}


@pytest.fixture
def clock(monkeypatch):
    """Modules sleep on this clock."""
    manual = ManualClock()
    for function in (client.Client.__init__, watch.wait_for):
        monkeypatch.setitem(function.__kwdefaults__, "clock", manual)
        monkeypatch.setitem(function.__kwdefaults__, "sleep", manual.sleep)
    return manual
