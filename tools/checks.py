# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the project's checks: C(make test), or C(make test CHECKS="ruff unit") for some; C(make test-all) for all.

Three checks run at a time, two at most with clusters on the machine's own engine: those mostly wait for them, so that
one which computes, or works on test hosts, fits beside them. One whose containers would stop the playbooks of others
has the engine for itself. Each writes its whole output to .cache/test-logs/NAME.log. At the end stand the tests that
failed, a table and one line, C(N passed, N failed), which counts the single tests; a check without countable tests
counts as one. The exit code is 0 when nothing failed.
"""

from __future__ import annotations

import argparse
import locale
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "test-logs"
TOOLS = Path(sys.executable).parent
AT_A_TIME = 3
ON_THE_ENGINE_AT_A_TIME = 2
SIGN_OF_LIFE_SECONDS = 20
TAIL_LINES = 60


class Counts(t.NamedTuple):
    """Single tests of one check."""

    passed: int
    failed: int
    skipped: int = 0


# --- counting ---------------------------------------------------------------------------------------------------------

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PYTEST_SUMMARY = re.compile(r"^=+ (.*) in [\d.]+s(?: \([\d:]+\))? =+$", re.MULTILINE)
PYTEST_FAILURE = re.compile(r"^(?:FAILED|ERROR) \S+.*$", re.MULTILINE)
PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed)")
SANITY_RUN = re.compile(r'^Running sanity test "', re.MULTILINE)
SANITY_FAILED = re.compile(r"^FATAL: The (\d+) sanity test\(s\)", re.MULTILINE)


def pytest_counts(output: str) -> Counts:
    """Sums of all closing lines of pytest in the output: a molecule scenario runs it too."""
    sums = dict.fromkeys(("passed", "failed", "error", "skipped", "xfailed", "xpassed"), 0)
    for summary in PYTEST_SUMMARY.findall(output):
        for number, word in PYTEST_COUNT.findall(summary):
            sums[word] += int(number)
    return Counts(sums["passed"] + sums["xfailed"], sums["failed"] + sums["error"] + sums["xpassed"], sums["skipped"])


def sanity_counts(output: str) -> Counts:
    """One per sanity test and Python version that ran."""
    failed = sum(int(number) for number in SANITY_FAILED.findall(output))
    return Counts(len(SANITY_RUN.findall(output)) - failed, failed)


def one_test(output: str) -> Counts:
    """For checks that are one test: the exit code alone counts."""
    del output
    return Counts(0, 0)


# --- the checks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One thing to run.

    commands: run in turn until one fails.
    containers: it runs clusters on the machine's own engine, with names and ports that no other check has.
    alone: it has the engine for itself, as its nodes are of no cluster of ours: every playbook refuses beside them.
    needs: names of checks that must have passed before it starts.
    count: finds the single tests in its output.
    preparation: nothing is tested by it, so that it only counts when it fails.
    environment: variables beyond those of the caller.
    thorough: it takes too long for C(make test), and runs with C(make test-all) or by its name.
    """

    name: str
    commands: list[list[str]]
    containers: bool = False
    alone: bool = False
    needs: tuple[str, ...] = ()
    count: t.Callable[[str], Counts] = one_test
    preparation: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    thorough: bool = False


def python(*arguments: str) -> list[str]:
    """A command for the Python of .venv."""
    return [sys.executable, *arguments]


def pytest(*arguments: str) -> list[str]:
    """A pytest run that ends with what took longest, and the reason of everything that it skipped."""
    return python("-m", "pytest", "--color=no", "-rfEs", "--durations=15", *arguments)


def without(paths: list[str]) -> list[str]:
    """What pytest is given to leave to other checks."""
    return [f"--ignore={path}" for path in paths]


