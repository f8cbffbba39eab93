# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of all checks: a failure never gets lost between a test and the exit code."""

from __future__ import annotations

import ast
import re
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, tracked
from ansible_collections.waent.fleet.tools import checks as runner
from hypothesis import given
from hypothesis import strategies as st

INTEGRATION = sorted((ROOT / "tests" / "integration").glob("*/test_*.py"))

PYTEST_OUTPUT = """
collected 5 items
=========================== short test summary info ============================
FAILED tests/test_a.py::test_b
============= 1 failed, 3 passed, 1 skipped, 1 error in 0.05s ==============
more
============================= 12 passed in 61.02s (0:01:01) =============================
"""
SANITY_OUTPUT = """Running sanity test "ansible-doc"
Running sanity test "import" on Python 3.11
WARNING: Skipping sanity test "import" on Python 3.9 because it could not be found.
Running sanity test "yamllint"
FATAL: The 2 sanity test(s) listed below (out of 34) failed. See error output above for details.
"""


def command(code: int, text: str = "") -> list[str]:
    """A command that prints something and ends with a code."""
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})"]


@pytest.fixture
def run_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run checks as the runner does, with the logs elsewhere; returns the results by name."""
    monkeypatch.setattr(runner, "LOGS", tmp_path)

    def work(*checks: runner.Check) -> dict[str, runner.Result]:
        schedule = runner.Schedule(list(checks))
        schedule.work()
        return schedule.results

    return work


def test_counts_of_pytest_add_up_over_all_its_runs() -> None:
    assert runner.pytest_counts(PYTEST_OUTPUT) == (15, 2, 1)


def test_counts_of_sanity_leave_out_what_was_not_run() -> None:
    assert runner.sanity_counts(SANITY_OUTPUT) == (1, 2, 0)


@pytest.mark.parametrize(
    ("code", "text", "outcome", "counts"),
    [
        (0, "fine", "ok", (1, 0, 0)),
        (1, "broken", "FAILED", (0, 1, 0)),
        (0, "== 4 passed in 0.1s ==", "ok", (4, 0, 0)),
        (0, "\x1b[32m== \x1b[1m4 passed\x1b[0m in 0.1s ==\x1b[0m", "ok", (4, 0, 0)),
        (1, "== 4 passed in 0.1s ==", "FAILED", (4, 1, 0)),
        (1, "== 2 failed, 4 passed in 0.1s ==", "FAILED", (4, 2, 0)),
    ],
)
def test_the_exit_code_decides(run_checks, code: int, text: str, outcome: str, counts: tuple[int, int, int]) -> None:
    result = run_checks(runner.Check("one", [command(code, text)], count=runner.pytest_counts))["one"]
    assert (result.outcome, result.counts) == (outcome, counts)


@pytest.mark.parametrize(("code", "counts"), [(0, (0, 0, 0)), (1, (0, 1, 0))])
def test_a_preparation_counts_only_when_it_fails(run_checks, code: int, counts: tuple[int, int, int]) -> None:
    assert run_checks(runner.Check("prepare", [command(code)], preparation=True))["prepare"].counts == counts


def test_a_failed_command_ends_its_check_before_the_next(run_checks) -> None:
    result = run_checks(runner.Check("two", [command(3), command(0, "== 9 passed in 0.1s ==")]))["two"]
    assert (result.outcome, result.counts) == ("FAILED", (0, 1, 0))


def test_what_needs_a_failed_check_is_not_run_and_counts_as_failed(run_checks) -> None:
    first = runner.Check("first", [command(1)])
    second = runner.Check("second", [command(0)], needs=("first",))
    results = run_checks(first, second)
    assert (results["second"].outcome, results["second"].counts) == ("not run", (0, 1, 0))


@given(kinds=st.lists(st.sampled_from(["computes", "cluster", "alone"]), min_size=1, max_size=9))
def test_what_runs_at_a_time(kinds: list[str]) -> None:
    """However they are ordered and end: never more than may be, one that is alone has the engine, and none starves."""
    checks = [
        runner.Check(f"{kind}-{number}", [], containers=kind != "computes", alone=kind == "alone")
        for number, kind in enumerate(kinds)
    ]
    schedule = runner.Schedule(checks)
    done = 0
    while schedule.waiting or schedule.running:
        for check in list(schedule.waiting):
            if schedule.has_room_for(check):
                schedule.waiting.remove(check)
                schedule.running.append(t.cast("runner.Run", SimpleNamespace(check=check)))
        there = [run.check for run in schedule.running if run.check.containers]
        assert 1 <= len(schedule.running) <= runner.AT_A_TIME
        assert len(there) <= runner.ON_THE_ENGINE_AT_A_TIME
        assert len(there) == 1 or not any(check.alone for check in there)
        schedule.running.pop(done % len(schedule.running))
        done += 1
    assert done == len(checks)


def test_choosing_a_check_brings_what_it_needs() -> None:
    assert [check.name for check in runner.chosen(["emulator"])] == ["engine", "images", "emulator"]


def test_what_takes_too_long_runs_with_everything_or_by_its_name() -> None:
    thorough = {check.name for check in runner.CHECKS if check.thorough}
    assert "versions-all" in thorough
    assert {check.name for check in runner.chosen([])} == set(runner.BY_NAME) - thorough
    assert runner.chosen([], everything=True) == runner.CHECKS
    assert [check.name for check in runner.chosen(["versions-all"])] == ["engine", "images", "versions-all"]


LEFT_OUT = re.compile(r"mark\.thorough|\bsampled\(|\bpairs\(")


def test_what_make_test_leaves_out_is_run_by_make_test_all() -> None:
    commands = [command for check in runner.CHECKS for command in check.commands if command[-2:] == ["-m", "thorough"]]
    places = [ROOT / word for command in commands for word in command if "tests" in word]
    left_out = [file for file in tracked("tests/*/test_*.py", "emulator/tests/*") if LEFT_OUT.search(file.read_text())]
    assert len(left_out) > 40
    assert [file for file in left_out if not any(file.is_relative_to(place) for place in places)] == []


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(runner.UnknownCheck, match=r"No such check: unti\. There are: engine, .*unit"):
        runner.chosen(["unti"])


def test_the_closing_line_sums_up() -> None:
    check = runner.Check("a", [])
    results = [
        runner.Result(check, "ok", runner.Counts(7, 0), 1.0),
        runner.Result(check, "FAILED", runner.Counts(2, 3), 1.0),
    ]
    assert runner.summary(results, 2.0).splitlines()[-1] == "9 passed, 3 failed"


def test_the_tests_that_failed_are_named_at_the_end(run_checks, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_checks(runner.Check("one", [command(1, PYTEST_OUTPUT)], count=runner.pytest_counts))["one"]
    monkeypatch.undo()
    assert "one: FAILED tests/test_a.py::test_b" in runner.summary([result], 1.0).splitlines()


def of_the_shared_cluster(path: Path) -> bool:
    """Whether a test or a fixture of a file takes the fixture cluster of tests/integration, and not one of its own."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    if any(function.name == "cluster" for function in functions):
        return False
    takes = [function for function in functions if "cluster" in {argument.arg for argument in function.args.args}]
    return any(one.name.startswith("test_") or "fixture" in map(ast.unparse, one.decorator_list) for one in takes)


