# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook killed at every task boundary and run again, in as few whole runs as possible.

A journey is one change of a cluster that a playbook makes. The first one is not disturbed: where its tasks begin are
the cases. On the next ones SIGKILL goes to the playbook's process group at the first boundary that was not tried yet;
the run again is killed at the next one, and so on until a run comes to its end, so that every kill is followed by a
run that goes on from it. Then the cluster has to be what an undisturbed journey leaves, nothing may be lost, nothing
may come twice, nobody may be banned, and one more run must change nothing: what the kills on it count as.

Boundaries before which something was changed come first, then those of plays that run in batches, then all others,
until on a whole journey none is left to try. What tasks run only because of a kill are cases too, as they are found.
Journeys that lead different ways, as to more shards and to fewer, have cases of their own.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, UNREACHED, Conditions, Ledger, show
from ansible_collections.waent.fleet.tests.chaos.ledger import OK as PASSED
from ansible_collections.waent.fleet.tests.support.boundaries import WHERE
from ansible_collections.waent.fleet.tests.support.killable_runs import KILLED
from ansible_collections.waent.fleet.tests.support.live_cluster import OK, Failed, LiveCluster, Run


class Journey(t.NamedTuple):
    """One change of the cluster.

    around: holds while it is made. faults: what is not as an undisturbed one leaves it. served: whether messages can be
    sent from its beginning on. way: journeys with the same one pass by the same boundaries. instructions: by the code
    of a refusal, the command that its sentence prints; whoever meets it runs that, and then the playbook again.
    """

    title: str
    playbook: str
    arguments: tuple[str, ...]
    faults: t.Callable[[], list[str]]
    around: t.Callable[[], t.ContextManager[t.Any]] = contextlib.nullcontext
    served: bool = True
    way: str = ""
    instructions: t.Mapping[str, tuple[str, ...]] = {}


