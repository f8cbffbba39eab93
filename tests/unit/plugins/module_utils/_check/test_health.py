# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from a healthy cluster: every body of reference 3.5, and properties over generated ones."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.health import (
    ACT,
    WAIT,
    WARNING,
    Counts,
    Expected,
    expected_counts,
    findings,
    healthy,
    unaware_findings,
    webapp_findings,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.table import status_table
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import (
    CONNECTED,
    DISCONNECTED,
    PRIMARY,
    SECONDARY,
    UNREGISTERED,
    Cluster,
    Node,
    observe,
    state_line,
)
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.cluster_bodies import healthy_bodies
from hypothesis import example, given
from hypothesis import strategies as st

STATES = sorted((ROOT / "tests" / "unit" / "fixtures" / "states").glob("*.json"))

SHARD_COUNTS = st.sampled_from((1, 2, 4, 8, 16, 32))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
# Shapes near the real ones, so that the parser's inner branches are reached too.
NAMES = st.sampled_from(("h:wa-master-1", "h:wa-coreapp-1", "h:x", "", "errors", "gateway_status", "no colon"))
VALUES = st.sampled_from(("connected", "disconnected", "primary_master", "coreapp", "x", "", 7, None)) | JSON
ENTRIES = st.dictionaries(
    st.sampled_from(("gateway_status", "role", "errors", "shards", "socket_conn", "version")),
    VALUES
    | st.lists(st.lists(st.integers(-3, 40) | JSON, max_size=3) | JSON, max_size=3)
    | st.lists(st.dictionaries(st.sampled_from(("code", "title", "details")), VALUES), max_size=2),
)
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "health": st.dictionaries(NAMES, ENTRIES | VALUES) | JSON,
        "support": st.dictionaries(NAMES, ENTRIES | VALUES) | JSON,
        "account": st.dictionaries(st.just("shards"), VALUES) | JSON,
        "meta": st.dictionaries(st.just("version"), VALUES) | JSON,
    },
)
EXPECTED = st.builds(
    Expected,
    shards=st.none() | SHARD_COUNTS,
    masters=st.none() | st.integers(0, 4),
    coreapps=st.none() | st.integers(0, 40),
    spares=st.none() | st.integers(0, 3),
    version=st.none() | st.sampled_from(("v2.19.4", "2.41.2", "{}")),
    nodes=st.dictionaries(NAMES, st.sampled_from(("master", "coreapp")), max_size=3),
    level=st.sampled_from(("present", "running", "serving")),
)


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_recorded_state(path):
    recorded = json.loads(path.read_text(encoding="utf-8"))
    cluster = observe(recorded["health"], recorded["support"], recorded["account_shards"])
    found = findings(cluster, Expected(**recorded["expected"]))
    assert sorted(f.code for f in found if f.kind != WARNING) == sorted(recorded["codes"])
    assert sorted(f.code for f in found if f.kind == WARNING) == sorted(recorded["warnings"])
    assert healthy(found) is recorded["healthy"]
    assert cluster.registered is recorded["registered"]


def test_there_is_a_body_for_every_state():
    assert len(STATES) >= 25


@given(BODIES, BODIES, BODIES, EXPECTED)
@example({"health": {"\u00b2": None}}, {}, {}, Expected())
def test_reading_never_raises_on_any_json(health, support, shards, expected):
    cluster = observe(health, support, shards, kinds=expected.nodes, versions={"h:x": "v1.2.3"})
    found = findings(cluster, expected)
    state_line(cluster)
    as_dict = cluster.as_dict()
    json.dumps([finding.as_dict() for finding in found])
    json.dumps(as_dict)
    assert all(isinstance(line, str) for line in status_table(as_dict["nodes"]))
    assert all(finding.kind in (WAIT, ACT, WARNING) and finding.message.endswith((".", ")")) for finding in found)


@given(SHARD_COUNTS, st.integers(0, 3), st.integers(1, 3))
def test_who_is_only_to_be_present_may_serve_nothing(shards, coreapps, masters):
    """As where there are fewer coreapps than shards, until there are fewer shards."""
    bodies = healthy_bodies(shards, coreapps, masters)
    cluster = observe(*bodies)
    found = findings(cluster, Expected(masters=masters, coreapps=coreapps, level="present"))
    assert healthy(found), found
    served = healthy(findings(cluster, Expected(masters=masters, coreapps=coreapps, level="running")))
    assert served == (coreapps >= shards)
    assert not healthy(findings(cluster, Expected(masters=masters, coreapps=coreapps + 1, level="present")))
    assert not healthy(findings(cluster, Expected(masters=masters + 1, coreapps=coreapps, level="present")))


