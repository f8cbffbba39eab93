# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_served_certificate through main() against a real HTTPS server."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.authority import fingerprint
from ansible_collections.waent.fleet.plugins.modules import wa_served_certificate
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

HEALTH = "/v1/health"


@pytest.fixture
def run(capfd, clock):
    def call(url, **args):
        return run_module(wa_served_certificate, capfd, url=url, **args)

    return call


def served_by(api):
    """The fingerprint of the certificate that was given to the server."""
    der = ssl.PEM_cert_to_DER_cert(Path(api.ca_path).read_text())
    assert fingerprint(der).replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    return fingerprint(der)


@pytest.mark.parametrize("status, body", [(401, None), (200, {"health": {}, "meta": META})])
def test_the_certificate_that_is_served(api, run, status, body):
    api.on("GET", HEALTH, body, status=status)
    assert run(api.url) == {"changed": False, "sha256": served_by(api)}
    assert [call.authorization for call in api.calls] == [None]


def test_it_waits_until_the_webapp_is_ready(api, run, clock):
    for _times in range(3):
        api.refuse("GET", HEALTH, 1011, status=503)
    api.on("GET", HEALTH, None, status=401)
    assert run(api.url, wait_timeout=60)["sha256"] == served_by(api)
    assert len(api.calls) == 4


def test_one_that_never_is_shows_its_certificate_when_the_time_is_up(api, run):
    api.refuse("GET", HEALTH, 1011, status=503)
    assert run(api.url, wait_timeout=5)["sha256"] == served_by(api)


def test_nobody_answers(run):
    failed = run("https://127.0.0.1:9")
    assert failed["failed"] and failed["failure"]["code"] == "API_UNREACHABLE"
