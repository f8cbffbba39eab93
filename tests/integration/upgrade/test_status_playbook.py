# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""status.yml on a healthy cluster, on one of which the inventory says something else, and where half of it is away."""

from __future__ import annotations

import json
import re
import stat
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, play, write_inventory
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

SCHEMA = json.loads((ROOT / "docs" / "status-report.schema.json").read_text())


def table(output: str) -> dict[str, list[str]]:
    """The rows that were shown, by node: role, gateway status, shard, version; each a line of its own, as it is."""
    found = re.findall(r"^\S+ +\S+ +(\S+-\d+) +(.*\S)$", output, re.MULTILINE)
    rows = {name: re.split(r"\s{2,}", rest) for name, rest in found}
    return {name: row for name, row in rows.items() if len(row) == 4}


def reported(path: Path) -> dict[str, t.Any]:
    """The report, which has the form that its schema describes, can be read by everybody, and holds no secret."""
    document: dict[str, t.Any] = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [name for name, value in SECRETS.items() if value in path.read_text()] == []
    return document


def without_secrets(run: Run) -> Run:
    """The same, after its output was searched."""
    assert [name for name, value in SECRETS.items() if value in run.output] == []
    return run


@pytest.mark.begins_with(shards=2, version=OLD)
def test_versions_roles_owners_spares_and_expiry_are_shown(cluster: LiveCluster, tmp_path: Path) -> None:
    assert cluster.faults(2) == []
    path = tmp_path / "status.json"
    run = cluster.play("status.yml", "-e", "wa_expiry_warning_days=100000", "-e", "wa_report={0}".format(path))
    assert run.code == OK, run.output
    report = reported(path)
    assert (report["healthy"], report["problems"], report["shards"]) == (True, [], {"set": 2, "declared": 2})
    assert {node["name"] for node in report["nodes"]} == table(run.output).keys()
    rows = table(run.output)
    assert len(rows) == 7
    assert {row[-1] for row in rows.values()} == {OLD}
    roles = sorted(row[0] for row in rows.values())
    assert roles == ["coreapp"] * 3 + ["primary_master", "secondary_master"] + ["webapp"] * 2
    owned = sorted(row[2] for row in rows.values() if row[0] == "coreapp")
    assert owned == ["-", "0", "1"]
    spare = next(name for name, row in rows.items() if row[0] == "coreapp" and row[2] == "-")
    assert "spare coreapps: {0}:{1}".format(cluster.shape.host, spare) in run.output
    assert run.output.count("[BUILD_EXPIRES_SOON]") == 2, "of both images, so many days ahead"
    assert re.search(r"coreapp:{0} works until \d{{4}}-\d\d-\d\d".format(OLD), run.output)
    assert "site.yml would change" not in run.output


@pytest.mark.begins_with(shards=2, version=OLD)
def test_what_differs_from_the_inventory_is_reported_and_it_ends_red(cluster: LiveCluster) -> None:
    """Another version, other settings, other shards, a node that was stopped, and one that nobody declared."""
    stopped = cluster.engine.containers.get(cluster.shape.prefix + "-master-2")
    stopped.stop()
    try:
        declared = {
            "wa_version": "v2.19.7",
            "wa_extra_environment": {"TZ": "Europe/Rome"},
            "wa_settings": {"heartbeat_interval": 7},
            "wa_shards": 1,
            "wa_coreapps": 2,
            "wa_allow_no_ha": True,
        }
        run = cluster.play("status.yml", "-e", json.dumps(declared))
    finally:
        stopped.start()
    assert run.code == FAILED, run.output
    assert {"VERSION_DIFFERS", "SHARDS_DIFFER"} <= set(run.codes), run.codes
    assert cluster.shape.prefix + "-master-2" in run.output.partition("site.yml would change:")[2], run.output
    assert "heartbeat_interval" in run.output, run.output


