# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes are restarted for certificates: those that have not taken them, whatever happened before."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._plan.certificates import (
    AGAIN,
    LABEL,
    certificate_lines,
    certificate_nodes,
    node_with_ca,
)
from hypothesis import given
from hypothesis import strategies as st

OLD, LEAF, ABOVE, CA = "0D", "1E", "AB", "CA"
LABELS = st.sampled_from(["", OLD, LEAF, LEAF + AGAIN, CA, CA + AGAIN])


def node(kind, index):
    return {
        "host": "one",
        "kind": kind,
        "name": "wa-{0}-{1}".format(kind, index),
        "key": "one:wa-{0}-{1}".format(kind, index),
        "api_address": "192.0.2.{0}".format(index),
        "ports": [9090],
    }


NODES = [node(kind, index) for kind in ("webapp", "master", "coreapp") for index in (1, 2)]


def hosts(labels):
    containers = [
        {"name": one["name"], "options": {"labels": {LABEL: label} if label else {}}}
        for one, label in zip(NODES, labels)
    ]
    return [{"name": "one", "containers": [*containers, {"name": "unrelated", "options": None}]}]


def shown(sha256, ends="2027-01-01"):
    return {"sha256": sha256, "subject": "CN=" + sha256, "names": ["api.example.com"], "ends": ends}


def chain(serves, above_differs=False):
    """As wa_certificate answers; serves: what the two webapps serve."""
    by_url = dict(zip((webapp_url(one) for one in NODES[:2]), serves))
    differs = above_differs or set(serves) != {LEAF}
    return {
        "certificates": [shown(LEAF), shown(ABOVE)],
        "serves": by_url,
        "restart_required": ["webapps"] if differs else [],
        "notes": [],
    }


def webhook(differs):
    return {"certificates": [shown(CA)], "restart_required": ["coreapps"] if differs else [], "notes": ["soon"]}


def restarted(found):
    return [one["name"] for one in found if "labels" in one]


@given(
    st.lists(st.sampled_from(["", OLD, LEAF]), min_size=2, max_size=2),
    st.booleans(),
    st.booleans(),
    st.lists(LABELS, min_size=6, max_size=6),
)
def test_who_has_not_taken_it_is_restarted_and_its_container_differs(serves, above, ca_differs, labels):
    there = chain(serves, above)
    found = certificate_nodes(NODES, hosts(labels), there, webhook(ca_differs))
    only_above = above and set(serves) == {LEAF}
    expected = [one["name"] for one, sha in zip(NODES, serves) if sha != LEAF or only_above]
    taken = (CA, CA + AGAIN)
    expected += [one["name"] for one, label in zip(NODES[4:], labels[4:]) if ca_differs or label not in taken]
    assert restarted(found) == expected
    for one, label in zip(found, labels):
        assert one.get("labels", {}).get(LABEL) != label, "nothing would have it recreated"

    # Run again after all were recreated with these labels and serve the certificate: nothing is left.
    after = [(one.get("labels") or {}).get(LABEL, label) for one, label in zip(found, labels)]
    assert restarted(certificate_nodes(NODES, hosts(after), chain([LEAF, LEAF]), webhook(False))) == []


def test_what_is_not_declared_restarts_nobody():
    assert restarted(certificate_nodes(NODES, hosts([""] * 6), {}, {})) == []
    assert certificate_lines(NODES, {}, {}) == []
    failed = {"failed": True, "failure": {"code": "X"}}
    assert restarted(certificate_nodes(NODES, hosts([""] * 6), failed, failed)) == []


def test_two_certificates_of_a_ca_have_one_name_in_any_order():
    two = {**webhook(True), "certificates": [shown("A1"), shown("B2")]}
    other = {**two, "certificates": two["certificates"][::-1]}
    labels = [certificate_nodes(NODES, hosts([""] * 6), {}, one)[4]["labels"] for one in (two, other)]
    assert labels[0] == labels[1]


def test_lines():
    found = certificate_nodes(NODES, hosts([""] * 6), chain([OLD, LEAF]), webhook(True))
    assert certificate_lines(found, chain([OLD, LEAF]), webhook(True)) == [
        "The certificate of the API is for api.example.com, valid until 2027-01-01; it is uploaded, and then 1 webapp"
        " is restarted.",
        "The CA of the webhook is CN=CA, valid until 2027-01-01; it is uploaded, and then 2 coreapps are restarted.",
        "Warning: soon",
    ]
    found = certificate_nodes(NODES, hosts(["", "", "", "", CA, CA]), chain([LEAF, LEAF]), webhook(False))
    assert certificate_lines(found, chain([LEAF, LEAF]), webhook(False))[0].endswith(
        "valid until 2027-01-01, and every webapp has taken it."
    )


def test_a_coreapp_that_another_playbook_recreates_is_not_restarted_for_a_ca_that_it_has():
    (made,) = [node_with_ca(NODES[4], webhook(differs=False))]
    assert made == {**NODES[4], "labels": {LABEL: CA}}
    labels = ["", "", "", "", made["labels"][LABEL], ""]
    found = certificate_nodes(NODES, hosts(labels), {}, webhook(differs=False))
    assert restarted(found) == ["wa-coreapp-2"]


def test_which_ca_a_node_takes_is_said_only_where_it_is_known():
    other = webhook(differs=True)
    for result in (
        other,
        {},
        {"skipped": True},
        {"failed": True, "msg": "x"},
        {**webhook(False), "failure": {"code": "X"}},
    ):
        assert node_with_ca(NODES[4], result) == NODES[4]
    for one in NODES[:4]:
        assert node_with_ca(one, webhook(differs=False)) == one
    asked = {**NODES[4], "labels": {LABEL: CA + AGAIN}}
    assert node_with_ca(asked, webhook(differs=False)) == asked
