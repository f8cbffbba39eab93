# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups on a schedule in the status: what is not known is unknown, and a backup that is not made is red."""

from __future__ import annotations

import json

import jsonschema
import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.backup_status import SLACK_SECONDS, backup_status
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((ROOT / "docs" / "status-report.schema.json").read_text())
HOUR = 3600.0


def seen(**changes):
    return {
        "name": "waent-backup-waent", "waits": True, "failed": False, "last_run_seconds": 5 * HOUR,
        "last_backup_seconds": 5 * HOUR, "backups": 30, **changes,
    }  # fmt: skip


def codes(found):
    return [(one["code"], one.get("kind")) for one in found.problems]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, None, ""),
        ({"failed": True}, "BACKUP_FAILED", "the last backup is 5 h old. journalctl -u waent-backup-waent says why."),
        ({"failed": True, "backups": None, "last_backup_seconds": None}, "BACKUP_FAILED", "by root only"),
        ({"failed": True, "backups": 0, "last_backup_seconds": None}, "BACKUP_FAILED", "there is no backup"),
        ({"waits": False}, "BACKUP_TIMER_OFF", "so no backup is made any more; the last backup is 5 h old"),
        # It ran, systemd has forgotten how that ended, and there is no file that is as young.
        ({"last_backup_seconds": 29 * HOUR}, "BACKUP_FAILED", "the last backup is 29 h old"),
        ({"last_backup_seconds": None, "backups": 0}, "BACKUP_FAILED", "there is no backup"),
        # A backup that was made by hand before the timer ran the first time.
        ({"last_run_seconds": None}, None, ""),
        # It runs at this moment.
        ({"last_run_seconds": 10.0}, None, ""),
        ({"backups": None, "last_backup_seconds": None}, None, ""),
    ],
)
def test_what_is_wrong_with_it(changes, code, words):
    found = backup_status({"h1": seen(**changes)}, "h1")
    assert codes(found) == ([(code, None)] if code else [])
    for one in found.problems:
        assert words in one["message"] and "run playbooks/backup.yml" in one["message"].replace("Run", "run")


def test_the_inventory_names_a_host_that_makes_none():
    (one,) = backup_status({}, "h1").problems
    assert (one["code"], one["kind"], one["host"]) == ("BACKUP_TIMER_MISSING", "warning", "h1")
    (one,) = backup_status({}, "h1", "Connection refused").problems
    assert (one["code"], one["kind"]) == ("BACKUP_UNKNOWN", "warning") and "(Connection refused)" in one["message"]
    assert backup_status({}, "") == ([], [], [])


def test_what_is_shown():
    lines = backup_status({"h1": seen(failed=True), "h2": seen(backups=None, last_backup_seconds=None)}, "h1").lines
    assert lines[1] == "backups on a schedule"
    assert lines[2].split() == ["host", "timer", "last", "run", "last", "backup", "backups"]
    assert lines[3].split() == ["h1", "waits", "5", "h", "ago,", "failed", "5", "h", "ago", "30"]
    assert lines[4].split() == ["h2", "waits", "5", "h", "ago", "unknown", "unknown"]


ages = st.none() | st.floats(0, 1e7)


@given(st.booleans(), st.booleans(), ages, ages, st.none() | st.integers(0, 99))
def test_every_row_has_the_form_of_the_report_and_red_is_said(waits, failed, ran, made, backups):
    if not backups:
        made = None
    one = seen(waits=waits, failed=failed, last_run_seconds=ran, last_backup_seconds=made, backups=backups)
    found = backup_status({"h1": one}, "")
    (row,) = found.rows
    validator = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["backup"], "$defs": SCHEMA["$defs"]})
    validator.validate(row)
    assert ("BACKUP_TIMER_OFF" in dict(codes(found))) == (not waits)
    assert ("BACKUP_FAILED" in dict(codes(found))) == row["failed"]
    if failed:
        assert row["failed"]
    if backups is None:
        assert row["failed"] == failed, "who may not see the files does not know that none was made"
    if ran is not None and ran < SLACK_SECONDS and not failed:
        assert not row["failed"]
