"""How long site.yml takes on one machine, fresh and again, beside the plain way: docker-compose and curl by hand.

Both ways use the same images, start from nothing (no container, network, volume) and end in the same state: the number
registered, one coreapp connected, three core nodes standing by. Again is a second run of each on what the first one
made: `docker-compose up -d`, and site.yml. Needs what `make demo` prepares.

    .venv/bin/python benchmarks/site_vs_compose.py [--rounds 3]

Beside them an empty play, and site.yml as far as it is read before anything is done: what Ansible takes by itself.

Prints seconds of every round, medians, both ratios, CPU seconds, the number of tasks, and each container's peak memory.
Other work on the machine changes seconds, and CPU seconds by some tenths; so what counts are ratios of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import docker
from ansible_collections.waent.fleet.tests.support.plain_api import PlainApi

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ["docker-compose", "-p", "waentbench", "-f", str(ROOT / "benchmarks/compose/multiconnect-compose.yml")]
PLAYBOOK = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/local"]
PASSWORD = "Bench-Password-1"
POLL_SECONDS = 0.25


def by_hand() -> None:
    """The documented steps after `up`: log in with a new password, request a code, verify, check health."""
    api = PlainApi("https://127.0.0.1:9090", POLL_SECONDS)
    api.log_in(PASSWORD)
    api.register({"cc": "1", "phone_number": "5550100200", "method": "sms", "cert": "ZGVtbw=="})
    api.until("healthy cluster", lambda: healthy(api.health()))


def healthy(nodes: t.Sequence[t.Mapping[str, t.Any]]) -> bool:
    """One shard: one coreapp connected, three other core nodes disconnected (reference of the product, health)."""
    states = sorted((n.get("role", "").rpartition("_")[2], n.get("gateway_status")) for n in nodes)
    return states == [
        ("coreapp", "connected"),
        ("coreapp", "disconnected"),
        ("master", "disconnected"),
        ("master", "disconnected"),
    ]


class Cost(t.NamedTuple):
    """What something took: seconds, and seconds of computing in the programs it started, the engine apart."""

    seconds: float
    cpu: float


def timed(action: t.Callable[[], t.Any]) -> tuple[Cost, t.Any]:
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - begin, cpu), result


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit("{0} failed:\n{1}\n{2}".format(" ".join(command), done.stdout[-3000:], done.stderr[-3000:]))
    return done.stdout


def compose_round() -> tuple[Cost, Cost]:
    """From nothing to the end state, and once more."""

    def up() -> None:
        run([*COMPOSE, "up", "-d"], WA_API_VERSION="2.19.4")

    def work() -> None:
        up()
        by_hand()

    fresh, _ = timed(work)
    again, _ = timed(up)
    run([*COMPOSE, "down", "-v", "-t", "5"], WA_API_VERSION="2.19.4")
    return fresh, again


def nothing(home: Path) -> None:
    """The least that ansible-playbook can be asked for."""
    play = home / "nothing.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": []}]))
    run([*PLAYBOOK, str(play)])


def uninstall() -> None:
    everything = ("-e", "wa_remove_data=true", "-e", "wa_remove_database=waentDatabase")
    run([*PLAYBOOK, "playbooks/uninstall.yml", "-e", "confirm=yes", *everything])


class Tasks(t.NamedTuple):
    """How many tasks a run had, and how many of them changed something."""

    run: int
    changed: int


def site() -> tuple[Cost, Tasks]:
    """One run; the tasks are those of the one host."""
    cost, output = timed(lambda: run([*PLAYBOOK, "playbooks/site.yml"]))
    recap = re.search(r"wa-local\s+: ok=(\d+)\s+changed=(\d+)", output)
    if recap is None:
        sys.exit("site.yml printed no recap:\n" + output[-2000:])
    return cost, Tasks(int(recap.group(1)), int(recap.group(2)))


def peak_memory_mb() -> dict[str, float]:
    """Peak of each running container of the demo since its start, from its control group."""
    peaks = {}
    for container in docker.from_env().containers.list(filters={"label": "waent.fleet.cluster"}):
        for pattern in (
            "/sys/fs/cgroup/memory/docker/{0}/memory.max_usage_in_bytes",
            "/sys/fs/cgroup/system.slice/docker-{0}.scope/memory.peak",
        ):
            path = Path(pattern.format(container.id))
            if path.exists():
                peaks[container.name] = int(path.read_text()) / 1e6
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    uninstall()
    costs: dict[str, list[Cost]] = {}

    def note(name: str, cost: Cost) -> None:
        costs.setdefault(name, []).append(cost)
        print("{0}: {1:.1f} s, {2:.1f} CPU s".format(name, *cost), flush=True)

    for number in range(1, rounds + 1):
        print("round {0}".format(number))
        for name, cost in zip(("compose fresh", "compose again"), compose_round()):
            note(name, cost)
        cost, tasks = site()
        note("site fresh", cost)
        peaks = peak_memory_mb()
        cost, tasks_again = site()
        note("site again", cost)
        if tasks_again.changed:
            sys.exit("The second run changed {0} things; it must change none.".format(tasks_again.changed))
        cost, _ = timed(lambda: run([*PLAYBOOK, "playbooks/status.yml"]))
        note("status", cost)
        with tempfile.TemporaryDirectory() as home:
            cost, _ = timed(lambda: nothing(Path(home)))
        note("an empty play", cost)
        cost, _ = timed(lambda: run([*PLAYBOOK, "playbooks/site.yml", "--syntax-check"]))
        note("site read", cost)
        uninstall()
    report(costs, tasks, tasks_again)
    for name, peak in sorted(peaks.items()):
        print("peak memory of {0}: {1:.0f} MB".format(name, peak))


def report(costs: t.Mapping[str, t.Sequence[Cost]], tasks: Tasks, tasks_again: Tasks) -> None:
    """Medians of all rounds, and what they are beside each other."""
    medians = {name: Cost(*map(statistics.median, zip(*found))) for name, found in costs.items()}
    print("medians")
    for name, cost in medians.items():
        print("{0}: {1:.1f} s, {2:.1f} CPU s".format(name, *cost))
    for way in ("fresh", "again"):
        ratio = medians["site " + way].seconds / medians["compose " + way].seconds
        print("site {0} beside compose {0}: {1:.2f}".format(way, ratio))
    for name in ("an empty play", "site read"):
        print(
            "{0} beside compose again: {1:.2f}".format(name, medians[name].seconds / medians["compose again"].seconds)
        )
    print("tasks: {0} fresh, {1} again".format(tasks.run, tasks_again.run))


if __name__ == "__main__":
    main()
