# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of real containers that playbooks install, upgrade and remove, with a gateway that keeps the ledger.

The tests beside this file and the benchmarks of upgrades use it.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import typing as t
import urllib.request
from pathlib import Path

import docker
from docker.models.containers import Container

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent / "site"), str(ROOT / "emulator" / "src")]

from good import SECRETS  # noqa: E402 - from the directory of the tests of site.yml
from site_runs import FAILED, OK, Run, environment, play, write_inventory, write_variables  # noqa: E402
from waemu.probe import Options, Probe  # noqa: E402 - the emulator is not installed

REGISTRY = "docker.whatsapp.biz"
GATEWAY_IMAGE = "waent/gateway:0.1.0"
__all__ = ["FAILED", "NEW", "OK", "OLD", "UpgradeCluster", "end_group", "steps"]
DATABASE_IMAGE = "waent/mariadb:10.11"
NODE_KINDS = ("webapp", "master", "coreapp")
OLD, NEW = "v2.19.4", "v2.19.7"
# On a clock that runs ten times as fast a busy machine would miss heartbeats for longer than the usual ones allow.
HURRIED = {"wa_planned_heartbeat_interval": 3, "wa_planned_unhealthy_interval": 15}


class UpgradeCluster:
    """One cluster. name: first word of everything it makes. base: the first of some 600 ports it uses.

    counts: nodes by kind. divisor: how many times faster than the product it runs. more: further variables.
    groups: further groups of the inventory. Its only host is C(host).
    """

    def __init__(
        self,
        home: Path,
        *,
        name: str,
        base: int,
        shards: int,
        counts: t.Mapping[str, int],
        divisor: float,
        version: str = OLD,
        more: t.Mapping[str, t.Any] | None = None,
        groups: t.Mapping[str, t.Sequence[str]] | None = None,
    ) -> None:
        self.engine = docker.from_env(timeout=120)
        self.home, self.name, self.counts, self.base = home, name, dict(counts), base
        self.host = name + "-host"
        self.webapps = tuple("https://127.0.0.1:{0}".format(base + 90 + n) for n in range(counts["webapp"]))
        local = {
            "ansible_connection": "local",
            "ansible_host": "127.0.0.1",
            "ansible_python_interpreter": sys.executable,
            "rack": "a",
            **{"wa_{0}s".format(kind): counts[kind] for kind in NODE_KINDS},
        }
        self.inventory = write_inventory(
            home / "hosts.yml", {self.host: local}, wa_database_hosts=[self.host], **(groups or {})
        )
        self.gateway = self._start_gateway(divisor)
        self.given = {**self._variables(version, shards, divisor), **(more or {})}
        self.variables = write_variables(home / "variables.json", self.given)

    def _start_gateway(self, divisor: float) -> Container:
        gateway = self.engine.containers.run(
            GATEWAY_IMAGE, name=self.name + "-gateway", detach=True,
            environment={"WAEMU_TIME_DIVISOR": str(divisor), "WAEMU_REGISTRATION_CODE": "123456"},
            ports={"5222/tcp": None, "8080/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        gateway.reload()
        self.gateway_ports = {inside: mapped[0]["HostPort"] for inside, mapped in gateway.ports.items()}
        self.gateway_url = "http://127.0.0.1:" + self.gateway_ports["8080/tcp"]
        return gateway

    def _variables(self, version: str, shards: int, divisor: float) -> dict[str, t.Any]:
        name, base = self.name, self.base
        return {
            **SECRETS,
            "wa_version": version, "wa_shards": shards, "wa_survive": {},
            "wa_name_prefix": name, "wa_cluster_name": name, "wa_network": name, "wa_media": name + "Media",
            "wa_database_volume": name + "Database",
            "wa_coreapp_port": base + 250, "wa_master_port": base + 254, "wa_webapp_port": base + 90,
            "wa_disk_free_mb": 100, "wa_db_engine": "MYSQL", "wa_db_host": name + "-db", "wa_db_port": 3306,
            "wa_db_username": "root", "wa_db_check_host": "127.0.0.1", "wa_db_check_port": base + 33,
            "wa_database_port": base + 33, "wa_database_address": "127.0.0.1", "wa_database_image": DATABASE_IMAGE,
            "wa_validate_certs": False, "wa_cc": "1", "wa_phone_number": "5550100244",
            "wa_registration_method": "sms", "wa_registration_code": "123456",
            "wa_settings": {"heartbeat_interval": 5, "unhealthy_interval": 30},
            "wa_upgrade_error_seconds": max(3 / divisor, 0.5),
            **({} if divisor == 1 else HURRIED),
            "wa_planned_wait_seconds": math.ceil(10 / divisor),
            "wa_extra_hosts": {self.host: "host-gateway"},
            "wa_extra_environment": {
                "WAEMU_TIME_DIVISOR": str(divisor),
                "WAEMU_GATEWAY_URL": "http://{0}:{1}".format(self.host, self.gateway_ports["5222/tcp"]),
            },
        }  # fmt: skip

    # -- playbooks ----------------------------------------------------------------------------------------

    def arguments(self, playbook: str, *more: str) -> list[str]:
        """Arguments of ansible-playbook."""
        return ["playbooks/" + playbook, "-i", self.inventory, "-e", self.variables, *more]

    def play(self, playbook: str, *more: str) -> Run:
        """Run a playbook to its end; no secret may be in what it says."""
        run = play(*self.arguments(playbook, *more))
        assert not [name for name, value in SECRETS.items() if value in run.output]
        return run

    def upgrade(self, version: str, *more: str) -> Run:
        """Run upgrade.yml to its end."""
        return self.play("upgrade.yml", "-e", "version=" + version, *more)

    def start_upgrade(self, version: str, log: Path, *more: str) -> subprocess.Popen[bytes]:
        """Start upgrade.yml in a process group of its own; its output goes to the file."""
        with log.open("wb") as output:
            return subprocess.Popen(
                ["ansible-playbook", *self.arguments("upgrade.yml", "-e", "version=" + version, *more)],
                cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def kill_upgrade(self, version: str, task: str) -> str:
        """Run upgrade.yml, and end it with all its children when this task of role upgrade begins; what it said."""
        log = self.home / "killed.log"
        process = self.start_upgrade(version, log)
        try:
            deadline = time.monotonic() + 240
            while "TASK [waent.fleet.upgrade : " + task not in log.read_text():
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        finally:
            end_group(process)
        return log.read_text()

    # -- looking ------------------------------------------------------------------------------------------

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Name of each node's container to its id and the tag of its image."""
        listed = self.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + self.name})
        return {
            one.name: (one.id, one.attrs["Config"]["Image"].rpartition(":")[2])
            for one in listed
            if one.labels["waent.fleet.kind"] in NODE_KINDS
        }

    def versions(self) -> set[str]:
        """The tags that nodes run."""
        return {tag for _id, tag in self.nodes().values()}

    def settings(self) -> dict[str, t.Any]:
        """The application settings, as the first webapp tells them."""
        basic = base64.b64encode("admin:{0}".format(SECRETS["wa_admin_password"]).encode()).decode()
        token = self._ask("POST", "/v1/users/login", "Basic " + basic)["users"][0]["token"]
        answer = self._ask("GET", "/v1/settings/application", "Bearer " + token)
        told: dict[str, t.Any] = answer["settings"]["application"]
        return told

    def _ask(self, method: str, path: str, authorization: str) -> t.Any:
        request = urllib.request.Request(self.webapps[0] + path, b"" if method == "POST" else None, method=method)
        request.add_header("Authorization", authorization)
        context = ssl._create_unverified_context()  # the images' own certificate is self-signed
        with urllib.request.urlopen(request, timeout=15, context=context) as reply:
            return json.load(reply)

    def probe(self, *, rate: float = 10, seconds: float = 900, webapps: t.Sequence[str] = ()) -> Probe:
        """A sender of messages, through all webapps unless others are given."""
        return Probe(
            Options(
                webapps=tuple(webapps) or self.webapps, gateway=self.gateway_url,
                password=SECRETS["wa_admin_password"], rate=rate, seconds=seconds,
            )
        )  # fmt: skip

    def cores(self) -> list[Container]:
        """Containers of masters and coreapps, running or not."""
        listed = self.engine.containers.list(all=True, filters={"label": "waent.fleet.cluster=" + self.name})
        return [one for one in listed if one.labels["waent.fleet.kind"] in ("master", "coreapp")]

    # -- images -------------------------------------------------------------------------------------------

    def make_version(self, version: str, coreapp: str | None) -> None:
        """Make a version out of the new one; coreapp: a shell script that its coreapps and masters run instead.

        In the script C($0) and C($@) are what they would have run.
        """
        for name, script in (("web", None), ("coreapp", coreapp)):
            image = "{0}/{1}:{2}".format(REGISTRY, name, NEW)
            entry = None if script is None else ["/bin/sh", "-c", script]
            made = self.engine.containers.create(image, entrypoint=entry)
            made.commit("{0}/{1}".format(REGISTRY, name), version, changes=["ENV WAEMU_VERSION=" + version])
            made.remove()

    def forget_version(self, version: str) -> None:
        """Remove what make_version made."""
        for name in ("web", "coreapp"):
            self.engine.images.remove("{0}/{1}:{2}".format(REGISTRY, name, version), force=True)

    def remove(self) -> None:
        """Everything this made, and nothing else."""
        self.play("uninstall.yml", "-e", "confirm=yes", "-e", "wa_remove_data=true")
        self.gateway.remove(force=True)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all its children, as a machine that loses its power would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def steps(output: str) -> list[str]:
    """The first words of the steps of the plan that was shown."""
    return re.findall(r"^ +- '?\d+\. (\w+)", output, re.MULTILINE)
