# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is killed, paused and cut at random every few seconds, while the probe sends.

    .venv/bin/python tests/chaos/emulator_soak.py [--minutes 30] [--seed N] [--divisor 10] [--reshard 40]

With --reshard the number of shards is set to another one every so many seconds, in the middle of all that. The seed
decides what happens to whom; it is printed. Exit code 1 when a message that got a 201 was lost or came twice,
the number was banned, or the cluster is not healthy at the end. Needs the images of emulator/build.py.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import Counter

from ansible_collections.waent.fleet.tests.chaos.attempts import Wrong, attempt
from ansible_collections.waent.fleet.tests.chaos.ledger import Conditions, Ledger, Suite
from ansible_collections.waent.fleet.tests.support.emulator_rig import ACCOUNT, CERT, Failed, Rig
from docker.errors import APIError
from waemu.probe import Probe, table

SHARDS, COREAPPS, MASTERS, WEBAPPS = 4, 6, 2, 2
LONGEST_AWAY = 60.0  # product seconds that a node stays killed, paused or cut off
QUIET = (1.0, 4.0)  # real seconds between two mishaps
COUNTS = (1, 2, 4)  # two standbys at least
ACTIONS = ("kill", "restart", "pause", "cut", "network")


class Soak:
    """One run."""

    def __init__(self, rig: Rig, seed: int, reshard: float = math.inf) -> None:
        """reshard: real seconds from one set-shards to the next."""
        self.rig, self.random = rig, random.Random(seed)
        self.reshard_every, self.reshard_at, self.shards = reshard, time.monotonic() + reshard, SHARDS
        self.back: dict[str, tuple[float, str]] = {}  # node: when it comes back, and from what
        self.done: Counter[str] = Counter()

    def mishap(self) -> None:
        """Something happens to a coreapp, seldom to a master."""
        nodes = [
            kind for kind in self.rig.containers if kind.startswith(("coreapp", "master")) and kind not in self.back
        ]
        weights = [1.0 if kind.startswith("coreapp") else 0.5 for kind in nodes]
        kind = self.random.choices(nodes, weights)[0]
        action = self.random.choice(ACTIONS)
        away = self.random.uniform(1.0, LONGEST_AWAY) / self.rig.divisor
        if len(self.back) >= COREAPPS // 2:
            return
        print(f"  {time.strftime('%H:%M:%S')} {action} {kind} for {away:.1f} s", flush=True)
        try:
            self.do(action, kind, away)
        except APIError as error:  # a busy kernel does not always freeze a container
            print(f"  {time.strftime('%H:%M:%S')} the engine refused: {error.explanation}", flush=True)
            return
        self.done[action] += 1
        if action not in ("restart", "cut"):
            self.back[kind] = (time.monotonic() + away, action)

    def do(self, action: str, kind: str, away: float) -> None:
        """One mishap to one node. Raises APIError."""
        container = self.rig.containers[kind]
        if action == "kill":
            container.kill()
        elif action == "restart":
            container.restart(timeout=0)
        elif action == "pause":
            container.pause()
        elif action == "cut":
            self.rig.admin("POST", "/cuts", {"node": f"{kind}:{kind}", "seconds": away * self.rig.divisor})
        else:
            self.rig.network.disconnect(container, force=True)

    def reshard(self) -> None:
        """Set another number of shards, whether or not the cluster is fit for it: it may refuse, or not answer."""
        shards = self.random.choice([count for count in COUNTS if count != self.shards])
        status, _ = self.rig.api("POST", "/account/shards", {**ACCOUNT, "shards": shards, "cert": CERT})
        print(f"  {time.strftime('%H:%M:%S')} {shards} shards: {status or 'no answer'}", flush=True)
        if status == 201:
            self.shards = shards
            self.done["set-shards"] += 1
        self.reshard_at = time.monotonic() + self.reshard_every

    def bring_back(self, *, everybody: bool = False) -> None:
        """What has been away long enough."""
        for kind, (at, action) in list(self.back.items()):
            if not everybody and time.monotonic() < at:
                continue
            container = self.rig.containers[kind]
            if action == "kill":
                container.start()
            elif action == "pause":
                container.unpause()
            else:
                self.rig.network.connect(container, aliases=[kind])
            del self.back[kind]

    def run(self, seconds: float) -> None:
        """Until the time is over; everybody is back then."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if time.monotonic() >= self.reshard_at:
                self.reshard()
            self.mishap()
            pause = time.monotonic() + self.random.uniform(*QUIET)
            while time.monotonic() < pause:
                self.bring_back()
                time.sleep(0.1)
        self.bring_back(everybody=True)


def healthy(rig: Rig) -> bool:
    """Every shard has one owner, one master is primary, everybody else stands by."""
    nodes = rig.nodes().values()
    states = Counter((node.get("role"), node.get("gateway_status")) for node in nodes)
    return states == {
        ("coreapp", "connected"): SHARDS,
        ("coreapp", "disconnected"): COREAPPS - SHARDS,
        ("primary_master", "connected"): 1,
        ("secondary_master", "disconnected"): MASTERS - 1,
    }


def soak_once(minutes: float, seed: int, divisor: float, reshard: float = math.inf, rate: float = 20.0) -> str:
    """Play one; what happened. Raises Wrong when a message was lost or came twice, or the cluster did not recover."""
    with Rig("soak", divisor=divisor) as rig:
        try:
            rig.start(masters=MASTERS, coreapps=COREAPPS, webapps=WEBAPPS)
            rig.register()
            rig.set_shards(SHARDS)
            soak = Soak(rig, seed, reshard)
            with Probe(rig.options(rate=rate, seconds=minutes * 60 + 300, settle=60.0)) as probe:
                soak.run(minutes * 60)
                if soak.done["set-shards"]:
                    rig.set_shards(SHARDS)
                recovered = rig.until("healthy again", lambda: healthy(rig), 120)
                time.sleep(2)
        except (Failed, APIError) as error:
            raise Wrong(f"{error} (seed {seed})\n{logs(rig, 15)}") from error
        report = probe.report
        if not report.ok:
            raise Wrong(f"seed {seed}: {dict(soak.done)}\n{table(report)}\n{logs(rig, 400)}")
    return f"{dict(soak.done)}; healthy again after {recovered:.1f} s; {report.accepted} accepted\n{table(report)}"


def logs(rig: Rig, lines: int) -> str:
    """What every container said last."""
    found = {kind: container.logs(tail=lines).decode(errors="replace") for kind, container in rig.containers.items()}
    return "\n".join(f"--- {kind}\n{said}" for kind, said in found.items())


CASES = {
    **{f"10 minutes, seed {seed}": (10.0, seed, math.inf) for seed in (1, 2, 3)},
    **{f"7 minutes with set-shards every 25 s, seed {seed}": (7.0, seed, 25.0) for seed in (1, 2)},
}


def work(ledger: Ledger, conditions: Conditions) -> None:
    """Each with a cluster of its own."""
    for name in ledger.left:
        if conditions.over:
            return
        minutes, seed, reshard = CASES[name]
        attempt(ledger, name, soak_once, minutes, seed, conditions.divisor, reshard)


SUITE = Suite("emulator_soak", "an emulated cluster with kills, pauses and cuts at random", work, list(CASES))


def main() -> int:
    """One soak as it is asked for; exit 1 when it went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--divisor", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--reshard", type=float, default=math.inf, help="seconds from one set-shards to the next")
    given = parser.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    try:
        print(soak_once(given.minutes, seed, given.divisor, given.reshard, given.rate))
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
