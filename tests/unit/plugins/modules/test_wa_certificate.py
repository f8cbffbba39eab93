# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_certificate through main(), with real certificates, against real HTTPS servers."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import served_certificate
from ansible_collections.waent.fleet.plugins.modules import wa_certificate
from ansible_collections.waent.fleet.tests.support.certificates import Authority
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

CHAIN, ABOVE, WEBHOOK = "/v1/certificates/external", "/v1/certificates/external/ca", "/v1/certificates/webhooks/ca"
NOT_FOUND = {"errors": [{"code": 1006, "title": "Resource not found"}]}
HEALTH = {"health": {"gateway_status": "connected"}, "meta": META}


class Bundle:
    """An authority, an intermediate and a certificate for 127.0.0.1, as texts."""

    def __init__(self, home, *names, **options):
        self.root = Authority(home, "root")
        self.middle = Authority(home, "middle", signer=self.root)
        self.cert, self.key_path = self.middle.sign(*(names or ("127.0.0.1",)), **options)
        self.above = self.middle.ca.read_text()
        self.text = self.cert.read_text() + self.above
        self.key = self.key_path.read_text()
        self.root_path = str(self.root.ca)
        served = home / "served.pem"
        served.write_text(self.text)
        self.serves = served, self.key_path


@pytest.fixture
def bundle(tmp_path):
    return Bundle(tmp_path)


class Server:
    """Certificates of an API that calls change; what is uploaded is served by the next server that is started."""

    def __init__(self, api, takes=True):
        self.sent, self.above, self.webhook = None, "", None
        self.takes = takes
        api.on("GET", "/v1/health", HEALTH)
        api.on("GET", ABOVE, lambda _call: (200, self.above.encode()))
        api.on("POST", CHAIN, self.upload)
        api.on("GET", WEBHOOK, lambda _call: (200, self.webhook.encode()) if self.webhook else (404, NOT_FOUND))
        api.on("POST", WEBHOOK, self.upload_webhook)
        api.on("DELETE", WEBHOOK, self.delete_webhook)

    def upload(self, call):
        self.sent = call.body.decode()
        if self.takes:
            self.above = "".join(wa_certificate.certificate_blocks(self.sent)[1:])
        return 200, None

    def upload_webhook(self, call):
        self.webhook = call.body.decode() if self.takes else None
        return 200, None

    def delete_webhook(self, _call):
        self.webhook = None
        return 200, None


@pytest.fixture
def run(capfd, clock, bundle):
    """Runs the module at these servers; the key is never in its answer."""

    def call(*apis, **args):
        options = {
            "api_url": [api.url for api in apis],
            "api_token": "canary-token-9f",
            "ca_path": bundle.root_path,
            "certificate": bundle.text,
            **args,
        }
        result = run_module(wa_certificate, capfd, **{k: v for k, v in options.items() if v is not None})
        said = json.dumps(result)
        assert not [line for line in bundle.key.splitlines()[1:-1] if line in said]
        return result

    return call


@pytest.fixture
def old(api, access):
    """The options that trust what the first server serves."""
    return {"purpose": "api", "trusted_certificates": [served_certificate(api.url, 5)]}


def test_upload_check_real_again_until_the_restart(api, run, old, bundle, start_api):
    server = Server(api)
    checked = run(api, private_key=bundle.key, check=True, diff=True, **old)
    assert checked["changed"] and checked["restart_required"] == ["webapps"] and server.sent is None
    assert checked["diff"]["before"] == {"serves": {api.url: old["trusted_certificates"][0]}, "above": []}
    real = run(api, private_key=bundle.key, diff=True, **old)
    assert real["changed"] and real["diff"] == checked["diff"]
    assert server.sent == bundle.key + bundle.text
    assert real["certificates"][0]["names"] == ["127.0.0.1"] and real["notes"] != []
    sent = next(call for call in api.calls if call.method == "POST")
    assert sent.content_type == "text/plain"
    assert run(api, private_key=bundle.key, **old)["changed"], "nothing was restarted yet"

    new = start_api(bundle.serves)
    Server(new).above = bundle.above
    again = run(new, private_key=bundle.key, purpose="api", diff=True)
    assert not again["changed"] and again["restart_required"] == [] and new.writes == []
    assert again["diff"]["before"] == again["diff"]["after"]
    mixed = run(api, new, private_key=bundle.key, check=True, **old)
    assert mixed["changed"] and set(mixed["serves"]) == {api.url, new.url}


def test_served_is_proved_at_each_url(api, run, old, bundle, start_api):
    Server(api).above = bundle.above
    new = start_api(bundle.serves)
    Server(new).above = bundle.above
    good = run(new, purpose="api", state="served")
    assert not good["changed"] and "failure" not in good
    wrong = run(new, api, purpose="api", state="served")
    assert wrong["failure"]["code"] == "WA_CERTIFICATE_NOT_SERVED" and api.url in wrong["msg"]
    assert new.url not in wrong["msg"]


def test_served_without_the_intermediate_is_not_verified(run, bundle, start_api):
    bare = start_api((bundle.cert, bundle.key_path))
    Server(bare).above = bundle.above
    assert run(bare, purpose="api", state="served")["failure"]["code"] == "API_TLS"


