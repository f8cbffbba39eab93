# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against setting the shards, what can be read of a certificate, and downtimes."""

from __future__ import annotations

import base64
import datetime
import json

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.set_shards import (
    ReshardRequest,
    Sample,
    call_body,
    cluster_problems,
    downtimes,
    input_problems,
    lost_answer,
    registered_at,
    request_from,
    samples,
    takes_cert,
    temporarily_unavailable,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.certificate import certificate_problems
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, Node
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 6, 15)
NOW = 1_800_000_000.0
DAY = 86400
NUMBER = "15550100"


def cert(said):
    return base64.b64encode(json.dumps(said).encode() if isinstance(said, dict) else said).decode()


def cluster(coreapps=3, version="v2.19.4", registered_days=1, number=NUMBER, **changes):
    nodes = [Node("a:wa-master-1", "primary_master", "disconnected")]
    nodes += [Node("a:wa-coreapp-{0}".format(n), "coreapp", "disconnected") for n in range(coreapps)]
    values = {
        "version": version,
        "shards": 1,
        "nodes": tuple(nodes),
        "registered_number": number,
        "registered_at": None if registered_days is None else int(NOW - registered_days * DAY),
    }
    values.update(changes)
    return Cluster("cluster", **values)


@pytest.mark.parametrize("shards", [1, 2, 4, 8, 16, 32])
def test_counts_that_exist(shards):
    assert input_problems(ReshardRequest(shards, NUMBER), TODAY) == []


@pytest.mark.parametrize("shards", [-1, 0, 3, 5, 12, 64])
def test_counts_that_do_not(shards):
    problems = input_problems(ReshardRequest(shards, NUMBER), TODAY)
    assert [(p.code, p.message) for p in problems] == [
        ("SHARDS_INVALID", "shards is {0}; allowed are 1, 2, 4, 8, 16, 32.".format(shards))
    ]


@pytest.mark.parametrize(
    "text, code, message",
    [
        ("no base64!", "CERT_NOT_BASE64", "wa_cert is not base64 text as the business manager shows it."),
        ("abcde", "CERT_NOT_BASE64", "wa_cert is not base64 text as the business manager shows it."),
        ("canäry", "CERT_NOT_BASE64", "wa_cert is not base64 text as the business manager shows it."),
        ("", "CERT_MALFORMED", "wa_cert is empty."),
        (cert(b"{broken"), "CERT_MALFORMED", "wa_cert cannot be read: it begins like JSON and is none."),
        (
            cert({"expires": "soon"}),
            "CERT_MALFORMED",
            "wa_cert cannot be read: what it says about its expiry is no date.",
        ),
        (
            cert({"expires": "2026-13-45"}),
            "CERT_MALFORMED",
            "wa_cert cannot be read: what it says about its expiry is no date.",
        ),
        (
            cert({"expires": "2026-06-14"}),
            "CERT_EXPIRED",
            "wa_cert expired on 2026-06-14; setting the shards with an expired certificate gets the account banned, so"
            " it was not sent.",
        ),
        (
            cert({"phone_number": "15550199"}),
            "CERT_OTHER_NUMBER",
            "wa_cert is for the number 15550199, and the cluster's is 15550100; a wrong certificate logs the client"
            " off.",
        ),
    ],
)
def test_certificates_that_are_refused(text, code, message):
    assert [(p.code, p.message) for p in certificate_problems(text, NUMBER, TODAY)] == [(code, message)]
    assert [p.code for p in input_problems(ReshardRequest(2, NUMBER, cert=text), TODAY)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        cert(b"\x08\x01opaque"),
        "\n ".join(cert(b"in many lines of text")),
        cert({"expires": "2026-06-15", "phone_number": NUMBER}),
        cert({"vname": "Shop"}),
    ],
)
def test_certificates_that_are_fine(text):
    assert certificate_problems(text, NUMBER, TODAY) == []


@given(
    st.binary(max_size=80)
    | st.dictionaries(st.sampled_from(("expires", "phone_number")), st.text(max_size=5)).map(
        lambda d: json.dumps(d).encode()
    )
)
def test_reading_a_certificate_never_raises(raw):
    for problem in certificate_problems(base64.b64encode(raw).decode(), NUMBER, TODAY):
        assert problem.code.startswith("CERT_") and problem.value is None


CERT = cert(b"opaque")


