# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status table."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._common.product import planned_key
from ansible_collections.waent.fleet.plugins.module_utils._common.table import COLUMNS, status_table
from hypothesis import given
from hypothesis import strategies as st


def node(host, container, role, status, **more):
    return {"name": host + ":" + container, "host": host, "container": container, "role": role,
            "gateway_status": status, "errors": [], **more}  # fmt: skip


NODES = [
    node("10.0.0.2", "wa-coreapp-1", "coreapp", "disconnected", shards=[], version="v2.19.4"),
    node("10.0.0.1", "wa-coreapp-1", "coreapp", "connected", shards=[-1, 0], version="v2.19.4"),
    node("10.0.0.1", "wa-master-1", "primary_master", "disconnected", shards=[]),
    dict(node("10.0.0.1", "wa-coreapp-10", None, None), errors=[{"code": 1011}], kind="coreapp"),
]
PLACEMENT = [
    {"name": "wa-webapp-1", "host": "one", "rack": "a", "kind": "webapp", "address": "10.0.0.1", "ports": [9090]},
    {"name": "wa-master-1", "host": "one", "rack": "a", "kind": "master", "address": "10.0.0.1"},
    {"name": "wa-coreapp-1", "host": "one", "rack": "a", "kind": "coreapp", "address": "10.0.0.1"},
    {"name": "wa-coreapp-10", "host": "one", "rack": "a", "kind": "coreapp", "address": "10.0.0.1"},
    {"name": "wa-coreapp-1", "host": "two", "rack": "b", "kind": "coreapp", "address": "10.0.0.2"},
    {"name": "wa-master-1", "host": "two", "rack": "b", "kind": "master", "address": "10.0.0.2"},
]


def test_table_with_plan():
    webapps = [
        {"url": "https://10.0.0.1:9090", "answers": True, "version": "v2.19.4"},
        {"url": "https://balancer", "answers": False, "version": None},
    ]
    assert status_table(NODES, PLACEMENT, webapps) == [
        "rack  host      node           role            gateway status  shard  version",
        "-     balancer  balancer:443   webapp          silent          -      -",
        "a     one       wa-coreapp-1   coreapp         connected       -1,0   v2.19.4",
        "a     one       wa-coreapp-10  coreapp         error 1011      -      -",
        "a     one       wa-master-1    primary_master  disconnected    -      -",
        "a     one       wa-webapp-1    webapp          answers         -      v2.19.4",
        "b     two       wa-coreapp-1   coreapp         disconnected    -      v2.19.4",
        "b     two       wa-master-1    master          missing         -      -",
    ]


def test_table_without_plan():
    lines = status_table(NODES)
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["10.0.0.1", "wa-coreapp-1"],
        ["10.0.0.1", "wa-coreapp-10"],
        ["10.0.0.1", "wa-master-1"],
        ["10.0.0.2", "wa-coreapp-1"],
    ]


def test_planned_webapp_that_was_not_asked():
    assert "not asked" in status_table([], PLACEMENT[:1])[1]


def test_numbers_sort_as_numbers():
    nodes = [node("h", "wa-coreapp-{0}".format(number), "coreapp", "connected") for number in (10, 2, 1)]
    assert [line.split()[2] for line in status_table(nodes)[1:]] == ["wa-coreapp-1", "wa-coreapp-2", "wa-coreapp-10"]


def test_empty_table_is_its_header():
    assert status_table([]) == ["  ".join(COLUMNS)]


def test_key_of_a_planned_node():
    assert planned_key({"name": "n", "host": "h"}) == "h:n"
    assert planned_key({"name": "n", "host": "h", "address": "10.0.0.1"}) == "10.0.0.1:n"


TEXTS = st.text(alphabet="ab-1", min_size=1, max_size=12)


@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(("coreapp", "master"))), max_size=8))
def test_columns_are_aligned(rows):
    nodes = [node(host, name, role, "connected") for host, name, role in rows]
    lines = status_table(nodes)
    start = lines[0].index("gateway status")
    assert all(line[start:].startswith("connected") for line in lines[1:])


def test_nobody_knows_whether_a_node_is_missing_where_nothing_was_read():
    def statuses(**how):
        return [line.split()[4] for line in status_table([], [PLACEMENT[1], PLACEMENT[5]], **how)[1:]]

    assert statuses() == ["missing", "missing"]
    assert statuses(unread_hosts=["two"]) == ["missing", "unknown"]
    assert statuses(form="unreadable") == ["unknown", "unknown"]


def test_a_webapp_shows_why_it_does_not_show_health():
    def status(error):
        return status_table([], [], [{"url": "https://h:1", "answers": False, "version": None, "error": error}])[1]

    for error, shown in [("API_UNREACHABLE", "silent"), ("API_AUTH", "login refused"), ("API_TLS", "TLS error"),
                         ("API_1023", "error 1023"), ("API_HTTP_502", "error HTTP 502")]:  # fmt: skip
        assert shown in status(error)
