# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml on a cluster of real containers, at five times the speed, while messages are sent through it.

One cluster for all tests, so their order matters: it is upgraded, killed in the middle, upgraded to a broken image, and
rolled back. The gateway's ledger is the witness that no message was lost and no shard had two owners.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import docker
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent / "site"), str(ROOT / "emulator" / "src")]

from good import SECRETS  # noqa: E402 - from the directory of the tests of site.yml
from site_runs import FAILED, OK, Run, environment, play, write_inventory, write_variables  # noqa: E402
from waemu.probe import Options, Probe  # noqa: E402 - the emulator is not installed

HOST, PREFIX = "upgrade-local", "upg"
OLD, NEW, BROKEN = "v2.19.4", "v2.19.7", "v2.19.907"
REGISTRY = "docker.whatsapp.biz"
WEBAPP_PORT = 21090
GATEWAY_IMAGE = "waent/gateway:0.1.0"

VARIABLES: dict[str, t.Any] = {
    **SECRETS,
    "wa_version": OLD, "wa_shards": 2, "wa_survive": {}, "wa_name_prefix": PREFIX, "wa_cluster_name": PREFIX,
    "wa_network": PREFIX, "wa_media": PREFIX + "Media", "wa_database_volume": PREFIX + "Database",
    "wa_coreapp_port": 21250, "wa_master_port": 21254, "wa_webapp_port": WEBAPP_PORT, "wa_disk_free_mb": 100,
    "wa_db_engine": "MYSQL", "wa_db_host": PREFIX + "-db", "wa_db_port": 3306, "wa_db_username": "root",
    "wa_db_check_host": "127.0.0.1", "wa_db_check_port": 21306, "wa_database_port": 21306,
    "wa_database_address": "127.0.0.1", "wa_database_image": "waent/mariadb:10.11", "wa_validate_certs": False,
    "wa_cc": "1", "wa_phone_number": "5550100244", "wa_registration_method": "sms", "wa_registration_code": "123456",
    "wa_settings": {"heartbeat_interval": 5, "unhealthy_interval": 30}, "wa_upgrade_settle_seconds": 30,
}  # fmt: skip


class Cluster:
    """The cluster under test, worked on by the playbooks a user would run."""

    def __init__(self, home: Path) -> None:
        self.engine = docker.from_env()
        self.home = home
        local = {
            "ansible_connection": "local",
            "ansible_host": "127.0.0.1",
            "rack": "a",
            "wa_coreapps": 4,
            "wa_webapps": 2,
        }
        local["ansible_python_interpreter"] = sys.executable
        self.inventory = write_inventory(home / "hosts.yml", {HOST: local}, wa_database_hosts=[HOST])
        self.gateway = self.engine.containers.run(
            GATEWAY_IMAGE, name=PREFIX + "-gateway", detach=True,
            environment={"WAEMU_TIME_DIVISOR": "5", "WAEMU_REGISTRATION_CODE": "123456"},
            ports={"5222/tcp": None, "8080/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        self.gateway.reload()
        ports = {inside: mapped[0]["HostPort"] for inside, mapped in self.gateway.ports.items()}
        self.gateway_url = "http://127.0.0.1:" + ports["8080/tcp"]
        given = {
            **VARIABLES,
            "wa_extra_hosts": {HOST: "host-gateway"},
            "wa_extra_environment": {
                "WAEMU_TIME_DIVISOR": "5",
                "WAEMU_GATEWAY_URL": "http://{0}:{1}".format(HOST, ports["5222/tcp"]),
            },
        }
        self.variables = write_variables(home / "variables.json", given)

    def arguments(self, playbook: str, *more: str) -> list[str]:
        """Arguments of ansible-playbook."""
        return ["playbooks/" + playbook, "-i", self.inventory, "-e", self.variables, *more]

    def play(self, playbook: str, *more: str) -> Run:
        """Run a playbook to its end."""
        run = play(*self.arguments(playbook, *more))
        assert not [name for name, value in SECRETS.items() if value in run.output]
        return run

    def upgrade(self, version: str, *more: str) -> Run:
        """Run upgrade.yml to its end."""
        return self.play("upgrade.yml", "-e", "version=" + version, *more)

    def kill_upgrade(self, version: str, task: str) -> None:
        """Run upgrade.yml, and end it with all its children a moment after this task has begun."""
        log = self.home / "killed.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["ansible-playbook", *self.arguments("upgrade.yml", "-e", "version=" + version)],
                cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            deadline = time.monotonic() + 240
            while "TASK [waent.fleet.upgrade : " + task not in log.read_text():
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Name of each node's container to its id and the tag of its image."""
        listed = self.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + PREFIX})
        return {
            one.name: (one.id, one.attrs["Config"]["Image"].rpartition(":")[2])
            for one in listed
            if one.labels["waent.fleet.kind"] in ("webapp", "master", "coreapp")
        }

    def versions(self) -> set[str]:
        """The tags that nodes run."""
        return {tag for _id, tag in self.nodes().values()}

    def probe(self) -> Probe:
        """A sender of messages, through both webapps."""
        webapps = tuple("https://127.0.0.1:{0}".format(WEBAPP_PORT + number) for number in (0, 1))
        password = SECRETS["wa_admin_password"]
        return Probe(Options(webapps=webapps, gateway=self.gateway_url, password=password, rate=10, seconds=600))

    def remove(self) -> None:
        """Everything this made, and nothing else."""
        self.play("uninstall.yml", "-e", "confirm=yes", "-e", "wa_remove_data=true")
        self.gateway.remove(force=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Cluster]:
    """Two shards with two spares, two masters, two webapps, of the old version."""
    made = Cluster(tmp_path_factory.mktemp("upgrade"))
    try:
        run = made.play("site.yml")
        assert run.code == OK, run.output
        yield made
    finally:
        made.remove()


