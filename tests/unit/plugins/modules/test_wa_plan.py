# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_plan and wa_sizing as processes, the way Ansible runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

COLLECTIONS = Path(__file__).resolve().parents[4] / ".collections"
HOST = {"name": "h", "address": "10.0.0.1", "kinds": ["coreapp", "master", "webapp"]}
RUNNING = [
    {"host": "h", "kind": kind, "index": index} for kind in ("coreapp", "master") for index in (1, 2)
]  # fmt: skip


def run(module, **options):
    process = subprocess.run(
        [sys.executable, "-m", "ansible_collections.waent.fleet.plugins.modules." + module],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_remote_tmp": "/tmp"}}),
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(COLLECTIONS)},
    )  # fmt: skip
    assert process.stdout, process.stderr
    return json.loads(process.stdout)


def node(number, shards=(), **changes):
    return {
        "name": "10.0.0.1:wa-coreapp-{0}".format(number), "kind": "coreapp", "shards": list(shards), "errors": [],
        "gateway_status": "connected" if shards else "disconnected", **changes,
    }  # fmt: skip


def plan(shards, nodes, now=1, **options):
    cluster = {"shards": now, "nodes": [{"name": "10.0.0.1:wa-master-1", "kind": "master"}, *nodes]}
    return run("wa_plan", shards=shards, hosts=[HOST], running=RUNNING, cluster=cluster, **options)


def test_a_plan_from_what_was_read():
    result = plan("2", [node(1, [-1, 0]), node(2)])
    assert result["changed"] is False
    assert [(step["action"], step["nodes"]) for step in result["steps"]] == [
        ("create", ["10.0.0.1:wa-coreapp-3"]),
        ("set_shards", []),
    ]
    assert (result["grow"], result["hand_over"], result["shrink"]) == (["10.0.0.1:wa-coreapp-3"], [], [])
    assert result["downtime"] == {"0": 60}
    assert [(entry["name"], entry["exists"]) for entry in result["nodes"]] == [
        ("wa-coreapp-1", True),
        ("wa-coreapp-2", True),
        ("wa-coreapp-3", False),
    ]
    assert result["nodes"][2]["ports"] == [6266, 6267, 6268, 6269]


def test_nothing_to_do():
    assert plan(1, [node(1, [-1, 0]), node(2)])["steps"] == []


def test_a_coreapp_that_reports_an_error_or_nothing_is_started():
    for second in ([node(2, errors=[{"code": 1014}], gateway_status=None)], []):
        (step,) = plan(1, [node(1, [0]), *second])["steps"]
        assert (step["action"], step["nodes"]) == ("start", ["10.0.0.1:wa-coreapp-2"])


def test_what_was_not_read_is_not_guessed():
    for cluster in ([node(1, [0]), node(2, shards=(), gateway_status="disconnected") | {"shards": None}],):
        result = plan(2, cluster)
        assert result["failure"]["code"] == "WA_PLAN_REFUSED"
        assert result["failure"]["details"]["codes"] == ["STATE_UNKNOWN"]
        assert result["steps"] == []
    assert plan(2, [node(1, [0]), node(2)], now=None)["failure"]["details"]["codes"] == ["STATE_UNKNOWN"]


def test_a_coreapp_nobody_knows_forbids_to_begin():
    result = plan(2, [node(1, [0]), node(2), node(7)])
    assert result["failure"]["details"]["codes"] == ["NODE_UNKNOWN"]
    assert "10.0.0.1:wa-coreapp-7" in result["msg"]


def test_bad_shards_are_refused_in_the_usual_words():
    result = plan(3, [node(1, [0]), node(2)])
    assert [problem["code"] for problem in result["problems"]] == ["WA_SHARDS_INVALID"]


def test_sizing():
    assert run("wa_sizing", shards=8)["needs"]["connections"] == 700
    result = run("wa_sizing", shards=16, shards_now=4, max_connections=636, database_class="db.m4.large")
    assert result["failure"]["details"]["codes"] == ["DB_CONNECTIONS_TOO_FEW"]
    assert result["needs"]["connections"] == 1400
    assert run("wa_sizing", messages_per_second=9999)["failure"]["code"] == "WA_SIZING_REFUSED"
