# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_cluster_health through main() against a real HTTPS server."""

from __future__ import annotations

import json
from pathlib import Path

import jmespath
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import health_reader as watch
from ansible_collections.waent.fleet.plugins.module_utils._state.database import CONNECT, Failure, Report
from ansible_collections.waent.fleet.plugins.modules import wa_cluster_health
from ansible_collections.waent.fleet.tests.support.scripted_api import DROP, run_module

STATES = Path(__file__).parents[2] / "fixtures" / "states"
KEYS = {
    "changed", "healthy", "summary", "problems", "cluster", "webapps", "database", "checked", "table", "waited_seconds",
}  # fmt: skip


def state(name):
    return json.loads((STATES / (name + ".json")).read_text(encoding="utf-8"))


def script(api, *names):
    """Health, support and shards of these recorded states, one after the other."""
    for name in names:
        recorded = state(name)
        api.on("GET", "/v1/health", recorded["health"])
        api.on("GET", "/v1/support", recorded["support"] or {"support": {}})
        api.on("GET", "/v1/account/shards", recorded["account_shards"] or {"account": {}})
    return api


@pytest.fixture
def run(api, capfd, access, clock):
    """Runs the module; it never writes."""

    def call(**args):
        result = run_module(wa_cluster_health, capfd, **dict(access, **args))
        assert set(result) - {"failed", "msg", "failure", "identity"} == KEYS
        assert result["changed"] is False and api.writes == []
        assert ("failure" in result) is result.get("failed", False)
        assert "canary-token-9f" not in json.dumps(result)
        return result

    return call


@pytest.mark.parametrize("check", [True, False])
def test_healthy_cluster(api, run, check):
    script(api, "ha_healthy")
    result = run(shards=1, masters=2, coreapps=2, spares=1, version="v2.19.4", check=check)
    assert result["healthy"] and result["problems"] == []
    assert result["checked"] == ["health", "webapps", "support", "shards"]
    assert result["cluster"]["primary_master"] == "wa-1:wa-master-1"
    assert result["cluster"]["spares"] == ["wa-2:wa-coreapp-1"]
    assert result["cluster"]["owners"] == [
        {"shard": -1, "nodes": ["wa-1:wa-coreapp-1"]},
        {"shard": 0, "nodes": ["wa-1:wa-coreapp-1"]},
    ]
    assert [line.split() for line in result["table"] if "-1,0" in line] == [
        ["-", "wa-1", "wa-coreapp-1", "coreapp", "connected", "-1,0", "-"]
    ]
    query = "nodes[?role=='coreapp' && gateway_status=='connected'].host"
    assert jmespath.search(query, result["cluster"]) == ["wa-1"]


def test_unhealthy_without_wait_is_no_failure(api, run):
    script(api, "two_owners")
    result = run()
    assert not result["healthy"] and not result.get("failed")
    assert "SHARD_TWO_OWNERS" in [problem["code"] for problem in result["problems"]]


def test_waits_through_a_fail_over(api, run, clock):
    script(api, "ha_owner_died_absent", "ha_healthy")
    result = run(wait=True, shards=1, delay=5)
    assert result["healthy"] and 0 < result["waited_seconds"] < 5


def test_waits_through_errors(api, run):
    api.on("GET", "/v1/health", DROP).refuse("GET", "/v1/health", 1023, "Database error occurred", status=500)
    script(api, "ha_healthy")
    result = run(wait=True, delay=3)
    assert result["healthy"] and 0 < result["waited_seconds"] < 3


def test_wait_that_runs_out_names_what_is_missing(api, run):
    script(api, "set_shards_window_standing_by", "mc_owner_died_errors")
    result = run(wait=True, timeout=20, delay=10, shards=2)
    assert result["failed"] and result["failure"]["code"] == "CLUSTER_NOT_HEALTHY"
    assert result["failure"]["details"]["codes"] == ["NODE_UNREACHABLE", "SHARD_WITHOUT_OWNER", "TOO_FEW_CONNECTED"]
    lines = result["msg"].splitlines()
    assert lines[0] == "The cluster is not as expected after 20 s. Still missing:"
    assert "  [SHARD_WITHOUT_OWNER] Without an owner: shard 1." in lines
    assert lines[-2].startswith(
        "  after 0 s: primary master: wa-1:wa-master-1 disconnected; secondary masters: 1; coreapps: 3"
    )
    assert lines[-1].startswith(
        "  after 0 s: primary master: wa-1:wa-master-1 connected; secondary masters: 1; coreapps: 1"
    )
    assert result["cluster"]["connected_coreapps"] == ["wa-1:wa-coreapp-1"]


def test_registered_or_not_where_only_running_nodes_are_asked_for(api, run):
    script(api, "unregistered_coreapps_1011")
    asked = {"masters": 2, "coreapps": 2}
    assert run(level="running", wait=True, timeout=5, **asked)["healthy"]
    result = run(level="serving", wait=True, timeout=5, **asked)
    assert result["failure"]["details"]["codes"] == ["UNREGISTERED"]
    assert result["cluster"]["registered"] is False