@pytest.mark.parametrize(
    "asked, seen, code, words",
    [
        (ReshardRequest(2, NUMBER), cluster(), None, None),
        (
            ReshardRequest(4, NUMBER),
            cluster(3),
            "TOO_FEW_COREAPPS",
            "shards is 4, and only 3 coreapps answer; every shard needs a coreapp of its own: start 1 more.",
        ),
        (ReshardRequest(2, NUMBER), cluster(2), "NO_SPARE", "start one more, or set wa_allow_no_ha to true."),
        (ReshardRequest(2, NUMBER, allow_no_spare=True), cluster(2), None, None),
        (ReshardRequest(4, NUMBER, allow_no_spare=True), cluster(3), "TOO_FEW_COREAPPS", "start 1 more"),
        (
            ReshardRequest(2, "1999"),
            cluster(),
            "OTHER_NUMBER_REGISTERED",
            "registered for the number that ends in 0100, and wa_cc with wa_phone_number ends in 1999",
        ),
        (ReshardRequest(2, NUMBER), cluster(number=None), None, None),
        (ReshardRequest(2, NUMBER), Cluster("single"), "NOT_A_CLUSTER", "only a cluster has shards to set"),
        (
            ReshardRequest(2, NUMBER),
            cluster(nodes=(Node("a:wa-master-1", "primary_master", "unregistered"),)),
            "NOT_REGISTERED",
            "run playbooks/site.yml, which registers it",
        ),
        # Where no node answers nobody knows.
        (ReshardRequest(2, NUMBER), Cluster("cluster"), "REGISTRATION_UNREAD", "as no node answers"),
        # Up to 2.38 a certificate is not known: within 7 days it goes without, later it disconnects.
        (ReshardRequest(2, NUMBER), cluster(version="v2.19.4", registered_days=7), None, None),
        (
            ReshardRequest(2, NUMBER),
            cluster(version="v2.19.4", registered_days=8),
            "WOULD_DISCONNECT",
            "Version v2.19.4 cannot take a certificate, and the number was registered 8 days ago; more than 7 days"
            " after that setting the shards disconnects the client: upgrade to v2.39.1 first.",
        ),
        (
            ReshardRequest(2, NUMBER, cert=CERT),
            cluster(version="v2.39.0", registered_days=8),
            "WOULD_DISCONNECT",
            "upgrade to v2.39.1",
        ),
        (ReshardRequest(2, NUMBER, allow_disconnect=True), cluster(version="v2.19.4", registered_days=8), None, None),
        (
            ReshardRequest(2, NUMBER),
            cluster(version="v2.19.4", registered_days=None),
            "WOULD_DISCONNECT",
            "when the number was registered cannot be read",
        ),
        (
            ReshardRequest(2, NUMBER, registered_at=NOW - DAY),
            cluster(version="v2.19.4", registered_days=None),
            None,
            None,
        ),
        (
            ReshardRequest(2, NUMBER, registered_at=NOW - 9 * DAY),
            cluster(version="v2.19.4", registered_days=1),
            "WOULD_DISCONNECT",
            "9 days ago",
        ),
        # From 2.39.1 on it is taken, and needed after 7 days.
        (
            ReshardRequest(2, NUMBER),
            cluster(version="v2.39.1", registered_days=8),
            "CERT_REQUIRED",
            "wa_cert is not set, and the"
            " number was registered 8 days ago; more than 7 days after that the client is disconnected without it.",
        ),
        (ReshardRequest(2, NUMBER), cluster(version="v2.41.2", registered_days=8), "CERT_REQUIRED", "8 days ago"),
        (
            ReshardRequest(2, NUMBER),
            cluster(version="v2.41.2", registered_days=None),
            "CERT_REQUIRED",
            "cannot be read",
        ),
        (ReshardRequest(2, NUMBER), cluster(version="v2.41.2", registered_days=6), None, None),
        (ReshardRequest(2, NUMBER, cert=CERT), cluster(version="v2.41.2", registered_days=900), None, None),
        (
            ReshardRequest(2, NUMBER, allow_disconnect=True),
            cluster(version="v2.41.2", registered_days=8),
            "CERT_REQUIRED",
            "8 days ago",
        ),
        # From 2.45 on always.
        (
            ReshardRequest(2, NUMBER),
            cluster(version="v2.45.0", registered_days=1),
            "CERT_REQUIRED",
            "wa_cert is not set; version v2.45.0 needs the verified-name certificate to set the shards.",
        ),
        (ReshardRequest(2, NUMBER, cert=CERT), cluster(version="v2.45.0", registered_days=900), None, None),
        (ReshardRequest(2, NUMBER), cluster(version=None, registered_days=8), "CERT_REQUIRED", "8 days ago"),
    ],
)
def test_cluster(asked, seen, code, words):
    problems = cluster_problems(asked, seen, NOW)
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert words is None or words in problems[0].message


def test_all_problems_at_once():
    problems = cluster_problems(ReshardRequest(8, "1999"), cluster(version="v2.45.0"), NOW)
    assert [p.code for p in problems] == ["OTHER_NUMBER_REGISTERED", "TOO_FEW_COREAPPS", "CERT_REQUIRED"]


