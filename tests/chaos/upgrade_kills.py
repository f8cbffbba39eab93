# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml killed at every task boundary, and run again: the same end state, nothing lost.

Rolling, every journey leads to the next version of one line. With another schema every journey leads to the next line
of versions: everything that writes is stopped, the schema is upgraded once, everything starts again. All versions but
one are made for it on the spot.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.chaos.kill_walk import Journey, changes_nothing, walk
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.fake_version import fake_version
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, LiveCluster, Shape

SHARDS = 2
INTERVALS = (5, 30)
QUICK = {"wa_health_timeout_seconds": 60}
HOOK = """
- name: Show that it was reached
  ansible.builtin.debug:
    msg: here
"""


def versions() -> t.Iterator[str]:
    """One after the other: the real new one, then fake ones of the same line."""
    yield NEW
    for number in itertools.count(901):
        yield "v2.19.{0}".format(number)


def lines() -> t.Iterator[str]:
    """One fake version of each line above the old one."""
    for line in itertools.count(21, 2):
        yield "v2.{0}.901".format(line)


def faults(cluster: LiveCluster, version: str) -> list[str]:
    """What is not as an upgrade that nobody disturbed leaves it."""
    found = cluster.faults(SHARDS)
    if cluster.versions() != {version}:
        found.append("versions: {0}".format(sorted(cluster.versions())))
    if cluster.intervals() != INTERVALS:
        found.append("intervals are still shortened")
    before = cluster.nodes()
    return found + changes_nothing(cluster, cluster.upgrade(version), before)


def journeys(cluster: LiveCluster, to: t.Iterator[str]) -> t.Iterator[Journey]:
    """To one version after the other. Those before are not needed any more: what runs of them needs no tag."""
    for version in to:
        made = contextlib.nullcontext if version == NEW else functools.partial(fake_version, cluster.engine, version)
        check = functools.partial(faults, cluster, version)
        yield Journey("to " + version, "upgrade.yml", ("-e", "version=" + version), check, made)


def rolling(ledger: Ledger, conditions: Conditions) -> None:
    """Within one line of versions."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("upgk", 28000, SHARDS, divisor=conditions.divisor, more=QUICK)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            walk(cluster, journeys(cluster, versions()), ledger, conditions)


def schema(ledger: Ledger, conditions: Conditions) -> None:
    """To another line each time."""
    with tempfile.TemporaryDirectory() as home:
        shape = Shape("upgs", 28000, SHARDS, divisor=conditions.divisor, more=QUICK)
        with LiveCluster(Path(home), shape) as cluster:
            cluster.start()
            hook = Path(home) / "hook.yml"
            hook.write_text(HOOK)
            # What was stopped for the schema does not settle down, and every run again would wait for it.
            cluster.declare(wa_db_snapshot=str(hook), wa_message_cleanup_wait=str(hook), wa_rollout_settle_seconds=5)
            walk(cluster, journeys(cluster, lines()), ledger, conditions)


ROLLING = Suite("upgrade_kills", "upgrade.yml killed at every task, rolling, and run again", rolling)
SCHEMA = Suite("upgrade_schema_kills", "upgrade.yml killed at every task, to another schema, and run again", schema)
