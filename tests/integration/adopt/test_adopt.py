# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published set-ups, adopted while messages are sent: none is lost, none comes twice, the number is not banned."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.compose_cluster import (
    DEVELOPMENT,
    POSTGRES,
    PRODUCTION,
    SINGLE,
    TWO_MACHINES,
    BoundCluster,
    ComposeCluster,
    ProductionCluster,
    Setup,
    SpreadCluster,
    TlsCluster,
)
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run
from ansible_collections.waent.fleet.tests.support.printed import commands
from ansible_collections.waent.fleet.tests.support.run_reports import run_report
from ansible_collections.waent.fleet.tests.support.tls_servers import NAME, PASSWORD, Server, run_server
from waemu.probe.report import Report, table

YES = ("-e", "confirm=yes")


def said(run: Run) -> str:
    """Without the folding of long lines."""
    return " ".join(run.output.split())


def came_through(report: Report) -> None:
    """Every accepted message, once. How long each shard was out is shown."""
    print(table(report))
    assert report.accepted > 0
    assert (report.lost, report.twice, report.bans) == ([], [], [])


def described(cluster: ComposeCluster) -> None:
    """The inventory is there, and nothing was touched."""
    run = cluster.describe()
    assert run.code == OK, run.output


def unchanged(cluster: ComposeCluster, run: Run) -> bool:
    """Whether a run changed nothing on any host."""
    return [run.changes[host] for host in cluster.hosts()] == [0] * len(cluster.hosts())


def is_adopted(cluster: ComposeCluster, volumes: set[str]) -> None:
    """All nodes are ours, what compose made beside them is there, and nobody has anything left to do."""
    assert {name.split("_")[-2] for name in cluster.containers()} <= {"db"}
    assert cluster.volumes() == volumes
    assert cluster.serves()
    nodes = cluster.nodes()
    assert sorted(name.split("-")[-2] for name in nodes) == sorted(
        kind for kind, count in cluster.adopted().items() for _number in range(count)
    )
    again = cluster.play("adopt.yml", *YES)
    assert again.code == OK and unchanged(cluster, again), again.output
    assert "nothing to do" in again.output
    site = cluster.play("site.yml")
    assert site.code == OK and unchanged(cluster, site), site.output
    assert cluster.nodes() == nodes, "no node was started again"


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[ComposeCluster]:
    """A cluster in service that docker-compose has started."""
    setup: Setup = request.param
    kind = {PRODUCTION.name: ProductionCluster, TWO_MACHINES.name: SpreadCluster}.get(setup.name, ComposeCluster)
    with kind(tmp_path, setup) as made:
        yield made


@pytest.mark.thorough
@pytest.mark.parametrize("cluster", [SINGLE], indirect=True, ids=lambda setup: setup.name)
def test_a_single_instance_becomes_highly_available(cluster: ComposeCluster) -> None:
    described(cluster)
    # The first line of what was written says what to run with it.
    (way_on,) = commands((cluster.inventory / "hosts.yml").read_text().partition("\n")[0])
    volumes, before = cluster.volumes(), cluster.containers()
    planned = cluster.play(way_on.playbook + ".yml", *way_on.given(), "--check")
    assert planned.code == OK, planned.output
    assert "no service from here until the cluster serves" in said(planned)
    refused = cluster.beside_one_that_is_away()
    assert (refused.code, "HOST_NOT_READ" in refused.codes) == (FAILED, True), refused.output
    assert cluster.containers() == before, "check mode changes nothing, nor does a run that does not know what is where"
    with cluster.probe() as probe:
        run = cluster.play(way_on.playbook + ".yml", *way_on.given(), *YES)
        assert run.code == OK, run.output
    came_through(probe.report)
    is_adopted(cluster, volumes)


THOROUGH = [pytest.param(setup, marks=pytest.mark.thorough) for setup in (DEVELOPMENT, POSTGRES, TWO_MACHINES)]


