# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of upgrade.yml, and of the messages, when something breaks in the middle of it. The faults are real.

One cluster with messages going through it. At ten times the speed a busy machine holds nodes up for so long that their
shards change hands. Where no request may fail, C(--divisor 1), the product's own times, separates the machine's
faults from ours.

Cases: never_healthy (a standby runs and never reports), database_away (the database hangs for 20 s in a switchover),
disk_too_full (no room for the images), schema_fails (the one-shot schema upgrade ends with an error). A broken image is
among the tests of upgrade.yml; a host that dies and one whose disk fills up are in upgrade_hosts.py.
"""

from __future__ import annotations

import tempfile
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.attempts import Wrong, attempt, check, nothing_lost
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.fake_version import (
    create_fake_version,
    fake_version,
    remove_fake_version,
)
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, OLD, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE
from waemu.probe import Report

SHAPE = Shape("upgf", 27000, 2, divisor=10, more={"wa_health_timeout_seconds": 60})
# In the place of a task file that waits at the webhook.
WAIT = """
- name: Show what is to be waited for
  ansible.builtin.debug:
    msg: "{{ wa_cleanup_nodes | length }} coreapps asked, {{ 'just now' if ago | int < 60 else ago }}"
  vars:
    ago: "{{ now(fmt='%s') | int - wa_cleanup_begun | int }}"
