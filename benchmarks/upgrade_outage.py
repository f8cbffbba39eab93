"""How long each shard is without service while the version changes: upgrade.yml beside the documented way, by hand.

The same nodes (those of three racks: 6 coreapps, 3 masters, 3 webapps, 4 shards) at the product's own times, behind
the same HAProxy, with 20 messages a second sent through it all the time. Documented: change the tag in the compose
file, `up` again. A shard is out from the first message that got no 201 to the next that did; the ledger shows what
was lost.

    .venv/bin/python benchmarks/upgrade_outage.py [--only compose|upgrade] [--results FILE]

Needs docker-compose 1.29, haproxy, and what `make demo` prepares. Each way takes about five minutes. With --results the
figures of one are kept, and compared with those of the other when that has its turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.balancer import Balancer
from ansible_collections.waent.fleet.tests.support.emulator_rig import DATABASE, GATEWAY, MARIADB, START, Rig
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OLD, LiveCluster, Shape
from docker.errors import NotFound
from waemu.probe import Probe, Report, table

COUNTS = {"webapp": 3, "master": 3, "coreapp": 6}
SHARDS = 4
RATE = 20
CALM_SECONDS = 10
MOST_RATIO, MOST_MEDIAN_SECONDS = 0.3, 12
SHAPE = Shape(
    "upgo", 24000, SHARDS, 1, webapps=COUNTS["webapp"], masters=COUNTS["master"], coreapps=COUNTS["coreapp"],
    groups=("haproxy",),
)  # fmt: skip
COMPOSE_PORT = 24490


class ComposeRig(Rig):
    """The same nodes in the published compose file's manner; its containers come and go by docker-compose."""

    def __init__(self, home: Path) -> None:
        super().__init__("outage")
        self.file = home / "compose.json"

    def compose(self, version: str, *arguments: str) -> None:
        """Write the file with this version in it, and run docker-compose. Raises CalledProcessError."""
        self.file.write_text(json.dumps(self.services(version)))
        command = ["docker-compose", "-p", self.name, "-f", str(self.file), *arguments]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        for name in self.services(version)["services"]:
            self.containers[name] = self.engine.containers.get(f"{self.name}_{name}_1")

    def services(self, version: str) -> dict[str, t.Any]:
        """Database, webapps, masters, coreapps, which wait for each other as in the published file."""
        names = {kind: [f"{kind}{n}" for n in range(1, count + 1)] for kind, count in COUNTS.items()}
        webapps, masters, coreapps = ([n.replace("webapp", "web") for n in names[kind]] for kind in COUNTS)
        secret = {"MYSQL_ROOT_PASSWORD": "testpass"}
        made: dict[str, t.Any] = {
            "db": {"image": MARIADB, "environment": secret, "command": ["--max-connections=2000"]}
        }
        for number, name in enumerate(webapps):
            key = {"WA_WEB_JWT_CRYPTO_KEY": "one-key-for-all-webapps-of-it"}
            made[name] = self._service("web", version, name, ["db"], key)
            made[name]["ports"] = [f"127.0.0.1:{COMPOSE_PORT + number}:443"]
        for name in masters:
            made[name] = self._service("coreapp", version, name, webapps, {"WA_MASTER_NODE": "1"})
        for name in coreapps:
            made[name] = self._service("coreapp", version, name, masters[:1], {})
        return {"version": "3.5", "services": made, "networks": {"default": {"external": True, "name": self.name}}}

    def _service(self, image: str, version: str, name: str, after: list[str], more: dict[str, str]) -> dict[str, t.Any]:
        given = {**DATABASE, "COREAPP_HOSTNAME": name, "WAEMU_GATEWAY_URL": "http://gateway:5222", **more}
        restart = {"restart": "unless-stopped"} if image == "coreapp" else {}
        return {
            "image": f"docker.whatsapp.biz/{image}:{version}",
            "command": START,
            "environment": given,
            "hostname": name,
            "depends_on": after,
            **restart,
        }

    def remove_services(self) -> None:
        """All that docker-compose made."""
        for name in list(self.services(OLD)["services"]):
            try:
                self.containers[name] = self.engine.containers.get(f"{self.name}_{name}_1")
            except NotFound:
                self.containers.pop(name, None)


