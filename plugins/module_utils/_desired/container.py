# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container is: its full specification, and how that is compared with what runs. Internal. Pure.

A specification has the names and shapes of the options of C(community.docker.docker_container), so that the role
C(node) applies it as it is. C(KEYS) says of every option how it is read back from C(docker inspect), when it differs,
and how a sentence names it: an option without an entry there would be applied without being a planned change.

Secrets are no part of it: of the environment it has what a node advertises. The rest joins on the host when the
container is made, and is compared there by names (C(_state/secrets.py)).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import bracketed, ip_of
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    CERTS_TARGET,
    CORE_PORTS,
    DATA_TARGET,
    DATABASE_PORT,
    DATABASE_TARGET,
    KINDS,
    LABELS,
    LAUNCH,
    MEDIA_TARGET,
    PORTS_INSIDE,
    SCHEMA_UPGRADE,
    TARGET_LABEL,
    WAIT_FOR_DATABASE,
    advertised,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired import log_driver
from ansible_collections.waent.fleet.plugins.module_utils._desired.db_ssl import FILLER

Node = t.Mapping[str, t.Any]
"""A placed node as wa_placement returns it, or one of kind C(database) or C(schema-upgrade)."""

Settings = t.Mapping[str, t.Any]
"""What a host's variables say about containers; the filter C(node_container) documents it."""

Normal = t.Union[str, t.List[str], t.Dict[str, str]]
"""What two values are compared as: a string, a list whose order counts, or named parts in any order."""

MOUNT_LABELS = " labels"
"""How the part of a mount that has its labels is named: by its target and this."""

STRICT, MORE, IGNORE = "strict", "allow_more_present", "ignore"
"""How docker_container compares: equal; what is asked for is there; not at all."""


# What is asked for


def container_of(node: Node, settings: Settings) -> dict[str, t.Any]:
    """The specification of a node's container: options of docker_container, all of them compared."""
    if node["kind"] == "database":
        return _database(node, settings)
    if node["kind"] == SCHEMA_UPGRADE:
        return _schema_upgrade(node, settings)
    name = str(node["name"])
    own = zip(advertised(node["kind"]), (str(node["address"]), str(node["external_ports"])))
    labels = {LABELS + "kind": node["kind"], LABELS + "version": str(settings["version"])}
    # What a playbook has it created for, as certificates.yml does; no other one compares that.
    labels.update(node.get("labels") or {})
    return {
        **_of_the_client(settings, node["kind"]),
        # The health endpoint names a node by its advertised host and this name.
        "hostname": name,
        # Set-shards ends every coreapp and trusts the engine to start it again.
        "restart_policy": "unless-stopped",
        "env": dict(own),
        "labels": {LABELS + "cluster": str(settings["cluster"]), **labels},
        "published_ports": _published(settings["publish_address"], zip(node["ports"], PORTS_INSIDE[node["kind"]])),
        **_logging(node, settings),
    }


def _logging(node: Node, settings: Settings) -> dict[str, t.Any]:
    """Where a node logs to. The database and the schema upgrade keep what docker logs always reads."""
    driver, host = str(settings["log_driver"]), str(node.get("host") or node["address"])
    options = log_driver.log_options(driver, settings["log_options"], host, str(node["name"]))
    return {"log_driver": driver, "log_options": options}


def _of_the_client(settings: Settings, kind: str) -> dict[str, t.Any]:
    """What every container of the client's images has in common."""
    stores = [_mount(settings["media"], MEDIA_TARGET)]
    if settings.get("data"):
        stores.append(_mount(settings["data"], DATA_TARGET))
    if settings.get("db_ssl"):
        stores.append(_mount(settings["db_ssl"], CERTS_TARGET))
    return {
        **_of_all(settings, kind),
        "command": [WAIT_FOR_DATABASE["PGSQL" if settings["db_engine"] == "PGSQL" else "MYSQL"], LAUNCH],
        "cap_drop": ["MKNOD"],
        "networks": [{"name": str(settings["network"])}],
        "etc_hosts": {str(name): str(address) for name, address in (settings.get("extra_hosts") or {}).items()},
        "mounts": stores,
    }