def test_static_key_alone(api, run, access):
    script(api, "ha_healthy")
    result = run(api_token="", api_key="canary-api-key-3")
    assert result["healthy"] and result["cluster"]["shards"] is None
    assert api.whats == [("GET", "/v1/health")]
    assert "canary-api-key-3" not in json.dumps(result)


def test_wrong_credentials_end_a_wait_at_once(api, run, clock):
    api.on("GET", "/v1/health", None, status=401)
    result = run(wait=True)
    assert result["failure"]["code"] == "API_AUTH" and clock.slept == []
    assert result["cluster"]["form"] == "unreadable" and not result["healthy"]


def test_api_that_cannot_be_read_without_wait(api, run):
    api.refuse("GET", "/v1/health", 1023, "Database error occurred", status=500)
    result = run()
    assert result["failed"] and result["failure"]["code"] == "API_1023"
    assert result["problems"][0]["code"] == "API_1023" and not result["healthy"]


def test_planned_node_that_is_absent(api, run):
    script(api, "ha_healthy")
    names = [("wa-1", "wa-master-1", "master"), ("wa-2", "wa-master-1", "master"), ("wa-1", "wa-coreapp-1", "coreapp"),
             ("wa-2", "wa-coreapp-1", "coreapp"), ("wa-3", "wa-coreapp-1", "coreapp")]  # fmt: skip
    placement = [{"name": n, "host": h, "rack": "r-" + h[-1], "kind": k, "address": h} for h, n, k in names]
    placement.append({"name": "wa-webapp-1", "host": "wa-1", "rack": "r-1", "kind": "webapp", "ports": [9090]})
    result = run(placement=placement)
    assert [(problem["code"], problem["host"]) for problem in result["problems"]] == [
        ("NODE_MISSING", "wa-3:wa-coreapp-1")
    ]
    assert [line.split()[:5] for line in result["table"] if line.startswith("r-3")] == [
        ["r-3", "wa-3", "wa-coreapp-1", "coreapp", "missing"]
    ]


@pytest.mark.parametrize(
    "entry",
    [{"name": "x", "kind": "coreapp"}, {"host": "h", "kind": "coreapp"}, {"name": "x", "host": "h", "kind": "y"}],
)
def test_placement_that_cannot_be_meant(api, run, entry):
    result = run(placement=[entry])
    assert result["failure"]["code"] == "PLACEMENT_INVALID" and api.calls == []
    assert "every entry needs name, host or address, and kind" in result["msg"]


def test_database_is_part_of_the_result(api, run, monkeypatch):
    script(api, "ha_healthy")
    rows = tuple(
        {"node": name, "role": "coreapp", "version": "v2.19.4", "age_seconds": 5.0}
        for name in ("wa-1:wa-coreapp-1", "wa-2:wa-coreapp-1")
    )
    asked = []

    def read(access, **options):
        asked.append((access, options))
        return report

    monkeypatch.setattr(watch, "read_database", read)
    report = Report("MYSQL", reachable=True, liveness=rows)
    result = run(db_host="db", db_username="waent", db_password="canary-db-pw")
    assert result["healthy"] and result["checked"][-1] == "database"
    assert result["database"]["liveness"][0]["age_seconds"] == 5.0
    assert [node["version"] for node in result["cluster"]["nodes"] if node["kind"] == "coreapp"] == ["v2.19.4"] * 2
    assert "canary-db-pw" not in json.dumps(result) and asked[0][0].password == "canary-db-pw"

    for now, kinds in (
        (Report("MYSQL", failure=Failure(CONNECT, "refused")), [("DB_UNREACHABLE", "wait")]),
        (Report("MYSQL", reachable=True, max_connections=10, connections=9), [("DB_CONNECTIONS_LOW", "warning")]),
    ):
        report = now
        result = run(db_host="db", db_username="waent", db_password="canary-db-pw")
        assert [(p["code"], p["kind"]) for p in result["problems"]] == kinds
        assert result["healthy"] is (kinds[0][1] == "warning")


def test_another_cluster_than_the_declared_one_is_a_failure(api, run):
    script(api, "ha_healthy")
    ours = [{"name": n.partition(":")[2], "host": n.partition(":")[0]} for n in state("ha_healthy")["health"]["health"]]
    nodes = [{**node, "address": node["host"], "kind": "coreapp"} for node in ours]
    asked = {"nodes": nodes, "inventory": [{"name": name, "address": name} for name in ("wa-1", "wa-2")]}
    good = run(identity=asked)
    assert good["identity"]["problems"] == [] and good["healthy"]
    script(api, "ha_healthy")
    refused = run(identity={**asked, "number": "19995550000"})
    assert refused["failure"]["code"] == "OTHER_CLUSTER"
    assert refused["msg"].startswith("This is not the cluster that the inventory declares:\n[OTHER_NUMBER_REGISTERED] ")
    assert [problem["code"] for problem in refused["identity"]["problems"]] == ["OTHER_NUMBER_REGISTERED"]
    assert "identity" not in run()
