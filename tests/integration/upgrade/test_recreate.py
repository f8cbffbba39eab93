# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml where every container of a cluster in service has to be recreated: planned, and one after the other.

Which options of a container are compared is in tests/integration/containers; one of them is enough here.
"""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, LiveCluster
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED

SHARDS = 2
LEAST = {"webapp": 1, "master": 1, "coreapp": SHARDS}
"""So many of a kind run at every moment of a roll: never two owners are away, nor all webapps or masters."""


def words(output: str) -> str:
    """As one line: Ansible breaks long sentences."""
    return " ".join(output.split())


def fewest_running(cluster: LiveCluster, since: float) -> dict[str, int]:
    """By kind how many nodes ran at the worst moment since then, as the engine's events show."""
    label = "waent.fleet.cluster=" + cluster.shape.prefix
    events = cluster.engine.events(
        since=int(since), until=int(time.time()) + 1, decode=True,
        filters={"type": "container", "label": label, "event": ["start", "die"]},
    )  # fmt: skip
    kinds = {name: name.split("-")[-2] for name in cluster.nodes()}
    away: set[str] = set()
    fewest = {kind: list(kinds.values()).count(kind) for kind in LEAST}
    for event in events:
        name = event["Actor"]["Attributes"]["name"]
        away = away - {name} if event["Action"] == "start" else away | {name}
        for kind in LEAST:
            there = sum(1 for node, of in kinds.items() if of == kind and node not in away)
            fewest[kind] = min(fewest[kind], there)
    return fewest


@pytest.fixture
def hosts(cluster: LiveCluster) -> dict[str, str]:
    """The names its containers know so far."""
    return {cluster.shape.host: "host-gateway"}


def test_check_mode_ends_with_the_planned_changes_where_a_running_cluster_gets_nodes(cluster: LiveCluster) -> None:
    """Nobody waits for nodes that check mode has not created."""
    before = cluster.nodes()
    run = cluster.play("site.yml", "--check", "-e", json.dumps({"wa_coreapps": SHARDS + 2, "wa_masters": 3}))
    assert run.code == OK, run.output
    for name in ("{0}-coreapp-{1}".format(cluster.shape.prefix, SHARDS + 2), cluster.shape.prefix + "-master-3"):
        assert "create {0} on ports ".format(name) in words(run.output), run.output
    assert cluster.nodes() == before


@pytest.mark.thorough
def test_one_name_more_for_the_containers_is_planned_and_rolled_out_under_load(
    cluster: LiveCluster, balancer: Balancer, hosts: dict[str, str]
) -> None:
    before = cluster.nodes()
    cluster.declare(wa_extra_hosts={**hosts, "one.more": "192.0.2.1"})
    check = cluster.play("site.yml", "--check")
    assert check.code == OK, check.output
    for name in before:
        assert "recreate {0} (extra hosts: one.more:192.0.2.1 instead of none)".format(name) in words(check.output)
    assert "one after the other, each with a gate after it" in words(check.output)
    assert cluster.nodes() == before, "check mode touches nothing"
    began = time.time()
    with cluster.probe(webapps=[balancer.url]) as probe:
        run = cluster.play("site.yml")
    assert run.code == OK, run.output
    assert {name for name, node in cluster.nodes().items() if node != before[name]} == set(before)
    least = fewest_running(cluster, began)
    assert all(least[kind] >= LEAST[kind] for kind in LEAST), least
    starts = sorted((moment, name) for name, (_id, moment) in cluster.containers().items() if name in before)
    order = [name.split("-")[-2] for _moment, name in starts]
    assert order == ["coreapp"] * (SHARDS + 1) + ["master"] * 2 + ["webapp"] * 2
    report = probe.report
    assert (report.lost, report.twice, report.bans) == ([], [], [])
    assert report.accepted > 0
    again = cluster.play("site.yml")
    assert again.code == OK, again.output
    assert again.recap[cluster.shape.host]["changed"] == 0, again.output
    assert cluster.faults(SHARDS) == []


@pytest.fixture
def silent(cluster: LiveCluster) -> t.Iterator[None]:
    """A cluster whose webapps are stopped, so that nobody can be asked."""
    webapps = [cluster.engine.containers.get(name) for name in cluster.nodes() if "-webapp-" in name]
    for webapp in webapps:
        webapp.stop(timeout=1)
    yield
    for webapp in webapps:
        webapp.start()
    assert cluster.faults(SHARDS) == [], "who comes next finds the cluster in service"


@pytest.mark.usefixtures("silent")
def test_running_nodes_of_a_cluster_that_cannot_be_asked_are_left_alone(
    cluster: LiveCluster, hosts: dict[str, str]
) -> None:
    before = cluster.containers()
    given = ("-e", json.dumps({"wa_extra_hosts": {**hosts, "two.more": "192.0.2.2"}}))
    for more in ((), ("--check",)):
        run = cluster.play("site.yml", *given, *more)
        assert run.code == FAILED, run.output
        assert run.codes == ["SERVICE_UNKNOWN"], run.output
        assert "wa_recreate_at_once=true" in words(run.output)
        assert cluster.containers() == before
