# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_placement as a process, the way Ansible runs it: options in, JSON out."""

from __future__ import annotations

import json

import pytest
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

HOST = {"name": "wa-local", "kinds": ["coreapp", "master", "webapp"]}


def run(check_mode=False, **options):
    return run_module_process("wa_placement", check_mode=check_mode, **options)


@pytest.mark.parametrize("check_mode", [False, True])
def test_nodes_are_answered_by_host(check_mode):
    result = run(check_mode, shards="1", version="2.19.4", hosts=[HOST])
    assert result["changed"] is False
    assert result["problems"] == []
    assert result["counts"] == {"coreapp": 2, "master": 2, "webapp": 1}
    assert result["shards"] == 1
    assert result["hosts"] == {"wa-local": result["nodes"]}
    assert result["nodes"][3] == {
        "name": "wa-coreapp-1", "host": "wa-local", "rack": "", "kind": "coreapp", "index": 1, "address": "wa-local",
        "api_address": "wa-local", "key": "wa-local:wa-coreapp-1", "ports": [6250, 6251, 6252, 6253],
        "external_ports": "6250,6251,6252,6253", "exists": False, "surplus": False,
    }  # fmt: skip


def test_the_answer_can_be_passed_on_as_what_runs():
    first = run(shards=4, hosts=[HOST])
    running = [{key: node[key] for key in ("host", "kind", "index")} for node in first["nodes"]]
    second = run(shards=4, hosts=[HOST], running=running)
    assert [node["exists"] for node in second["nodes"]] == [True] * len(first["nodes"])
    assert [node["name"] for node in second["nodes"]] == [node["name"] for node in first["nodes"]]


def test_all_problems_fail_the_module_at_once_and_no_node_is_named():
    elsewhere = {"code": "WA_ADDRESS_INVALID", "message": "wa_address is 'x y'.", "variable": "wa_address"}
    result = run(shards=3, version="x", hosts=[HOST], settings={"db_password": "canary(db"}, problems=[elsewhere])
    codes = [problem["code"] for problem in result["problems"]]
    assert result["failed"] is True
    assert result["failure"]["code"] == "WA_INPUT_REFUSED"
    assert result["failure"]["details"]["codes"] == sorted(set(codes))
    assert {"WA_ADDRESS_INVALID", "WA_SHARDS_INVALID", "WA_VERSION_INVALID", "WA_DB_PASSWORD_CHARACTERS"} <= set(codes)
    assert result["nodes"] == [] and result["counts"] == {"coreapp": 0, "master": 0, "webapp": 0}
    for problem in result["problems"]:
        assert problem["message"] in result["msg"]
    assert "nothing was changed" in result["msg"]
    del result["invocation"]
    assert "canary" not in json.dumps(result)


def test_nodes_on_a_drained_host_have_to_go_and_count_nowhere():
    old, new = {**HOST, "name": "old", "kinds": [], "drained": "yes"}, {**HOST, "name": "new"}
    running = [{"host": "old", "kind": kind, "index": 1} for kind in HOST["kinds"]]
    result = run(shards=1, hosts=[old, new], running=running)
    assert sorted(node["key"] for node in result["leaving"]) == [
        "old:wa-coreapp-1", "old:wa-master-1", "old:wa-webapp-1",
    ]  # fmt: skip
    assert {node["host"] for node in result["nodes"]} == {"new"}
    assert result["counts"] == {"coreapp": 2, "master": 2, "webapp": 1}
    assert result["hosts"]["old"] == []
    assert run(shards=1, hosts=[HOST])["leaving"] == []


def test_placement_problems_fail_too():
    result = run(shards=1, survive={"hosts": 1}, hosts=[HOST])
    assert {problem["code"] for problem in result["problems"]} == {"WA_SURVIVE_IMPOSSIBLE"}


def test_the_key_of_the_tokens_is_asked_for_when_there_are_several_webapps():
    settings = {
        "admin_password": "Chang3.me", "db_engine": "PGSQL", "db_host": "db", "db_port": 5432, "db_username": "wa",
        "db_password": "db-canary",
    }  # fmt: skip
    assert run(shards=1, hosts=[HOST], settings=settings)["problems"] == []
    result = run(shards=1, hosts=[{**HOST, "pins": {"webapp": 2}}], settings=settings)
    assert [problem["variable"] for problem in result["problems"]] == ["wa_jwt_key"]


def test_secrets_are_masked_in_what_ansible_echoes():
    result = run(shards=1, hosts=[HOST], settings={"db_password": "canary-db", "admin_password": "canary-admin"})
    assert "canary" not in json.dumps(result["invocation"])
