"""What the proof of a media share costs the controller by the number of hosts, on hosts that there are not.

They answer at once, as hosts on which the share is mounted and sound; what they cost is no part of it. Needs no Docker
Engine. With --silent: how long it takes from the command until a server is reported that takes connections and answers
nothing; the hosts wait for it as real ones do, each with a connection of its own.

    .venv/bin/python benchmarks/media_proof.py [--hosts 2,10,40] [--forks 25] [--silent]
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import sys
import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.pretend_hosts import INSTALLED, PretendFleet

PLAYBOOK = "tests/integration/media/playbooks/role.yml"
SHARE = {"server": "nas-1.example.com", "export": "/media", "path": "/srv/media"}


def seconds(count: int, forks: int) -> tuple[float, float]:
    """Of one run of the role, in which nothing is to be mounted: by the clock, and of the CPU."""
    with tempfile.TemporaryDirectory() as home, PretendFleet(Path(home), count) as fleet:
        fleet.be(INSTALLED)
        given = json.dumps({"wa_media_share": SHARE, "wa_media": SHARE["path"]})
        before = _cpu_seconds()
        run = fleet.play(PLAYBOOK, "--forks", str(forks), "-e", given)
        if run.code != OK:
            sys.exit("on {0} hosts:\n{1}".format(count, run.output[-4000:]))
        return run.seconds, _cpu_seconds() - before


OPERATIONS = (("site.yml",), ("upgrade.yml", "-e", "version=v2.19.7"))
"""All hosts read the share first, or one queries its server."""


def seconds_of_silence(count: int, forks: int) -> dict[str, tuple[float, float]]:
    """Of each operation, until it has said that the server does not answer: by the clock, and of the CPU.

    The nodes have it mounted.
    """
    found = {}
    with tempfile.TemporaryDirectory() as home, PretendFleet(Path(home), count) as fleet, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        # The kernel takes the connections, and nobody ever answers.
        server.listen(4 * count)
        fleet.be(INSTALLED, share_opts=["vers=4.2", "hard", "timeo=150"], silent_port=server.getsockname()[1])
        given = json.dumps({"wa_media_share": SHARE, "wa_media": SHARE["path"]})
        for playbook, *arguments in OPERATIONS:
            before = _cpu_seconds()
            run = fleet.play("playbooks/" + playbook, "--forks", str(forks), "-e", given, *arguments)
            if run.code != FAILED or set(run.codes) != {"MEDIA_SHARE_NO_ANSWER"}:
                sys.exit("{0} on {1} hosts:\n{2}".format(playbook, count, run.output[-4000:]))
            found[playbook] = (run.seconds, _cpu_seconds() - before)
    return found


def _cpu_seconds() -> float:
    """Of all processes that have ended until now."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="2,10,40", help="numbers of hosts, with commas")
    parser.add_argument("--forks", type=int, default=25)
    parser.add_argument("--silent", action="store_true", help="until a server that is gone is reported")
    given = parser.parse_args()
    for count in map(int, given.hosts.split(",")):
        if given.silent:
            for playbook, (clock, cpu) in seconds_of_silence(count, given.forks).items():
                print("{0:4} hosts: {1} {2:.1f} s, {3:.1f} CPU s".format(count, playbook, clock, cpu))
            continue
        clock, cpu = seconds(count, given.forks)
        print("{0:4} hosts: {1:.1f} s, {2:.1f} CPU s, {3:.2f} CPU s per host".format(count, clock, cpu, cpu / count))


if __name__ == "__main__":
    main()
