"""What the proof of a media share costs the controller by the number of hosts, on hosts that there are not.

They answer at once, as hosts on which the share is mounted and sound; what they cost is no part of it. Needs no Docker
Engine. How long it takes until a server that is gone is reported: tests/integration/media.

    .venv/bin/python benchmarks/media_proof.py [--hosts 2,10,40] [--forks 25]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
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


def _cpu_seconds() -> float:
    """Of all processes that have ended until now."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="2,10,40", help="numbers of hosts, with commas")
    parser.add_argument("--forks", type=int, default=25)
    given = parser.parse_args()
    for count in map(int, given.hosts.split(",")):
        clock, cpu = seconds(count, given.forks)
        print("{0:4} hosts: {1:.1f} s, {2:.1f} CPU s, {3:.2f} CPU s per host".format(count, clock, cpu, cpu / count))


if __name__ == "__main__":
    main()