def test_all_tests_of_the_shared_cluster_are_in_one_check() -> None:
    """Another check may run beside it, and would make a cluster with the same names and ports."""
    there = {f"tests/integration/{path.parent.name}" for path in INTEGRATION if of_the_shared_cluster(path)}
    assert there - set(runner.ROLLOUTS) == set()
    assert "tests/integration/reshard" in there


SINGLE_INSTANCE = re.compile(r"""(?:WA_APP_MULTICONNECT["']?[:=] ?["']?0|WACORE_HOSTNAME|["']wacore["'])""")


def test_what_starts_a_single_instance_has_the_engine_for_itself() -> None:
    """Any playbook that runs beside one refuses (SINGLE_CONNECT_RUNNING), whatever cluster it is for."""
    alone = [ROOT / path for path in runner.UNMANAGED]
    starting = [
        path
        for path in sorted((ROOT / "emulator" / "tests" / "cluster").glob("test_*.py")) + INTEGRATION
        if SINGLE_INSTANCE.search(path.read_text())
    ]
    assert starting, "otherwise nothing is looked for"
    elsewhere = [path for path in starting if not any(path.is_relative_to(one) for one in alone)]
    # Those of site.yml have test hosts, with engines of their own.
    assert [path for path in elsewhere if path.parent.name != "site"] == []
