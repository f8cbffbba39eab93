# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of these tests: they have the time of this one, belong to one run, and say why they do not answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support import nfs_rig
from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig

pytestmark = pytest.mark.thorough

SECONDS = 2.0
"""So much a clock may be off. A proof refuses what is more than a few."""


def offset(rig: NfsRig, client: str) -> float:
    """How far the clock of a client is behind that of this machine at least; negative where it is ahead."""
    before = time.time()
    there = float(rig.run(client, "date +%s.%N"))
    return before - there if there < before else min(0.0, time.time() - there)


def test_a_client_has_the_time_of_this_machine_from_each_boot_on(rig: NfsRig) -> None:
    assert [name for name in rig.clients if abs(offset(rig, name)) > SECONDS] == []
    rig.reboot("media-1")
    assert abs(offset(rig, "media-1")) <= SECONDS


def test_a_run_beside_another_one_waits_for_it_and_removes_nothing(
    rig: NfsRig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nfs_rig, "RUN_PATIENCE", 2)
    other = NfsRig(tmp_path)
    with pytest.raises(RuntimeError, match="Another run has had the containers waent-nfs-"):
        other.create()
    other.remove()
    assert [rig.run(name, "hostname").strip() for name in rig.clients] == list(rig.clients)


def test_a_client_that_gives_no_answer_says_what_it_does(rig: NfsRig) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)media-1: worked .*Show Blocked State.*Mem-Info") as error:
        rig.run("media-1", "exec sleep 60", timeout=5)
    assert "exec sleep 60" in str(error.value), "what it was asked for"
