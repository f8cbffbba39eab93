# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml where nodes have media in a volume and are to use a share; on hosts that are only pretended.

How files are copied, and that none is lost, is found out in test_move.py, on real ones.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
from ansible_collections.waent.fleet.tests.support.pretend_hosts import (
    BARE,
    IN_VOLUME,
    INSTALLED,
    VOLUME,
    PretendFleet,
)
from ansible_collections.waent.fleet.tests.support.printed import Command, commands_after

SHARE = {"server": "nas-1.example.com", "export": "/media", "path": "/srv/media"}
# Nothing is waited for, as nothing is done.
GIVEN = {
    "wa_media_share": SHARE,
    "wa_media": SHARE["path"],
    "wa_rollout_error_seconds": 0,
    "wa_planned_wait_seconds": 0,
}
LEFT = "Media are in {0} on pretended-0000 and pretended-0001 until now".format(VOLUME)


@pytest.mark.thorough
def test_what_would_be_left_behind_is_said_and_copied(tmp_path: Path) -> None:
    with PretendFleet(tmp_path, 2) as fleet:
        fleet.be(IN_VOLUME)
        planned = fleet.play("playbooks/site.yml", "--check", "-e", json.dumps(GIVEN))
        assert planned.code == OK and LEFT in planned.output, planned.output
        assert "wa_media_copy" not in {call for name in fleet.names for call in fleet.calls_in_order(name)}

        assert "add -e wa_media_from={0}.".format(VOLUME) in planned.output
        added = commands_after(planned.output, LEFT)[0]
        assert added == Command("", {"wa_media_from": VOLUME}, again=False)
        run = fleet.play("playbooks/site.yml", "-e", json.dumps(GIVEN), *added.given())
        assert run.code == OK and LEFT not in run.output, run.output
        assert "compared by content with {0}: 6 files.".format(VOLUME) in run.output
        for name in fleet.names:
            calls = fleet.calls_in_order(name)
            began, ended = calls.index("wa_media_copy"), len(calls) - 1 - calls[::-1].index("wa_media_copy")
            made = [number for number, call in enumerate(calls) if call == "wa_containers"]
            # Once before any node is switched, and once more after the last one.
            assert made and began < made[0] and made[-1] < ended and calls.count("wa_media_copy") == 2

        fleet.be(INSTALLED)
        later = fleet.play("playbooks/site.yml", "--check", "-e", json.dumps(GIVEN))
        assert later.code == OK and "left behind" not in later.output


def test_media_that_no_two_hosts_share_for_sure_are_named_before_anything_is_done(tmp_path: Path) -> None:
    own = "Media are in the volume whatsappMedia on pretended-0000 and pretended-0001, which no other host has"
    with PretendFleet(tmp_path, 2) as fleet:
        fleet.be(BARE)
        planned = fleet.play("playbooks/site.yml", "--check", "-e", "wa_planned_wait_seconds=0")
        assert own in planned.output and "wa_media_share" in planned.output, planned.output
        shared = fleet.play("playbooks/site.yml", "--check", "-e", json.dumps(GIVEN))
        assert own not in shared.output, shared.output
        fleet.be(INSTALLED)
        status = fleet.play("playbooks/status.yml")
        assert own in status.output, status.output
