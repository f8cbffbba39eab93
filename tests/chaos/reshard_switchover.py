# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A surplus coreapp that owns a shard is replaced by switchover: a real run on two machines with their own engines.

Four shards on two machines become two. Nobody knows before who gets them, so the run is killed after set-shards, and
the machine of an owner gets wa_coreapps: 0. Run again, every coreapp there is surplus: reshard.yml takes the standbys
away, stops each owner, waits until a coreapp elsewhere has its shard, and removes it. Then all of it once more, killed
when an owner was stopped, and run again.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.attempts import attempt, check, nothing_lost
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, SETTLE_SECONDS, Failed, Shape
from ansible_collections.waent.fleet.tests.support.two_machines import FIRST, SECOND, TwoMachines

SCENARIO = "switchover"
HANDED = re.compile(r"Stop \S+, which owns shards? [\d, ]+ and is not needed where it is")
WEBAPPS = {FIRST: {"wa_webapps": 1}, SECOND: {"wa_webapps": 0}}


def machine_of_an_owner(cluster: TwoMachines) -> str:
    """A machine on which a coreapp is connected for a shard, once both shards of two are served."""
    deadline = time.monotonic() + SETTLE_SECONDS * 6
    while len(cluster.owners()) != 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    check("both shards are served again", len(cluster.owners()) == 2, str(cluster.connections()))
    return min(cluster.owners()).partition("/")[0]


def shrink(cluster: TwoMachines, killed: bool) -> str:
    """4 to 2, all coreapps of an owner's machine being surplus; what it did. Raises Failed and Wrong."""
    cluster.write_hosts(**WEBAPPS)
    set_shards = cluster.reshard_killed_in_restart(2)
    check("it was killed after set-shards", set_shards.code == KILLED, set_shards.output)
    machine = machine_of_an_owner(cluster)
    cluster.write_hosts(**{**WEBAPPS, machine: {**WEBAPPS[machine], "wa_coreapps": 0}})
    with cluster.probe(shards=2, rate=20.0) as probe:
        said = kill_in_switchover(cluster) if killed else ""
        run = cluster.reshard(2)
        said += run.output
    check("it ends well", run.code == OK, run.output)
    faults = cluster.faults(2, coreapps=3)
    check("the cluster is as it has to be", not faults, str(faults))
    stay = [name for name in cluster.coreapps() if name.startswith(machine)]
    check("no coreapp is left on " + machine, not stay, str(stay))
    handed = sorted(set(HANDED.findall(" ".join(said.split()))))  # long lines are folded
    check("an owner was stopped", handed, said)
    nothing_lost(probe.report)
    return "; ".join(handed)


def kill_in_switchover(cluster: TwoMachines) -> str:
    """Output of a run to two shards that was killed when a coreapp of it was stopped. Raises Wrong."""
    owners = cluster.owners()

    def stopped() -> bool:
        states = cluster.coreapps()
        return any(states.get(owner) != "running" for owner in owners)

    killed = cluster.killed_when(stopped, "reshard.yml", "-e", "shards=2")
    check("it was killed when an owner was stopped", killed.code == KILLED, killed.output)
    return killed.output


def grow(cluster: TwoMachines) -> None:
    """Back to four shards. Raises Failed."""
    cluster.write_hosts(**WEBAPPS)
    run = cluster.reshard(4)
    if run.code != OK:
        raise Failed("2 to 4 failed:\n" + run.output)


CASES = {"switchover": False, "switchover killed in it and run again": True}


def work(ledger: Ledger, conditions: Conditions) -> None:
    """On the same machines, back at four shards between the two."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("rsv", 0, 4, divisor=conditions.divisor, webapps=1, max_connections=2000)
        with TwoMachines(Path(home), shape, SCENARIO) as cluster:
            cluster.start_machines(**WEBAPPS)
            for number, name in enumerate(ledger.left):
                if conditions.over:
                    return
                if number:
                    grow(cluster)
                if not attempt(ledger, name, shrink, cluster, CASES[name]):
                    return


SUITE = Suite("reshard_switchover", "a surplus owner is replaced by switchover, on two machines", work, list(CASES))
