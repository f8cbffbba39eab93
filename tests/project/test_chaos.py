# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chaos suites' own parts: boundaries have the same name in every run, and results outlive a stretch."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.chaos import run
from ansible_collections.waent.fleet.tests.chaos.kill_walk import Way, done
from ansible_collections.waent.fleet.tests.chaos.ledger import FAILED, OK, UNREACHED, Ledger
from ansible_collections.waent.fleet.tests.support.boundaries import WHERE, Boundaries


def names(boundaries: Boundaries, *plays: tuple[str, int, list[str]]) -> list[str]:
    """The boundaries of plays that begin one after the other: name, batches, tasks."""
    found = []
    for play, batches, tasks in plays:
        boundaries.play(play, batches)
        found += [boundaries.task(task) for task in tasks]
    return found


def test_a_boundary_counts_batches_from_the_end() -> None:
    found = names(
        Boundaries(), ("plan", 0, ["read", "read"]), ("do", 3, ["one"]), ("do", 3, ["one"]), ("do", 3, ["two"])
    )
    assert found == ["plan||read|1", "plan||read|2", "do|3 left|one|1", "do|2 left|one|1", "do|1 left|two|1"]


def test_a_run_that_goes_on_finds_the_same_boundaries() -> None:
    whole = names(Boundaries(), ("do", 2, ["replace wa-coreapp-3"]), ("do", 2, ["replace wa-coreapp-1"]))
    rest = names(Boundaries(whole), ("do", 1, ["replace wa-coreapp-2"]))
    assert rest == whole[1:]


def test_what_happens_because_of_a_kill_is_the_same_wherever_it_was() -> None:
    recorded = ["do|2 left|replace|1", "do|1 left|replace|1"]
    late = names(Boundaries(recorded), ("do", 2, ["start"]), ("do", 2, ["replace"]))
    early = names(Boundaries(recorded), ("do", 3, ["start"]), ("do", 3, ["replace"]), ("do", 3, ["replace"]))
    assert late == ["do|after a kill|start|1", "do|1 left|replace|1"]
    assert early == ["do|after a kill|start|1", "do|2 left|replace|1", "do|1 left|replace|1"]


def test_the_same_play_twice_begins_again_with_its_batches() -> None:
    boundaries = Boundaries()
    assert names(boundaries, ("do", 1, ["x"]), ("do", 2, ["x"])) == ["do|1 left|x|1", "do, time 2|2 left|x|1"]


def test_versions_do_not_make_another_boundary() -> None:
    first, second = Boundaries(), Boundaries()
    assert names(first, ("p", 0, ["pull v2.19.7"])) == names(second, ("p", 0, ["pull v2.21.901"]))


@pytest.mark.parametrize(
    ("where", "changed", "batches", "due"),
    [
        ("changes", True, 0, True), ("changes", False, 3, False), ("batches", False, 3, True),
        ("batches", True, 0, False), ("everywhere", False, 0, True),
    ],
)  # fmt: skip
def test_where_a_kill_is_due(where: str, changed: bool, batches: int, due: bool) -> None:
    boundaries = Boundaries()
    boundaries.play("p", batches)
    assert boundaries.due(where, changed) is due


def test_a_stretch_goes_on_where_the_one_before_stopped(tmp_path: Path) -> None:
    first = Ledger(tmp_path, "s", ["a", "b", "c"])
    first.add("a", OK, "")
    first.add("b", FAILED, "why")
    second = Ledger(tmp_path, "s", ["a", "b", "c"])
    assert (second.left, second.complete) == (["c"], False)
    assert second.counts()[:5] == (3, 1, 1, 0, 1)
    second.forget_failures()
    assert Ledger(tmp_path, "s", ["a", "b", "c"]).left == ["b", "c"]


def test_cases_that_a_run_finds_are_numbered_as_they_come(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "s")
    assert not ledger.complete, "nobody knows yet what there is"
    ledger.know(["x", "y"])
    ledger.add("z", OK, "found by a kill")
    ledger.add("x", UNREACHED, "")
    again = Ledger(tmp_path, "s")
    assert again.label("z") == "s 3/3 z"
    assert again.left == ["y"]
    again.note(complete=True)
    assert Ledger(tmp_path, "s").complete


def test_two_ways_have_cases_of_their_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "s")
    assert not done(ledger), "nobody knows yet what there is"
    grow, shrink = Way(ledger, "2 to 8"), Way(ledger, "8 to 2")
    grow.recorded = ["p||a|1"]
    shrink.recorded = ["p||a|1", "p||b|1"]
    ledger.add(grow.case("p||a|1"), OK, "")
    again = Ledger(tmp_path, "s")
    assert (Way(again, "2 to 8").tried, Way(again, "8 to 2").tried) == ({"p||a|1"}, set())
    assert len(again.left) == 2
    while not done(again):
        for way in (Way(again, "2 to 8"), Way(again, "8 to 2")):
            assert not done(again)
            if way.where < len(WHERE):
                way.go_on()
    again.add(shrink.case("p||a|1"), FAILED, "why")
    again.forget_failures()
    assert not done(again), "what failed is tried again, wherever it was"


def test_suites_are_chosen_by_name() -> None:
    assert run.names("reshard_kills,upgrade_kills") == ["reshard_kills", "upgrade_kills"]
    with pytest.raises(argparse.ArgumentTypeError, match="no such suite: reshard; there are: reshard_kills"):
        run.names("reshard")


def test_fixed_cases_differ() -> None:
    for suite in run.SUITES.values():
        assert len(set(suite.cases)) == len(suite.cases), suite.name