class Way:
    """What the ledger knows of one way."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.ledger, self.name = ledger, name
        self._prefix = name + ": " if name else ""

    def _get(self, key: str) -> t.Any:
        return self.ledger.notes.get("ways", {}).get(self.name, {}).get(key)

    def _note(self, key: str, value: t.Any) -> None:
        ways = dict(self.ledger.notes.get("ways", {}))
        ways[self.name] = {**ways.get(self.name, {}), key: value}
        self.ledger.note(ways=ways)

    @property
    def recorded(self) -> list[str] | None:
        """The boundaries of the journey that was not disturbed; None before it."""
        found: list[str] | None = self._get("recorded")
        return found

    @recorded.setter
    def recorded(self, boundaries: list[str]) -> None:
        self.ledger.know(self.case(boundary) for boundary in boundaries)
        self._note("recorded", boundaries)

    @property
    def where(self) -> int:
        """Which of C(WHERE) the next journey is killed at; their number when nothing is left."""
        return int(self._get("where") or 0)

    def go_on(self) -> None:
        """Nothing was left to kill at on a whole journey."""
        self._note("where", self.where + 1)

    def case(self, boundary: str) -> str:
        """Of a boundary on this way."""
        return self._prefix + boundary

    @property
    def tried(self) -> set[str]:
        """The boundaries that have a result."""
        begin = len(self._prefix)
        return {case[begin:] for case in self.ledger.results if case.startswith(self._prefix)}


def done(ledger: Ledger) -> bool:
    """Whether on every way nothing is left to kill at."""
    ways = [Way(ledger, name) for name in ledger.notes.get("ways", {})]
    return bool(ways) and all(way.recorded is not None and way.where == len(WHERE) for way in ways)


class Outcome(t.NamedTuple):
    """How a journey ended. problems: none when all is well."""

    kills: list[str]
    problems: list[str]
    text: str


def walk(cluster: LiveCluster, journeys: t.Iterator[Journey], ledger: Ledger, conditions: Conditions) -> None:
    """Journey after journey, until nothing is left to try, the time is over, or one went wrong."""
    while not conditions.over and not done(ledger):
        journey = next(journeys)
        way = Way(ledger, journey.way)
        first = way.recorded is None
        outcome = _travel(cluster, journey, way, conditions)
        if outcome.problems:
            return
        if not (first or outcome.kills or conditions.over or way.where == len(WHERE)):
            way.go_on()
    if done(ledger):
        for case in ledger.left:
            ledger.add(case, UNREACHED, "no later run came by it")
        ledger.note(complete=True)


def _travel(cluster: LiveCluster, journey: Journey, way: Way, conditions: Conditions) -> Outcome:
    started = time.monotonic()
    ledger = way.ledger
    first = way.recorded is None
    kills: list[str] = []
    problems: list[str] = []
    with journey.around():
        with cluster.probe() if journey.served else contextlib.nullcontext() as probe:
            try:
                if first:
                    _record(cluster, journey, way)
                else:
                    for kill in _kills(cluster, journey, way, conditions):
                        kills.append(kill)
            except Failed as problem:
                problems.append(str(problem))
        if not problems:
            problems += journey.faults()
    text = "{0}: {1} kills, {2:.0f} s".format(journey.title, len(kills), time.monotonic() - started)
    if probe is not None:
        report = probe.report
        text += "; {0} accepted, {1} lost, {2} twice, {3} bans".format(
            report.accepted, len(report.lost), len(report.twice), len(report.bans)
        )
        if report.lost or report.twice or report.bans:
            problems.append("messages were lost or came twice, or the number was banned")
    text = "\n".join([text, *problems])
    outcome = FAILED if problems else PASSED
    for kill in kills:
        ledger.add(kill, outcome, text, silent=True)
    if problems and not kills:
        ledger.add("undisturbed", FAILED, text, silent=True)
    show(outcome, "{0} {1}{2}".format(ledger.suite, text, " (recorded, not disturbed)" if first else ""))
    return Outcome(kills, problems, text)


def _record(cluster: LiveCluster, journey: Journey, way: Way) -> None:
    """Find the cases. Raises Failed."""
    ledger = way.ledger
    run, boundaries = cluster.recorded(journey.playbook, *journey.arguments)
    if run.code != OK:
        raise Failed("the undisturbed run failed:\n" + run.output)
    ledger.results.pop("undisturbed", None)
    ledger.cases = [case for case in ledger.cases if case != "undisturbed"]
    way.recorded = boundaries


def _kills(cluster: LiveCluster, journey: Journey, way: Way, conditions: Conditions) -> t.Iterator[str]:
    """Cases, killed and run again until a run comes to its end, undisturbed after the deadline. Raises Failed."""
    recorded, known = cluster.home / "recorded", cluster.home / "known"
    recorded.write_text("\n".join(way.recorded or []))
    tried = way.tried
    last = "nothing"
    while True:
        if conditions.over or way.where == len(WHERE):
            run: t.Any = cluster.play(journey.playbook, *journey.arguments)
        else:
            known.write_text("\n".join(tried))
            files = {"KILL_RECORDED": str(recorded), "KILL_KNOWN": str(known), "KILL_WHERE": WHERE[way.where]}
            run = cluster.killed_by("kill_at_boundary", journey.playbook, *journey.arguments, **files)
        if run.code == OK:
            return
        if run.code != KILLED and _instructed(cluster, journey, run):
            continue
        if run.code != KILLED:
            raise Failed("the run after the kill at {0} failed:\n{1}".format(last, run.output))
        last = run.task
        tried.add(last)
        case = way.case(last)
        way.ledger.know([case])
        show("killed", way.ledger.label(case))
        yield case


def _instructed(cluster: LiveCluster, journey: Journey, run: Run) -> bool:
    """Whether the run was refused with a sentence that prints a command, which was run then. Raises Failed."""
    for code, command in journey.instructions.items():
        if "[{0}]".format(code) in run.output:
            printed = "playbooks/" + " ".join(command)
            if printed not in run.output:
                raise Failed("{0} does not print {1}:\n{2}".format(code, printed, run.output))
            done = cluster.play(*command, "-e", "confirm=yes")
            if done.code != OK:
                raise Failed("{0} failed:\n{1}".format(printed, done.output))
            return True
    return False


def changes_nothing(cluster: LiveCluster, again: Run, before: t.Any) -> list[str]:
    """What speaks against one more run having changed nothing. before: the nodes before it."""
    changed = {numbers["changed"] for numbers in again.recap.values()}
    if again.code != OK or changed != {0} or cluster.nodes() != before:
        return ["one more run was not without changes:\n" + again.output]
    return []
