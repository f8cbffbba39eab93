# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first run of site.yml whose nodes do not come up ends with what they themselves say about it."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.fake_version import broken_image
from ansible_collections.waent.fleet.tests.support.live_cluster import OLD, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

FORMER_PASSWORD = "canary-of-old-7Kq2"


@pytest.fixture
def first_run(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """A cluster that site.yml has still to make, with little patience."""
    shape = Shape("reasons", 25500, shards=1, webapps=1, masters=1, coreapps=1, more={"wa_health_timeout_seconds": 12})
    made = LiveCluster(tmp_path_factory.mktemp("reasons"), shape)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def failed(cluster: LiveCluster, *arguments: str) -> str:
    """What is said in the end, in one line, when site.yml fails."""
    run = cluster.play("site.yml", "-e", "wa_allow_no_ha=true", *arguments)
    assert run.code == FAILED, run.output
    assert [name for name, secret in SECRETS.items() if secret in run.output] == []
    return " ".join(run.output.split())


@pytest.fixture
def kept_database(first_run: LiveCluster) -> None:
    """A volume of the database that was made with another password, which later starts leave as it is."""
    shape, engine = first_run.shape, first_run.engine
    variables = shape.variables("0")
    volume = engine.volumes.create(
        variables["wa_database_volume"], labels={"waent.fleet.cluster": variables["wa_cluster_name"]}
    )
    maker = engine.containers.run(
        variables["wa_database_image"],
        environment={"MYSQL_ROOT_PASSWORD": FORMER_PASSWORD},
        volumes={volume.name: {"bind": "/var/lib/mysql", "mode": "rw"}},
        detach=True,
    )
    try:
        deadline = time.monotonic() + 60
        words = ["mysql", "--user=root", "--password=" + FORMER_PASSWORD, "--execute=select 1"]
        while maker.exec_run(words).exit_code:
            assert time.monotonic() < deadline, maker.logs()
            time.sleep(0.3)
        maker.stop()
    finally:
        maker.remove(force=True)


@pytest.mark.usefixtures("kept_database")
def test_a_database_that_refuses_the_nodes_is_named_with_the_words_of_the_database(first_run: LiveCluster) -> None:
    said = failed(first_run)
    assert "[DB_LOGIN_REFUSED] reasons-" in said, said
    assert "Access denied for user" in said
    assert "check wa_db_username and wa_db_password" in said
    assert "still starting" not in said and "firewall" not in said


def test_an_image_whose_entrypoint_fails_is_quoted_with_exit_code_and_restarts(
    first_run: LiveCluster,
) -> None:
    script = "echo Starting; echo 'libwa.so: cannot open shared object file' >&2; exit 7"
    with broken_image(first_run, "web", script) as image:
        said = failed(first_run, "-e", "wa_webapp_image=" + image)
    assert "[NODE_RESTARTS] reasons-webapp-1 on " + first_run.shape.host in said, said
    assert "exit code 7 last" in said
    assert "libwa.so: cannot open shared object file" in said


def test_coreapps_that_end_are_named_though_the_webapp_runs(
    first_run: LiveCluster,
) -> None:
    with broken_image(first_run, "coreapp", "echo no more; exit 9") as image:
        said = failed(first_run, "-e", "wa_coreapp_image=" + image)
    assert "[NODE_RESTARTS] reasons-" in said, said
    assert "exit code 9 last" in said
    assert "no more" in said


def test_a_container_that_the_kernel_killed_for_want_of_memory_says_so(broken_engine: t.Any) -> None:
    (node,) = run_module_process("wa_node_info", path="/usr/bin:/bin", names=["reasons-hungry"])["nodes"]
    assert (node["state"], node["oom_killed"]) == ("exited", True), node


def test_of_a_container_that_runs_again_the_code_of_its_end_is_known(first_run: LiveCluster) -> None:
    """The inspection says 0 for as long as it runs."""
    again = first_run.engine.containers.run(
        "docker.whatsapp.biz/coreapp:" + OLD,
        name="reasons-again",
        entrypoint=["/bin/sh", "-c", "[ ! -e /tmp/again ] || exec sleep 600; touch /tmp/again; exit 9"],
        restart_policy={"Name": "always"},
        detach=True,
    )
    try:
        deadline = time.monotonic() + 60
        while (again.attrs["State"]["Status"], again.attrs["RestartCount"]) != ("running", 1):
            assert time.monotonic() < deadline, again.attrs["State"]
            time.sleep(0.2)
            again.reload()
        (node,) = run_module_process("wa_node_info", path="/usr/bin:/bin", names=["reasons-again"])["nodes"]
        assert (again.attrs["State"]["ExitCode"], node["exit_code"]) == (0, 9)
    finally:
        again.remove(force=True)


@pytest.fixture
def broken_engine(first_run: LiveCluster) -> t.Iterator[t.Any]:
    """A container that takes more memory than it may have."""
    hungry = first_run.engine.containers.run(
        "docker.whatsapp.biz/coreapp:" + OLD,
        name="reasons-hungry",
        entrypoint=["python3", "-c", "x = bytearray(200 * 1024 * 1024); print(len(x))"],
        mem_limit="32m",
        memswap_limit="32m",
        detach=True,
    )
    hungry.wait()
    yield hungry
    hungry.remove(force=True)
