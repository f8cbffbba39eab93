# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of real containers on this machine's engine, made and changed by the playbooks a user runs.

A gateway beside it is the witness: what it has in its ledger was delivered, and it bans a number with two owners of a
shard. Used by tests, chaos scripts and benchmarks. Everything made carries the prefix, and is removed again.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import ssl
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import docker
import docker.errors
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.engine_ports import run_with_ports
from ansible_collections.waent.fleet.tests.support.killable_runs import (
    KillableRuns,
    Killed,
)
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    OK,
    Run,
    environment,
    play,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE, machine_address
from ansible_collections.waent.fleet.tests.support.valid_variables import SECRETS
from waemu.probe import Options, Probe
from waemu.whatsapp.attempts import MOST_ATTEMPTS

GATEWAY_IMAGE = "waent/gateway:0.1.0"
NODE_KINDS = ("webapp", "master", "coreapp")
CODE = "123456"
OLD, NEW = "v2.19.4", "v2.19.7"
SETTLE_SECONDS = 20.0
PROBE_SECONDS = 7200


class Failed(Exception):
    """A playbook or the cluster did not do what it had to; one sentence, and what was seen."""


class Shape(t.NamedTuple):
    """What to make. divisor: how many times faster than true the product's times run. Ports begin at C(port).

    masters, coreapps: how many, where it is not left to the playbook, which takes two masters and one spare coreapp.
    more: further variables. groups: further groups its host is in. reached: how its host is reached, if not locally.
    database_apart: the database's host is one by itself for the inventory, as that of a larger cluster is.
    """

    prefix: str
    port: int
    shards: int
    divisor: float = 10.0
    max_connections: int = 500
    webapps: int = 2
    masters: int | None = None
    coreapps: int | None = None
    version: str = OLD
    more: t.Mapping[str, t.Any] = {}
    groups: t.Sequence[str] = ()
    reached: t.Mapping[str, t.Any] = {}
    database_apart: bool = False

    @property
    def host(self) -> str:
        """Name of the one host."""
        return self.prefix + "-local"

    @property
    def database_host(self) -> str:
        """Name of the host that has the database: the same one, or one that has nothing else, on this machine too."""
        return self.prefix + "-database" if self.database_apart else self.host

    def host_variables(self) -> dict[str, t.Any]:
        """Of that host."""
        pins = {"wa_webapps": self.webapps, "wa_masters": self.masters, "wa_coreapps": self.coreapps}
        return {
            "ansible_connection": "local",
            "ansible_host": "127.0.0.1",
            "ansible_python_interpreter": sys.executable,
            "rack": "a",
            **{name: count for name, count in pins.items() if count is not None},
            **self.reached,
        }

    def hurry(self) -> dict[str, t.Any]:
        """The waits of upgrade.yml at this speed.

        On a clock that runs ten times as fast a busy machine misses heartbeats for longer than the usual ones allow.
        """
        intervals = {"wa_planned_heartbeat_interval": 3, "wa_planned_unhealthy_interval": 15}
        return {
            "wa_rollout_error_seconds": max(3 / self.divisor, 0.5),
            "wa_planned_wait_seconds": math.ceil(10 / self.divisor),
            **({} if self.divisor == 1 else intervals),
        }

    def variables(self, gateway_port: str) -> dict[str, t.Any]:
        """Of the inventory."""
        database = {
            "wa_db_engine": "MYSQL",
            "wa_db_host": self.prefix + "-db",
            "wa_db_port": 3306,
            "wa_db_username": "root",
            "wa_db_check_host": "127.0.0.1",
            "wa_db_check_port": self.port + 6,
            "wa_database_port": self.port + 6,
            "wa_database_address": "127.0.0.1",
            "wa_database_image": "waent/mariadb:10.11",
            "wa_database_volume": self.prefix + "Database",
            "wa_database_max_connections": self.max_connections,
        }
        number = {
            "wa_cc": "1",
            "wa_phone_number": "5550100244",
            "wa_registration_method": "sms",
            "wa_registration_code": CODE,
        }
        return {
            **SECRETS,
            **database,
            **number,
            **self.hurry(),
            "wa_version": self.version,
            "wa_shards": self.shards,
            "wa_survive": {},
            "wa_name_prefix": self.prefix,
            "wa_cluster_name": self.prefix,
            "wa_network": self.prefix,
            "wa_media": self.prefix + "Media",
            "wa_webapp_port": self.port + 90,
            "wa_coreapp_port": self.port + 250,
            "wa_master_port": self.port + 254,
            "wa_disk_free_mb": 100,
            "wa_validate_certs": False,
            "wa_settings": {"heartbeat_interval": 5, "unhealthy_interval": 30},
            "wa_extra_hosts": {self.host: "host-gateway"},
            "wa_extra_environment": {
                "WAEMU_TIME_DIVISOR": str(self.divisor),
                "WAEMU_GATEWAY_URL": "http://{0}:{1}".format(self.host, gateway_port),
            },
            **self.more,
        }


