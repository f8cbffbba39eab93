# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What status.yml shows of the media share, and what makes it red."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits
from ansible_collections.waent.fleet.plugins.module_utils._check.media_status import age, share_status
from ansible_collections.waent.fleet.plugins.module_utils._check.status import Reports, cluster_lines, problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare

SHARE = MediaShare("nas-1", "/media", "/srv/media")
MOUNT = {"source": "nas-1:/media", "fstype": "nfs4", "opts": ["rw", "vers=4.2"], "read_only": False}
PROOF = {"age_seconds": 7300.4, "run": "5f", "hosts": ["rack-a-1", "rack-b-1"]}
THERE = {
    "mount": MOUNT, "hidden": [], "exists": True, "directory": True, "empty": None, "error": None, "free_mb": 5000,
    "free_inodes": None, "proof": PROOF,
}  # fmt: skip
SILENT = {"name": "NO_ANSWER", "step": "ask", "message": "", "seconds": 2.0, "left_behind": False}


def status_of(**of_second):
    seen = {"rack-a-1": THERE, "rack-b-1": {**THERE, **of_second}}
    return share_status(SHARE, seen, 0, Limits(free_mb=1000))


def test_a_share_that_is_proved():
    found = status_of()
    assert found.problems == []
    assert found.lines == [
        "",
        "media share nas-1:/media at /srv/media",
        "host      server  free     inodes  proved",
        "rack-a-1  nas-1   5000 MB  -       2 h ago",
        "rack-b-1  nas-1   5000 MB  -       2 h ago",
    ]
    assert found.rows[0] == {
        "host": "rack-a-1", "server": "nas-1", "path": "/srv/media", "free_mb": 5000, "free_inodes": None,
        "proved": True, "proof_age_seconds": 7300,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code", "unproved"),
    [
        ({"mount": None, "proof": None, "empty": True}, "NOT_MOUNTED", ["rack-b-1"]),
        ({"proof": None}, "NOT_PROVED", ["rack-b-1"]),
        ({"proof": {**PROOF, "hosts": ["rack-a-1"]}}, "NOT_PROVED", ["rack-b-1"]),
        ({"proof": {**PROOF, "run": "60"}}, "SPLIT", ["rack-a-1", "rack-b-1"]),
        ({"free_mb": 100}, "FULL", ["rack-b-1"]),
        ({"error": SILENT, "proof": None}, "NO_ANSWER", ["rack-b-1"]),
    ],
)
def test_what_makes_it_red(changes, code, unproved):
    found = status_of(**changes)
    assert [problem.code for problem in found.problems] == ["MEDIA_SHARE_" + code]
    assert [row["host"] for row in found.rows if not row["proved"]] == unproved
    assert [line.split()[0] for line in found.lines if line.endswith(" no")] == unproved


def test_what_may_not_be_read_is_unknown_and_not_green():
    found = status_of(proof=None, denied=1000)
    assert [problem.code for problem in found.problems] == ["MEDIA_SHARE_DENIED"]
    assert [row["proved"] for row in found.rows] == [True, None]
    assert found.lines[-1].endswith(" unknown")


def test_it_is_shown_and_counted_with_the_rest():
    found = status_of(proof=None)
    whole = {**found._asdict(), "problems": [problem.as_dict() for problem in found.problems]}
    reports = Reports((), {"healthy": True, "problems": [], "summary": "all is well"}, media_share=whole)
    assert set(found.lines) <= set(cluster_lines(reports))
    assert [problem.code for problem in problems(reports)] == ["MEDIA_SHARE_NOT_PROVED"]
    assert "run playbooks/site.yml" in problems(reports)[0].message


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (119, "119 s"), (120, "2 min"), (7300, "2 h"), (86400, "24 h"), (180000, "2 d")]
)
def test_ages(seconds, text):
    assert age(seconds) == text
