# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two numbers and one database: nobody joins a cluster that is not the inventory's, and every playbook reports why."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, write_inventory, write_variables

SECOND = Shape("second", 23000, shards=1, webapps=1)


@pytest.fixture(scope="module")
def second(shared_cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """An inventory for another number: own names, network, ports; wa_db_name_prefix is forgotten."""
    home = tmp_path_factory.mktemp("second")
    made = LiveCluster(home, SECOND)
    first = shared_cluster.shape
    made.inventory = write_inventory(home / "hosts.yml", {SECOND.host: SECOND.host_variables()})
    shared = {"wa_db_host": first.host, "wa_db_port": first.port + 6, "wa_db_check_port": first.port + 6}
    number = {"wa_phone_number": "5550100245"}
    variables = {**SECOND.variables("1"), **shared, **number}
    variables["wa_extra_hosts"] = {first.host: "host-gateway", **variables["wa_extra_hosts"]}
    made.variables = write_variables(home / "variables.json", variables)
    yield made
    for container in made.containers():  # there is none unless a test has failed
        made.engine.containers.get(container).remove(force=True)


def said(run: Run, code: str) -> str:
    """From the first mention of a code on, without the folding of long lines; empty where it is not reported."""
    return "".join(" ".join(run.output.split()).partition("[{0}]".format(code))[1:])


def test_the_second_number_is_refused_before_any_of_its_nodes_is_made(
    cluster: LiveCluster, second: LiveCluster
) -> None:
    before = cluster.containers()
    run = second.play("site.yml")
    assert run.code == FAILED, run.output
    assert "the number that ends in 0244, and wa_cc with wa_phone_number ends in 0245" in said(
        run, "OTHER_NUMBER_REGISTERED"
    )
    assert "5550100244" not in run.output
    sentence = said(run, "DATABASE_OF_OTHER_CLUSTER").partition(" [")[0]
    assert "live-local:live-coreapp-1" in sentence, "theirs"
    assert "second-local:second-coreapp-1" in sentence, "and ours"
    assert "wa_db_name_prefix" in sentence
    assert (second.containers(), cluster.containers()) == ({}, before)


def test_its_status_is_red_for_that(second: LiveCluster) -> None:
    run = second.play("status.yml")
    assert run.code == FAILED, run.output
    assert said(run, "OTHER_NUMBER_REGISTERED") and said(run, "DATABASE_OF_OTHER_CLUSTER"), run.output


@pytest.mark.parametrize(("playbook", "checked"), [("site.yml", "127.0.0.1"), ("site.yml", ""), ("status.yml", "")])
def test_another_number_than_the_registered_one(cluster: LiveCluster, playbook: str, checked: str) -> None:
    """checked: without the database it is the API that shows it."""
    run = cluster.play(playbook, "-e", "wa_phone_number=5550100246", "-e", "wa_db_check_host=" + checked)
    assert run.code == FAILED, run.output
    assert "the number that ends in 0244, and wa_cc with wa_phone_number ends in 0246" in said(
        run, "OTHER_NUMBER_REGISTERED"
    )


@pytest.fixture
def unknown_node(cluster: LiveCluster) -> t.Iterator[str]:
    """A coreapp in the first number's database that no inventory places, as one whose host has left it."""
    own = cluster.engine.containers.get(cluster.shape.prefix + "-coreapp-1")
    environment = {**dict(entry.split("=", 1) for entry in own.attrs["Config"]["Env"]), "COREAPP_HOSTNAME": "elsewhere"}
    environment["COREAPP_EXTERNAL_PORTS"] = "6250,6251,6252,6253"
    made = cluster.engine.containers.run(
        own.attrs["Config"]["Image"], own.attrs["Config"]["Cmd"],
        name="unknown-coreapp-1", hostname="unknown-coreapp-1",
        environment=environment, network=cluster.shape.prefix, detach=True, labels={"waent.fleet.cluster": "unknown"},
        networking_config={cluster.shape.prefix: cluster.engine.api.create_endpoint_config(aliases=["elsewhere"])},
        extra_hosts={cluster.shape.host: "host-gateway"},
    )  # fmt: skip
    try:
        yield "elsewhere:unknown-coreapp-1"
    finally:
        made.remove(force=True)
        cluster.forget("unknown-coreapp-1")


def test_an_unknown_node_is_no_spare(cluster: LiveCluster, unknown_node: str) -> None:
    cluster.wait_for_row(unknown_node)
    before = cluster.containers()
    without_the_database = ["-e", "wa_db_check_host="]
    runs = {
        "status.yml": cluster.play("status.yml", *without_the_database),
        "site.yml": cluster.play("site.yml"),
        "upgrade.yml": cluster.upgrade(NEW, *without_the_database),
        "reshard.yml": cluster.reshard(4, *without_the_database),
    }
    for run in runs.values():
        assert run.code == FAILED, run.output
        assert "takes part in this cluster: {0};".format(unknown_node) in said(run, "NODE_UNKNOWN"), run.output
    assert unknown_node not in runs["status.yml"].output.partition("spare coreapps: ")[2].splitlines()[0]
    assert cluster.containers() == before


def test_after_all_that_the_first_cluster_is_as_it_was(cluster: LiveCluster) -> None:
    run = cluster.play("site.yml")
    assert (run.code, set(run.changes.values())) == (OK, {0}), run.output