def documented(home: Path) -> Report:
    """Change the tag, `up` again."""
    servers = {f"web{n}": f"127.0.0.1:{COMPOSE_PORT + n}" for n in range(COUNTS["webapp"])}
    balancer = Balancer(home, servers)
    try:
        with ComposeRig(home) as rig:
            try:
                rig.run("gateway", GATEWAY, {})
                rig.compose(OLD, "up", "-d")
                rig.register()
                rig.set_shards(SHARDS)
                with Probe(replace(rig.options(rate=RATE, seconds=900), webapps=(balancer.url,))) as probe:
                    time.sleep(CALM_SECONDS)
                    rig.compose(NEW, "up", "-d")
                    rig.until("owners again", lambda: len(rig.owners()) == SHARDS + 1, 300)
                    time.sleep(CALM_SECONDS)
                return probe.report
            finally:
                rig.remove_services()
    finally:
        balancer.close()


def upgraded(home: Path) -> Report:
    """upgrade.yml."""
    cluster = LiveCluster(home, SHAPE)
    try:
        cluster.start()
        balancer = Balancer(home, cluster.balanced_servers())
        try:
            return measured(cluster, balancer)
        finally:
            balancer.close()
    finally:
        cluster.remove()


def measured(cluster: LiveCluster, balancer: Balancer) -> Report:
    """The upgrade of a cluster that runs behind a balancer."""
    cluster.declare(**balancer.variables)
    with cluster.probe(rate=RATE, webapps=[balancer.url]) as probe:
        time.sleep(CALM_SECONDS)
        run = succeed(cluster.upgrade(NEW))
        print(f"upgrade.yml took {run.seconds:.0f} s")
        time.sleep(CALM_SECONDS)
    return probe.report


def succeed(run: t.Any) -> t.Any:
    """The run, which has to have ended well."""
    if run.code:
        sys.exit(run.output[-6000:])
    return run


def figures(report: Report) -> dict[str, t.Any]:
    """What the two ways are compared by. outages: seconds without service, by shard."""
    outages = {shard.shard: [round(w.seconds, 1) for w in shard.windows] for shard in report.shards}
    every = [seconds for found in outages.values() for seconds in found]
    return {
        "sends": report.sends, "accepted": report.accepted, "failed": report.failed, "lost": len(report.lost),
        "twice": len(report.twice), "bans": len(report.bans), "outages": outages,
        "median": round(statistics.median(every), 1) if every else 0.0,
        "sum": round(sum(every), 1), "errors": report.errors,
    }  # fmt: skip


def shortfalls(found: t.Mapping[str, t.Any]) -> list[str]:
    """What upgrade.yml should have reached and did not."""
    mine = found["upgrade"]
    missed = [f"{mine[name]} messages {name}" for name in ("lost", "twice") if mine[name]]
    if mine["bans"]:
        missed.append(f"{mine['bans']} bans")
    if any(len(windows) > 1 for windows in mine["outages"].values()):
        missed.append("a shard was out more than once")
    if mine["median"] > MOST_MEDIAN_SECONDS:
        missed.append(f"median {mine['median']} s is over {MOST_MEDIAN_SECONDS} s")
    if "compose" in found and mine["sum"] > MOST_RATIO * found["compose"]["sum"]:
        missed.append(f"more than {MOST_RATIO} of the documented way's shard-seconds")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["compose", "upgrade"])
    parser.add_argument("--results", type=Path, help="file that keeps figures between runs")
    options = parser.parse_args()
    found: dict[str, t.Any] = {}
    if options.results and options.results.exists():
        found = json.loads(options.results.read_text())
    for name, way in (("compose", documented), ("upgrade", upgraded)):
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as home:
                report = way(Path(home))
            found[name] = figures(report)
            print(f"\n{name}:\n{table(report)}\n{json.dumps(found[name])}", flush=True)
    if options.results:
        options.results.write_text(json.dumps(found, indent=2))
    if len(found) == 2:
        ratio = found["upgrade"]["sum"] / found["compose"]["sum"]
        print(f"\nshard-seconds: {found['upgrade']['sum']} and {found['compose']['sum']}, ratio {ratio:.2f}")
    missed = shortfalls(found) if "upgrade" in found else []
    print("\n".join(missed) or "as it should be")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