@pytest.mark.parametrize("cluster", [PRODUCTION, *THOROUGH], indirect=True, ids=lambda setup: setup.name)
def test_a_cluster_is_adopted_node_by_node_and_a_killed_run_goes_on(cluster: ComposeCluster, tmp_path: Path) -> None:
    described(cluster)
    volumes, before = cluster.volumes(), cluster.containers()
    site = cluster.play("site.yml")
    assert (site.code, "UNMANAGED_NODES_RUNNING" in site.codes) == (FAILED, True), site.output
    (way_on, *_others) = commands(site.sentences("UNMANAGED_NODES_RUNNING")[0])
    assert (way_on.playbook, way_on.arguments) == ("adopt", {})
    planned = cluster.play("adopt.yml", "--check")
    assert planned.code == OK, planned.output
    unconfirmed = cluster.play("adopt.yml")
    assert (unconfirmed.code, "[NOT_CONFIRMED]" in unconfirmed.output) == (FAILED, True), unconfirmed.output
    assert cluster.containers() == before, "nothing begins without a yes"
    with cluster.probe() as probe:
        # The first coreapp of ours runs, and the one in whose place it came is only stopped.
        killed = cluster.killed("adopt.yml", "Adopt | Remove the container", *YES)
        assert killed.code == KILLED, killed.output
        assert len(cluster.nodes()) == 1
        path = tmp_path / "run.json"
        run = cluster.play("adopt.yml", *YES, "-e", "wa_report={0}".format(path))
        assert run.code == OK, run.output
    report = run_report(path)
    assert (report["playbook"], report["result"]) == ("adopt", "done")
    assert {step["state"] for step in report["steps"]} == {"done"} and "adopt" in {
        step["action"] for step in report["steps"]
    }
    came_through(probe.report)
    is_adopted(cluster, volumes)


@pytest.mark.thorough
def test_a_directory_for_media_and_an_api_that_is_verified_are_carried_over(tmp_path: Path) -> None:
    with BoundCluster(tmp_path, PRODUCTION) as cluster:
        (cluster.directory / "kept").write_text("kept")
        run = cluster.describe(wa_validate_certs=True)
        assert run.code == OK, run.output
        assert cluster.written("group_vars/all/main.yml")["wa_media"] == str(cluster.directory)
        checked = cluster.play("adopt.yml", "--check")
        assert checked.code == OK and list(cluster.inventory.glob(".wa_api_ca*")) == [], checked.output
        with cluster.probe() as probe:
            run = cluster.play("adopt.yml", *YES)
            assert run.code == OK, run.output
        came_through(probe.report)
        is_adopted(cluster, cluster.volumes())
        assert set(cluster.mounts().values()) == {str(cluster.directory)} and len(cluster.mounts()) == 5
        assert (cluster.directory / "kept").read_text() == "kept"
        assert len(list(cluster.inventory.glob(".wa_api_ca*"))) == 1, "its authority is pinned"
        status = cluster.play("status.yml")
        assert status.code == OK, status.output


@pytest.fixture
def server(tmp_path: Path) -> t.Iterator[Server]:
    """MariaDB that lets nobody in without TLS."""
    options = ["--ssl-ca=/opt/ca.pem", "--ssl-cert=/opt/cert.pem", "--ssl-key=/opt/key.pem"]
    yield from run_server(
        "MYSQL", "waent/mariadb:10.11", "adopt-tls", tmp_path / "server",
        [*options, "--require-secure-transport=ON"], {"MYSQL_ROOT_PASSWORD": PASSWORD}, 3306,
    )  # fmt: skip


@pytest.mark.thorough
def test_tls_to_the_database_is_carried_over(tmp_path: Path, server: Server) -> None:
    """Its files are in the containers of the compose file; the inventory has its own."""
    with TlsCluster(tmp_path, PRODUCTION, server) as cluster:
        refused = cluster.describe()
        assert (refused.code, "FOUND_DATABASE_TLS" in refused.codes) == (FAILED, True), refused.output
        reached = {"wa_db_check_host": server.address, "wa_db_ssl_ca": str(server.authority.ca)}
        run = cluster.describe(**reached, wa_db_ssl_check_hostname=False)
        assert run.code == OK, run.output
        assert cluster.written("group_vars/all/main.yml")["wa_extra_hosts"] == {NAME: server.address}
        with cluster.probe() as probe:
            run = cluster.play("adopt.yml", *YES)
            assert run.code == OK and PASSWORD not in run.output, run.output
        came_through(probe.report)
        is_adopted(cluster, cluster.volumes())
        for identity, _started in cluster.nodes().values():
            made = cluster.engine.containers.get(identity).attrs
            assert "WA_DB_SSL_CA=/opt/certs/ca.pem" in made["Config"]["Env"]
            (mount,) = [one for one in made["Mounts"] if one["Destination"] == "/opt/certs"]
            assert mount["Type"] == "volume"
