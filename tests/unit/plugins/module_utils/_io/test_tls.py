# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the client talks to, with a real HTTPS server: nothing is sent to anybody else."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    AuthorityChanged,
    Client,
    OtherCertificate,
    TlsError,
    UntrustedCertificate,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import (
    authorities_in,
    read_authorities,
    served_certificate,
    write_pin,
)
from ansible_collections.waent.fleet.tests.support.certificates import GENERATED, Authority
from ansible_collections.waent.fleet.tests.support.scripted_api import META

HEALTH = {"health": {"gateway_status": "connected"}, "meta": META}
CONTAINER = "wa-webapp-1"


@pytest.fixture
def own(tmp_path):
    """The authority of an installation."""
    return Authority(tmp_path, "own", GENERATED)


@pytest.fixture
def another(tmp_path):
    """That of another installation: with the same name, as all of them have."""
    return Authority(tmp_path, "another", GENERATED)


@pytest.fixture
def webapp(own, start_api):
    """Its certificate names the container, and not the address by which it is reached."""
    api = start_api(own.sign(CONTAINER))
    api.on("GET", "/v1/health", HEALTH)
    return api


def test_an_installation_s_own_authority_verifies_every_address(webapp, own):
    assert Client([webapp.url], ca_path=str(own.ca)).health().status == 200


def test_another_installation_is_refused_with_both_fingerprints(webapp, another):
    with pytest.raises(AuthorityChanged) as caught:
        Client([webapp.url], token="t", ca_path=str(another.ca)).health()
    assert caught.value.failure_code == "API_AUTHORITY_CHANGED"
    assert another.sha256 in str(caught.value) and str(another.ca) in str(caught.value)
    assert served_certificate(webapp.url, 5) in str(caught.value)
    assert webapp.calls == []


def test_a_self_signed_certificate_is_no_installation_s_either(api, own):
    with pytest.raises(AuthorityChanged):
        Client([api.url], ca_path=str(own.ca)).health()
    assert api.calls == []


def test_with_any_other_authority_the_name_counts(tmp_path, start_api):
    company = Authority(tmp_path, "company")
    wrong, right = start_api(company.sign(CONTAINER)), start_api(company.sign("127.0.0.1"))
    right.on("GET", "/v1/health", HEALTH)
    with pytest.raises(TlsError, match="is for another name"):
        Client([wrong.url], ca_path=str(company.ca)).health()
    assert Client([right.url], ca_path=str(company.ca)).health().status == 200


def test_with_a_file_of_several_authorities_the_name_counts(webapp, own, tmp_path):
    company = Authority(tmp_path, "company")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(own.ca.read_bytes() + company.ca.read_bytes())
    with pytest.raises(TlsError, match="is for another name"):
        Client([webapp.url], ca_path=str(bundle)).health()


def test_an_authority_that_is_not_in_the_file_of_the_user(webapp, tmp_path):
    company = Authority(tmp_path, "company")
    with pytest.raises(UntrustedCertificate, match="give the file with its authority as wa_api_ca_path") as caught:
        Client([webapp.url], ca_path=str(company.ca)).health()
    assert caught.value.failure_code == "API_TLS" and webapp.calls == []


def test_a_certificate_is_trusted_by_its_fingerprint_whoever_has_signed_it(webapp, api):
    api.on("GET", "/v1/health", HEALTH)
    for server in (webapp, api):
        trusted = served_certificate(server.url, 5)
        for form in (trusted, trusted.replace(":", "").lower()):
            client = Client([server.url], trusted=["00:11", form], ca_path="/no/such/file")
            assert client.health().status == 200


def test_no_other_certificate_is_then_and_nothing_is_sent(webapp, api, own):
    meant = served_certificate(api.url, 5)
    with pytest.raises(OtherCertificate) as caught:
        Client([webapp.url], token="t", trusted=[meant], ca_path=str(own.ca)).health()
    assert caught.value.failure_code == "API_CERTIFICATE_DIFFERS"
    assert meant in str(caught.value) and served_certificate(webapp.url, 5) in str(caught.value)
    assert webapp.calls == []


def test_a_file_that_cannot_be_used(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    with pytest.raises(TlsError, match=r"empty\.pem, which cannot be used"):
        Client(["https://h"], ca_path=str(empty))
    with pytest.raises(TlsError, match=r"no such file on this host: run playbooks/site\.yml, which makes it"):
        Client(["https://h"], ca_path=str(tmp_path / "none.pem"))


def test_what_is_in_a_file(own, tmp_path):
    company = Authority(tmp_path, "company")
    leaf, _key = own.sign(CONTAINER)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"".join(path.read_bytes() for path in (own.ca, company.ca, leaf)))
    found, others = read_authorities(str(bundle))
    assert {one.sha256: one.generated for one in found} == {own.sha256: True, company.sha256: False}
    assert others == 1 and all(one.begins < one.ends for one in found)
    assert authorities_in("") == authorities_in("no PEM") == authorities_in(leaf.read_text()) == []


def test_a_pin_verifies_is_readable_by_all_and_nothing_else_is_left(webapp, own, tmp_path):
    (offered,) = authorities_in(own.ca.read_text())
    pin = tmp_path / "pins" / "pin.pem"
    pin.parent.mkdir()
    write_pin(str(pin), offered)
    assert Client([webapp.url], ca_path=str(pin)).health().status == 200
    assert own.sha256 in pin.read_text().splitlines()[0]
    assert pin.stat().st_mode & 0o777 == 0o644
    assert list(pin.parent.iterdir()) == [pin]


def test_who_does_not_answer_serves_no_certificate():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(OSError):
            served_certificate("https://127.0.0.1:{0}".format(probe.getsockname()[1]), 1)
