# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the messages that were sent since prepare.yml, beside everything that the scenario did.

The witness is the gateway's ledger. The sender is C(waemu.probe) in a container, which prints its report when it is
ended.
"""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import machine_power
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE


@pytest.fixture(scope="module")
def report() -> dict[str, t.Any]:
    """The report of the sender, which has been sending until now."""
    sender = machine_power.machine(os.environ["MOLECULE_SCENARIO_NAME"], "probe")
    assert sender.status == "running", sender.logs().decode()[-2000:]
    sender.stop(timeout=int(PATIENCE))
    said = sender.logs(stdout=True, stderr=False).decode()
    assert said.startswith("{"), sender.logs().decode()[-2000:]
    found: dict[str, t.Any] = json.loads(said)
    print({name: found[name] for name in ("seconds", "accepted", "failed", "errors", "repeats", "longest_window")})
    return found


def test_messages_went_through_all_the_time(report: dict[str, t.Any]) -> None:
    assert report["accepted"] > report["rate"] * report["seconds"] / 2, report["errors"]


def test_no_message_that_was_accepted_is_lost(report: dict[str, t.Any]) -> None:
    assert report["lost"] == []


def test_no_message_came_twice(report: dict[str, t.Any]) -> None:
    assert report["twice"] == []


def test_the_number_was_not_banned(report: dict[str, t.Any]) -> None:
    assert report["bans"] == []