@pytest.mark.begins_with(shards=2, version=OLD)
def test_refused_credentials_are_red_with_a_sentence_by_any_callback(cluster: LiveCluster, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    wrong = {"wa_admin_password": "Never-The-Password-1", "wa_report": str(path)}
    json_callback = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    run = play("playbooks/status.yml", "-i", cluster.inventory, "-e", cluster.variables, "-e", json.dumps(wrong),
               **json_callback)  # fmt: skip
    assert run.code == FAILED and "Never-The-Password-1" not in without_secrets(run).output
    stats = json.loads(run.output[run.output.index("{") :])
    (failed,) = [
        result
        for play_of in stats["plays"]
        for task in play_of["tasks"]
        for result in task["hosts"].values()
        if result.get("failed")
    ]
    assert failed["msg"].startswith("[LOGIN_REFUSED] The API refuses the user admin with wa_admin_password"), failed
    assert [problem["code"] for problem in reported(path)["problems"]] == ["LOGIN_REFUSED"], "the key shows the rest"
    assert reported(path)["api_read"] and not reported(path)["healthy"]

    stale = {"wa_api_key": "never-the-key-of-this-one-1"}
    run = without_secrets(cluster.play("status.yml", "-e", json.dumps(stale)))
    assert run.code == FAILED and "API_KEY_REFUSED" in run.codes, run.output
    assert {row[1] for row in table(run.output).values()} & {"connected", "answers"}, "the login shows the rest"

    run = without_secrets(cluster.play("status.yml", "-e", json.dumps({**wrong, **stale})))
    assert run.code == FAILED and {"LOGIN_REFUSED", "API_KEY_REFUSED"} <= set(run.codes), run.output
    assert {row[1] for name, row in table(run.output).items() if "webapp" not in name} == {"unknown"}


@pytest.mark.begins_with(shards=2, version=OLD)
def test_what_may_be_on_a_host_that_was_not_read_is_unknown(cluster: LiveCluster, tmp_path: Path) -> None:
    """A second host that nobody reaches, with a webapp at a name that does not resolve."""
    away = {"ansible_host": "127.0.0.1", "ansible_port": 9, "rack": "b", "wa_api_address": "away.invalid",
            "wa_webapps": 1, "wa_coreapps": 1, "wa_masters": 1}  # fmt: skip
    shape = cluster.shape
    inventory = write_inventory(
        tmp_path / "hosts.yml",
        {shape.host: {**shape.host_variables(), "wa_coreapps": 4}, "away-1": away},
        wa_database_hosts=[shape.host],
    )
    path = tmp_path / "status.json"
    run = play("playbooks/status.yml", "-i", inventory, "-e", cluster.variables, "-e", "wa_report={0}".format(path))
    assert run.code == FAILED, run.output
    assert "HOST_NOT_READ" in run.codes and "away-1" in run.sentences("HOST_NOT_READ")[0], run.output
    assert "NODE_MISSING" not in run.codes and "create" not in run.output.partition("site.yml would change")[2]
    nodes = {(node["host"], node["name"]): node["status"] for node in reported(path)["nodes"]}
    assert nodes["away-1", shape.prefix + "-coreapp-1"] == "unknown"
    assert nodes["away-1", shape.prefix + "-webapp-1"] == "silent"
    assert (shape.host, shape.prefix + "-coreapp-4") not in nodes, "it may be on the host that was not read"
    assert reported(path)["unread_hosts"] == ["away-1"]


@pytest.mark.begins_with(shards=2, version=OLD)
def test_a_database_that_is_away_is_named_and_nobody_is_missing_for_it(cluster: LiveCluster) -> None:
    database = cluster.engine.containers.get(cluster.shape.prefix + "-db")
    database.stop()
    try:
        run = cluster.play("status.yml")
    finally:
        database.start()
    assert run.code == FAILED, run.output
    assert {"API_1023", "DB_UNREACHABLE"} & set(run.codes), run.output
    assert "start " + database.name in run.output.partition("site.yml would change:")[2], run.output
    assert "NODE_MISSING" not in run.codes
    assert not {"missing", "silent"} & {row[1] for row in table(run.output).values()}, run.output
