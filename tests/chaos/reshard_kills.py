# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reshard.yml killed at every task boundary of 2 to 8 and of 8 to 2, and run again: the same end state, nothing lost.

How many tasks there are is found by a run that nobody disturbs. Then SIGKILL goes to the playbook's process group at
the moment a task begins, for the first task, the second one, and so on until a run reaches its end. Where the killed
run has changed nothing yet (same containers, not restarted, same shards, same owners) the next killed run is the run
again. Else the playbook is run again to its end, and the cluster must be exactly in the desired state. Messages are
sent all the time; the gateway's ledger says what became of them.
"""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.chaos.ledger import OK as PASSED
from ansible_collections.waent.fleet.tests.support.live_cluster import KILLED, OK, Failed, LiveCluster, Shape

COUNTS = (2, 8)


def other(shards: int) -> int:
    """Where the way leads from so many shards."""
    return COUNTS[1] if shards == COUNTS[0] else COUNTS[0]


class Way:
    """The boundaries of one way; the last case is the end of a run that is to be killed beyond all of them."""

    def __init__(self, ledger: Ledger, shards: int) -> None:
        self.ledger, self.shards = ledger, shards
        self.key = "to {0}".format(shards)

    @property
    def tasks(self) -> list[str] | None:
        """Their names; None before the undisturbed run."""
        found: list[str] | None = self.ledger.notes.get(self.key)
        return found

    @tasks.setter
    def tasks(self, names: list[str]) -> None:
        self.ledger.note(**{self.key: names})
        self.ledger.know(self.case(number) for number in range(1, len(names) + 2))

    def case(self, number: int) -> str:
        """The case of a boundary, counted from 1 as tasks begin."""
        tasks = self.tasks or []
        if number > len(tasks):
            return "{0} to {1}, the end".format(other(self.shards), self.shards)
        return "{0} to {1}, task {2}: {3}".format(other(self.shards), self.shards, number, tasks[number - 1])

    def next(self) -> int | None:
        """The lowest boundary that was not tried; None after all."""
        numbers = range(1, len(self.tasks or []) + 2)
        return next((number for number in numbers if self.case(number) not in self.ledger.results), None)


def snapshot(cluster: LiveCluster) -> t.Any:
    """Everything a reshard could have touched."""
    owners = sorted((link["node"], link["shards"]) for link in cluster.connections())
    return cluster.containers(), cluster.shards(), owners


def record(cluster: LiveCluster, way: Way) -> None:
    """One way that nobody disturbs; its tasks are the cases. Raises Failed."""
    with cluster.probe(shards=1) as probe:
        run, boundaries = cluster.recorded("reshard.yml", "-e", "shards={0}".format(way.shards))
    faults = [] if run.code == OK else ["the undisturbed run failed:\n" + run.output]
    faults = faults or cluster.faults(way.shards) + losses(probe.report)
    if faults:
        raise Failed("\n".join(faults))
    way.tasks = [boundary.split("|")[2] for boundary in boundaries]


def losses(report: t.Any) -> list[str]:
    """What must not become of any message."""
    if not (report.lost or report.twice or report.bans):
        return []
    return ["{0} lost, {1} twice, {2} bans".format(len(report.lost), len(report.twice), len(report.bans))]


def kill_once(cluster: LiveCluster, way: Way, number: int) -> bool:
    """Killed at one boundary, and run again where that changed something; whether it did not. Raises Failed."""
    before = snapshot(cluster)
    case, what, faults, untouched = way.case(number), "", list[str](), False
    with cluster.probe(shards=1) as probe:
        killed = cluster.reshard_killed(way.shards, str(number))
        if killed.code not in (OK, KILLED):
            faults.append("the run that was to be killed failed by itself:\n" + killed.output)
        elif killed.code == OK:
            what = "end reached"
        elif snapshot(cluster) == before:
            what, untouched = "untouched", True
        else:
            again = cluster.reshard(way.shards)
            what = "run again {0:.1f} s".format(again.seconds)
            if again.code != OK:
                faults.append("killed at {0}, the run again failed:\n{1}".format(killed.task, again.output))
    if not faults and not untouched:
        faults += cluster.faults(way.shards)
    faults += losses(probe.report)
    if killed.code == KILLED and number > len(way.tasks or []):
        # This run has more tasks than the one before all others: the end is still to be reached.
        way.tasks = [*(way.tasks or []), killed.task]
        case = way.case(number)
    text = "{0}; {1} accepted".format(what, probe.report.accepted)
    way.ledger.add(case, FAILED if faults else PASSED, "\n".join([text, *faults]))
    if faults:
        raise Failed("nobody knows in which state the cluster is")
    return untouched


def work(ledger: Ledger, conditions: Conditions) -> None:
    """One boundary after the other, alternating between the ways as the cluster goes to and fro."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("rsk", 25000, COUNTS[0], divisor=conditions.divisor, max_connections=2000)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            at = COUNTS[0]
            while not conditions.over:
                way = Way(ledger, other(at))
                number = way.next()
                if way.tasks is None:
                    record(cluster, way)
                elif number is not None:
                    if kill_once(cluster, way, number):
                        continue
                elif Way(ledger, at).next() is None:
                    ledger.note(complete=True)
                    return
                elif cluster.reshard(way.shards).code != OK:
                    raise Failed("reshard to {0} failed".format(way.shards))
                at = way.shards


SUITE = Suite("reshard_kills", "reshard.yml killed at every task of 2 to 8 and of 8 to 2, and run again", work)
