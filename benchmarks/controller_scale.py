"""What a run costs the controller by the number of hosts, on hosts that there are not: they answer at once.

The figures are the controller's alone. Seconds and CPU seconds hold for a quiet machine; ratios, of the cost per host
beside that of the fewest hosts of the same run, hold on any. Needs no Docker Engine.

    .venv/bin/python benchmarks/controller_scale.py [--hosts 20,100,300,1000] [--small]

Runs site.yml --check on bare hosts, on installed ones and where one node differs, site.yml again where all is as
desired, and status.yml. Prints seconds, CPU seconds, the largest process's memory, and what is counted without a clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import environment
from ansible_collections.waent.fleet.tests.support.pretend_hosts import BARE, CHANGED, INSTALLED, PretendFleet

SMALL = (5, 10)
RUNS: dict[str, tuple[str, list[str]]] = {
    "site --check, bare": (BARE, ["playbooks/site.yml", "--check"]),
    "site --check, installed": (INSTALLED, ["playbooks/site.yml", "--check"]),
    "site --check, one changed": (CHANGED, ["playbooks/site.yml", "--check"]),
    "site again": (INSTALLED, ["playbooks/site.yml"]),
    "status": (INSTALLED, ["playbooks/status.yml"]),
}


class Cost(t.NamedTuple):
    """Of one run. memory_mb: of the largest process. The others: as PretendFleet counts them."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    processes: int
    sent: int
    memory: int
    variables: int
    templatings: int


def measure(count: int, state: str, arguments: list[str], forks: int, *, counting: bool) -> Cost:
    """One run. counting: costs time itself, so that times are taken without it."""
    with tempfile.TemporaryDirectory() as home, PretendFleet(Path(home), count) as fleet:
        fleet.be(state)
        variables = fleet.environment
        if not counting:
            del variables["ANSIBLE_CALLBACKS_ENABLED"]
        log = Path(home, "log")
        begin = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["ansible-playbook", "--forks", str(forks), *arguments, *fleet.arguments],
                cwd=ROOT, env=environment(**variables), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
            _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit("{0} on {1} hosts failed:\n{2}".format(" ".join(arguments), count, log.read_text()[-4000:]))
        counts = (
            fleet.counts()
            if counting
            else dict.fromkeys(("processes", "sent", "memory", "variables", "templatings"), 0)
        )
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, **counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="20,100,300,1000", help="numbers of hosts, with commas")
    parser.add_argument("--only", help="runs whose names hold this")
    parser.add_argument("--forks", type=int, default=25)
    parser.add_argument("--small", action="store_true", help="a few hosts, counted as well")
    given = parser.parse_args()
    sizes = SMALL if given.small else tuple(int(number) for number in given.hosts.split(","))
    print(
        f"{'':26}{'hosts':>6}{'s':>8}{'CPU s':>8}{'MB':>6}{'CPU s/host':>12}{'ratio':>7}"
        + (f"{'processes':>11}{'variables':>11}{'templatings':>13}" if given.small else "")
    )
    for name, (state, arguments) in RUNS.items():
        if given.only and given.only not in name:
            continue
        fewest = None
        for count in sizes:
            cost = measure(count, state, arguments, given.forks, counting=given.small)
            each = cost.cpu_seconds / count
            fewest = fewest or each
            print(
                f"{name:26}{count:6}{cost.seconds:8.1f}{cost.cpu_seconds:8.1f}{cost.memory_mb:6.0f}{each:12.3f}"
                f"{each / fewest:7.2f}"
                + (f"{cost.processes:11}{cost.variables:11}{cost.templatings:13}" if given.small else ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
