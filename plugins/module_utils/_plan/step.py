# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of a plan, and what all plans share. Internal to waent.fleet: may change in any release. Pure.

A plan is data: it is shown before anything is done, and planned again from what is read, so that a run that was killed
goes on where the cluster stands.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount

SWITCHOVER_SECONDS = 10
"""A standby takes over from an owner that was stopped, with failover timers of 1 and 3 s (reference 3.3, 3.6)."""

RESTART_SECONDS = 30
"""A node that nobody takes over from is recreated, starts, and connects (reference 3.3, 3.7)."""

REMOUNT_SECONDS = RESTART_SECONDS + 10
"""All nodes of a host are stopped, its media share is unmounted, mounted and proved, and they start again."""

ACTIONS = (
    "create", "start", "replace", "switchover", "set_shards", "remove", "stop", "snapshot", "cleanup", "schema_upgrade",
    "adopt", "discard", "remount",
)  # fmt: skip
"""What a step can do: for each of them role C(rollout) has one file of tasks."""

SHORTENED = ("switchover", "remount")
"""Actions that stop owners on purpose, with the failover timers shortened."""


@dataclass(frozen=True)
class Step:
    """One thing to do, what to wait for before the next one, and what it costs.

    action: one of ACTIONS. nodes: keys of the nodes it touches. gate: what must hold before the next step, as names and
    values: C(alive) keys that report without an error, C(shards) the configured number, C(connected) the number of
    connected coreapps, C(owned) shards that have an owner other than the nodes of the step, C(away) keys that are
    stopped, C(absent) keys that are gone, C(schema) the version of the schema.
    downtime: expected seconds without service by shard. predicted: which nodes it touches depends on what an earlier
    step brings about, so the plan that is made after that one counts.
    """

    action: str
    nodes: tuple[str, ...]
    gate: tuple[tuple[str, t.Any], ...]
    downtime: tuple[tuple[int, int], ...] = ()
    sentence: str = ""
    predicted: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return; shards are text where they are keys, as JSON wants it."""
        return {
            "action": self.action,
            "nodes": list(self.nodes),
            "gate": dict(self.gate),
            "downtime": {str(shard): seconds for shard, seconds in self.downtime},
            "sentence": self.sentence,
            "predicted": self.predicted,
        }


def downtime(shards: t.Iterable[int], seconds: int) -> tuple[tuple[int, int], ...]:
    """The same seconds without service on each of these shards, as a step has them."""
    return tuple((shard, seconds) for shard in sorted(shards))


def total_downtime(steps: t.Iterable[Step]) -> dict[str, int]:
    """Expected seconds without service by shard, all steps together, as modules return it."""
    seconds: Counter[str] = Counter()
    for step in steps:
        seconds.update({str(shard): cost for shard, cost in step.downtime})
    return dict(seconds)


def shards_text(shards: t.Iterable[int]) -> str:
    """C(shard 3), C(shards 3, 4)."""
    numbers = sorted(shards)
    return "{0} {1}".format("shard" if len(numbers) == 1 else "shards", ", ".join(str(number) for number in numbers))


def listed(count_of: str, keys: t.Sequence[str]) -> str:
    """C(2 coreapps: a, b)."""
    return "{0}: {1}".format(amount(len(keys), count_of), ", ".join(keys))


def by_host(node: t.Mapping[str, t.Any]) -> str:
    """A placed node as sentences name it: its key with the host of the inventory in the place of its address."""
    return "{0}:{1}".format(node["host"], node["key"].rpartition(":")[2])


def certain(steps: t.Sequence[Step]) -> list[Step]:
    """The steps before the first one that is predicted: those a run can do without planning again."""
    found = []
    for step in steps:
        if step.predicted:
            break
        found.append(step)
    return found


def planned_then(action: str, keys: t.Iterable[str], what: str) -> Step:
    """What another plan is made for, once the steps before have brought who shows the cluster. what: in words."""
    sentence = "Read the cluster, which can be seen from then on, plan again, and do the rest: {0}.".format(what)
    return Step(action, tuple(keys), (), sentence=sentence, predicted=True)


def switchover(key: str, shards: t.Iterable[int], who: str, why: str = "", predicted: bool = False) -> Step:
    """Stop an owner on purpose, with short failover timers. who: who takes over. why: said of the node, or empty."""
    owned = sorted(shards)
    sentence = "Stop {0}, which owns {1}{2}, and wait for failover: {3} takes over, about {4} s without service there."
    text = sentence.format(key, shards_text(owned), " and " + why if why else "", who, SWITCHOVER_SECONDS)
    gate = (("owned", owned), ("away", [key]))
    return Step("switchover", (key,), gate, downtime(owned, SWITCHOVER_SECONDS), text, predicted)
