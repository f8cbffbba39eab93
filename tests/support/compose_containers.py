# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers as compose files start them, as docker inspect shows them: an independent model, for unit tests."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._state.container import describe_container

CORE, WEB = "docker.whatsapp.biz/coreapp", "docker.whatsapp.biz/web"
PASSWORD = "canary-db-password"
DATABASE = {
    "WA_DB_ENGINE": "MYSQL",
    "WA_DB_HOSTNAME": "db.example.com",
    "WA_DB_PORT": "3306",
    "WA_DB_USERNAME": "waent",
    "WA_DB_PASSWORD": PASSWORD,
    "ORCHESTRATION": "DOCKER-COMPOSE",
}


class Started(t.NamedTuple):
    """A container and what it was given. entry: of docker inspect."""

    entry: dict[str, t.Any]
    environment: dict[str, str]


def started(
    name: str,
    image: str,
    environment: t.Mapping[str, str],
    *,
    ports: t.Mapping[int, int] | None = None,
    tag: str = "v2.19.4",
    network: str = "prod_default",
    aliases: t.Sequence[str] = (),
    links: t.Sequence[str] = (),
    media: str = "prod_whatsappMedia",
    state: str = "running",
    address: str = "",
    labels: t.Mapping[str, str] | None = None,
    extra_hosts: t.Sequence[str] = (),
) -> Started:
    """ports: of the host by those inside. media: a volume, or a path of the host."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    published = {
        f"{inside}/tcp": [{"HostIp": address, "HostPort": str(outside)}] for inside, outside in (ports or {}).items()
    }
    kind = {"Source": media} if media.startswith("/") else {"Name": media, "Source": "/var/lib/docker/volumes/" + media}
    entry = {
        "Id": identity,
        "Name": "/" + name,
        "Image": "sha256:" + image,
        "State": {"Status": state, "ExitCode": 0},
        "Config": {
            "Image": f"{image}:{tag}",
            "Hostname": identity[:12],
            "Env": [f"{key}={value}" for key, value in environment.items()] + ["PATH=/bin"],
            "Labels": {"com.docker.compose.project": "prod", **(labels or {})},
            "Cmd": ["/opt/whatsapp/bin/wait_on_mysql.sh", "/opt/whatsapp/bin/launch_within_docker.sh"],
        },
        "HostConfig": {
            "NetworkMode": network, "PortBindings": published, "Links": list(links) or None,
            "ExtraHosts": list(extra_hosts) or None,
        },
        "NetworkSettings": {
            "Ports": published if state == "running" else {},
            "Networks": {network: {"Aliases": [identity[:12], *aliases]}},
        },
        "Mounts": [{"Destination": "/usr/local/wamedia", **kind}] if media else [],
    }  # fmt: skip
    return Started(entry, dict(environment))


def coreapp(name: str, hostname: str, first: int, *, master: bool = False, **more: t.Any) -> Started:
    """A coreapp or master of the production set-up, on four ports of its host from the first."""
    environment = {
        **DATABASE,
        "WA_APP_MULTICONNECT": "1",
        "COREAPP_HOSTNAME": hostname,
        "COREAPP_EXTERNAL_PORTS": ",".join(str(first + number) for number in range(4)),
        **({"WA_MASTER_NODE": "1"} if master else {}),
        **more.pop("environment", {}),
    }
    ports = {6250 + number: first + number for number in range(4)}
    return started(name, CORE, environment, **{"ports": ports, **more})


def webapp(name: str, hostname: str, port: int, **more: t.Any) -> Started:
    """A webapp of the production set-up."""
    environment = {
        **DATABASE,
        "WA_APP_MULTICONNECT": "1",
        "WEBAPP_HOSTNAME": hostname,
        "WEBAPP_EXTERNAL_PORTS": str(port),
        **more.pop("environment", {}),
    }
    return started(name, WEB, environment, **{"ports": {443: port}, **more})


def development(first: int = 32768) -> list[Started]:
    """The development set-up: names of the compose network, ports at random."""
    network = {"network": "dev_default", "media": "dev_whatsappMedia"}
    database = started(
        "dev_db_1", "waent/mariadb", {"MYSQL_ROOT_PASSWORD": PASSWORD}, ports={3306: 33060}, tag="10.11",
        aliases=["db"], network="dev_default", media="",
    )  # fmt: skip
    database.entry["Config"]["Cmd"] = []
    given = {"WA_DB_HOSTNAME": "db", "WA_DB_USERNAME": "root"}
    found = [database, webapp("dev_waweb_1", "waweb", 9090, environment=given, aliases=["waweb"], **network)]
    for index, name in enumerate(("master1", "master2", "wacore1", "wacore2", "wacore3")):
        ports = {6250 + number: first + 4 * index + number for number in range(4)}
        own = {**given, "COREAPP_HOSTNAME": name, "COREAPP_EXTERNAL_PORTS": ""}
        node = coreapp(
            f"dev_{name}_1", name, 6250, master=name.startswith("master"), environment=own, ports=ports,
            aliases=[name], **network,
        )  # fmt: skip
        found.append(node)
    return found


def single() -> list[Started]:
    """The single instance on Docker's default bridge, with links."""
    network = {"network": "bridge", "media": "one_whatsappMedia"}
    database = started(
        "one_db_1", "waent/mariadb", {"MYSQL_ROOT_PASSWORD": PASSWORD}, ports={3306: 33060}, tag="10.11",
        network="bridge", media="",
    )  # fmt: skip
    database.entry["Config"]["Cmd"] = []
    given = {**DATABASE, "WA_DB_HOSTNAME": "db", "WA_DB_USERNAME": "root"}
    core = started("one_wacore_1", CORE, given, links=["/one_db_1:/one_wacore_1/db"], **network)
    links = ["/one_db_1:/one_waweb_1/db", "/one_wacore_1:/one_waweb_1/wacore"]
    web = started("one_waweb_1", WEB, {**given, "WACORE_HOSTNAME": "wacore"}, ports={443: 9090}, links=links, **network)
    return [database, core, web]


def host(name: str, containers: t.Iterable[Started], listeners: t.Sequence[int] = ()) -> dict[str, t.Any]:
    """A host with these containers, as far as wa_host_info is asked. listeners: ports that others hold."""
    described = [describe_container(one.entry) for one in containers]
    held = [
        {"port": port["host"], "container": one["name"], "process": None, "pid": None}
        for one in described
        if one["state"] == "running"
        for port in one["ports"]
    ]
    others = [{"port": port, "container": None, "process": "other", "pid": 1} for port in listeners]
    return {
        "name": name,
        "asked": {"cluster_name": "waent"},
        "nodes": [],
        "containers": sorted(described, key=lambda one: one["name"]),
        "listeners": held + others,
    }


def environments(**hosts: t.Iterable[Started]) -> dict[tuple[str, str], dict[str, str]]:
    """What the client's containers were given, by host and name."""
    return {
        (name, one.entry["Name"].lstrip("/")): one.environment
        for name, containers in hosts.items()
        for one in containers
        if one.entry["Config"]["Image"].startswith((CORE, WEB))
    }