@pytest.fixture
def broken_image() -> t.Iterator[None]:
    """A version whose coreapp ends at once. Its webapp is a good one."""
    engine = docker.from_env()
    engine.images.get("{0}/web:{1}".format(REGISTRY, NEW)).tag(REGISTRY + "/web", BROKEN)
    container = engine.containers.create(
        "{0}/coreapp:{1}".format(REGISTRY, NEW), entrypoint=["/bin/sh", "-c", "echo no such library; exit 3"]
    )
    container.commit(REGISTRY + "/coreapp", BROKEN)
    container.remove()
    yield
    for name in ("web", "coreapp"):
        engine.images.remove("{0}/{1}:{2}".format(REGISTRY, name, BROKEN), force=True)


def steps(run: Run) -> list[str]:
    """The numbered sentences of the plan that was shown."""
    return re.findall(r"^ +- '?\d+\. (\w+)", run.output, re.MULTILINE)


def test_check_mode_shows_the_plan_and_touches_nothing(cluster: Cluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade(NEW, "--check")
    assert run.code == OK, run.output
    assert steps(run) == ["Replace"] * 2 + ["Stop", "Replace"] * 2 + ["Replace"] * 4
    assert cluster.nodes() == before


def test_killed_in_a_fail_over_and_run_again_it_ends_with_all_new_and_nothing_lost(cluster: Cluster) -> None:
    with cluster.probe() as probe:
        cluster.kill_upgrade(NEW, "Hand over | Reach the gate")
        assert cluster.versions() == {OLD, NEW}
        run = cluster.upgrade(NEW)
    assert run.code == OK, run.output
    assert "TASK [waent.fleet.upgrade : Read | Put back the intervals" in run.output
    assert cluster.versions() == {NEW}
    report = probe.report
    assert report.accepted > 100
    assert (report.lost, report.twice, report.bans) == ([], [], [])


def test_the_same_version_again_changes_nothing(cluster: Cluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade("2.19.7")
    assert run.code == OK, run.output
    assert {name: numbers["changed"] for name, numbers in run.recap.items()} == {HOST: 0}
    assert cluster.nodes() == before


def test_a_broken_image_stops_it_with_the_old_nodes_serving_and_the_way_back_is_open(
    cluster: Cluster, broken_image: None
) -> None:
    before = cluster.nodes()
    with cluster.probe() as probe:
        run = cluster.upgrade(BROKEN, "-e", "wa_health_timeout_seconds=20")
        assert run.code == FAILED, run.output
        assert "[UPGRADE_STOPPED]" in run.output
        assert "no such library" in run.output
        changed = [name for name, node in cluster.nodes().items() if node != before[name]]
        assert len(changed) == 1, "one standby was tried, and no more"
        back = cluster.upgrade(NEW)
    assert back.code == OK, back.output
    assert cluster.versions() == {NEW}
    report = probe.report
    assert (report.failed, report.lost, report.twice, report.bans) == (0, [], [], [])


def test_an_older_version_is_refused(cluster: Cluster) -> None:
    before = cluster.nodes()
    run = cluster.upgrade(OLD)
    assert (run.code, run.codes) == (FAILED, ["DOWNGRADE"])
    assert cluster.nodes() == before
