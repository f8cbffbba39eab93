# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No operation begins where the media share of any host is not proved; on hosts that are only pretended.

What a host reports of a share that cannot be written is found out in test_refusals.py, on real ones.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.pretend_hosts import ACTS, BARE, INSTALLED, STOPPED, PretendFleet
from ansible_collections.waent.fleet.tests.support.printed import commands_after

SHARE = {"server": "nas-1.example.com", "export": "/media", "path": "/srv/media"}
GIVEN = ("-e", json.dumps({"wa_media_share": SHARE, "wa_media": SHARE["path"]}))
OPERATIONS: list[tuple[str, str, list[str]]] = [
    ("site", BARE, []),
    ("site", INSTALLED, []),
    ("upgrade", INSTALLED, ["-e", "version=v2.19.7"]),
    ("reshard", INSTALLED, ["-e", "shards=2"]),
    ("drain", INSTALLED, ["-e", "host=pretended-0000"]),
    ("drill", INSTALLED, ["-e", "drill=coreapp", "-e", "confirm=yes"]),
    ("restore", INSTALLED, ["-e", "backup=/nowhere", "-e", "confirm=yes"]),
    ("certificates", INSTALLED, []),
    ("site", STOPPED, []),
]


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[PretendFleet]:
    with PretendFleet(tmp_path, 3) as made:
        yield made


@pytest.mark.parametrize(("playbook", "state", "arguments"), OPERATIONS, ids=lambda one: one if one else None)
def test_it_does_not_begin(fleet: PretendFleet, playbook: str, state: str, arguments: list[str]) -> None:
    fleet.be(state, share_error="EACCES")
    run = fleet.play("playbooks/{0}.yml".format(playbook), *arguments, *GIVEN)
    assert run.code == FAILED and run.codes == ["MEDIA_SHARE_NOT_WRITABLE"], run.output
    assert "The media share is not proved, and no node was touched." in run.output
    (sentence,) = run.sentences("MEDIA_SHARE_NOT_WRITABLE")
    assert sentence.startswith(fleet.names[-1] + ": ")
    assert not fleet.calls() & {*ACTS, "command"}


def test_and_does_where_it_is(fleet: PretendFleet) -> None:
    """So that it is the share that kept them from it."""
    fleet.be(BARE)
    run = fleet.play("playbooks/site.yml", *GIVEN)
    assert "MEDIA_SHARE_NOT_WRITABLE" not in run.codes
    assert {"wa_nfs_media", "apt"} <= fleet.calls()


def test_an_engine_that_may_hold_nodes_starts_after_the_proof(fleet: PretendFleet) -> None:
    """They start with it, whatever is mounted then."""
    fleet.be(STOPPED)
    run = fleet.play("playbooks/engine.yml", *GIVEN)
    # Ansible quotes a message of one line, so that it is not at the beginning of one.
    assert run.code == FAILED and "[ENGINE_BEFORE_SHARE] Docker Engine is stopped on " in run.output, run.output
    assert not fleet.calls() & set(ACTS)
    assert fleet.play("playbooks/engine.yml").code == OK, "without a share it starts them"
    for name in fleet.names:
        fleet.calls_in_order(name)
    (command, *_) = commands_after(run.output, "[ENGINE_BEFORE_SHARE] ")
    run = fleet.play("playbooks/{0}.yml".format(command.playbook), *GIVEN)
    calls = fleet.calls_in_order(fleet.names[-1])
    assert 0 < calls.index("wa_nfs_media") < calls.index("systemd_service"), run.output


def test_a_drill_that_was_left_is_restored_without_it(fleet: PretendFleet) -> None:
    """What is broken is restored, whatever has become of the share meanwhile."""
    fleet.be(INSTALLED, share_error="EACCES", drill="coreapp")
    run = fleet.play("playbooks/drill.yml", "-e", "drill=coreapp", *GIVEN)
    assert "command" in fleet.calls_in_order(fleet.names[-1]), run.output
    assert run.code == OK, run.output
