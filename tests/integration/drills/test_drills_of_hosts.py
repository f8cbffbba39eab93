# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills that take a whole machine of two away, each with its own engine, reached over SSH by a user who uses sudo."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.two_machines import FIRST, SECOND, TwoMachines

pytestmark = pytest.mark.thorough

# Either can go on alone; first, with the database, may not be taken away.
EACH = {"wa_webapps": 1, "wa_coreapps": 1}
HOSTS = {
    FIRST: {**EACH, "wa_masters": 2, "rack": "r1"},
    SECOND: {**EACH, "wa_masters": 1, "rack": "r2"},
}
TARGETS = {"partition": SECOND, "host": SECOND, "rack": "r2"}
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[TwoMachines]:
    """Two machines, one shard."""
    home: Path = tmp_path_factory.mktemp("drills")
    cluster = TwoMachines(home, Shape("drl", 0, 1, divisor=10, webapps=1), "drills")
    try:
        cluster.start_machines(**HOSTS)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def cluster(made: TwoMachines) -> TwoMachines:
    """The owner stands on second, so that its loss is an outage."""
    if made.owners() != {SECOND + "/drl-coreapp-1"}:
        made.on(FIRST, "docker kill drl-coreapp-1")
        wait_until(lambda: made.owners() == {SECOND + "/drl-coreapp-1"})
        made.on(FIRST, "docker start drl-coreapp-1")
        assert made.faults(1, coreapps=2) == []
    return made


def wait_until(done: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def connected(cluster: TwoMachines) -> list[str]:
    """Which nodes on second are on their network."""
    shown = cluster.on(SECOND, "docker network inspect drl --format '{{range .Containers}}{{.Name}} {{end}}'")
    return sorted(shown.split())


def script(cluster: TwoMachines) -> str:
    return cluster.on(SECOND, "ls -a /root /home/* | grep waent-drill")


@pytest.mark.parametrize("kind", TARGETS)
def test_a_machine_is_taken_away_and_restored(cluster: TwoMachines, tmp_path: Path, kind: str) -> None:
    before, networks = cluster.states(SECOND), connected(cluster)
    assert set(before.values()) == {"running"} and len(networks) == len(before) == 3
    report = tmp_path / "report.json"
    run = cluster.play(
        "drill.yml", "-e", "drill=" + kind, "-e", "target=" + TARGETS[kind], "-e", "confirm=yes",
        "-e", "drill_report={0}".format(report),
    )  # fmt: skip
    assert run.code == OK, run.output
    found = json.loads(report.read_text())
    assert (found["passed"], found["problems"]) == (True, [])
    (service, *_primary) = found["outages"]
    assert service["predicted"] > 0 and service["measured"] > 0
    assert cluster.owners() == {FIRST + "/drl-coreapp-1"}, "the other machine took over"
    assert (cluster.states(SECOND), connected(cluster)) == (before, networks)
    assert cluster.faults(1, coreapps=2) == []
    assert script(cluster) == ""
    if kind == "partition":
        site = cluster.play("site.yml")
        assert (site.code, set(site.changes.values())) == (OK, {0}), "what was connected again is as desired"


def test_the_same_command_joins_a_machine_again_that_a_killed_drill_has_cut_off(cluster: TwoMachines) -> None:
    networks = connected(cluster)
    command = ("-e", "drill=partition", "-e", "target=" + SECOND, "-e", "confirm=yes")
    killed = cluster.killed("drill.yml", "Watch through the webapps", *command)
    assert killed.code == KILLED, killed.output
    assert connected(cluster) == []
    again = cluster.play("drill.yml", *command)
    assert again.code == OK, again.output
    assert connected(cluster) == networks
    assert cluster.faults(1, coreapps=2) == []
    assert script(cluster) == ""


@pytest.mark.parametrize(("kind", "what"), [("master", "primary master"), ("webapp", "")])
def test_a_master_or_webapp_is_taken_away_and_restored(
    cluster: TwoMachines, tmp_path: Path, kind: str, what: str
) -> None:
    before = {machine: cluster.states(machine) for machine in HOSTS}
    report = tmp_path / "report.json"
    run = cluster.play(
        "drill.yml", "-e", "drill=" + kind, "-e", "confirm=yes", "-e", "drill_report={0}".format(report)
    )  # fmt: skip
    assert run.code == OK, run.output
    found = json.loads(report.read_text())
    assert (found["passed"], found["problems"]) == (True, [])
    assert "-{0}-".format(kind) in found["target"]
    assert {one["what"] for one in found["outages"] if one["measured"]} == ({what} - {""})
    assert {machine: cluster.states(machine) for machine in HOSTS} == before
    assert cluster.owners() == {SECOND + "/drl-coreapp-1"}, "no shard has moved"


def test_the_host_of_the_database_is_refused(cluster: TwoMachines) -> None:
    run = cluster.play("drill.yml", "-e", "drill=host", "-e", "target=" + FIRST, "-e", "confirm=yes")
    assert (run.code, run.codes) == (FAILED, ["DRILL_NOT_SURVIVED"]), run.output
    assert "the database drl-db would be away" in " ".join(run.output.split())