def _of_all(settings: Settings, kind: str) -> dict[str, t.Any]:
    return {
        "image": str(settings["images"][kind]),
        "network_mode": str(settings["network"]),
        "log_driver": log_driver.DEFAULT,
        "log_options": dict(log_driver.ROTATION),
    }


def _database(node: Node, settings: Settings) -> dict[str, t.Any]:
    own = settings["database"]
    store = _mount(own["volume"], DATABASE_TARGET)
    if store["type"] == "volume":
        # For a volume that is made now; one that exists is attached as it is.
        store["labels"] = {LABELS + "cluster": str(settings["cluster"])}
    limit = "--max-connections={0}".format(own["max_connections"])
    return {
        **_of_all(settings, "database"),
        "hostname": str(node["name"]),
        "restart_policy": "always",
        "command": [limit] + [str(argument) for argument in own.get("arguments") or []],
        "labels": {LABELS + "cluster": str(settings["cluster"]), LABELS + "kind": "database"},
        "published_ports": _published(own["address"], zip(node["ports"], [DATABASE_PORT])),
        "networks": [{"name": str(settings["network"]), "aliases": [str(own["alias"])]}],
        "mounts": [store],
    }


def filler_options(settings: Settings) -> dict[str, t.Any]:
    """The container through which the volume with the files for TLS is filled: it has it, and never starts."""
    labels = {LABELS + "cluster": str(settings["cluster"])}
    store = {**_mount(settings["db_ssl"], CERTS_TARGET), "labels": labels}
    return {
        "name": store["source"] + FILLER,
        "image": str(settings["images"]["coreapp"]),
        "state": "present",
        "pull": "never",
        "network_mode": "none",
        "labels": {**labels, LABELS + "kind": "db-ssl"},
        "mounts": [store],
    }


def _schema_upgrade(node: Node, settings: Settings) -> dict[str, t.Any]:
    """The container that upgrades the schema and ends; it listens to nobody."""
    ports = ",".join(str(port) for port in CORE_PORTS)
    own = {LABELS + "kind": SCHEMA_UPGRADE, TARGET_LABEL: str(settings["version"])}
    return {
        **_of_the_client(settings, "coreapp"),
        "restart_policy": "no",
        "env": dict(zip(advertised("coreapp"), (str(node["address"]), ports)), WA_DB_UPGRADE="1"),
        "labels": {LABELS + "cluster": str(settings["cluster"]), **own},
    }


def _mount(source: t.Any, target: str) -> dict[str, t.Any]:
    """A path of the host, or the name of a Docker volume."""
    return {"type": "bind" if str(source).startswith("/") else "volume", "source": str(source), "target": target}


def _published(address: t.Any, ports: t.Iterable[tuple[t.Any, int]]) -> list[str]:
    return ["{0}:{1}:{2}".format(_host_address(str(address)), outside, inside) for outside, inside in ports]


def _host_address(address: str) -> str:
    """As docker_container wants it, and as an engine returns it: IPv6 in brackets and in its shortest form."""
    found = ip_of(address.strip("[]"))
    return address if found is None else bracketed(str(found))


def docker_options(node: Node, settings: Settings) -> dict[str, t.Any]:
    """All options of docker_container for a node, but for the environment of its kind, which joins on the host."""
    spec = container_of(node, settings)
    database, upgrade = node["kind"] == "database", node["kind"] == SCHEMA_UPGRADE
    return {
        **spec,
        "name": str(node["name"]),
        "state": "started",
        "pull": "missing" if database else "never",
        "recreate": upgrade,
        "comparisons": {
            **{name: KEYS[name].comparison for name in spec if KEYS[name].parts and name != "networks"},
            # The password in there is for an empty volume only; it may have changed since.
            **({"env": IGNORE} if database else {}),
        },
    }


# What is there


@dataclass(frozen=True)
class Key:
    """One option of a container.

    what: its name in a sentence. asked: the option in its normal form. found: the same from C(docker inspect).
    comparison: docker_container's own. parts: the normal form has named parts. in_place: the engine changes it without
    another container. show: a part in words.
    """

    what: str
    asked: t.Callable[[t.Any], Normal]
    found: t.Callable[[t.Mapping[str, t.Any]], Normal]
    comparison: str = STRICT
    parts: bool = False
    in_place: bool = False
    show: t.Callable[[str, str], str] = "{0}={1}".format


