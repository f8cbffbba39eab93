# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loss of one host or rack would do at worst stands in what site.yml shows before it does anything."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
from ansible_collections.waent.fleet.tests.support.pretend_hosts import BARE, PretendFleet


def test_it_is_shown_before_the_rollout(tmp_path: Path) -> None:
    with PretendFleet(tmp_path, 6) as fleet:
        fleet.be(BARE)
        run = fleet.play("playbooks/site.yml", "--check")
    assert run.code == OK, run.output
    shown = run.output.partition("changed: [")[0]
    of_host, of_rack = (re.findall("If one {0} is lost, .*".format(unit), shown) for unit in ("host", "rack"))
    # Two masters are left, so the time is that of the silence, and of the lease where the primary goes too.
    assert len(of_host) == 1 and re.search(r"1 of 4 shards is without service for about (35|45) s", of_host[0])
    # What need not survive is not hidden.
    assert len(of_rack) == 1 and "until it is back, nothing takes over" in of_rack[0]
