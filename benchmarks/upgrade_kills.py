"""upgrade.yml killed at every task boundary, and run again: the same end state, nothing lost.

    .venv/bin/python benchmarks/upgrade_kills.py --minutes 5     # goes on where the last call stopped; or --restart

SIGKILL goes to the playbook's process group at the moment a task begins, at the first boundary that was not tried yet;
the run again is killed at the next one that was not, and so on until a run comes to its end, so that every kill is
followed by a run that goes on from it. Then all nodes must be new, the intervals back, nothing lost, nothing twice,
nobody banned, and one more run must change nothing. That is one way, and the kills on it count as good with it. From
v2.19.4 it leads to v2.19.7, and further ways lead to versions made for it, all with the same cluster, until on a whole
way nothing is left to try: first of the boundaries before which something was changed, then of all in the steps of the
plan, then of those before and after the steps too (--where ends it there).

With --schema every way leads to the next line of versions, which is the other strategy: everything that writes is
stopped, the schema is upgraded once, everything starts anew.

A boundary is named by how many steps are left, step, task, and which time it comes in this step. Rolling takes about
75 minutes in all, --schema 45. Results: .cache/upgrade_kills.json, with --schema .cache/upgrade_schema_kills.json. Two
calls at a time need --port and --prefix of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.fake_version import fake_version
from ansible_collections.waent.fleet.tests.support.live_cluster import KILLED, NEW, OK, Failed, LiveCluster, Run, Shape
from stretches import Results

SHARDS = 2
INTERVALS = (5, 30)
WHERE = ("changes", "steps", "everywhere")
QUICK = {"wa_health_timeout_seconds": 60}
HOOK = """
- name: Say that it was reached
  ansible.builtin.debug:
    msg: here
"""


def lines() -> t.Iterator[str]:
    """One made version of each line above the old one."""
    for line in itertools.count(21, 2):
        yield "v2.{0}.901".format(line)


def versions() -> t.Iterator[str]:
    """One after the other: the real new one, then made ones of the same line."""
    yield NEW
    for number in itertools.count(901):
        yield "v2.19.{0}".format(number)


class Way:
    """One way to a version, with the kills on it. where: one of WHERE."""

    def __init__(self, cluster: LiveCluster, version: str, known: t.Iterable[str], where: str) -> None:
        self.cluster, self.version, self.where = cluster, version, where
        self.known, self.kills = set(known), list[str]()
        self.list = cluster.home / "known"

    def walk(self, deadline: float) -> dict[str, t.Any]:
        """Killed and run again until a run comes to its end, the last one undisturbed after the deadline."""
        started = time.monotonic()
        with self.cluster.probe() as probe:
            try:
                while self._killed(deadline):
                    pass
                faults = []
            except Failed as problem:
                faults = [str(problem)]
        report = probe.report
        return {
            "version": self.version,
            "where": self.where,
            "kills": self.kills,
            "seconds": round(time.monotonic() - started),
            "accepted": report.accepted,
            "lost": len(report.lost),
            "twice": len(report.twice),
            "bans": len(report.bans),
            "faults": faults or self.cluster.faults(SHARDS) + self._faults(),
        }

    def _killed(self, deadline: float) -> bool:
        """One run; whether it was killed. Raises Failed."""
        if time.monotonic() > deadline:
            run: t.Any = self.cluster.upgrade(self.version)
        else:
            self.list.write_text("\n".join(self.known))
            extra = {"KILL_KNOWN": str(self.list), "KILL_WHERE": self.where}
            run = self.cluster.killed_by("kill_at_new_task", "upgrade.yml", "-e", "version=" + self.version, **extra)
        if run.code == KILLED:
            self.kills.append(run.task)
            self.known.add(run.task)
            print("    {0:3d} {1}".format(len(self.kills), run.task), flush=True)
            return True
        if run.code != OK:
            raise Failed("the run after the kill at {0} failed:\n{1}".format(self.kills[-1:], run.output))
        return False

    def _faults(self) -> list[str]:
        """What is not as an upgrade that nobody disturbed leaves it."""
        cluster, found = self.cluster, []
        if cluster.versions() != {self.version}:
            found.append("versions: {0}".format(sorted(cluster.versions())))
        if cluster.intervals() != INTERVALS:
            found.append("intervals are still lowered")
        before = cluster.nodes()
        again: Run = cluster.upgrade(self.version)
        changed = {numbers["changed"] for numbers in again.recap.values()}
        if again.code != OK or changed != {0} or cluster.nodes() != before:
            found.append("one more run was not without changes:\n" + again.output)
        return found


def bad(way: t.Mapping[str, t.Any]) -> bool:
    """Whether something on this way was not as it has to be."""
    return any(way[name] for name in ("lost", "twice", "bans", "faults"))


def line(way: t.Mapping[str, t.Any]) -> str:
    """One way for people."""
    counts = "{accepted} accepted, {lost} lost, {twice} twice, {bans} bans {faults}".format(**way)
    return "{0} to {1[version]}: {2} kills, {1[seconds]} s; {3}".format(
        "BAD" if bad(way) else "ok ", way, len(way["kills"]), counts
    )  # fmt: skip


def stretch(
    cluster: LiveCluster, results: Results, ways: t.Iterator[str], where: t.Sequence[str], deadline: float
) -> bool:
    """Way after way; True when nothing is left to try."""
    left = list(where)
    for version in ways:
        # Those before are not needed any more: what runs of them goes on without its tag.
        made = contextlib.nullcontext() if version == NEW else fake_version(cluster.engine, version)
        with made:
            known = [kill for way in results.all for kill in way["kills"]]
            way = Way(cluster, version, known, left[0]).walk(deadline)
        results.add(way)
        print(line(way), flush=True)
        if bad(way) or time.monotonic() > deadline:
            return False
        if not way["kills"]:
            left.pop(0)
        if not left:
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=600, help="kill no more after so many minutes")
    parser.add_argument("--restart", action="store_true", help="forget what earlier calls found")
    parser.add_argument("--schema", action="store_true", help="to another line of versions each time")
    parser.add_argument("--where", choices=WHERE, default=WHERE[-1], help="where to kill; all without")
    parser.add_argument("--prefix", default="upgk", help="first word of all that is made")
    parser.add_argument("--port", type=int, default=28000, help="the first of 300 ports")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    results = Results("upgrade_schema_kills" if options.schema else "upgrade_kills", options.restart)
    whole = False
    with tempfile.TemporaryDirectory() as home:
        cluster = LiveCluster(Path(home), Shape(options.prefix, options.port, SHARDS, divisor=10, more=QUICK))
        try:
            cluster.start()
            if options.schema:
                hook = Path(home) / "hook.yml"
                hook.write_text(HOOK)
                # What was stopped for the schema does not settle down, and every run again would wait for it.
                cluster.declare(
                    wa_db_snapshot=str(hook), wa_message_cleanup_wait=str(hook), wa_rollout_settle_seconds=5
                )
            where = WHERE[: WHERE.index(options.where) + 1]
            whole = stretch(cluster, results, lines() if options.schema else versions(), where, deadline)
        finally:
            cluster.remove()
    kills = {kill for way in results.all for kill in way["kills"]}
    wrong = [way for way in results.all if bad(way)]
    print("{0} boundaries on {1} ways, {2} ways bad; {3}".format(
        len(kills), len(results.all), len(wrong), "nothing is left to try" if whole else "not all yet"
    ))  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
