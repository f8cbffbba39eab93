"""What becomes of upgrade.yml, and of the messages, when something breaks in the middle of it. The faults are real.

One cluster at ten times the speed with messages going through it; each case starts from what the one before has left.

    .venv/bin/python benchmarks/upgrade_faults.py [CASE ...]

Cases: never_healthy (a standby runs and never reports), database_away (the database hangs for 20 s in a fail-over),
disk_too_full (no room for the images), schema_fails (the one-shot schema upgrade ends with an error). A broken image is
among the tests of upgrade.yml, a host that dies in upgrade_host_dies.py.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from emulator_cluster import ROOT

sys.path.insert(0, str(ROOT / "tests" / "integration" / "upgrade"))

from upgrade_cluster import FAILED, NEW, OK, OLD, UpgradeCluster
from waemu.probe import Report

COUNTS = {"webapp": 2, "master": 2, "coreapp": 3}
NAME, BASE = "upgf", 27000
STUCK, OTHER_LINE = "v2.19.908", "v2.21.4"
AWAY_SECONDS = 20


class Wrong(Exception):
    """A case did not end as it should."""


def check(what: str, holds: t.Any, evidence: str = "") -> None:
    """One line for what holds. Raises Wrong."""
    if not holds:
        raise Wrong(f"not so: {what}\n{evidence[-5000:]}")
    print(f"    {what}", flush=True)


def nothing_lost(report: Report) -> None:
    """What holds for every case."""
    text = f"lost {report.lost}, twice {report.twice}, bans {report.bans}"
    check(f"nothing lost, nothing twice, nobody banned, {report.accepted} messages accepted", report.ok, text)


def intervals_are_back(cluster: UpgradeCluster) -> None:
    """After any run, however it ended."""
    settings = cluster.settings()
    found = settings["heartbeat_interval"], settings["unhealthy_interval"]
    check("heartbeat_interval and unhealthy_interval are what is declared", found == (5, 30), str(found))


def never_healthy(cluster: UpgradeCluster) -> None:
    """It runs, and never reports."""
    cluster.make_version(STUCK, "echo waiting for nothing; exec sleep 1000000")
    before = cluster.nodes()
    try:
        with cluster.probe() as probe:
            run = cluster.upgrade(STUCK, "-e", "wa_health_timeout_seconds=12")
            check("the run stops", run.code == FAILED and "[UPGRADE_STOPPED]" in run.output, run.output)
            check("it says what the node said last", "waiting for nothing" in run.output, run.output)
            check("it says which node and why", "Still missing:" in run.output, run.output)
            changed = [name for name, node in cluster.nodes().items() if node != before[name]]
            check("one standby was touched, and no other node", len(changed) == 1, str(changed))
            back = cluster.upgrade(OLD)
            check("the old version rolls back", back.code == OK and cluster.versions() == {OLD}, back.output)
        check("no request failed", probe.report.failed == 0, str(probe.report.errors))
        nothing_lost(probe.report)
    finally:
        cluster.forget_version(STUCK)


def database_away(cluster: UpgradeCluster) -> None:
    """Paused, so that it hangs as one does whose machine has gone; from the middle of the first fail-over on."""
    log = cluster.home / "away.log"
    database = cluster.engine.containers.get(cluster.name + "-db")
    with cluster.probe() as probe:
        process = cluster.start_upgrade(NEW, log)
        while "Hand over | Reach the gate" not in log.read_text():
            check_runs(process, log)
            time.sleep(0.1)
        database.pause()
        timer = threading.Timer(AWAY_SECONDS, database.unpause)
        timer.start()
        code = process.wait(timeout=300)
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


STOPPED = "[UPGRADE_STOPPED]"


def check_runs(process: t.Any, log: Path) -> None:
    """Raises Wrong where the run has ended before its time."""
    if process.poll() is not None:
        raise Wrong("the run ended too early:\n" + log.read_text()[-5000:])


def disk_too_full(cluster: UpgradeCluster) -> None:
    """Less room on the host than the images need."""
    cluster.make_version(STUCK, None)
    before = cluster.nodes()
    try:
        with cluster.probe() as probe:
            run = cluster.upgrade(STUCK, "-e", "wa_disk_free_mb=99999999")
        check("the run is refused", run.code == FAILED and "Nothing was changed." in run.output, run.output)
        check("it says where how much is missing", run.told("DISK_LOW"), run.output)
        check("no node was touched", cluster.nodes() == before)
        check("no request failed", probe.report.failed == 0, str(probe.report.errors))
    finally:
        cluster.forget_version(STUCK)


def schema_fails(cluster: UpgradeCluster) -> None:
    """The upgrade of the schema ends with an error; then the reason is mended."""
    fails = 'if [ "$WA_DB_UPGRADE" = 1 ]; then echo the table is full; exit 1; fi; exec "$0" "$@"'
    cluster.make_version(OTHER_LINE, fails)
    quick = ["-e", "wa_db_snapshot=none", "-e", "wa_message_cleanup_seconds=2"]
    try:
        with cluster.probe() as probe:
            run = cluster.upgrade(OTHER_LINE, *quick)
            check("the run stops", run.code == FAILED and "SCHEMA_UPGRADE_FAILED" in run.output, run.output)
            check("it shows what the upgrade said", "the table is full" in run.output, run.output)
            check("it says how to restore", "restore the snapshot" in run.output, run.output)
            states = {c.name: c.status for c in cluster.cores()}
            check("old masters and coreapps are left stopped", set(states.values()) == {"exited"}, str(states))
            check(
                "they are of the old version",
                {tag for n, (_id, tag) in cluster.nodes().items() if "webapp" not in n} == {NEW},
            )
            cluster.forget_version(OTHER_LINE)
            cluster.make_version(OTHER_LINE, None)
            again = cluster.upgrade(OTHER_LINE, *quick)
            check("run again it upgrades the schema and goes on to the end", again.code == OK, again.output)
            check("its log was shown", "Schema of" in again.output, again.output)
            check("every node is new", cluster.versions() == {OTHER_LINE})
            left = [
                c.name for c in cluster.engine.containers.list(all=True) if c.name == cluster.name + "-schema-upgrade"
            ]
            check("the one-shot container is gone", not left)
        nothing_lost(probe.report)
        once_more = cluster.upgrade(OTHER_LINE, *quick)
        check("once more it changes nothing", {n["changed"] for n in once_more.recap.values()} == {0}, once_more.output)
    finally:
        cluster.play("uninstall.yml", "-e", "confirm=yes")
        cluster.forget_version(OTHER_LINE)


CASES = {case.__name__: case for case in (never_healthy, database_away, disk_too_full, schema_fails)}


def main() -> int:
    names = sys.argv[1:] or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        sys.exit(f"No such case: {', '.join(unknown)}. There are: {', '.join(CASES)}.")
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        version = OLD if {"never_healthy", "database_away"} & set(names) else NEW
        cluster = UpgradeCluster(
            Path(home), name=NAME, base=BASE, shards=2, counts=COUNTS, divisor=10, version=version,
            more={"wa_health_timeout_seconds": 60},
        )  # fmt: skip
        try:
            site = cluster.play("site.yml")
            if site.code:
                sys.exit(site.output[-5000:])
            for name in names:
                started = time.monotonic()
                print(f"{name}: {CASES[name].__doc__}", flush=True)
                try:
                    CASES[name](cluster)
                except Wrong as wrong:
                    failures += 1
                    print(f"    {wrong}")
                print(f"    {time.monotonic() - started:.0f} s", flush=True)
        finally:
            cluster.remove()
    print(f"{len(names) - failures} of {len(names)} cases ended as they should")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
