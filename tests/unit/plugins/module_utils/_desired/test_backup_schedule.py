# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and units of a scheduled backup."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import (
    PRIVATE,
    Schedule,
    files,
    host_problems,
    problems,
    surplus,
    unit_name,
)
from hypothesis import given
from hypothesis import strategies as st

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
ASKED = Schedule(
    "waent",
    "daily",
    30,
    ("https://wa-1:9090",),
    "15550100",
    ("admin",),
    "Canary-admin-1",
    "pem",
    CERTIFICATE,
    True,
    b"zip",
)


def test_what_is_secret_is_in_one_file_that_root_alone_reads():
    found = files(ASKED)
    holding = [file for file in found if b"Canary-admin-1" in file.content]
    assert [(file.path, file.mode, file.secret) for file in holding] == [
        ("/etc/waent-backup/waent-backup-waent/admin_password", PRIVATE, True)
    ]
    service = next(file.content.decode() for file in found if file.path.endswith(".service"))
    assert "LoadCredential=admin_password:/etc/waent-backup/waent-backup-waent/admin_password" in service
    assert "DynamicUser=yes" in service and "StateDirectory=waent-backup-waent\n" in service


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"schedule": "daily\nExecStart=/bin/sh"}, "BACKUP_SCHEDULE"),
        ({"schedule": ""}, "BACKUP_SCHEDULE"),
        ({"recipient": ""}, "BACKUP_RECIPIENT"),
        ({"recipient": CERTIFICATE + "-----BEGIN PRIVATE KEY-----"}, "BACKUP_RECIPIENT"),
        ({"password": ""}, "BACKUP_ADMIN_PASSWORD"),
    ],
)
def test_what_cannot_be_meant(changes, code):
    assert [problem.code for problem in problems(ASKED._replace(**changes))] == [code]
    assert problems(ASKED) == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_units_of_two_clusters_never_have_one_name_and_none_leaves_its_place(one, other):
    assert (unit_name(one) == unit_name(other)) == (one == other)
    assert "/" not in unit_name(one) and "%" not in unit_name(one) and "\n" not in unit_name(one)


@given(st.text(max_size=30))
def test_no_name_of_a_cluster_adds_a_line_to_a_unit(cluster):
    plain = {file.path: file for file in files(ASKED)}
    found = {file.path: file for file in files(ASKED._replace(cluster=cluster))}
    services = [next(f for path, f in one.items() if path.endswith(".service")) for one in (plain, found)]
    assert len({file.content.count(b"\n") for file in services}) == 1


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=12), st.integers(0, 5))
def test_the_newest_stay_and_what_is_not_ours_does(moments, keep):
    names = ["c-registration-{0:08d}T000000Z.cms".format(moment) for moment in moments]
    gone = surplus([*names, ".new-x", "notes.txt", "mine.cms"], keep)
    assert set(gone) <= set(names)
    assert sorted(set(names) - set(gone)) == sorted(names)[len(gone) :]
    assert len(names) - len(gone) == min(len(names), max(keep, 1))


def test_a_host_that_is_none_and_a_certificate_that_lacks():
    assert host_problems("", ["a"], "") == []
    assert host_problems("a", ["a"], "/x") == []
    assert [one.code for one in host_problems("b", ["a"], "/x")] == ["BACKUP_HOST_UNKNOWN"]
    assert [one.code for one in host_problems("a", ["a"], "")] == ["BACKUP_RECIPIENT"]