@pytest.mark.parametrize("version, sends", [("v2.39.0", False), ("v2.39.1", True), ("v2.45.0", True), (None, True)])
def test_old_versions_are_not_sent_a_certificate(version, sends):
    assert takes_cert(cluster(version=version).version) is sends


def sample(seconds, *served):
    return Sample(seconds, frozenset(served))


@pytest.mark.parametrize(
    "observed, expected",
    [
        ([sample(0, 0, 1), sample(1, 0, 1)], [(0.0, True), (0.0, True)]),
        ([sample(0, 0, 1), sample(1), sample(40, 0), sample(47.26, 0, 1)], [(40.0, True), (47.3, True)]),
        ([sample(0.5), sample(9, 0, 1)], [(9.0, True), (9.0, True)]),
        ([sample(2, 0, 1), sample(5, 1), sample(30, 1)], [(28.0, False), (0.0, True)]),
        ([sample(1, 0, 1), sample(2, 1), sample(3, 0, 1), sample(4, 1), sample(6, 0, 1)], [(5.0, True), (0.0, True)]),
    ],
)
def test_downtimes(observed, expected):
    assert [(d["seconds"], d["recovered"]) for d in downtimes(observed, 2)] == expected


@given(st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=12))
def test_downtime_is_never_more_than_what_was_watched(served):
    observed = [sample(float(number), *shards) for number, shards in enumerate(served)]
    found = downtimes(observed, 4)
    assert [item["shard"] for item in found] == [0, 1, 2, 3]
    assert all(0 <= item["seconds"] <= len(observed) - 1 for item in found)
    assert all(item["recovered"] is (item["shard"] in served[-1]) for item in found)


def state(*owned):
    nodes = [
        Node("a:wa-coreapp-{0}".format(number), "coreapp", "connected", shards=(shard,))
        for number, shard in enumerate(owned)
    ]
    return Cluster("cluster", nodes=tuple(nodes))


def test_new_shards_have_service_until_the_restart_begins():
    looks = [(0.0, state(0)), (1.0, state()), (20.0, state(1)), (30.0, state(0, 1))]
    assert [sorted(s.served) for s in samples(looks, before=1, after=2)] == [[0, 1], [], [1], [0, 1]]
    assert [d["seconds"] for d in downtimes(samples(looks, 1, 2), 2)] == [30.0, 20.0]


def test_two_owners_are_no_service():
    assert samples([(0.0, state(0, 0))], before=1, after=1)[0].served == frozenset()


OPTIONS = {
    "shards": 4, "cc": "1", "phone_number": "5550100", "pin": None, "cert": "", "allow_no_spare": False,
    "allow_disconnect": True, "registered_at": None, "for_backup": False,
}  # fmt: skip


def test_a_request_is_made_from_the_options():
    asked = request_from({**OPTIONS, "registered_at": "2024-01-31"})
    assert asked == ReshardRequest(4, "15550100", allow_disconnect=True, registered_at=1706659200.0)
    with pytest.raises(Refusal, match="registered_at is 'yesterday'"):
        request_from({**OPTIONS, "registered_at": "yesterday"})
    with pytest.raises(Refusal, match="wa_pin has to be exactly 6 digits"):
        request_from({**OPTIONS, "pin": "12"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-01-31T12:00:00+00:00", 1706702400.0),
        ("2024-01-31T12:00:00Z", 1706702400.0),
        (" 2024-01-31 ", 1706659200.0),
    ],
)
def test_times_of_registration(text, seconds):
    assert registered_at(text) == seconds


@pytest.mark.parametrize(("version", "sent"), [("v2.39.0", False), ("v2.39.1", True), (None, True)])
def test_the_certificate_is_sent_to_versions_that_know_it(version, sent):
    params = {**OPTIONS, "cert": "canary-cert"}
    assert ("cert" in call_body(params, cluster(version=version))) is sent
    assert call_body(OPTIONS, cluster(version=version)) == {"cc": "1", "phone_number": "5550100", "shards": 4}


@pytest.mark.parametrize(("status", "code", "again"), [(403, None, True), (403, 1005, False), (500, 1014, False)])
def test_only_a_403_that_is_not_about_rights_passes(status, code, again):
    assert temporarily_unavailable(status, code) is again


def test_an_answer_that_is_lost_is_known_by_the_number():
    asked = ReshardRequest(4, NUMBER)
    assert lost_answer(asked, 4, "Lost.", "u") is None
    refusal = lost_answer(asked, 1, "Lost.", "u")
    assert refusal.code == "ANSWER_LOST" and "still reads 1" in refusal.message
