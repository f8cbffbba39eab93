# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_api_authority through main() against a real HTTPS server."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_certificate
from ansible_collections.waent.fleet.plugins.modules import wa_api_authority
from ansible_collections.waent.fleet.tests.support.certificates import GENERATED, Authority
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

AUTHORITY, HEALTH = "/v1/certificates/external/ca", "/v1/health"


@pytest.fixture
def own(tmp_path):
    return Authority(tmp_path, "own", GENERATED)


@pytest.fixture
def webapp(own, start_api):
    return start_api(own.sign("wa-webapp-1"))


@pytest.fixture
def pin(tmp_path):
    return tmp_path / "pin.pem"


@pytest.fixture
def run(capfd, webapp, pin, clock):
    """Runs the module with the certificate that the host has shown."""

    def call(**args):
        trusted = [served_certificate(webapp.url, 5)]
        options = {
            "api_url": [webapp.url],
            "api_token": "canary-token-9f",
            "trusted_certificates": trusted,
            "path": str(pin),
        }
        return run_module(wa_api_authority, capfd, **{**options, **args})

    return call


def test_check_real_again(webapp, own, pin, run):
    webapp.on("GET", AUTHORITY, own.ca.read_bytes())
    checked = run(check=True)
    assert checked["changed"] and "would be pinned" in checked["line"] and not pin.exists()
    real = run()
    assert real["changed"] and real["authority"]["sha256"] == own.sha256
    assert own.sha256 in real["line"] and str(pin) in real["line"]
    assert real["diff"] == {"before": {}, "after": {**real["authority"], "path": str(pin)}}
    kept = pin.read_bytes()
    again = run(trusted_certificates=[], ca_path=str(pin))
    assert (again["changed"], again["line"]) == (False, "") and pin.read_bytes() == kept


def test_the_fingerprint_that_is_meant(webapp, own, pin, run):
    webapp.on("GET", AUTHORITY, own.ca.read_bytes())
    wrong = run(fingerprint="ab" * 32)
    assert wrong["failure"]["code"] == "API_AUTHORITY_DIFFERS" and not pin.exists()
    assert own.sha256 in wrong["msg"] and ":".join(["AB"] * 32) in wrong["msg"]
    assert run(fingerprint=own.sha256.lower())["changed"] and pin.exists()


def test_a_pin_is_never_replaced(webapp, own, pin, run, tmp_path):
    other = Authority(tmp_path, "other", GENERATED)
    pin.write_bytes(other.ca.read_bytes())
    webapp.on("GET", AUTHORITY, own.ca.read_bytes())
    failed = run()
    assert failed["failure"]["code"] == "API_AUTHORITY_CHANGED"
    assert own.sha256 in failed["msg"] and other.sha256 in failed["msg"]
    assert pin.read_bytes() == other.ca.read_bytes()


@pytest.mark.parametrize("status, body", [(404, None), (200, b"no certificate")])
def test_no_authority_at_all(webapp, pin, run, status, body):
    webapp.on("GET", AUTHORITY, body, status=status)
    assert run()["failure"]["code"] == "API_AUTHORITY_MISSING" and not pin.exists()


def test_a_refused_login_is_reported_as_one(webapp, pin, run):
    webapp.on("GET", AUTHORITY, None, status=401)
    assert run()["failure"]["code"] == "API_AUTH" and not pin.exists()


def test_somebody_in_between_gets_nothing(webapp, pin, run):
    assert run(trusted_certificates=["00" * 32])["failure"]["code"] == "API_CERTIFICATE_DIFFERS"
    assert webapp.calls == [] and not pin.exists()


def test_no_place_for_a_pin(webapp, own, run, pin):
    assert run(path="")["failure"]["code"] == "API_AUTHORITY_NO_PLACE"
    assert webapp.calls == []
    webapp.on("GET", AUTHORITY, own.ca.read_bytes())
    nowhere = run(path=str(pin.parent / "none" / "pin.pem"))
    assert nowhere["failure"]["code"] == "API_AUTHORITY_NO_PLACE"
    assert "set wa_api_ca_path" in nowhere["msg"] and own.sha256 in nowhere["msg"]
    pin.write_text("no certificate")
    assert "holds no authority that can be read" in run()["msg"] and pin.read_text() == "no certificate"


def test_query(webapp, own, run, pin):
    webapp.on("GET", HEALTH, None, status=401)
    known = {"state": "query", "trusted_certificates": [], "api_token": None}
    assert run(**known, ca_path=str(own.ca))["verifies"] is True
    webapp.on("GET", HEALTH, {"meta": META})
    assert run(**known, ca_path=str(own.ca))["verifies"] is True
    assert run(**known)["verifies"] is False
    assert not pin.exists()


def test_query_of_a_certificate_that_is_wrong_otherwise_fails(run, api, tmp_path, start_api, pin):
    company = Authority(tmp_path, "company")
    wrong = start_api(company.sign("another.example.com"))
    failed = run(state="query", api_url=[wrong.url], trusted_certificates=[], ca_path=str(company.ca))
    assert failed["failure"]["code"] == "API_TLS" and "is for another name" in failed["msg"]
