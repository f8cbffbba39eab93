# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: every fault is found, each by itself and all at once."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.certificates import (
    Certificate,
    Chain,
    chain_problems,
    expiry_notes,
    names_it,
    webhook_problems,
)
from hypothesis import given
from hypothesis import strategies as st

DAY = 86400
NOW = 1_800_000_000
LEAF = Certificate("AA", "CN=api", ("api.example.com", "192.0.2.7"), NOW - DAY, NOW + 90 * DAY, False, True)
ABOVE = Certificate("BB", "CN=intermediate", (), NOW - DAY, NOW + 900 * DAY, True)
NAMES = ("api.example.com", "192.0.2.7")


def codes(chain, names=NAMES):
    return sorted(problem.code for problem in chain_problems(chain, names, NOW, "/ca.pem"))


def good(leaf=LEAF, above=ABOVE, **more):
    return Chain((leaf, above), **{"key_fits": True, "anchored": True, **more})


#: By code what makes it, and a sentence of it.
FAULTS = {
    "WA_CERTIFICATE_NO_CHAIN": (
        lambda c: c._replace(certificates=c.certificates[:1]),
        "wa_api_certificate holds 1 certificate; allowed is",
    ),
    "WA_CERTIFICATE_ORDER": (
        lambda c: c._replace(certificates=(c.certificates[0]._replace(signed_by_next=False), *c.certificates[1:])),
        "wa_api_certificate: certificate 1 (CN=api) is not signed by the one after it (CN=intermediate)",
    ),
    "WA_CERTIFICATE_KEY": (
        lambda c: c._replace(key_fits=False),
        "wa_api_certificate_key is not the key of the first certificate in wa_api_certificate (CN=api).",
    ),
    "WA_CERTIFICATE_EXPIRED": (
        lambda c: c._replace(certificates=(*c.certificates[:-1], c.certificates[-1]._replace(ends=NOW))),
        "was valid until 2027-01-15.",
    ),
    "WA_CERTIFICATE_NOT_YET": (
        lambda c: c._replace(certificates=(c.certificates[0]._replace(begins=NOW + 1), *c.certificates[1:])),
        "wa_api_certificate: CN=api is valid from 2027-01-15 only.",
    ),
    "WA_CERTIFICATE_NAME": (
        lambda c: c._replace(certificates=(c.certificates[0]._replace(names=("192.0.2.7",)), *c.certificates[1:])),
        "wa_api_certificate is for 192.0.2.7, and not for api.example.com, by which the API is reached",
    ),
    "WA_CERTIFICATE_UNVERIFIED": (
        lambda c: c._replace(anchored=False),
        "which no authority in /ca.pem has signed",
    ),
}


def test_a_good_chain():
    assert codes(good()) == []
    assert codes(good(key_fits=None, anchored=None)) == []
    assert codes(good(), ()) == []


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_each_fault_has_its_sentence(code):
    spoil, sentence = FAULTS[code]
    (problem,) = chain_problems(spoil(good()), NAMES, NOW, "/ca.pem")
    assert problem.code == code and sentence in problem.message


@given(st.sets(st.sampled_from(sorted(FAULTS))))
def test_all_faults_at_once(chosen):
    chain = good()
    # A chain that is too short has no order, and the certificate of the API is its last one.
    for code in sorted(chosen, key=lambda one: one == "WA_CERTIFICATE_NO_CHAIN"):
        chain = FAULTS[code][0](chain)
    expected = set(chosen)
    if "WA_CERTIFICATE_NO_CHAIN" in chosen:
        expected -= {"WA_CERTIFICATE_ORDER", "WA_CERTIFICATE_EXPIRED"}
    assert set(codes(chain)) == expected


def test_no_certificate_at_all():
    assert codes(Chain(())) == ["WA_CERTIFICATE_NO_CHAIN"]


@pytest.mark.parametrize(
    "pattern, name, same",
    [
        ("api.example.com", "API.example.com.", True),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("2001:db8::7", "[2001:db8:0:0::7]", True),
        ("192.0.2.8", "192.0.2.7", False),
        ("*.0.2.7", "192.0.2.7", False),
    ],
)
def test_names(pattern, name, same):
    assert names_it(pattern, name) is same


def test_the_ca_of_the_webhook():
    assert webhook_problems([ABOVE], NOW) == []
    assert [problem.code for problem in webhook_problems([], NOW)] == ["WA_CERTIFICATE_NO_CHAIN"]
    found = webhook_problems([LEAF, ABOVE._replace(ends=NOW - 1)], NOW)
    assert [problem.code for problem in found] == ["WA_CERTIFICATE_NO_AUTHORITY", "WA_CERTIFICATE_EXPIRED"]
    assert "wa_webhook_ca: CN=api is no authority" in found[0].message


@given(st.integers(-100 * DAY, 100 * DAY))
def test_what_ends_soon_is_noted_and_nothing_else(left):
    notes = expiry_notes("wa_webhook_ca", [ABOVE._replace(ends=NOW + left)], NOW)
    assert bool(notes) == (0 < left <= 30 * DAY)
    if notes:
        assert "{0} days from now".format(left // DAY) in notes[0]
