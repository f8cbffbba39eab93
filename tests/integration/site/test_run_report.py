# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_report of runs that are refused before any host is contacted."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    Run,
    play,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.run_reports import codes, run_report

GIVEN = {
    "site": (), "reshard": ("-e", "shards=4"), "upgrade": ("-e", "version=v2.19.7"), "drain": ("-e", "host=one"),
    "adopt": (), "certificates": (), "rotate": ("-e", "rotate=api_key"), "backup": (), "restore": ("-e", "backup=/x"),
}  # fmt: skip


def call(directory: Path, playbook: str, *arguments: str, **changes: t.Any) -> Run:
    hosts = {name: {"ansible_host": "127.0.0.1", "ansible_port": 9} for name in ("one", "two")}
    inventory = write_inventory(directory / "hosts.yml", hosts)
    given = write_variables(directory / "variables.json", valid_variables.but(wa_db_check_host="", **changes))
    return play("playbooks/{0}.yml".format(playbook), "-i", inventory, "-e", given, *arguments)


@pytest.mark.parametrize("playbook", GIVEN)
def test_a_call_that_is_refused(tmp_path: Path, playbook: str) -> None:
    path = tmp_path / "run.json"
    run = call(tmp_path, playbook, *GIVEN[playbook], "--limit", "two", wa_report=str(path))
    report = run_report(path)
    assert (run.code, report["playbook"], report["result"]) == (FAILED, playbook, "refused"), run.output
    assert codes(report) == ["LIMIT_NOT_ALLOWED"]
    assert report["problems"][0]["message"] in " ".join(run.output.split())


def test_input_that_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    run = call(tmp_path, "site", wa_report=str(path), wa_shards=3, wa_cc="+1")
    report = run_report(path)
    assert (run.code, report["result"]) == (FAILED, "refused"), run.output
    assert sorted(codes(report)) == ["WA_PHONE_NUMBER_INVALID", "WA_SHARDS_INVALID"]


def test_hosts_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    run = call(tmp_path, "site", wa_report=str(path))
    report = run_report(path)
    assert (run.code, report["result"]) == (FAILED, "refused"), run.output
    assert {(one["code"], one["host"]) for one in report["problems"]} == {
        ("HOST_NOT_READ", "one"), ("HOST_NOT_READ", "two")
    }  # fmt: skip


def test_a_file_that_cannot_be_written_ends_the_run_before_anything_else(tmp_path: Path) -> None:
    run = call(tmp_path, "site", wa_report=str(tmp_path / "nowhere" / "run.json"))
    assert (run.code, run.codes) == (FAILED, ["REPORT_NOT_WRITTEN"]), run.output
    assert "No such file or directory" in run.output