def molecule(name: str, scenario: str, *, thorough: bool = False) -> Check:
    """A scenario of molecule/, on test hosts, which have engines of their own."""
    return Check(
        name,
        [["molecule", "test", "--scenario-name", scenario]],
        # Borders would wrap the line in which pytest prints its counts.
        environment={"MOLECULE_COMMAND_BORDERS": "0"},
        needs=IMAGES,
        count=pytest_counts,
        thorough=thorough,
    )


MYPY_PATH = {"MYPYPATH": os.pathsep.join([str(ROOT / ".collections"), str(ROOT / "emulator" / "src")])}
IMAGES = ("engine", "images")
SCENARIOS = sorted(file.parent.name for file in ROOT.glob("molecule/*/molecule.yml"))

# Playbooks that change a cluster in service, while messages are sent: all tests that share one cluster, whose names and
# ports no other check may use beside it.
SHARING = ("upgrade", "reshard", "drain", "drills", "identity", "instructions")
ROLLOUTS = [f"tests/integration/{name}" for name in SHARING]
# Nodes without a label, as compose files and docker run start them, and instances that are no cluster.
SINGLE = [f"emulator/tests/cluster/test_{name}.py" for name in ("single", "start")]
EMULATOR_UNMANAGED = ["emulator/tests/compose", *SINGLE]
OUR_UNMANAGED = ["tests/integration/adopt", "tests/integration/containers"]
UNMANAGED = [*EMULATOR_UNMANAGED, *OUR_UNMANAGED]
INTEGRATION_ELSEWHERE = ["tests/integration/site", "tests/integration/media", *ROLLOUTS, *UNMANAGED]
DAY = [f"{name}_kills" for name in ("certificates", "rotate", "restore", "uninstall", "adopt")]

SMALL_BENCHMARKS = [
    "benchmarks/emulator_start.py --repetitions 1",
    "benchmarks/emulator_standby.py --repetitions 1",
    "benchmarks/emulator_lightness.py --coreapps 3 --shards 2",
    "benchmarks/emulator_rate.py --rate 20 --seconds 5 --shards 2 --webhook",
    "benchmarks/emulator_failover.py --shards 2 --repetitions 1",
    "benchmarks/controller_scale.py --small",
    "benchmarks/media_proof.py --hosts 2",
]

