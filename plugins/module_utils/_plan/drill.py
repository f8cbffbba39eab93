# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill: what is broken, what is predicted, how that compares with what was measured. Internal to waent.fleet. Pure.

What is predicted follows from the detection rules and time lines of the product (reference 3.1, 3.3, 3.9).
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import (
    COREAPP,
    DATABASE,
    HOST,
    MASTER,
    PARTITION,
    RACK,
    WEBAPP,
    mark,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._plan.outage import LEASE_SECONDS, failover_seconds
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import PRODUCT
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState

HOLD_SECONDS = 20
"""So long a database stays away; also the least time that is watched, so that what comes late is seen."""
RESUME_SECONDS = 35
"""From the moment the database starts until all shards are served: cores pause up to 8 s between two tries."""
ANSWER_SECONDS = 60
"""So long the engine may take to stop or start a node. It waits for the files of one, such as a share that is gone."""
AGAIN_SECONDS = 10
"""A host that could not restore what was broken, at the deadline, tries again after it."""
TOLERANCE = 1.1
"""So much of the documented figure may be measured."""
SAMPLE_SECONDS = 1.0
"""What one reading may add to a figure of 0."""

ONE_OF = {COREAPP: "coreapp", MASTER: "master", WEBAPP: "webapp"}
"""The drills that break one node, and its kind."""


@dataclass(frozen=True)
class Prediction:
    """Seconds at most until every shard is served and the webapps left answer; until there is a primary master.

    None: that is not touched. documented: the same with the failover timers that the product comes with.
    """

    service: int | None
    primary: int | None
    documented_service: int | None
    documented_primary: int | None

    @property
    def longest(self) -> int:
        """All of it."""
        return max(number for number in (*asdict(self).values(), 0) if number is not None)


@dataclass(frozen=True)
class Scene:
    """What a drill is chosen from.

    names: C({key: name of its container}). racks: C({host: rack}). databases: C({host: container}), those that run.
    """

    state: ClusterState
    names: t.Mapping[str, str]
    racks: t.Mapping[str, str]
    databases: t.Mapping[str, str]

    def on(self, hosts: t.Collection[str]) -> list[NodeState]:
        """The nodes that run on these hosts."""
        return [node for node in self.state.nodes if node.slot and node.slot.host in hosts and node.alive]

    def left(self, broken: t.Iterable[NodeState]) -> list[NodeState]:
        """The nodes that go on."""
        gone = {node.key for node in broken}
        return [node for node in self.state.nodes if node.alive and node.key not in gone]


# --- what is broken --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """What a drill breaks: target, as it is called, its nodes, and the hosts it is about."""

    target: str
    nodes: tuple[NodeState, ...] = ()
    hosts: tuple[str, ...] = ()


def choose(drill: str, target: str | None, scene: Scene) -> Choice:
    """What this drill breaks. Without a target: the plain case, an owner that is not beside the primary master.

    Raises a Refusal where there is no such target, or where it would be an outage without end.
    """
    choices = _choices(drill, scene)
    if target:
        named = [choice for choice in choices if target == choice.target or target in _names(choice, scene)]
        if len(named) != 1:
            raise Refusal("DRILL_TARGET_UNKNOWN", _not_one(drill, target, choices, named))
        choices = named
    if not choices:
        raise Refusal("DRILL_TARGET_UNKNOWN", "There is nothing for a drill of the kind {0} here.".format(drill))
    reasons = [survival(drill, choice, scene) for choice in choices]
    fit = [choice for choice, reason in zip(choices, reasons) if not reason]
    if not fit:
        raise Refusal("DRILL_NOT_SURVIVED", _no_survival(drill, choices[0], reasons[0]))
    return min(fit, key=lambda choice: _rank(drill, choice, scene))


def _choices(drill: str, scene: Scene) -> list[Choice]:
    if drill in ONE_OF:
        nodes = [node for node in scene.state.of(ONE_OF[drill]) if node.alive and node.slot]
        return [Choice(node.key, (node,), (node.slot.host,)) for node in nodes if node.slot]
    if drill == DATABASE:
        return [Choice(name, (), (host,)) for host, name in sorted(scene.databases.items())]
    places = {rack: [h for h, r in scene.racks.items() if r == rack] for rack in set(scene.racks.values())}
    if drill in (HOST, PARTITION):
        places = {host: [host] for host in scene.racks}
    made = [Choice(name, tuple(scene.on(hosts)), tuple(sorted(hosts))) for name, hosts in sorted(places.items())]
    return [choice for choice in made if choice.nodes]


def _names(choice: Choice, scene: Scene) -> list[str]:
    return [scene.names[node.key] for node in choice.nodes] if len(choice.nodes) == 1 else []


def _not_one(drill: str, target: str, choices: t.Sequence[Choice], named: t.Sequence[Choice]) -> str:
    allowed = enumerate_all([choice.target for choice in named or choices]) if choices else "none, as none runs"
    why = "is the name of several" if named else "is none that a drill of the kind {0} can break".format(drill)
    return "target is {0!r}, which {1}; allowed: {2}.".format(target, why, allowed)


def survival(drill: str, choice: Choice, scene: Scene) -> str:
    """Why an outage would not end before what was broken is restored; empty where the rest can take over.

    A database that is stopped comes back by itself: that is its drill.
    """
    if drill == DATABASE:
        return ""
    databases = [scene.databases[host] for host in choice.hosts if host in scene.databases]
    if databases and drill in (HOST, RACK):
        return "the database {0} would be away".format(enumerate_all(databases))
    left = scene.left(choice.nodes)
    needed = {"coreapp": scene.state.shards, "master": 1, "webapp": 1}
    counts = {kind: len([node for node in left if node.kind == kind]) for kind in needed}
    short = ["{0} of {1} needed".format(counts[k], amount(needed[k], k)) for k in needed if counts[k] < needed[k]]
    return enumerate_all(short) + " would be left" if short else ""


def _no_survival(drill: str, choice: Choice, reason: str) -> str:
    return (
        "Without {0} {1}: a drill of the kind {2} would be an outage that does not end by itself; add spare nodes with"
        " wa_survive, or choose another target.".format(choice.target, reason, drill)
    )


def _rank(drill: str, choice: Choice, scene: Scene) -> tuple[bool, bool, str]:
    """The plain case first: something that serves, and not beside the primary master, which would take longer."""
    primary = any(node.primary for node in choice.nodes)
    beside = any(node.primary for node in scene.on(choice.hosts))
    idle = not primary if drill == MASTER else drill not in (WEBAPP, DATABASE) and not lost_shards(choice)
    return idle, beside and drill != MASTER, choice.target


# --- what is predicted ------------------------------------------------------------------------------------------------


def predict(drill: str, choice: Choice, scene: Scene, unhealthy_interval: int) -> Prediction:
    """How long it lasts at most. unhealthy_interval: the failover timer of the cluster."""
    if drill == DATABASE:
        seconds = HOLD_SECONDS + RESUME_SECONDS
        return Prediction(seconds, None, seconds, None)
    primary_lost = any(node.primary for node in choice.nodes)
    primary = LEASE_SECONDS if primary_lost else None
    if not lost_shards(choice):
        return Prediction(0, primary, 0, primary)
    masters = len([node for node in scene.left(choice.nodes) if node.kind == "master"])
    service, documented = (
        failover_seconds(masters, primary_lost=primary_lost, unhealthy_interval=interval)
        for interval in (unhealthy_interval, PRODUCT["unhealthy_interval"])
    )
    return Prediction(service, primary, documented, primary)


def lost_shards(choice: Choice) -> list[int]:
    """The shards that lose their owner."""
    return sorted({shard for node in choice.nodes for shard in node.shards})


def sentences(drill: str, choice: Choice, scene: Scene, predicted: Prediction, deadline: int) -> list[str]:
    """What is shown before the question."""
    return [
        "Drill: {0}. {1}".format(drill, _what(drill, choice, scene)),
        "Prediction: {0}".format(_outage(drill, choice, predicted)),
        "It is restored as soon as the rest serves; by the host itself after {0} s, also if this run is killed.".format(
            HOLD_SECONDS if drill == DATABASE else deadline
        ),
    ]


def _what(drill: str, choice: Choice, scene: Scene) -> str:
    if drill == DATABASE:
        return "Stop the database {0} on {1} for {2} s.".format(choice.target, choice.hosts[0], HOLD_SECONDS)
    verb = "Disconnect from the network" if drill == PARTITION else "Kill"
    names = ["{0} on {1}".format(scene.names[n.key], n.slot.host if n.slot else "?") for n in choice.nodes]
    return "{0} {1}.".format(verb, enumerate_all(names))


def _outage(drill: str, choice: Choice, predicted: Prediction) -> str:
    if drill == DATABASE:
        return "no message is routed for {0} s at most.".format(predicted.service)
    shards = lost_shards(choice)
    said = "every shard stays served."
    if shards:
        said = "{0} without an owner for {1} s at most.".format(_shards(shards), predicted.service)
    if predicted.primary is not None:
        said += " No primary master for {0} s at most: settings and registration answer 1017.".format(predicted.primary)
    return said


def _shards(shards: t.Sequence[int]) -> str:
    return "{0} {1}".format("shard" if len(shards) == 1 else "shards", enumerate_all(shards))


# --- how it is broken and restored -----------------------------------------------------------------------------------


def break_commands(drill: str, containers: t.Sequence[str], network: str) -> list[list[str]]:
    """The commands that break it on one host. A database is stopped, as a kill could cost data."""
    if drill == DATABASE:
        return [["docker", "stop", *containers]]
    if drill == PARTITION:
        return [["docker", "network", "disconnect", network, name] for name in containers]
    return [["docker", "kill", "--signal", "KILL", *containers]]


def _quoted(text: str) -> str:
    """As a shell takes it for one word."""
    return "'" + text.replace("'", "'\\''") + "'"


def write_command(script: str) -> list[str]:
    """The command that writes what it is given as this script, whole, and fails where one is there already."""
    # The link is what there can be one of only: two drills may begin at the same moment.
    steps = 'umask 077; trap \'rm -f "$0.$$"\' EXIT; cat > "$0.$$" && ln "$0.$$" "$0"'
    return ["sh", "-c", steps, "./" + script]


def restore_script(drill: str, containers: t.Sequence[str], network: str, deadline: int, begun: str) -> str:
    """A script that restores it and removes itself. With C(wait) it first waits for the deadline, and tries again then.

    It waits only as long as it is there with the moment of the same drill in it: whoever restores it ends the wait.
    """
    docker = "timeout {0} docker".format(ANSWER_SECONDS)
    quoted = [_quoted(name) for name in containers]
    if drill == PARTITION:
        # Connected again a node may have another address, and what it had open from the old one hangs: it is started
        # afresh. One that is connected, as nothing was broken yet or somebody was quicker, is left alone.
        joined = _quoted('"{0}":'.format(network))
        back = [
            "{2} inspect --format '{{{{json .NetworkSettings.Networks}}}}' {1} | grep -qF {3}"
            " || {{ {2} stop {1}; {2} network connect {0} {1}; }} || missed {1}\n"
            "{2} start {1} || missed {1}".format(_quoted(network), name, docker, joined)
            for name in quoted
        ]
    else:
        back = ["{0} start {1} || missed {1}".format(docker, name) for name in quoted]
    marked = mark(drill, begun, containers)
    is_there = 'grep -qsxF {0} "$0" || exit 0'.format(_quoted(marked))
    return "\n".join(
        [
            "#!/bin/sh",
            marked,
            "# Restores what playbook waent.fleet.drill has broken on this host, and removes itself.",
            # An engine that has not answered has said nothing.
            'missed() { failed=1; echo "$1 was not restored." >&2; }',
            "restore() {",
            "failed=0",
            *back,
            '[ "$failed" = 0 ]',
            "}",
            'if [ "$1" = wait ]; then',
            "    left={0}".format(deadline),
            '    while [ "$left" -gt 0 ]; do',
            "        sleep 1",
            "        left=$((left - 1))",
            "        " + is_there,
            "    done",
            "fi",
            "until restore; do",
            '    [ "$1" = wait ] || exit 1',
            "    sleep {0}".format(AGAIN_SECONDS),
            "    " + is_there,
            "done",
            'rm -f "$0"',
            "",
        ]
    )


# --- the shortcomings -----------------------------------------------------------------------------------


class Row(t.NamedTuple):
    """One line of the report; seconds, None where it is not touched or was not measured."""

    what: str
    predicted: int | None
    documented: int | None
    measured: float | None
    back: bool

    @property
    def limit(self) -> float:
        """What may be measured: longer failover timers than the product's take longer."""
        return max(self.documented or 0, self.predicted or 0) * TOLERANCE or SAMPLE_SECONDS


def rows(predicted: t.Mapping[str, t.Any], watched: t.Mapping[str, t.Any]) -> list[Row]:
    """What was predicted beside what was measured. watched: what wa_drill_watch returned, empty where it failed."""
    made = []
    for what, name in (("shards and webapps served", "service"), ("primary master", "primary")):
        part = watched.get(name) or {}
        made.append(
            Row(what, predicted[name], predicted["documented_" + name], part.get("seconds"), bool(part.get("back")))
        )
    return [row for row in made if row.predicted is not None]


def shortcomings(report: t.Sequence[Row]) -> list[Problem]:
    """What of the measured outage makes the drill red."""
    found = []
    for row in report:
        if row.measured is None or not row.back:
            message = "{0}: not back within the time that was watched.".format(row.what.capitalize())
            found.append(Problem("DRILL_NOT_BACK", message))
        elif row.measured > row.limit:
            message = "{0}: away for {1:.1f} s, {2:.1f} s is what is documented and 10 % more.".format(
                row.what.capitalize(), row.measured, row.limit
            )
            found.append(Problem("DRILL_TOO_LONG", message))
    return found


def table(report: t.Sequence[Row]) -> list[str]:
    """The report, one line for each measure, the header first."""
    cells = [["outage of", "predicted", "documented", "measured"]]
    for row in report:
        measured = "not measured" if row.measured is None else "{0:.1f} s".format(row.measured)
        cells.append(
            [row.what, "{0} s at most".format(row.predicted), "{0} s".format(row.documented),
             measured if row.back or row.measured is None else "not back after " + measured]
        )  # fmt: skip
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
