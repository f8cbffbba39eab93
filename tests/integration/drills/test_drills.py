# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drill.yml on a cluster of real containers, ten times faster than the product."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, OLD, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run
from ansible_collections.waent.fleet.tests.support.printed import Command, commands, commands_after
from ansible_collections.waent.fleet.tests.support.sample import sampled

DEADLINE = 60
"""More than the outage that is predicted, and short enough to wait for it."""
SCRIPT = Path("~/.waent-drill-live.sh").expanduser()

pytestmark = pytest.mark.begins_with(shards=2, version=OLD)
thorough = pytest.mark.thorough


def drill(cluster: LiveCluster, *more: str) -> t.Any:
    return cluster.play("drill.yml", "-e", "wa_drill_deadline_seconds={0}".format(DEADLINE), *more)


def killed(cluster: LiveCluster, kind: str) -> str:
    """The container that a drill has broken whose run was killed then."""
    run = cluster.killed(
        "drill.yml", "Watch through the webapps", "-e", "drill=" + kind, "-e", "confirm=yes",
        "-e", "wa_drill_deadline_seconds={0}".format(DEADLINE),
    )  # fmt: skip
    assert run.code == KILLED, run.output
    (name,) = stopped(cluster)
    assert "-{0}-".format(kind) in name
    return name


def stopped(cluster: LiveCluster) -> list[str]:
    """Its containers that do not run."""
    listed = cluster.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + cluster.shape.prefix})
    return sorted(one.name for one in listed if one.status != "running")


def restarted(cluster: LiveCluster, before: dict[str, tuple[str, str]]) -> list[str]:
    """The containers that were started, or recreated, since."""
    after = cluster.containers()
    return sorted(name for name in before if after.get(name) != before[name])


def by_what_is_printed(cluster: LiveCluster, kind: str) -> list[str]:
    """The arguments of a drill in production, by what each refusal says to add. Nothing is broken meanwhile."""
    before = cluster.containers()
    arguments = ["-e", "wa_production=true", "-e", "confirm=yes"]
    for code in ("DRILL_MISSING", "DRILL_ON_PRODUCTION"):
        run = refused(cluster, code, *arguments)
        (command, *_) = commands_after(run.output, "[{0}] ".format(code))
        assert not command.again, "arguments are added"
        arguments += command.given(drill=kind)
    assert cluster.containers() == before
    return arguments


def refused(cluster: LiveCluster, code: str, *more: str) -> Run:
    """A drill that is refused for this reason alone. No script is left on the host."""
    run = drill(cluster, *more)
    # Ansible quotes a message of one line, so that it is not at the beginning of one.
    assert run.code == FAILED and "[{0}] ".format(code) in run.output, run.output
    assert set(run.codes) <= {code}
    assert not SCRIPT.exists()
    return run


@pytest.mark.parametrize("kind", sampled(["coreapp", "database"], ["coreapp"]))
def test_a_drill_ends_as_predicted_with_everything_back(cluster: LiveCluster, tmp_path: Path, kind: str) -> None:
    arguments = by_what_is_printed(cluster, kind) if kind == "coreapp" else ["-e", "drill=" + kind, "-e", "confirm=yes"]
    before = cluster.containers()
    report = tmp_path / "report.json"
    with cluster.probe(shards=2):
        run = drill(cluster, *arguments, "-e", "drill_report={0}".format(report))
    assert run.code == OK, run.output
    found = json.loads(report.read_text())
    assert (found["drill"], found["passed"], found["problems"]) == (kind, True, [])
    (broken,) = restarted(cluster, before)
    assert "-{0}".format({"database": "db"}.get(kind, kind)) in broken
    away = {one["what"]: one["measured"] for one in found["outages"]}
    assert away["shards and webapps served"] > 0, "the breakage was seen"
    assert stopped(cluster) == []
    assert cluster.faults(2) == []
    assert not SCRIPT.exists()


REFUSED = [
    ("DRILL_UNKNOWN", ["-e", "drill=coffee", "-e", "confirm=yes"]),
    ("DRILL_TARGET_UNKNOWN", ["-e", "drill=coreapp", "-e", "target=nowhere", "-e", "confirm=yes"]),
    ("DRILL_NOT_SURVIVED", ["-e", "drill=host", "-e", "confirm=yes"]),
    ("NOT_CONFIRMED", ["-e", "drill=coreapp"]),
]


@thorough
@pytest.mark.parametrize(("code", "more"), REFUSED)
def test_a_drill_that_cannot_be_meant_breaks_nothing(cluster: LiveCluster, code: str, more: list[str]) -> None:
    before = cluster.containers()
    refused(cluster, code, *more)
    assert cluster.containers() == before


@thorough
def test_an_unhealthy_cluster_is_no_place_for_a_drill_until_what_status_says_is_done(cluster: LiveCluster) -> None:
    spare = cluster.engine.containers.get(cluster.spare())
    spare.stop(timeout=1)
    (command, *_) = commands_after(refused(cluster, "DRILL_NOT_HEALTHY", "-e", "drill=coreapp").output, "DRILL_NOT_HEA")
    assert command == Command("status", {})
    status = cluster.play("status.yml", *command.given())
    assert status.code == FAILED, status.output
    # As a node that does not answer, and once its heartbeats are too old as one that is missing.
    site, *others = [command for _code, sentence in status.problems for command in commands(sentence)]
    assert site == Command("site", {}) and all(other == site for other in others), status.output
    run = cluster.play("site.yml", *site.given())
    assert run.code == OK, run.output
    assert cluster.faults(2) == []
    again = drill(cluster, "-e", "drill=coreapp", "--check")
    assert again.code == OK, again.output


@thorough
def test_check_mode_ends_after_the_prediction(cluster: LiveCluster) -> None:
    before = cluster.containers()
    run = drill(cluster, "-e", "drill=coreapp", "--check")
    assert run.code == OK, run.output
    assert "without an owner for 35 s at most" in " ".join(run.output.split())
    assert cluster.containers() == before
    assert not SCRIPT.exists()


def test_the_same_command_restores_what_a_killed_drill_broke(cluster: LiveCluster) -> None:
    name = killed(cluster, "coreapp")
    before = cluster.containers()
    other = drill(cluster, "-e", "drill=master", "-e", "confirm=yes")
    assert (other.code, other.codes) == (FAILED, ["DRILL_LEFT"]), other.output
    (sentence,) = other.sentences("DRILL_LEFT")
    assert name in sentence
    (command,) = commands(sentence)
    assert command == Command("drill", {"drill": "coreapp"})
    again = drill(cluster, *command.given())
    assert again.code == OK, again.output
    assert "Nothing more is broken" in again.output
    assert restarted(cluster, before) == [name]
    assert stopped(cluster) == []
    assert cluster.faults(2) == []
    assert not SCRIPT.exists()


@thorough
def test_a_drill_that_was_killed_is_named_and_restored_by_the_host(cluster: LiveCluster) -> None:
    name = killed(cluster, "coreapp")
    killed_at = time.monotonic()
    status = cluster.play("status.yml")
    assert status.code == FAILED and "[DRILL_LEFT]" in status.output, status.output
    assert name in status.output
    site = cluster.play("site.yml")
    assert site.code == FAILED and "DRILL_LEFT" in site.codes, site.output
    while stopped(cluster) and time.monotonic() < killed_at + DEADLINE + 15:
        time.sleep(1)
    assert stopped(cluster) == []
    assert cluster.faults(2) == []
    assert not SCRIPT.exists()