# In the order in which they start: first what others wait for and what takes long.
CHECKS = [
    Check("engine", [["tools/engine.sh"]], preparation=True),
    Check("images", [python("emulator/build.py", "--postgres")], containers=True, needs=("engine",), preparation=True),
    # Once for the two that need it; apt does not wait for another one that reads its lists.
    Check("haproxy", [["tools/haproxy.sh"]], needs=("engine",), preparation=True),
    # Before the others with clusters, or it would wait for the last of them.
    Check(
        "unmanaged",
        [pytest(*EMULATOR_UNMANAGED), pytest(*OUR_UNMANAGED, "-m", "not thorough")],
        containers=True,
        alone=True,
        needs=IMAGES,
        count=pytest_counts,
    ),
    # On test hosts, which have engines of their own.
    Check("site", [pytest("tests/integration/site", "-m", "not thorough")], needs=IMAGES, count=pytest_counts),
    # Machines with kernels of their own, and what only pretends to be one.
    Check("media", [pytest("tests/integration/media", "-m", "not thorough")], needs=IMAGES, count=pytest_counts),
    Check(
        "integration",
        [pytest("tests/integration", *without(INTEGRATION_ELSEWHERE), "-m", "not thorough")],
        containers=True,
        needs=(*IMAGES, "haproxy"),
        count=pytest_counts,
    ),
    Check(
        "rollouts",
        [pytest(*ROLLOUTS, "-m", "not thorough")],
        containers=True,
        needs=(*IMAGES, "haproxy"),
        count=pytest_counts,
    ),
    # Three minutes by the clock with a cluster that mostly waits: beside the other clusters, not after them.
    Check("soak", [pytest("emulator/tests/cluster", "-m", "soak")], needs=IMAGES, count=pytest_counts),
    Check(
        "cluster",
        [pytest("emulator/tests", *without(UNMANAGED), "-m", "cluster and not soak")],
        containers=True,
        needs=IMAGES,
        count=pytest_counts,
    ),
    # Other releases of ansible-core, in environments that it makes for itself.
    Check(
        "versions",
        [pytest("tests/versions", "-m", "not thorough")],
        containers=True,
        needs=IMAGES,
        count=pytest_counts,
    ),
    Check("sanity", [python("tools/sanity.py")], count=sanity_counts),
    Check("requirements", [python("-m", "pip", "check")]),
    Check("ruff", [["ruff", "check", "--no-cache", "."]]),
    Check(
        "mypy",
        [
            ["mypy", "--cache-dir", ".cache/mypy", "-p", "ansible_collections.waent.fleet.plugins", "-p", "waemu"],
            ["mypy", "--cache-dir", ".cache/mypy", "tools", "emulator/build.py"],
        ],
        environment=MYPY_PATH,
    ),
    Check("yamllint", [["yamllint", "--strict", "."]]),
    Check("changelog", [["antsibull-changelog", "lint"]]),
    Check("ansible-lint", [["ansible-lint", "--nocolor"]]),
    Check("docs", [python("tools/docs.py", "--check")]),
    Check("project", [pytest("tests/project", "-m", "not thorough")], count=pytest_counts),
    Check("unit", [pytest("tests/unit", "-m", "not thorough")], count=pytest_counts),
    # Playbooks against an account on this machine, and what linters say of the templates.
    Check("aws", [pytest("tests/aws", "-m", "not thorough")], count=pytest_counts),
    Check(
        "emulator", [pytest("emulator/tests", "-m", "not cluster and not thorough")], needs=IMAGES, count=pytest_counts
    ),
    # On test hosts as well.
    molecule("molecule", "default"),
    # What make test has no time for, longest first.
    Check(
        "versions-all",
        [pytest("tests/versions", "-m", "thorough")],
        containers=True,
        needs=IMAGES,
        count=pytest_counts,
        thorough=True,
    ),
    Check(
        "integration-all",
        [pytest("tests/integration", "-m", "thorough")],
        containers=True,
        alone=True,
        needs=(*IMAGES, "haproxy"),
        count=pytest_counts,
        thorough=True,
    ),
    Check(
        "units-all",
        [pytest(place, "-m", "thorough") for place in ("tests/unit", "tests/project", "emulator/tests")],
        needs=IMAGES,
        count=pytest_counts,
        thorough=True,
    ),
    # On test hosts.
    Check("aws-all", [pytest("tests/aws", "-m", "thorough")], needs=IMAGES, count=pytest_counts, thorough=True),
    Check("hosts", [pytest("tests/hosts")], needs=IMAGES, count=pytest_counts, thorough=True),
    # What the operator's day has been killed in, each suite with its share of an hour: the first would take all of it.
    # The last one has nodes without a label. The other suites are run by hand, in stretches.
    Check(
        "kills",
        [python("tests/chaos/run.py", "--only", suite, "--minutes", "12") for suite in DAY],
        containers=True,
        alone=True,
        needs=IMAGES,
        thorough=True,
    ),
    *(molecule(f"molecule-{scenario}", scenario, thorough=True) for scenario in SCENARIOS if scenario != "default"),
    # As small as they can be: that they work, not what they measure.
    Check(
        "benchmarks",
        [python(*words.split()) for words in SMALL_BENCHMARKS],
        containers=True,
        needs=IMAGES,
        thorough=True,
    ),
]
BY_NAME = {check.name: check for check in CHECKS}


class UnknownCheck(Exception):
    """A name on the command line that is no check."""


