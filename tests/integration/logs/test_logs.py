# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""logs.yml on a cluster that runs: one archive with what everybody logged, and no secret in it.

Secrets are put wherever one may come from: the environment has them, containers log them, a file inside of a container
holds them, and so does an address in the settings.
"""

from __future__ import annotations

import base64
import stat
import tarfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.live_cluster import LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run, write_inventory
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS

NODE_SECRET = "canary-node-secret-2Bq7Wd"
HOOK_PASSWORD = "canary-hook-9Rt4Lm"
OTHERS = "canary-other-5Pz8Kc"
"""In no inventory: the password of somebody whose container writes it where passwords stand."""
CANARIES = {**SECRETS, "WA_SECRET": NODE_SECRET, "webhook": HOOK_PASSWORD, "other": OTHERS}
PREFIX = "dayl"
WEBAPP, COREAPP = PREFIX + "-webapp-1", PREFIX + "-coreapp-1"
CRASHED = "canary of a crash"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """One shard, and secrets in all that it logs."""
    home = tmp_path_factory.mktemp("logs")
    made = LiveCluster(home, Shape(PREFIX, 26500, shards=1, webapps=1))
    hook = "https://user:{0}@hooks.example.com/wa".format(HOOK_PASSWORD)
    try:
        made.prepare()
        extra = {**made._given["wa_extra_environment"], "WA_SECRET": NODE_SECRET}
        made.declare(wa_extra_environment=extra, wa_settings={**made._given["wa_settings"], "webhooks": {"url": hook}})
        run = made.play("site.yml")
        assert run.code == OK, run.output
        spoil(made)
        yield made
    finally:
        made.remove()


def spoil(cluster: LiveCluster) -> None:
    """Have every secret logged, by webapp and coreapp, to the engine and to files."""
    lines = ["2026-11-29 19:00:00.123 E canary req_id=- {0} is {1}".format(*pair) for pair in SECRETS.items()]
    lines += ["W secret {0}".format(NODE_SECRET), "hook {0}".format(base64.b64encode(HOOK_PASSWORD.encode()).decode())]
    lines += ["GET https://user:{0}@hooks.example.com/wa".format(HOOK_PASSWORD), "password={0}".format(OTHERS)]
    lines += [
        "x" * 35000 + SECRETS["wa_db_password"] + "y" * 35000,
        SECRETS["wa_cert"][:10] + "\n" + SECRETS["wa_cert"],
    ]
    text = "\n".join(lines) + "\n"
    targets = {WEBAPP: "/var/log/whatsapp/web.log", COREAPP: "/usr/local/waent/logs/wa-service-7-crash.log"}
    for name, path in targets.items():
        container = cluster.engine.containers.get(name)
        for target in (path, "/proc/1/fd/1"):
            code, out = container.exec_run(["sh", "-c", 'printf %s "$TEXT" >>' + target], environment={"TEXT": text})
            assert code == 0, out
    crash = targets[COREAPP]
    code, out = cluster.engine.containers.get(COREAPP).exec_run(["sh", "-c", "echo '{0}' >>{1}".format(CRASHED, crash)])
    assert code == 0, out


def logs(cluster: LiveCluster, place: Path, *more: str) -> Run:
    """Run logs.yml, with everything shown."""
    run = cluster.play("logs.yml", "-vvv", "--diff", "-e", "wa_logs_directory={0}".format(place), *more)
    assert [name for name, value in CANARIES.items() if value in run.output] == []
    assert "Traceback" not in run.output
    return run


def content(place: Path) -> dict[str, str]:
    """The files of the only archive, by their paths in it."""
    (archive,) = place.glob("*.tar.gz")
    found = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            source = opened.extractfile(member)
            assert source is not None
            found[member.name.partition("/")[2]] = source.read().decode("utf-8", "surrogateescape")
    return found


def test_one_archive_with_everything_and_no_secret(cluster: LiveCluster, tmp_path: Path) -> None:
    place = tmp_path / "archives"
    before, left = cluster.containers(), left_on_host()
    checked = logs(cluster, place, "--check")
    assert checked.code == OK, checked.output
    assert not place.exists() and COREAPP in checked.output

    run = logs(cluster, place)
    assert run.code == OK, run.output
    assert set(run.changes.values()) == {0}
    found = content(place)
    host = "hosts/" + cluster.shape.host
    for name in before:
        assert {"{0}/{1}/container.log".format(host, name), "{0}/{1}/inspect.json".format(host, name)} <= found.keys()
    assert CRASHED in found[host + "/" + COREAPP + "/wa-service-7-crash.log"]
    assert {host + "/" + WEBAPP + "/web.log", host + "/host.json"} <= found.keys()
    assert {
        "cluster/support.json",
        "cluster/health.json",
        "cluster/settings.json",
        "cluster/status.json",
    } <= found.keys()
    assert "cluster/database.json" in found
    holds = {(name, path) for name, value in CANARIES.items() for path, text in found.items() if value in text}
    assert holds == set()
    page = found["index.html"]
    assert "wa_db_password is ********" in page and "cluster/last-run.json is missing" in page
    assert "http" not in page.replace("http-equiv", "").replace("https://", "").split("<h2", 1)[0]
    # The name of a secret is there, so that one can see that it was logged.
    assert page.index("wa_db_password is") < page.index("Time line of all nodes")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()}
    assert (modes, stat.S_IMODE(place.stat().st_mode)) == ({0o600}, 0o700)
    assert cluster.containers() == before
    assert left_on_host() == left


def left_on_host() -> list[str]:
    """What the collection has left where it collects."""
    return [str(path) for path in Path("/var/tmp").glob("waent-logs-*")]


def test_what_is_cut_is_said(cluster: LiveCluster, tmp_path: Path) -> None:
    flood = (
        "for i in $(seq 1 30000); do echo 2026-11-29 19:00:00.000 I flood req_id=- line $i of many; done >/proc/1/fd/1"
    )
    assert cluster.engine.containers.get(COREAPP).exec_run(["sh", "-c", flood])[0] == 0
    run = logs(cluster, tmp_path / "cut", "-e", "wa_logs_megabytes=1")
    assert run.code == OK, run.output
    sentence = "{0}: the log of {1} is not whole".format(cluster.shape.host, COREAPP)
    found = content(tmp_path / "cut")
    assert sentence in run.output and sentence in found["index.html"]
    log = found["hosts/{0}/{1}/container.log".format(cluster.shape.host, COREAPP)]
    assert len(log) <= 1_100_000 and "line 30000 of many" in log and "line 1 of many" not in log


def test_a_host_that_is_away_is_named_and_the_rest_is_there(cluster: LiveCluster, tmp_path: Path) -> None:
    away = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh", "rack": "b"}
    hosts = {cluster.shape.host: cluster.shape.host_variables(), "away": away}
    inventory = write_inventory(cluster.home / "two.yml", hosts, wa_database_hosts=[cluster.shape.host])
    before, cluster.inventory = cluster.inventory, inventory
    try:
        run = logs(cluster, tmp_path / "away")
        only = logs(cluster, tmp_path / "only", "--limit", "localhost,away")
    finally:
        cluster.inventory = before
    assert run.code == OK, run.output
    assert any("away: Nothing was collected" in text for text in run.sentences("LOGS_HOST_NOT_READ"))
    found = content(tmp_path / "away")
    assert "away: Nothing was collected" in found["index.html"]
    assert "hosts/{0}/{1}/container.log".format(cluster.shape.host, COREAPP) in found
    assert only.code == FAILED, only.output
    assert "[LOGS_NOTHING_READ] Not one log" in only.output


@pytest.mark.thorough
def test_logs_that_go_elsewhere_are_named_as_such(cluster: LiveCluster, tmp_path: Path) -> None:
    """Another driver recreates the nodes, not the database; what this engine cannot read is not called empty."""
    elsewhere = {"gelf-address": "udp://127.0.0.1:12201", "cache-disabled": "true"}
    before = {name: cluster.engine.containers.get(name).id for name in cluster.containers()}
    nodes = sorted(cluster.nodes())
    cluster.declare(wa_log_driver="gelf", wa_log_options=elsewhere)
    try:
        planned = cluster.play("site.yml", "--check")
        assert planned.code == OK, planned.output
        assert planned.output.count("log driver: gelf instead of json-file") >= len(nodes)
        run = cluster.play("site.yml")
        assert run.code == OK, run.output
        after = {name: cluster.engine.containers.get(name) for name in before}
        assert sorted(name for name, one in after.items() if one.id != before[name]) == nodes
        configured = {name: one.attrs["HostConfig"]["LogConfig"] for name, one in after.items()}
        assert {name: one["Type"] for name, one in configured.items() if one["Type"] != "json-file"} == dict.fromkeys(
            nodes, "gelf"
        )
        again = cluster.play("site.yml")
        assert set(again.changes.values()) == {0}, again.output
        collected = logs(cluster, tmp_path / "elsewhere")
        assert collected.code == OK, collected.output
        host = cluster.shape.host
        for name in nodes:
            (sentence,) = (one for one in collected.sentences("LOGS_NOT_READ") if "the log of {0} ".format(name) in one)
            assert sentence.startswith(
                "{0}: the log of {1} could not be read (its log driver is gelf".format(host, name)
            )
        found = content(tmp_path / "elsewhere")
        assert "its log driver is gelf" in found["index.html"]
        assert not any(path.endswith("{0}/container.log".format(name)) for name in nodes for path in found)
        # What is inside of a container is read as ever.
        assert "hosts/{0}/{1}/web.log".format(host, WEBAPP) in found
    finally:
        cluster.declare(wa_log_driver="local", wa_log_options={"max-size": "10m"})
    back = cluster.play("site.yml")
    assert back.code == OK, back.output
    assert cluster.engine.containers.get(COREAPP).attrs["HostConfig"]["LogConfig"]["Type"] == "local"
    collected = logs(cluster, tmp_path / "local")
    assert collected.code == OK and not collected.sentences("LOGS_NOT_READ"), collected.output
    assert "hosts/{0}/{1}/container.log".format(cluster.shape.host, COREAPP) in content(tmp_path / "local")


def test_a_killed_run_leaves_nothing_for_the_next(cluster: LiveCluster, tmp_path: Path) -> None:
    place = tmp_path / "killed"
    given = ("-e", "wa_logs_directory={0}".format(place))
    for task in ("Collect | Collect on every host", "Pack | Make one archive"):
        killed = cluster.killed("logs.yml", task, *given)
        assert killed.code != OK, killed.output
        assert [path.name.startswith(".") for path in place.iterdir()] == [True]
    run = logs(cluster, place)
    assert run.code == OK, run.output
    assert sorted(path.suffix for path in place.iterdir()) == [".gz", ".html"]
