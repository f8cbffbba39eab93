# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of emulator containers for tests: database, masters, coreapps, webapps on a network of its own."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
import typing as t
from pathlib import Path

import docker
import pymysql
from ansible_collections.waent.fleet.tests.support.engine_ports import start_with_ports
from docker.models.containers import Container
from waemu.web.tls import certificates_of

REGISTRY = "docker.whatsapp.biz"
DATABASE_IMAGE = "waent/mariadb:10.11"
START = {
    "web": ["/opt/whatsapp/bin/wait_on_mysql.sh", "/opt/whatsapp/bin/launch_within_docker.sh"],
    "coreapp": ["/opt/whatsapp/bin/wait_on_mysql.sh", "/opt/whatsapp/bin/launch_within_docker.sh"],
}


class EmulatedCluster:
    """Containers C(<prefix><id>-...); nodes advertise the alias C(host-<n>) and are named as the roles name them."""

    def __init__(self, *, prefix: str = "mod-", version: str = "v2.19.4", divisor: float = 10) -> None:
        self.client = docker.from_env()
        self.name = prefix + secrets.token_hex(3)
        self.version = version
        self.divisor = divisor
        self.db_password = "Canary-db-" + secrets.token_hex(4)
        self.api_key = "canary-api-key-" + secrets.token_hex(4)
        self.containers: dict[str, Container] = {}
        self.network = self.client.networks.create(self.name)
        self.media = self.client.volumes.create(self.name)

    # -- Starting -----------------------------------------------------------------------------------------------------

    def start_database(self, max_connections: int = 300) -> None:
        """MariaDB with a root password, reachable from this machine too."""
        self._run(
            "db",
            DATABASE_IMAGE,
            ["mysqld", "--max-connections={0}".format(max_connections)],
            {"MYSQL_ROOT_PASSWORD": self.db_password},
            aliases=["db"],
            ports={"3306/tcp": ("127.0.0.1", None)},
        )
        self.until(self._database_answers, 60, "the database")

    def start_master(self, number: int, **environment: str) -> None:
        """A master on C(host-<number>)."""
        self._core("master", number, dict({"WA_MASTER_NODE": "1"}, **environment))

    def start_coreapp(self, number: int, **environment: str) -> None:
        """A coreapp on C(host-<number>)."""
        self._core("coreapp", number, environment)

    def start_webapp(self, number: int = 1, **environment: str) -> None:
        """A webapp whose API is published on this machine."""
        variables = dict(
            self._common(),
            WA_API_KEY=self.api_key,
            WA_WEB_JWT_CRYPTO_KEY="canary-jwt-key",
            WA_WEB_SERVERNAME="localhost",
            WEBAPP_HOSTNAME="host-{0}".format(number),
            WEBAPP_EXTERNAL_PORTS="9090",
            **environment,
        )
        self._run(
            "webapp-{0}".format(number),
            "{0}/web:{1}".format(REGISTRY, self.version),
            START["web"],
            variables,
            hostname="wa-webapp-{0}".format(number),
            ports={"443/tcp": ("127.0.0.1", None)},
            volumes={self.media.name: {"bind": "/usr/local/wamedia", "mode": "rw"}},
            restart_policy={"Name": "unless-stopped"},
        )

    def _core(self, kind: str, number: int, environment: t.Mapping[str, str]) -> None:
        alias = "{0}-host-{1}".format(kind, number)
        variables = dict(
            self._common(), COREAPP_HOSTNAME=alias, COREAPP_EXTERNAL_PORTS="6250,6251,6252,6253", **environment
        )
        self._run(
            "{0}-{1}".format(kind, number),
            "{0}/coreapp:{1}".format(REGISTRY, self.version),
            START["coreapp"],
            variables,
            hostname="wa-{0}-{1}".format(kind, number),
            aliases=[alias],
            volumes={self.media.name: {"bind": "/usr/local/wamedia", "mode": "rw"}},
            restart_policy={"Name": "unless-stopped"},
        )

    def _common(self) -> dict[str, str]:
        return {
            "WA_DB_ENGINE": "MYSQL",
            "WA_DB_HOSTNAME": "db",
            "WA_DB_PORT": "3306",
            "WA_DB_USERNAME": "root",
            "WA_DB_PASSWORD": self.db_password,
            "WA_APP_MULTICONNECT": "1",
            "WAEMU_TIME_DIVISOR": str(self.divisor),
        }

    def _run(
        self,
        name: str,
        image: str,
        command: list[str],
        environment: dict[str, str],
        *,
        aliases: t.Sequence[str] = (),
        **options: t.Any,
    ) -> None:
        container = self.client.containers.create(
            image, command, name="{0}-{1}".format(self.name, name), environment=environment, detach=True,
            # By it site.yml, which other tests run on this engine meanwhile, knows it for another cluster.
            labels={"waent.fleet.cluster": self.name}, **options,
        )  # fmt: skip
        self.containers[name] = container
        self.client.networks.get("bridge").disconnect(container)
        self.network.connect(container, aliases=list(aliases))
        start_with_ports(container)

    # -- Looking ------------------------------------------------------------------------------------------------------

    def port(self, name: str, inside: str) -> int:
        """The port of this machine that leads to a container's port. It changes when the container restarts."""
        container = self.containers[name]
        container.reload()
        return int(container.ports[inside][0]["HostPort"])

    def url(self, number: int = 1) -> str:
        """Base URL of a webapp."""
        return "https://localhost:{0}".format(self.port("webapp-{0}".format(number), "443/tcp"))

    def ca_file(self, directory: Path, number: int = 1) -> Path:
        """The authority of this installation, once a webapp serves a certificate of it."""
        port = self.port("webapp-{0}".format(number), "443/tcp")
        pem = self.until(lambda: self._authority(port), 90, "TLS of webapp {0}".format(number))
        path = directory / "ca.pem"
        path.write_text(pem, encoding="ascii")
        return path

    def _authority(self, port: int) -> str | None:
        """As the database has it; None before a webapp at this port is verified by it."""
        try:
            [[pem]] = self.sql("SELECT pem FROM configStore.certificates WHERE kind = 'authority'")
            shown = certificates_of(pem)
            context = ssl.create_default_context(cadata=shown)
            with socket.create_connection(("localhost", port), timeout=5) as link:
                context.wrap_socket(link, server_hostname="localhost").close()
        except (OSError, ValueError, pymysql.MySQLError):
            return None
        return shown

    def logs(self) -> str:
        """The last lines of every container, for a test that fails."""
        parts = []
        for name, container in self.containers.items():
            lines = container.logs(tail=25).decode(errors="replace")
            parts.append("--- {0}\n{1}".format(name, lines))
        return "\n".join(parts)

    def sql(self, *queries: str) -> list[tuple[t.Any, ...]]:
        """Runs SQL as root; the rows of the last query."""
        port = self.port("db", "3306/tcp")
        link = pymysql.connect(host="127.0.0.1", port=port, user="root", password=self.db_password, connect_timeout=5)
        with link, link.cursor() as cursor:
            for query in queries:
                cursor.execute(query)
            return list(cursor.fetchall())

    def _database_answers(self) -> bool:
        try:
            self.sql("SELECT 1")
        except (pymysql.MySQLError, OSError):
            return False
        return True

    def until(self, check: t.Callable[[], t.Any], seconds: float, what: str) -> t.Any:
        """The first true answer of C(check); fails with the containers' logs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = check()
            if found:
                return found
            time.sleep(0.2)
        raise AssertionError("{0} was not there after {1} s\n{2}".format(what, seconds, self.logs()))

    def close(self) -> None:
        """Takes everything away that this object made."""
        for container in self.containers.values():
            container.remove(force=True, v=True)
        self.network.remove()
        self.media.remove(force=True)
        self.client.close()