@given(SHARD_COUNTS, st.integers(0, 8), st.integers(2, 5))
def test_healthy_cluster_has_no_problem(shards, spares, masters):
    coreapps = shards + spares
    bodies = healthy_bodies(shards, coreapps, masters)
    expected = Expected(shards, masters, coreapps, spares, "v2.19.4")
    for read in (bodies, (bodies[0],)):
        found = findings(observe(*read), expected)
        assert [finding.code for finding in found] == []


@given(SHARD_COUNTS, st.integers(1, 8), st.integers(2, 5))
def test_expected_counts_are_what_a_healthy_cluster_shows(shards, spares, masters):
    cluster = observe(*healthy_bodies(shards, shards + spares, masters))
    assert expected_counts(shards, shards + spares, masters) == Counts(
        connected_coreapps=len(cluster.connected_coreapps),
        primary_masters=len(cluster.primaries),
        secondary_masters=len(cluster.masters) - 1,
        primary_gateway_status=cluster.primaries[0].gateway_status,
    )
    assert len(cluster.spares) == spares


@given(SHARD_COUNTS, st.integers(1, 4), st.integers(2, 4), st.data())
def test_losing_any_owner_is_noticed(shards, spares, masters, data):
    health, support, account = healthy_bodies(shards, shards + spares, masters)
    lost = "host-{0}:wa-coreapp-1".format(data.draw(st.integers(0, shards - 1)))
    del health["health"][lost], support["support"][lost]
    found = findings(observe(health, support, account), Expected())
    assert {"SHARD_WITHOUT_OWNER", "TOO_FEW_CONNECTED"} <= {finding.code for finding in found}
    assert not healthy(found)


@given(SHARD_COUNTS, st.integers(1, 4), st.data())
def test_a_coreapp_that_support_does_not_know_yet_is_waited_for(shards, spares, data):
    health, support, account = healthy_bodies(shards, shards + spares, 2)
    late = "host-{0}:wa-coreapp-1".format(data.draw(st.integers(shards, shards + spares - 1)))
    del support["support"][late]
    found = findings(observe(health, support, account), Expected())
    assert [(finding.code, finding.host, finding.kind) for finding in found] == [("OWNER_UNREAD", late, WAIT)]
    assert findings(observe(health, None, account), Expected()) == []
    health["health"][late] = {"errors": [{"code": 1014, "title": "Internal error", "details": "Could not reach core"}]}
    assert "OWNER_UNREAD" not in {finding.code for finding in findings(observe(health, support, account), Expected())}


@given(SHARD_COUNTS, st.integers(1, 4), st.data())
def test_a_second_owner_is_noticed(shards, spares, data):
    health, support, account = healthy_bodies(shards, shards + spares, 2)
    shard = data.draw(st.integers(0, shards - 1))
    thief = "host-{0}:wa-coreapp-1".format(shards)
    health["health"][thief]["gateway_status"] = CONNECTED
    support["support"][thief]["shards"] = [[shard, shard]]
    found = {finding.code: finding for finding in findings(observe(health, support, account), Expected())}
    assert {"SHARD_TWO_OWNERS", "TOO_MANY_CONNECTED"} <= set(found)
    assert str(shard) in found["SHARD_TWO_OWNERS"].message
    assert "banned" in found["SHARD_TWO_OWNERS"].message


@given(SHARD_COUNTS, st.integers(0, 40), st.integers(0, 5))
def test_expected_counts_for_all(shards, coreapps, masters):
    counts = expected_counts(shards, coreapps, masters)
    assert counts.connected_coreapps == min(shards, coreapps)
    assert counts.primary_masters + counts.secondary_masters == masters
    assert counts.primary_gateway_status == (CONNECTED if shards > 1 else DISCONNECTED)


@pytest.mark.parametrize(
    "shards, holder", [(1, "host-1:wa-coreapp-1"), (1, "host-0:wa-master-1"), (2, "host-0:wa-coreapp-1")]
)
def test_control_shard_in_the_wrong_place(shards, holder):
    health, support, account = healthy_bodies(shards, shards + 1, 2)
    for entry in support["support"].values():
        entry["shards"] = [owned for owned in entry["shards"] if owned != [-1, -1]]
    ownerless = findings(observe(health, support, account), Expected())
    assert [finding.code for finding in ownerless] == ["CONTROL_SHARD_WITHOUT_OWNER"]
    support["support"][holder]["shards"].append([-1, -1])
    found = findings(observe(health, support, account), Expected())
    assert [(finding.code, finding.host) for finding in found] == [("CONTROL_SHARD_MISPLACED", holder)]