"""
STUCK, OTHER_LINE = "v2.19.908", "v2.21.4"
AWAY_SECONDS = 20
STOPPED = "[UPGRADE_STOPPED]"


def failures(report: Report) -> str:
    """Which requests failed, and when."""
    windows = [(shard.shard, shard.windows) for shard in report.shards]
    return f"{report.errors}; out by shard: {windows}"


def owned(cluster: LiveCluster) -> dict[int, str]:
    """The owner of each shard, as the gateway sees it."""
    return {shard: link["node"] for link in cluster.connections() for shard in link["shards"]}


def intervals_are_back(cluster: LiveCluster) -> None:
    """After any run, however it ended."""
    found = cluster.intervals()
    check("heartbeat_interval and unhealthy_interval are what is declared", found == (5, 30), str(found))


def never_healthy(cluster: LiveCluster) -> None:
    """It runs, and never reports."""
    with fake_version(cluster.engine, STUCK, "echo waiting for nothing; exec sleep 1000000"):
        before, owners = cluster.nodes(), owned(cluster)
        with cluster.probe() as probe:
            run = cluster.upgrade(STUCK, "-e", "wa_health_timeout_seconds=12")
            check("the run stops", run.code == FAILED and STOPPED in run.output, run.output)
            check("it says what the node said last", "waiting for nothing" in run.output, run.output)
            check("it says which node and why", "Still missing:" in run.output, run.output)
            changed = [name for name, node in cluster.nodes().items() if node != before[name]]
            check("one standby was touched, and no other node", len(changed) == 1, str(changed))
            back = cluster.upgrade(OLD)
            check("the old version rolls back", back.code == OK and cluster.versions() == {OLD}, back.output)
        check("no shard changed hands", owned(cluster) == owners, f"{owners}, then {owned(cluster)}")
        check("no request failed", probe.report.failed == 0, failures(probe.report))
        nothing_lost(probe.report)


def database_away(cluster: LiveCluster) -> None:
    """Paused, so that it hangs as one does whose machine has gone, once the first owner is stopped."""
    database = cluster.engine.containers.get(cluster.shape.prefix + "-db")
    owners = {node.rpartition(":")[2] for shard, node in owned(cluster).items() if shard >= 0}
    with cluster.probe() as probe:
        process, log = cluster.begin("upgrade.yml", "-e", "version=" + NEW)
        while all(cluster.coreapps().get(owner) == "running" for owner in owners):
            check_runs(process, log)
            time.sleep(0.1)
        database.pause()
        timer = threading.Timer(AWAY_SECONDS, database.unpause)
        timer.start()
        code = process.wait(timeout=RUN_PATIENCE)
        timer.join()
        ended = "the run waits for it and goes on" if code == OK else "the run stops"
        check(
            f"the database was away for {AWAY_SECONDS} s: {ended}",
            code == OK or STOPPED in log.read_text(),
            log.read_text(),
        )
        if code != OK:
            again = cluster.upgrade(NEW)
            check("run again it goes on to the end", again.code == OK, again.output)
        check("every node is new", cluster.versions() == {NEW})
        intervals_are_back(cluster)
    nothing_lost(probe.report)


def check_runs(process: t.Any, log: Path) -> None:
    """Raises Wrong where the run has ended before its time."""
    if process.poll() is not None:
        raise Wrong("the run ended too early:\n" + log.read_text()[-5000:])


def disk_too_full(cluster: LiveCluster) -> None:
    """Less room on the host than the images need."""
    with fake_version(cluster.engine, STUCK):
        before = cluster.nodes()
        with cluster.probe() as probe:
            run = cluster.upgrade(STUCK, "-e", "wa_disk_free_mb=99999999")
        check("the run is refused", run.code == FAILED and "Nothing was changed." in run.output, run.output)
        check("it says where how much is missing", run.sentences("DISK_LOW"), run.output)
        check("no node was touched", cluster.nodes() == before)
        check("no request failed", probe.report.failed == 0, failures(probe.report))


def schema_fails(cluster: LiveCluster) -> None:
    """The upgrade of the schema ends with an error; then the reason is fixed."""
    fails = 'if [ "$WA_DB_UPGRADE" = 1 ]; then echo the table is full; exit 1; fi; exec "$0" "$@"'
    create_fake_version(cluster.engine, OTHER_LINE, fails)
    wait = cluster.home / "wait.yml"
    wait.write_text(WAIT)
    cluster.declare(wa_db_snapshot="none", wa_message_cleanup_wait=str(wait))
    try:
        with cluster.probe() as probe:
            run = cluster.upgrade(OTHER_LINE)
            check("the run stops", run.code == FAILED and "SCHEMA_UPGRADE_FAILED" in run.output, run.output)
            check("the cleanup was waited for", "3 coreapps asked, just now" in run.output, run.output)
            check("it shows what the upgrade said", "the table is full" in run.output, run.output)
            check("it says how to restore", "restore the snapshot" in run.output, run.output)
            cores = {name: tag for name, (_id, tag) in cluster.nodes().items() if "-webapp-" not in name}
            states = {name: cluster.engine.containers.get(name).status for name in cores}
            check("old masters and coreapps are left stopped", set(states.values()) == {"exited"}, str(states))
            check("they are of the old version", set(cores.values()) == {NEW}, str(cores))
            remove_fake_version(cluster.engine, OTHER_LINE)
            create_fake_version(cluster.engine, OTHER_LINE)
            again = cluster.upgrade(OTHER_LINE)
            check("run again it upgrades the schema and goes on to the end", again.code == OK, again.output)
            check("its log was shown", "Schema of" in again.output, again.output)
            check("every node is new", cluster.versions() == {OTHER_LINE})
            names = {container.name for container in cluster.engine.containers.list(all=True)}
            check("the one-shot container is gone", cluster.shape.prefix + "-schema-upgrade" not in names)
        nothing_lost(probe.report)
        once_more = cluster.upgrade(OTHER_LINE)
        check("once more it changes nothing", {n["changed"] for n in once_more.recap.values()} == {0}, once_more.output)
    finally:
        remove_fake_version(cluster.engine, OTHER_LINE)


class Case(t.NamedTuple):
    """A fault. begins: the version that the cluster has to have; ends: the one it is left with, if that is known."""

    play: t.Callable[[LiveCluster], None]
    begins: str
    ends: str


CASES = {
    case.play.__name__: case
    for case in (
        Case(never_healthy, OLD, OLD),
        Case(database_away, OLD, NEW),
        Case(disk_too_full, NEW, NEW),
        Case(schema_fails, NEW, ""),
    )
}


def work(ledger: Ledger, conditions: Conditions) -> None:
    """Those that are left, each on what the one before has left, where that will do."""
    shape = SHAPE._replace(divisor=conditions.divisor)
    with tempfile.TemporaryDirectory() as home, LiveCluster(Path(home), shape) as cluster:
        version = ""
        for name in ledger.left:
            if conditions.over:
                return
            case = CASES[name]
            if version != case.begins:
                cluster.start(version=case.begins)
                cluster.declare(wa_version=case.begins)
            version = case.ends if attempt(ledger, name, case.play, cluster) else ""


SUITE = Suite("upgrade_faults", "upgrade.yml while something breaks: node, database, disk, schema", work, list(CASES))