def chosen(names: list[str], *, everything: bool = False) -> list[Check]:
    """The named checks (without a name those of C(make test), or everything) and what they need, in CHECKS' order."""
    unknown = sorted(set(names) - BY_NAME.keys())
    if unknown:
        raise UnknownCheck(f"No such check: {', '.join(unknown)}. There are: {', '.join(BY_NAME)}.")
    selected = set(names) or {check.name for check in CHECKS if everything or not check.thorough}
    for name in list(selected):
        selected.update(BY_NAME[name].needs)
    return [check for check in CHECKS if check.name in selected]


# --- running ----------------------------------------------------------------------------------------------------------


def show(text: str) -> None:
    """One line to the person, or the build log, that waits."""
    print(text, flush=True)


@dataclass
class Result:
    """How a check ended; outcome is C(ok), C(FAILED) or C(not run). failures: a line for each test that failed."""

    check: Check
    outcome: str
    counts: Counts
    seconds: float
    failures: list[str] = field(default_factory=list)


def usable_locale() -> dict[str, str]:
    """What to add to the environment where the locale that it asks for is none that Ansible starts with.

    That is one which this machine does not have (an SSH client sends its own along), or one that is not UTF-8.
    """
    try:
        locale.setlocale(locale.LC_ALL, "")
        if locale.nl_langinfo(locale.CODESET) == "UTF-8":
            return {}
    except locale.Error:
        pass
    return {"LC_ALL": "C.UTF-8"}


class Run:
    """A check that is running: its command at hand, and the log that all its commands write to."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.log = LOGS / f"{check.name}.log"
        self.started = self.heard = time.monotonic()
        self.waiting = list(check.commands)
        self.file = self.log.open("w")
        self.process = self.start_next()
        show(f"  start   {check.name}")

    def start_next(self) -> subprocess.Popen[bytes]:
        """Start the next command in a process group of its own, so that it can be ended with its children."""
        command = self.waiting.pop(0)
        self.file.write(f"$ {' '.join(command)}\n")
        self.file.flush()
        environment = {
            **os.environ,
            **usable_locale(),
            **self.check.environment,
            "PATH": os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)]),
        }
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started

    def poll(self) -> Result | None:
        """Go on to the next command where one ended well; the result once it is over."""
        code = self.process.poll()
        if code is None:
            self.give_sign_of_life()
            return None
        if code == 0 and self.waiting:
            self.process = self.start_next()
            return None
        self.file.close()
        outcome, failures = ("ok", []) if code == 0 else ("FAILED", PYTEST_FAILURE.findall(self.output()))
        return Result(self.check, outcome, self.counts(code), self.seconds(), failures)

    def counts(self, code: int) -> Counts:
        """The counted tests, corrected by the exit code: it knows of failures that no test stands for."""
        passed, failed, skipped = self.check.count(self.output())
        if code != 0 and failed == 0:
            failed = 1
        if code == 0 and passed + failed == 0 and not self.check.preparation:
            passed = 1
        return Counts(passed, failed, skipped)

    def output(self) -> str:
        """All it has said so far, without colours."""
        return COLOUR.sub("", self.log.read_text(errors="replace"))

    def tail(self, lines: int) -> list[str]:
        """The last lines of its output that are not empty."""
        return [line for line in self.output().splitlines() if line.strip()][-lines:]

    def give_sign_of_life(self) -> None:
        """Report every now and then what a long check is at."""
        if time.monotonic() - self.heard < SIGN_OF_LIFE_SECONDS:
            return
        self.heard = time.monotonic()
        last = "".join(self.tail(1))
        show(f"  ...     {self.check.name} {self.seconds():.0f} s: {last[:100]}")

    def end(self) -> None:
        """End it and its children, giving them the time to clean up."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def report(run: Run, result: Result) -> None:
    """Report how a check ended; the end of its log where it failed."""
    skipped = f", {result.counts.skipped} skipped" if result.counts.skipped else ""
    show(f"  {result.outcome:<7} {result.check.name} {result.seconds:.1f} s{skipped}")
    if result.outcome != "ok":
        for line in run.tail(TAIL_LINES):
            show(f"          | {line}")


