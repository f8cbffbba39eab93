# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container as C(docker inspect) describes it, without its secrets. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    DATABASE_PLACE,
    IMAGE_NAME,
    LABELS,
    SCRIPTS,
    SINGLE_CORE,
    WEB_ENVIRONMENT,
    advertised,
    kind_and_index,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import found_options
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING

SHOWN_ENVIRONMENT = (
    *advertised("coreapp"),
    *advertised("webapp"),
    "WA_APP_MULTICONNECT",
    "WA_MASTER_NODE",
    "WA_DB_UPGRADE",
    *DATABASE_PLACE,
    SINGLE_CORE,
)
"""Variables of containers whose values are no secrets."""


def describe_container(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What there is to know of a container, from C(docker inspect), without secrets.

    C({name, id, image, image_id, state, exit_code, cluster, kind, index, version, product, environment,
    environment_differs, ports, networks, mounts, names, options}). product: as product_of finds it, whoever started it.
    ports: C([{host, container}]), published now or, when it is stopped, at its next start. networks: names. mounts:
    volume's name or path on the host, by path inside. names: by what it calls itself and others, as names_of has it.
    options: of a container of ours what it was created with, as C(_desired/container.py) compares it; those of others
    may hold secrets.
    """
    config = entry.get("Config") or {}
    labels = config.get("Labels") or {}
    name = entry["Name"].lstrip("/")
    state = (entry.get("State") or {}).get("Status") or "unknown"
    return {
        "name": name,
        "id": entry["Id"],
        "image": config.get("Image"),
        "image_id": entry.get("Image"),
        "state": state,
        "exit_code": (entry.get("State") or {}).get("ExitCode"),
        "cluster": labels.get(LABELS + "cluster"),
        "kind": labels.get(LABELS + "kind"),
        "version": labels.get(LABELS + "version"),
        "index": kind_and_index(name)[1],
        "product": product_of(config),
        "environment": shown_environment(config.get("Env") or []),
        "environment_differs": [],
        "ports": _published(entry, state),
        "networks": sorted((entry.get("NetworkSettings") or {}).get("Networks") or {}),
        "mounts": {m["Destination"]: m.get("Name") or m.get("Source") for m in entry.get("Mounts") or []},
        "names": names_of(entry),
        "options": found_options(entry) if labels.get(LABELS + "cluster") else None,
    }


def names_of(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """By what a container calls itself and others: C({hostname, mode, aliases, links, extra_hosts, bound}).

    mode: of its network. aliases: under which names others find it, by network. links: the name of another container by
    the name under which this one finds it. extra_hosts: C({name: address}). bound: addresses of the host on which its
    ports are published, empty for all of them.
    """
    host = entry.get("HostConfig") or {}
    joined = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    links = (text.lstrip("/").partition(":/") for text in host.get("Links") or [])
    extra = (text.partition(":") for text in host.get("ExtraHosts") or [])
    bindings = (host.get("PortBindings") or {}).values()
    addresses = {str(bound.get("HostIp") or "") for all_of in bindings for bound in all_of or []}
    return {
        "hostname": (entry.get("Config") or {}).get("Hostname") or "",
        "mode": host.get("NetworkMode") or "",
        "aliases": {network: list((way or {}).get("Aliases") or []) for network, way in joined.items()},
        "links": {inside.rpartition("/")[2]: target for target, _colon, inside in links},
        "extra_hosts": {name: address for name, _colon, address in extra},
        "bound": sorted(addresses - {"", "0.0.0.0", "::"}),
    }


def product_of(config: t.Mapping[str, t.Any]) -> str | None:
    """C(web) or C(coreapp) where a container is one of the client's, else None. config: C(Config) of docker inspect.

    The name of the image says it; of one that was tagged again, or is known by its digest only, what it runs.
    """
    named = IMAGE_NAME.search(config.get("Image") or "")
    if named:
        return named.group(1)
    if not any(word.startswith(SCRIPTS) for word in _words(config.get("Entrypoint"), config.get("Cmd"))):
        return None
    names = {entry.partition("=")[0] for entry in config.get("Env") or []}
    return "web" if names & set(WEB_ENVIRONMENT) else "coreapp"


def _words(*parts: t.Any) -> list[str]:
    """All words of a command; also of one that is handed to a shell as one text."""
    return [word for part in parts for text in part or [] for word in str(text).split()]


def shown_environment(entries: t.Iterable[str]) -> dict[str, str]:
    """The few variables whose value is no secret."""
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, _equals, value in pairs if name in SHOWN_ENVIRONMENT}


def _published(entry: t.Mapping[str, t.Any], state: str) -> list[dict[str, int]]:
    running = state in RUNNING
    source = (entry.get("NetworkSettings") or {}).get("Ports") if running else None
    source = source or (entry.get("HostConfig") or {}).get("PortBindings") or {}
    pairs = {
        (int(binding["HostPort"]), int(port.split("/")[0]))
        for port, bindings in source.items()
        for binding in bindings or []
        if port.endswith("/tcp") and binding.get("HostPort")
    }
    return [{"host": host, "container": container} for host, container in sorted(pairs)]