def published_database(port: int) -> dict[str, t.Any]:
    """The database at an address of this machine, the same for nodes and hosts: it may be taken for somebody else's.

    port: of the cluster's first one, as for Shape.
    """
    address = machine_address(docker.from_env(timeout=120), GATEWAY_IMAGE)
    hosts = dict.fromkeys(("wa_db_host", "wa_db_check_host", "wa_database_address"), address)
    return {**hosts, **dict.fromkeys(("wa_db_port", "wa_db_check_port", "wa_database_port"), port + 6)}


class LiveCluster(KillableRuns):
    """One cluster, from C(start) to C(remove)."""

    def __init__(self, home: Path, shape: Shape) -> None:
        self.home, self.shape = home, shape
        self.engine = docker.from_env(timeout=120)
        self.gateway_url = ""
        self.gateway_port = ""
        self.spoilt = False
        """A test that failed has left it in no known state."""
        self._given: dict[str, t.Any] = {}
        self._lasting: dict[str, t.Any] = {}
        self._token = ""
        self._runs = 0

    # -- making and removing -----------------------------------------------------------------------------------------

    def start(self, shards: int = 0, version: str = "") -> None:
        """Gateway and cluster; what a broken-off run has left goes first. Raises Failed.

        shards, version: those to begin with, where they are not the ones that the inventory says.
        """
        self.prepare(shards, version)
        run = self.play("site.yml")
        if run.code != OK:
            raise Failed("site.yml did not make the cluster:\n" + run.output)
        self.declare(wa_shards=self.shape.shards, wa_version=self.shape.version)

    def prepare(self, shards: int = 0, version: str = "") -> None:
        """Gateway and inventory, and nothing of the cluster. Raises Failed. shards, version: as for C(start)."""
        shape = self.shape._replace(shards=shards or self.shape.shards, version=version or self.shape.version)
        self._token = ""
        self._remove_gateway()
        gateway = run_with_ports(
            self.engine, GATEWAY_IMAGE, name=shape.prefix + "-gateway",
            environment={"WAEMU_TIME_DIVISOR": str(shape.divisor), "WAEMU_REGISTRATION_CODE": CODE},
            ports={"5222/tcp": None, "8080/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        ports = {inside: mapped[0]["HostPort"] for inside, mapped in gateway.ports.items()}
        self.gateway_url = "http://127.0.0.1:" + ports["8080/tcp"]
        self.gateway_port = ports["5222/tcp"]
        groups = {name: [shape.host] for name in shape.groups}
        groups["wa_database_hosts"] = [shape.database_host]
        groups.update({"wa_{0}_hosts".format(kind): [shape.host] for kind in NODE_KINDS})
        hosts = dict.fromkeys((shape.host, shape.database_host), shape.host_variables())
        self.inventory = write_inventory(self.home / "hosts.yml", hosts, **groups)
        self._given = {**shape.variables(self.gateway_port), **self._lasting}
        self.declare()
        if self.containers():
            self._clear_away()

    def ready(self, shards: int = 0, version: str = "") -> None:
        """The state that a test begins with, whatever the test before has done. Raises Failed.

        What a failed test has left is recreated: nobody knows all that is still changed in it. So is what is in another
        state than asked for, so that each test can be run alone. shards, version: those asked for, if any.
        """
        if self.spoilt or (shards and self._differs(shards, version)):
            self.spoilt = True
            self.start(shards, version)
            faults = self.faults(shards or self.shape.shards)
            if faults:
                raise Failed("a new cluster is not as it should be: " + "; ".join(faults))
            self.spoilt = False

    def _differs(self, shards: int, version: str) -> bool:
        try:
            found = (self.shards(), self.versions())
        except Failed:
            return True
        return found != (shards, {version}) or self.faults(shards) != []

    def declare(self, *, lasting: bool = False, **variables: t.Any) -> None:
        """Have the inventory say something else, or more, from now on. lasting: also when the cluster is recreated."""
        self._given.update(variables)
        if lasting:
            self._lasting.update(variables)
        self.variables = write_variables(self.home / "variables.json", self._given)

    def __enter__(self) -> LiveCluster:
        return self

    def __exit__(self, *_error: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Everything this made, and nothing else."""
        try:
            self.uninstall()
        finally:
            self._remove_gateway()

    def uninstall(self) -> None:
        """Everything but the gateway. Raises Failed."""
        self._token = ""
        run = self.play("uninstall.yml", *self.everything())
        if run.code != OK:
            raise Failed("uninstall.yml did not remove the cluster:\n" + run.output)

    def everything(self) -> tuple[str, ...]:
        """What uninstall.yml is given to remove the data too, and the database by its name where it is ours."""
        ours = "wa_database_hosts" in Path(self.inventory).read_text()
        named = ("-e", "wa_remove_database=" + self._given["wa_database_volume"]) if ours else ()
        return ("-e", "confirm=yes", "-e", "wa_remove_data=true", *named)

    def _clear_away(self) -> None:
        """All there is of it, even if uninstall.yml fails: that is not the fault of a test that needs a new one."""
        try:
            self.uninstall()
        except Failed as error:
            print(error, file=sys.stderr)
            for one in self.engine.containers.list(all=True, filters={"label": self._label}):
                one.remove(force=True, v=True)
            for volume in (self.shape.prefix + "Database", self.shape.prefix + "Media"):
                with contextlib.suppress(docker.errors.NotFound):
                    self.engine.volumes.get(volume).remove(force=True)
            with contextlib.suppress(docker.errors.NotFound):
                self.engine.networks.get(self.shape.prefix).remove()

    @property
    def _label(self) -> str:
        return "waent.fleet.cluster=" + self.shape.prefix

    def _remove_gateway(self) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            gateway = self.engine.containers.get(self.shape.prefix + "-gateway")
            for line in gateway.logs().decode(errors="replace").splitlines():
                if " E gateway " in line:  # a ban: who, and why, is nowhere else
                    print(line, file=sys.stderr)
            gateway.remove(force=True)

    # -- playbooks ---------------------------------------------------------------------------------------------------

    def play(self, playbook: str, *more: str, **extra: str) -> Run:
        """Run a playbook to its end. Raises Failed when it shows a secret."""
        run = play("playbooks/" + playbook, "-i", self.inventory, "-e", self.variables, *more, **extra)
        shown = [name for name, value in SECRETS.items() if value in run.output]
        if shown:
            raise Failed("{0} shows {1}".format(playbook, ", ".join(shown)))
        return run

    def reshard(self, shards: int | str, *more: str) -> Run:
        """Run reshard.yml to its end."""
        return self.play("reshard.yml", "-e", "shards={0}".format(shards), *more)

    def upgrade(self, version: str, *more: str) -> Run:
        """Run upgrade.yml to its end."""
        return self.play("upgrade.yml", "-e", "version=" + version, *more)

    def status(self, *more: str) -> Run:
        """Run status.yml until it is green; a moment is given for the cluster to settle.

        On a clock that runs faster a busy machine misses heartbeats, and loses a shard for a moment.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            run = self.play("status.yml", *more)
            if run.code == OK or time.monotonic() > deadline:
                return run

    def reshard_killed(self, shards: int, task: str) -> Killed:
        """Run reshard.yml until its process group gets SIGKILL where a task begins, as C(killed) does."""
        return self.killed("reshard.yml", task, "-e", "shards={0}".format(shards))

    def reshard_killed_in_restart(self, shards: int, seconds: float = 0.0) -> Killed:
        """Run reshard.yml until set-shards was called and so many seconds have passed; then SIGKILL to its group."""
        return self.killed_when(
            lambda: self._has_shards(shards), "reshard.yml", "-e", "shards={0}".format(shards), seconds=seconds
        )

    def begin(self, playbook: str, *more: str, **extra: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a playbook in a process group of its own; its output goes to the file."""
        self._runs += 1
        log = self.home / "run-{0}.log".format(self._runs)
        with log.open("w") as output:
            process = subprocess.Popen(
                ["ansible-playbook", "playbooks/" + playbook, "-i", self.inventory, "-e", self.variables, *more],
                cwd=ROOT, env=environment(**extra), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        return process, log

    def _has_shards(self, shards: int) -> bool:
        try:
            return self.shards() == shards
        except Failed:  # a webapp has nothing to report while all coreapps are away
            return False

    # -- the cluster -------------------------------------------------------------------------------------------------

    def webapps(self) -> tuple[str, ...]:
        """Their URLs."""
        first = self.shape.port + 90
        return tuple("https://127.0.0.1:{0}".format(first + number) for number in range(self.shape.webapps))

    def balanced_servers(self) -> dict[str, str]:
        """Their names in the documented configuration of HAProxy, and their addresses."""
        shape = self.shape
        return {
            "{0}-{1}-webapp-{2}".format(shape.host, shape.prefix, number): url.removeprefix("https://")
            for number, url in enumerate(self.webapps(), 1)
        }

    def ask(self, path: str) -> t.Any:
        """GET of the API as admin. Raises Failed."""
        return _call(self.webapps()[0] + path, "GET", self._bearer())

    def _bearer(self) -> str:
        if not self._token:
            basic = base64.b64encode("admin:{0}".format(SECRETS["wa_admin_password"]).encode()).decode()
            answer = _call(self.webapps()[0] + "/v1/users/login", "POST", "Basic " + basic)
            self._token = answer["users"][0]["token"]
        return "Bearer " + self._token

    def no_more_codes(self) -> None:
        """Have registration codes sent until WhatsApp refuses to. Raises Failed when it does not."""
        given = self._given
        body = {
            "cc": given["wa_cc"],
            "phone_number": given["wa_phone_number"],
            "method": "sms",
            "cert": given["wa_cert"],
        }
        for _ in range(MOST_ATTEMPTS):
            try:
                _call(self.webapps()[0] + "/v1/account", "POST", self._bearer(), body)
            except Failed as error:
                if "429" in str(error):
                    return
                raise
        raise Failed("so many codes were sent: {0}".format(MOST_ATTEMPTS))

    def shards(self) -> int:
        """The configured number, by the API."""
        return int(self.ask("/v1/account/shards")["account"]["shards"])

    def containers(self) -> dict[str, tuple[str, str]]:
        """Name of each node's container to its id and the moment it was started last."""
        listed = self.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + self.shape.prefix})
        return {one.name: (one.id, one.attrs["State"]["StartedAt"]) for one in listed}

    def coreapps(self) -> dict[str, str]:
        """Name of each coreapp's container to its state on the engine."""
        labels = ["waent.fleet.cluster=" + self.shape.prefix, "waent.fleet.kind=coreapp"]
        return {one.name: one.status for one in self.engine.containers.list(all=True, filters={"label": labels})}

    def spare(self) -> str:
        """The container of a coreapp that owns nothing, as the gateway sees it."""
        serving = {link["node"].rpartition(":")[2] for link in self.connections()}
        return min(set(self.coreapps()) - serving)

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Name of each webapp's, master's and coreapp's container to its id and the tag of its image."""
        listed = self.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + self.shape.prefix})
        return {
            one.name: (one.id, one.attrs["Config"]["Image"].rpartition(":")[2])
            for one in listed
            if one.labels["waent.fleet.kind"] in NODE_KINDS
        }

    @contextlib.contextmanager
    def stopped(self, *kinds: str) -> t.Iterator[None]:
        """All nodes of these kinds stopped; whoever comes next finds them running, or what was put in their place."""
        names = [name for name in self.nodes() if any("-{0}-".format(kind) in name for kind in kinds)]
        nodes = [self.engine.containers.get(name) for name in names]
        for node in nodes:
            node.stop(timeout=1)
        try:
            yield
        finally:
            for node in nodes:
                with contextlib.suppress(docker.errors.NotFound):
                    node.start()

    def versions(self) -> set[str]:
        """The tags that nodes run."""
        return {tag for _id, tag in self.nodes().values()}

    def settings(self) -> dict[str, t.Any]:
        """The application settings, by the API."""
        found: dict[str, t.Any] = self.ask("/v1/settings/application")["settings"]["application"]
        return found

    def intervals(self) -> tuple[int, int]:
        """The settings heartbeat_interval and unhealthy_interval, by the API."""
        found = self.settings()
        return found["heartbeat_interval"], found["unhealthy_interval"]

    def have_been_silent(self, name: str, seconds: int) -> None:
        """A coreapp that is stopped has been so for that long, as far as the database shows."""
        moment = "UTC_TIMESTAMP(6) - INTERVAL {0} SECOND".format(seconds)
        age = "UPDATE clusterStore.nodes SET last_seen = {0} WHERE node_key LIKE '%:{1}';".format(moment, name)
        output = self._sql(age + " SELECT ROW_COUNT()")
        if output.split() != ["ROW_COUNT()", "1"]:
            raise Failed("the row of {0} was not changed: {1}".format(name, output))

    def lose_its_shards(self) -> None:
        """Registered with one shard, as a first run leaves it that ends between registration and set-shards."""
        restart = "generation = generation + 1, changed_at = UTC_TIMESTAMP(6)"
        self._sql(
            "UPDATE clusterStore.cluster_state SET shards = 1, {0}; DELETE FROM clusterStore.shard_map".format(restart)
        )

    def forget(self, name: str) -> None:
        """Remove the row of a node that is gone, as the masters do after some minutes."""
        self._sql("DELETE FROM clusterStore.nodes WHERE node_key LIKE '%:{0}'".format(name))

    def wait_for_row(self, key: str) -> None:
        """Until a node has made itself known in the database. Raises Failed."""
        deadline = time.monotonic() + SETTLE_SECONDS * 3
        while key not in self._sql("SELECT node_key FROM clusterStore.nodes"):
            if time.monotonic() > deadline:
                raise Failed("{0} has not made itself known".format(key))
            time.sleep(0.5)

    def _sql(self, queries: str) -> str:
        database = self.engine.containers.get(self.shape.prefix + "-db")
        command = ["mariadb", "--batch", "-e", queries]
        done = database.exec_run(command, environment={"MYSQL_PWD": SECRETS["wa_db_password"]})
        return str(done.output.decode())

    def connections(self) -> list[dict[str, t.Any]]:
        """Who is connected for which shards, as the gateway sees it."""
        found: list[dict[str, t.Any]] = _call(self.gateway_url + "/connections")
        return found

    def faults(self, shards: int, coreapps: int | None = None) -> list[str]:
        """What differs from a cluster with so many shards and one spare coreapp; a moment is given for it to settle."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                found = self._faults(shards, coreapps or shards + 1)
            except Failed as error:
                found = [str(error)]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.5)

    def _faults(self, shards: int, coreapps: int) -> list[str]:
        found = []
        names = {"{0}-coreapp-{1}".format(self.shape.prefix, index + 1) for index in range(coreapps)}
        on_engine = self.coreapps()
        if set(on_engine.values()) != {"running"} or len(on_engine) != coreapps:
            found.append("on the engine: {0}, expected {1} running".format(sorted(on_engine.items()), len(names)))
        if self.shards() != shards:
            found.append("the API shows {0} shards, expected {1}".format(self.shards(), shards))
        served = sorted(shard for link in self.connections() for shard in link["shards"])
        if served != list(range(-1, shards)):
            found.append("the gateway serves the shards {0}, expected -1 to {1}".format(served, shards - 1))
        health = self.ask("/v1/health")["health"].values()
        connected = sum(node.get("role") == "coreapp" and node.get("gateway_status") == "connected" for node in health)
        if connected != shards:
            found.append("health shows {0} connected coreapps, expected {1}".format(connected, shards))
        return found

    def probe(self, shards: int = 0, rate: float = 10.0, webapps: t.Sequence[str] = ()) -> Probe:
        """A sender of messages through all webapps, unless others are given.

        shards: by which number to sort its report, 0 for that of now.
        """
        load = {"rate": rate, "seconds": PROBE_SECONDS, "shards": shards}
        urls, password = tuple(webapps) or self.webapps(), SECRETS["wa_admin_password"]
        return Probe(Options(webapps=urls, gateway=self.gateway_url, password=password, **load))


def _call(url: str, method: str = "GET", authorization: str = "", body: t.Any = None) -> t.Any:
    headers = {"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})}
    sent = json.dumps(body).encode() if body is not None else b"" if method == "POST" else None
    request = urllib.request.Request(url, sent, headers, method=method)
    context = ssl._create_unverified_context()  # the images' own certificate is self-signed
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as reply:
            return json.load(reply)
    except OSError as error:  # URLError is one; a connection that breaks while it is read is not a URLError
        raise Failed("{0} {1}: {2}".format(method, url, error)) from error