class Schedule:
    """Which check may start: what it needs has passed, and there is room for it."""

    def __init__(self, checks: list[Check]) -> None:
        self.waiting = list(checks)
        self.running: list[Run] = []
        self.results: dict[str, Result] = {}

    def drop_hopeless(self) -> None:
        """Checks whose need has failed cannot run; that counts as failed."""
        for check in list(self.waiting):
            missing = [n for n in check.needs if n in self.results and self.results[n].outcome != "ok"]
            if missing:
                self.waiting.remove(check)
                self.results[check.name] = Result(check, "not run", Counts(0, 1), 0.0)
                show(f"  not run {check.name}: needs {missing[0]}")

    def start_what_fits(self) -> None:
        """Start in order; a check that must wait lets the others pass."""
        for check in list(self.waiting):
            ready = all(n in self.results for n in check.needs)
            if ready and self.has_room_for(check):
                self.waiting.remove(check)
                self.running.append(Run(check))

    def has_room_for(self, check: Check) -> bool:
        """Whether fewer than may run do, on the engine too, where nobody has that for himself."""
        if len(self.running) >= AT_A_TIME:
            return False
        there = [run.check for run in self.running if run.check.containers]
        if not check.containers or not there:
            return True
        alone = check.alone or any(other.alone for other in there)
        return not alone and len(there) < ON_THE_ENGINE_AT_A_TIME

    def collect(self) -> None:
        """Take the results of what has ended."""
        for run in list(self.running):
            result = run.poll()
            if result:
                self.running.remove(run)
                self.results[run.check.name] = result
                report(run, result)

    def work(self) -> None:
        """Run everything; on an interruption nothing is left running."""
        try:
            while self.waiting or self.running:
                self.drop_hopeless()
                self.start_what_fits()
                time.sleep(0.1)
                self.collect()
        finally:
            for run in self.running:
                run.end()


def summary(results: list[Result], seconds: float) -> str:
    """The tests that failed, the table of all checks, and the closing line."""
    failures = [f"{result.check.name}: {line}" for result in results for line in result.failures]
    lines = [
        *([""] if failures else []),
        *failures,
        "",
        f"{'check':<18}{'result':<9}{'passed':>7}{'failed':>7}{'skipped':>8}{'seconds':>9}",
    ]
    for result in results:
        passed, failed, skipped = result.counts
        lines.append(
            f"{result.check.name:<18}{result.outcome:<9}{passed:>7}{failed:>7}{skipped:>8}{result.seconds:>9.1f}"
        )
    lines.append(f"whole output: {LOGS.relative_to(ROOT)}/, all of it took {seconds:.0f} s")
    lines.append(f"{sum(r.counts.passed for r in results)} passed, {sum(r.counts.failed for r in results)} failed")
    return "\n".join(lines)


def terminate(_signum: int, _frame: t.Any) -> t.NoReturn:
    """A polite request to end is answered as control-C is."""
    raise KeyboardInterrupt


def main() -> int:
    """Returns the process's exit code: 0 when all passed, 1 when something failed, 2 for an unknown name."""
    parser = argparse.ArgumentParser(description="Runs the project's checks.")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="names of checks; without, those of make test")
    parser.add_argument("--all", action="store_true", help="also the checks that take too long for make test")
    parser.add_argument("--list", action="store_true", help="only show the names")
    options = parser.parse_args()
    if options.list:
        show("\n".join(BY_NAME))
        return 0
    try:
        checks = chosen(options.checks, everything=options.all)
    except UnknownCheck as problem:
        print(problem, file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, terminate)
    started = time.monotonic()
    schedule = Schedule(checks)
    try:
        schedule.work()
    except KeyboardInterrupt:
        show("interrupted")
        return 130
    results = [schedule.results[check.name] for check in checks]
    show(summary(results, time.monotonic() - started))
    return 1 if any(result.outcome != "ok" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