def test_a_webapp_that_does_not_answer_has_to_be_restarted(api, run, bundle, start_api, old):
    new = start_api(bundle.serves)
    Server(new).above = bundle.above
    found = run(new, purpose="api", private_key=bundle.key, check=True)
    assert not found["changed"]
    gone = "https://127.0.0.1:1"
    found = run(new, purpose="api", private_key=bundle.key, check=True, api_url=[new.url, gone])
    assert found["changed"] and found["serves"][gone] == ""


def test_a_server_that_takes_nothing(api, run, old, bundle):
    Server(api, takes=False)
    result = run(api, private_key=bundle.key, **old)
    assert result["failure"]["code"] == "WA_CERTIFICATE_NOT_TAKEN" and not result["changed"]


def test_the_ca_of_the_webhook_check_real_again(api, run, old, bundle):
    server = Server(api)
    webhook = dict(old, purpose="webhook", certificate=bundle.root.ca.read_text())
    checked = run(api, check=True, diff=True, **webhook)
    assert checked["changed"] and checked["restart_required"] == ["coreapps"] and server.webhook is None
    assert checked["diff"] == {"before": {"webhook_ca": []}, "after": {"webhook_ca": [bundle.root.sha256]}}
    assert run(api, state="served", **webhook)["failure"]["code"] == "WA_CERTIFICATE_NOT_SERVED"
    assert run(api, diff=True, **webhook)["diff"] == checked["diff"]
    assert server.webhook == bundle.root.ca.read_text()
    again = run(api, **webhook)
    assert not again["changed"] and again["restart_required"] == []
    assert "failure" not in run(api, state="served", **webhook)
    gone = dict(webhook, certificate=None, state="absent")
    assert run(api, check=True, **gone)["changed"] and server.webhook
    assert run(api, **gone)["changed"] and server.webhook is None
    assert not run(api, **gone)["changed"]


def refused(run, api, old, **args):
    result = run(api, **dict(old, **args))
    assert result["failed"] and api.calls == []
    return sorted({problem["code"] for problem in result["problems"]} or {result["failure"]["code"]})


def test_refused_before_any_call(api, run, old, bundle, tmp_path):
    for place in ("other", "late"):
        (tmp_path / place).mkdir()
    other = Bundle(tmp_path / "other", "api.example.com")
    late = Bundle(tmp_path / "late", "127.0.0.1", days=-1)
    swapped = bundle.above + bundle.cert.read_text()

    def codes(certificate=bundle.text, key=bundle.key, **more):
        return refused(run, api, old, certificate=certificate, private_key=key, **more)

    assert codes(key=other.key) == ["WA_CERTIFICATE_KEY"]
    assert codes(key="no key, canary") == ["WA_CERTIFICATE_KEY"]
    assert codes(key=None) == ["WA_CERTIFICATE_REFUSED"]
    assert codes(certificate="no PEM") == ["WA_CERTIFICATE_NO_CHAIN"]
    assert codes(certificate="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") == [
        "WA_CERTIFICATE_UNREADABLE"
    ]
    assert "WA_CERTIFICATE_ORDER" in codes(certificate=swapped)
    assert codes(other.text, other.key) == ["WA_CERTIFICATE_NAME", "WA_CERTIFICATE_UNVERIFIED"]
    assert codes(other.text, other.key, ca_path=other.root_path) == ["WA_CERTIFICATE_NAME"]
    assert codes(late.text, late.key, ca_path=late.root_path) == ["WA_CERTIFICATE_EXPIRED"]
    assert codes(names=["127.0.0.1", "api.example.com"]) == ["WA_CERTIFICATE_NAME"]
    assert codes(ca_path=str(tmp_path / "none")) == ["WA_API_CA_PATH"]
    assert refused(run, api, old, state="absent", certificate=None) == ["WA_CERTIFICATE_REFUSED"]
    assert refused(run, api, old, purpose="webhook", certificate=bundle.cert.read_text()) == [
        "WA_CERTIFICATE_NO_AUTHORITY"
    ]


def test_an_encrypted_key_is_refused_by_that_name(api, run, old, bundle):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(bundle.key.encode(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary-passphrase"),
    ).decode()
    result = run(api, private_key=encrypted, **old)
    assert result["failure"]["code"] == "WA_CERTIFICATE_KEY" and "passphrase" in result["msg"]


def test_query_says_what_ends_soon_and_needs_no_login(run, bundle, start_api, tmp_path):
    new = start_api(bundle.serves)
    found = run(new, purpose="api", state="query", certificate=None, api_token=None)
    assert new.calls == [] and not found["changed"]
    assert found["certificates"][0]["subject"] == "CN=127.0.0.1"
    (note,) = found["notes"]
    assert note.startswith("Served at {0}: CN=127.0.0.1 is valid until ".format(new.url))
    (tmp_path / "later").mkdir()
    later = start_api(Bundle(tmp_path / "later", "127.0.0.1", days=31).serves)
    assert run(later, purpose="api", state="query", certificate=None)["notes"] == []
    both = run(new, new, purpose="api", state="query", certificate=None, api_url=[new.url, "https://127.0.0.1:1"])
    assert both["serves"]["https://127.0.0.1:1"] == ""


def test_query_of_the_ca_of_the_webhook(api, run, old, bundle):
    server = Server(api)
    webhook = dict(old, purpose="webhook", state="query", certificate=None)
    assert run(api, **webhook)["notes"] == []
    server.webhook = bundle.root.ca.read_text()
    assert run(api, **webhook)["notes"][0].startswith("The CA of the webhook: CN=root is valid until ")
    assert api.writes == []