def test_planned_node_that_is_not_shown():
    cluster = observe(*healthy_bodies(1, 2, 2))
    planned = {node.name: node.kind for node in cluster.nodes}
    planned["host-9:wa-coreapp-1"] = "coreapp"
    found = findings(cluster, Expected(nodes=planned))
    assert [(finding.code, finding.host) for finding in found] == [("NODE_MISSING", "host-9:wa-coreapp-1")]


def test_node_that_is_not_planned_is_a_warning():
    cluster = observe(*healthy_bodies(1, 2, 2))
    planned = {node.name: node.kind for node in cluster.nodes[1:]}
    found = findings(cluster, Expected(nodes=planned))
    assert [(finding.code, finding.kind) for finding in found] == [("NODE_UNPLANNED", WARNING)]


def test_node_that_was_removed_and_is_still_shown_is_a_warning():
    health, support, account = healthy_bodies(1, 2, 3)
    key = "host-1:gone-coreapp-9"
    planned = {node.name: node.kind for node in observe(health, support, account).nodes}
    health["health"][key] = {"errors": [{"code": 1014, "title": "Internal error", "details": "connection timed out"}]}
    found = findings(observe(health, support, account), Expected(nodes=planned))
    assert [(finding.code, finding.kind) for finding in found] == [("NODE_UNPLANNED", WARNING)]
    assert "NODE_UNREACHABLE" in [finding.code for finding in findings(observe(health, support, account), Expected())]
    assert healthy(found)


def test_many_names_are_cut():
    health, support, account = healthy_bodies(8, 9, 2)
    for index in range(8):
        health["health"]["host-{0}:wa-coreapp-1".format(index)] = {"errors": [{"code": 1011, "title": "x"}]}
    found = {f.code: f for f in findings(observe(health, support, account), Expected())}
    assert ", and 3 more" in found["NODE_STARTING"].message


def test_versions_of_nodes_from_another_source():
    bodies = healthy_bodies(1, 2, 2)
    cluster = observe(*bodies, versions={"host-1:wa-coreapp-1": "v2.19.3"})
    found = findings(cluster, Expected(version="2.19.4"))
    assert [(f.code, f.host) for f in found] == [("WRONG_VERSION", "host-1:wa-coreapp-1")]


def test_the_version_of_a_node_that_was_removed_is_of_no_interest():
    health, support, account = healthy_bodies(1, 2, 2)
    planned = {node.name: node.kind for node in observe(health, support, account).nodes}
    gone = "host-1:gone-coreapp-9"
    health["health"][gone] = {"errors": [{"code": 1014, "title": "Internal error"}]}
    cluster = observe(health, support, account, versions={gone: "v2.19.3"})
    assert healthy(findings(cluster, Expected(version="2.19.4", nodes=planned)))


def test_a_webapp_that_answers_is_not_silent_and_one_that_refuses_needs_somebody():
    webapps = [
        {"url": "https://" + str(number), "answers": error is None, "version": None, "error": error}
        for number, error in enumerate([None, "API_UNREACHABLE", "API_ANSWER_LOST", "API_1023", "API_AUTH", "API_TLS"])
    ]
    found = [(finding.code, finding.kind) for finding in webapp_findings(webapps, Expected())]
    assert found == [("WEBAPP_SILENT", "wait")] * 2 + [
        ("WEBAPP_WITHOUT_HEALTH", kind) for kind in ("wait", "act", "act")
    ]


def test_a_node_of_a_host_that_was_not_read_is_not_missing():
    expected = Expected(
        nodes={"a:wa-master-1": "master", "b:wa-master-1": "master"}, unseen=frozenset(["b:wa-master-1"])
    )
    missing = [finding.host for finding in findings(Cluster("cluster"), expected) if finding.code == "NODE_MISSING"]
    assert missing == ["a:wa-master-1"]


MASTER, LAGGING = Node("a:wa-master-1", PRIMARY, DISCONNECTED), Node("b:wa-master-1", SECONDARY, UNREGISTERED)


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([MASTER], ""),
        ([MASTER, LAGGING], "unregistered is still shown for b:wa-master-1"),
        ([Node("", gateway_status=UNREGISTERED)], "unregistered is still shown for the client"),
        ([], "no node reports a status"),
    ],
)
def test_a_webapp_that_does_not_show_a_registration_is_named_with_what_it_shows(nodes, why):
    seen = {
        "https://a:9090": Cluster("cluster", nodes=(MASTER,)),
        "https://b:9090": Cluster("cluster", nodes=tuple(nodes)),
    }
    found = unaware_findings(seen)
    text = "The number is registered, and https://b:9090 does not show it yet: {0}.".format(why)
    assert [(one.code, one.message, one.kind) for one in found] == (
        [("REGISTRATION_UNSEEN", text, WAIT)] if why else []
    )
