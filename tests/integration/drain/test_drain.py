# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that leaves its cluster, on two machines with their own engines, with messages going through."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.printed import Command, commands, commands_after
from ansible_collections.waent.fleet.tests.support.two_machines import FIRST, SECOND, TwoMachines

# Of three coreapps for two shards second has two, so that it has an owner whoever became one.
LEAVES = {"wa_webapps": 1, "wa_masters": 1, "wa_coreapps": 2}
STAYS = {"wa_webapps": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[TwoMachines]:
    """Two machines with the cluster on both."""
    home: Path = tmp_path_factory.mktemp("drain")
    cluster = TwoMachines(home, Shape("drn", 0, 2, divisor=10, webapps=1), "drain")
    try:
        cluster.start_machines(first=STAYS, second=LEAVES)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def both(made: TwoMachines) -> TwoMachines:
    """The cluster with nodes of every kind on both machines, whatever the test before has done."""
    made.write_hosts(first=STAYS, second=LEAVES)
    if len(made.states(SECOND)) < 4:
        run = made.play("site.yml")
        assert run.code == OK, run.output
    return made


def said(output: str) -> str:
    """Without the folding of long lines."""
    return " ".join(output.split())


def came_through(report: t.Any) -> None:
    """Every accepted message, once."""
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])


def test_a_drain_that_was_killed_is_finished_by_the_next_run(both: TwoMachines) -> None:
    command = ("drain.yml", "-e", "host=second")
    nodes = both.states(SECOND)
    unnamed = both.play("drain.yml")
    assert unnamed.code == FAILED, unnamed.output
    assert commands_after(unnamed.output, "[HOST_MISSING]")[0].given(host=SECOND) == list(command[1:])
    limited = both.play(*command, "--limit", FIRST)
    assert (limited.code, limited.codes) == (FAILED, ["LIMIT_NOT_ALLOWED"]), limited.output
    assert commands_after(limited.output, "[LIMIT_NOT_ALLOWED]")[0] == Command("", {})
    planned = both.play(*command, "--check")
    assert planned.code == OK, planned.output
    assert "second is emptied: " in said(planned.output)
    assert "which owns shard" in planned.output
    plan = " ".join(re.findall(r"^\d+\. .*", planned.output, re.MULTILINE))
    assert "second:drn-coreapp-" in plan and both.fleet.address(SECOND) not in plan, "by its name in the inventory"
    assert both.states(SECOND) == nodes, "check mode changes nothing"
    with both.probe(shards=2) as probe:
        killed = both.killed("drain.yml", "Remove | Reach the gate", "-e", "host=second")
        assert killed.code == KILLED, killed.output
        left = both.states(SECOND)
        assert 0 < len(left) < len(nodes)
        run = both.play(*command)
        assert run.code == OK, run.output
    came_through(probe.report)
    assert both.states(SECOND) == {}
    assert both.faults(2, coreapps=3) == []
    assert "Write wa_drained: true for second into the inventory" in said(run.output)
    both.write_hosts(first=STAYS, second={"wa_drained": True})
    again = both.play(*command)
    assert again.code == OK, again.output
    assert "nothing to do" in again.output
    assert "wa_drained: true for" not in said(again.output)
    # Switched off, as for maintenance: nobody knows then whether it is empty, and nothing needs it.
    both.write_hosts(first=STAYS, second={"wa_drained": True, "ansible_host": "192.0.2.1"})
    refused = both.play(*command)
    assert (refused.code, refused.codes) == (FAILED, ["HOST_NOT_READ"]), refused.output
    site = both.play("site.yml")
    assert (site.code, site.changes["first"]) == (OK, 0), site.output


@pytest.mark.thorough
def test_a_retired_host_that_is_back_is_red_and_site_empties_it(both: TwoMachines) -> None:
    both.fleet.write_hosts({FIRST: STAYS}, wa_database_hosts=[FIRST])
    status = both.play("status.yml")
    assert status.code == FAILED, status.output
    unknown = "{0}:drn-coreapp-1".format(both.fleet.address(SECOND))
    (sentence,) = (sentence for sentence in status.sentences("NODE_UNKNOWN") if unknown in sentence)
    assert "wa_drained: true" in sentence
    (emptied_by,) = commands(sentence)

    both.on(SECOND, "docker stop drn-master-1")
    both.write_hosts(first=STAYS, second={"wa_drained": True})
    status = both.play("status.yml")
    (sentence,) = status.sentences("DRAIN_UNFINISHED")
    assert "drn-master-1 (exited)" in said(status.output)
    assert sentence.startswith("second: ") and commands(sentence) == [emptied_by]
    for refused in (both.reshard(4), both.upgrade("v2.19.7")):
        assert (refused.code, "DRAIN_UNFINISHED" in refused.codes) == (FAILED, True), refused.output

    with both.probe(shards=2) as probe:
        run = both.play(emptied_by.playbook + ".yml", *emptied_by.given())
        assert run.code == OK, run.output
    came_through(probe.report)
    assert "second: remove drn-master-1 (the host is drained)" in said(run.output)
    assert "start drn-master-1" not in said(run.output)
    assert both.states(SECOND) == {}
    assert both.faults(2, coreapps=3) == []
    status = both.play("status.yml")
    assert status.code == OK, status.output
    again = both.play("site.yml")
    assert (again.code, set(again.changes.values())) == (OK, {0}), again.output