def _config(entry: t.Mapping[str, t.Any], name: str) -> t.Any:
    return (entry.get("Config") or {}).get(name)


def _host_config(entry: t.Mapping[str, t.Any], name: str) -> t.Any:
    return (entry.get("HostConfig") or {}).get(name)


def log_driver_of(entry: t.Mapping[str, t.Any]) -> str:
    """The log driver of a container from C(docker inspect); empty where it is not said."""
    return _text((_host_config(entry, "LogConfig") or {}).get("Type"))


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _words(value: t.Iterable[t.Any] | None) -> list[str]:
    return [str(word) for word in value or []]


def _texts(value: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    return {str(name): str(text) for name, text in (value or {}).items()}


def _set(value: t.Iterable[t.Any] | None) -> dict[str, str]:
    return {str(member): "" for member in value or []}


def _asked_hosts(value: t.Mapping[str, t.Any]) -> dict[str, str]:
    return _set("{0}:{1}".format(name, address) for name, address in value.items())


def _asked_ports(value: t.Iterable[str]) -> dict[str, str]:
    ports = (entry.rsplit(":", 1) for entry in value)
    return {inside + "/tcp": outside for outside, inside in ports}


def _found_ports(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    """A stopped container has them too: they are what it was made with, not what is listened on now."""
    bindings = _host_config(entry, "PortBindings") or {}
    return {
        port: ", ".join(
            "{0}:{1}".format(_host_address(bound.get("HostIp") or ""), bound.get("HostPort") or "") for bound in all_of
        )
        for port, all_of in bindings.items()
        if all_of
    }


def _port_text(inside: str, outside: str) -> str:
    return "{0}->{1}".format(outside, inside[:-4] if inside.endswith("/tcp") else inside)


def _asked_mounts(value: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    parts = (_mount_parts(m["target"], m["type"], m["source"], m.get("labels")) for m in value)
    return {part: text for mount in parts for part, text in mount.items()}


def _found_mounts(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    parts = (
        _mount_parts(m.get("Target"), m.get("Type"), m.get("Source"), (m.get("VolumeOptions") or {}).get("Labels"))
        for m in _host_config(entry, "Mounts") or []
    )
    return {part: text for mount in parts for part, text in mount.items()}


def _mount_parts(target: t.Any, kind: t.Any, source: t.Any, labels: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """Labels are a part of their own: of a mount that is specified without, they are not compared."""
    text = ", ".join("{0}={1}".format(name, value) for name, value in sorted((labels or {}).items()))
    where = str(target)
    return {where: "{0} {1}".format(kind, source), **({where + MOUNT_LABELS: text} if text else {})}


def _mount_text(target: str, store: str) -> str:
    return "{0} at {1}".format(store, target)


def _asked_networks(value: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    return _set(name for network in value for name in _names_in(network["name"], network.get("aliases")))


def _found_networks(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    joined = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return _set(name for network, way in joined.items() for name in _names_in(network, (way or {}).get("Aliases")))


def _names_in(network: str, aliases: t.Iterable[str] | None) -> list[str]:
    return [str(network)] + ["{0} as {1}".format(network, alias) for alias in aliases or []]


def _found_env(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    pairs = (one.partition("=") for one in _config(entry, "Env") or [])
    return {name: value for name, _equals, value in pairs if name in OWN_ENVIRONMENT}


def _found_labels(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Ours only: what others write on a container is nobody's business here."""
    ours = (LABELS, TARGET_LABEL)
    return {name: text for name, text in _texts(_config(entry, "Labels")).items() if name.startswith(ours)}


def _member(member: str, _nothing: str) -> str:
    return member


OWN_ENVIRONMENT = tuple(sorted({name for kind in KINDS for name in advertised(kind)})) + ("WA_DB_UPGRADE",)
"""Variables of a specification; none is secret."""

KEYS: dict[str, Key] = {
    "image": Key("image", _text, lambda entry: _text(_config(entry, "Image"))),
    "hostname": Key("hostname", _text, lambda entry: _text(_config(entry, "Hostname"))),
    "command": Key("command", _words, lambda entry: _words(_config(entry, "Cmd"))),
    "env": Key("advertised as", _texts, _found_env, STRICT, parts=True),
    "published_ports": Key("published ports", _asked_ports, _found_ports, STRICT, parts=True, show=_port_text),
    "mounts": Key("mounts", _asked_mounts, _found_mounts, STRICT, parts=True, show=_mount_text),
    "etc_hosts": Key(
        "extra hosts", _asked_hosts, lambda e: _set(_host_config(e, "ExtraHosts")), STRICT, parts=True, show=_member
    ),
    "network_mode": Key("network", _text, lambda entry: _text(_host_config(entry, "NetworkMode"))),
    "networks": Key(
        "connected networks", _asked_networks, _found_networks, MORE, parts=True, in_place=True, show=_member
    ),
    "restart_policy": Key(
        "restart policy", _text, lambda e: _text((_host_config(e, "RestartPolicy") or {}).get("Name")), in_place=True
    ),
    "labels": Key("labels", _texts, _found_labels, MORE, parts=True),
    "log_driver": Key("log driver", _text, log_driver_of),
    # An engine adds its own defaults to what it is asked for.
    "log_options": Key(
        "log options", _texts, lambda e: _texts((_host_config(e, "LogConfig") or {}).get("Config")), MORE, parts=True
    ),
    "cap_drop": Key(
        "dropped capabilities", _set, lambda e: _set(_host_config(e, "CapDrop")), STRICT, parts=True, show=_member
    ),
}
"""Every option a specification may have, in the order of its sentence."""


def found_options(entry: t.Mapping[str, t.Any]) -> dict[str, Normal]:
    """All options of a container from C(docker inspect), in their normal forms; without secrets for one of ours."""
    return {name: key.found(entry) for name, key in KEYS.items()}


# What differs


@dataclass(frozen=True)
class Difference:
    """One option that is not as desired. text: for the reader. in_place: changed without another container."""

    option: str
    text: str
    in_place: bool = False


def compare(spec: t.Mapping[str, t.Any], found: t.Mapping[str, Normal]) -> list[Difference]:
    """What about a container differs from its specification, by the rules of docker_container.

    found: what C(found_options) returned. Images are compared by name here; whether a name has another content since
    is not in the container.
    """
    differences = []
    for name, key in KEYS.items():
        if name not in spec:
            continue
        asked, there = key.asked(spec[name]), found[name]
        if isinstance(asked, dict) and isinstance(there, dict):
            text = _parts_text(key, asked, _own_parts(name, asked, there))
        else:
            text = "" if asked == there else "{0} instead of {1}".format(_whole(asked), _whole(there))
        if text:
            differences.append(Difference(name, "{0}: {1}".format(key.what, text), key.in_place))
    return differences


def _own_parts(name: str, asked: dict[str, str], there: dict[str, str]) -> dict[str, str]:
    """Without parts that are nobody's business here.

    The environment beyond what a node advertises is compared by name, on the host (C(_state/secrets.py)).
    """
    return {
        part: text
        for part, text in there.items()
        if part in asked or not (name == "env" or (name == "mounts" and part.endswith(MOUNT_LABELS)))
    }


def _parts_text(key: Key, asked: dict[str, str], there: dict[str, str]) -> str:
    """The parts that differ and no others; empty where none does."""
    missing = {part: text for part, text in asked.items() if there.get(part) != text}
    extra = {
        part: text
        for part, text in there.items()
        if asked.get(part) != text and (key.comparison == STRICT or part in asked)
    }
    if not missing and not extra:
        return ""
    return "{0} instead of {1}".format(_listed(key, missing), _listed(key, extra))


def _listed(key: Key, parts: dict[str, str]) -> str:
    return ", ".join(key.show(part, text) for part, text in sorted(parts.items())) or "none"


def _whole(value: Normal) -> str:
    return (" ".join(value) if isinstance(value, list) else str(value)) or "none"
