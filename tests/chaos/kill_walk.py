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
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, UNREACHED, Conditions, Ledger, show
from ansible_collections.waent.fleet.tests.chaos.ledger import OK as PASSED
from ansible_collections.waent.fleet.tests.support.boundaries import WHERE
from ansible_collections.waent.fleet.tests.support.live_cluster import KILLED, OK, Failed, LiveCluster, Run


class Journey(t.NamedTuple):
    """One change of the cluster.

    around: holds while it is made. faults: what is not as an undisturbed one leaves it. served: whether messages can be
    sent from its beginning on.
    """

    title: str
    playbook: str
    arguments: tuple[str, ...]
    faults: t.Callable[[], list[str]]
    around: t.Callable[[], t.ContextManager[t.Any]] = contextlib.nullcontext
    served: bool = True


class Outcome(t.NamedTuple):
    """How a journey ended. problems: none when all is well."""

    kills: list[str]
    problems: list[str]
    text: str


def walk(cluster: LiveCluster, journeys: t.Iterator[Journey], ledger: Ledger, conditions: Conditions) -> None:
    """Journey after journey, until nothing is left to try, the time is over, or one went wrong."""
    while not conditions.over:
        where = ledger.notes.get("where", 0)
        if where == len(WHERE):
            break
        outcome = _travel(cluster, next(journeys), ledger, conditions, WHERE[where])
        if outcome.problems:
            return
        if not outcome.kills and not conditions.over and ledger.notes.get("recorded"):
            ledger.note(where=where + 1)
    if ledger.notes.get("where", 0) == len(WHERE):
        for case in ledger.left:
            ledger.add(case, UNREACHED, "no later run came by it")
        ledger.note(complete=True)


def _travel(
    cluster: LiveCluster, journey: Journey, ledger: Ledger, conditions: Conditions, where: str
) -> Outcome:
    started = time.monotonic()
    first = not ledger.notes.get("recorded")
    kills: list[str] = []
    problems: list[str] = []
    with journey.around():
        with cluster.probe() if journey.served else contextlib.nullcontext() as probe:
            try:
                if first:
                    _record(cluster, journey, ledger)
                else:
                    for kill in _kills(cluster, journey, ledger, conditions, where):
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


def _record(cluster: LiveCluster, journey: Journey, ledger: Ledger) -> None:
    """Find the cases. Raises Failed."""
    run, boundaries = cluster.recorded(journey.playbook, *journey.arguments)
    if run.code != OK:
        raise Failed("the undisturbed run failed:\n" + run.output)
    ledger.results.pop("undisturbed", None)
    ledger.cases = [case for case in ledger.cases if case != "undisturbed"]
    ledger.know(boundaries)
    ledger.note(recorded=boundaries)


def _kills(
    cluster: LiveCluster, journey: Journey, ledger: Ledger, conditions: Conditions, where: str
) -> t.Iterator[str]:
    """Killed and run again until a run comes to its end, undisturbed after the deadline. Raises Failed."""
    recorded, known = cluster.home / "recorded", cluster.home / "known"
    recorded.write_text("\n".join(ledger.notes["recorded"]))
    tried = set(ledger.results)
    last = "nothing"
    while True:
        if conditions.over:
            run: t.Any = cluster.play(journey.playbook, *journey.arguments)
        else:
            known.write_text("\n".join(tried))
            files = {"KILL_RECORDED": str(recorded), "KILL_KNOWN": str(known), "KILL_WHERE": where}
            run = cluster.killed_by("kill_at_boundary", journey.playbook, *journey.arguments, **files)
        if run.code == OK:
            return
        if run.code != KILLED:
            raise Failed("the run after the kill at {0} failed:\n{1}".format(last, run.output))
        last = run.task
        tried.add(last)
        ledger.know([last])
        show("killed", ledger.label(last))
        yield last


def changes_nothing(cluster: LiveCluster, again: Run, before: t.Any) -> list[str]:
    """What speaks against one more run having changed nothing. before: the nodes before it."""
    changed = {numbers["changed"] for numbers in again.recap.values()}
    if again.code != OK or changed != {0} or cluster.nodes() != before:
        return ["one more run was not without changes:\n" + again.output]
    return []
