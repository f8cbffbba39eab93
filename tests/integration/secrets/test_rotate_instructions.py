# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rotate.yml says to run where it goes no further, from that state to the rotated secret."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after

YES = ("-e", "confirm=yes")
NEW = "canary-jwt-key-of-later-3Pz"


def said(run: Run, code: str) -> Command:
    """What the refusal with this code says to run."""
    assert run.code == FAILED and "canary" not in run.output, run.output
    return commands_after(run.output, "[{0}]".format(code))[0]


@pytest.mark.thorough
def test_other_changes_come_first_with_the_secret_that_runs(live: LiveCluster) -> None:
    live.ready()
    hosts, before = live._given["wa_extra_hosts"], live.containers()
    former = live._given["wa_jwt_key"]
    live.declare(wa_jwt_key=NEW, wa_extra_hosts={**hosts, "rotated.example": "192.0.2.7"})
    missing = said(live.play("rotate.yml", *YES), "ROTATE_MISSING")
    assert not missing.again, "an argument is added"
    rotate = missing.given(rotate="jwt_key")
    site = said(live.play("rotate.yml", *YES, *rotate), "ROTATE_OTHER_CHANGES")
    assert site == Command("site", {})
    assert live.containers() == before
    live.declare(wa_jwt_key=former)
    others = live.play("site.yml", *YES, *site.given())
    assert others.code == OK, others.output
    live.declare(wa_jwt_key=NEW)
    run = live.play("rotate.yml", *YES, *rotate)
    assert run.code == OK, run.output
    live._token = ""
    assert live.faults(1) == []
    status = live.play("status.yml")
    assert status.code == OK, status.output
