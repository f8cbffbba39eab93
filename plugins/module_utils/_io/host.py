# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one host as it is, in one go. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes, single_connects
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import HOST_GATEWAY
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.db_ssl import FILLER
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import inventory_share
from ansible_collections.waent.fleet.plugins.module_utils._io import (
    containers_mounts,
    distribution,
    machine,
    media_share,
    node_stores,
    registry,
)
from ansible_collections.waent.fleet.plugins.module_utils._io import engine as engines
from ansible_collections.waent.fleet.plugins.module_utils._io.backup_timer import read_state
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import (
    SHORT_ID,
    has_mounted,
    is_apart,
    read_fstab,
    read_mounts,
)

DOCKER_BRIDGE = "docker0"
"""The host's end of the engine's own network: its address is what C(host-gateway) stands for."""

ASKED = (
    "cluster_name",
    "images",
    "network",
    "container_uid",
    "disk_free_mb",
    "stop_single_connect",
    "container_settings",
    "adopts",
)
"""Options that say how the host is to be: they are returned beside what was read."""

PACKAGED = "/usr/lib/python3/dist-packages"
"""Where packages of Debian and its relatives put Python modules."""


def read_host(params: t.Mapping[str, t.Any], run: engines.Run, command: str | None) -> dict[str, t.Any]:
    """What wa_host_info returns as C(host), from its options. command: path of docker, None where there is none.

    Raises EngineLost.
    """
    version = parse_version(params["version"])
    engine = engines.await_engine(run, command, params["engine_timeout"])
    docker = command if engine["answers"] else None
    asked = (params["cluster_name"], params["environment"], bool(params["adopts"]))
    timer = machine.read_backup_timer(params["cluster_name"])
    containers, images, networks, volumes, media, data = _each_at_once(
        lambda: engines.read_containers(run, docker, *asked) if docker else [],
        lambda: read_images(params, run, docker, engine),
        lambda: engines.read_networks(run, docker) if docker else [],
        lambda: engines.read_volumes(run, docker) if docker else [],
        lambda: read_store(params["media"], params["container_uid"], run, docker),
        lambda: read_store(params["data"], params["container_uid"], run, docker),
    )
    host: dict[str, t.Any] = {
        "name": params["name"],
        "asked": {**{key: params[key] for key in ASKED}, "version": str(version) if version else None},
        "time": time.time(),
        "engine": engine,
        "python": read_python(),
        "systemd": runs_systemd(),
        "containers": containers,
        "images": images,
        "listeners": machine.read_listeners(containers),
        "disk": {"path": engine["root"], "free_mb": machine.free_mb(engine["root"])},
        "memory": machine.read_memory(),
        "media": media,
        "media_share": None,
        "data": data,
        "db_ssl": _read_certificates(params, containers, run, docker),
        "networks": networks,
        "volumes": volumes,
        "drill": machine.read_drill(params["cluster_name"]),
        "backup_timer": timer,
        "backup": read_state(run, timer) if timer else None,
        "reached": read_reached(params, docker),
    }
    running = [node for node in cluster_nodes(host) if node["state"] == "running"]
    host["media_share"] = read_media_share(params["media_share"], params["container_uid"], running)
    host["nodes"] = [
        {"host": params["name"], **{key: node[key] for key in ("kind", "index", "name", "state", "version")}}
        for node in cluster_nodes(host)
    ]
    host["single_connect"] = [container["name"] for container in single_connects(host)]
    return host


def _each_at_once(*readings: t.Callable[[], t.Any]) -> list[t.Any]:
    """What they return, in their order. Raises what the first of them raises, once all are over.

    Each of them is mostly a program that waits for the engine.
    """
    with ThreadPoolExecutor(max_workers=len(readings)) as threads:
        return [future.result() for future in [threads.submit(reading) for reading in readings]]


SHARE_SECONDS = 2.0
"""So long a server may take here: where it is gone, every host waits for it."""


def read_media_share(raw: t.Any, uid: int, nodes: t.Sequence[t.Mapping[str, t.Any]] = ()) -> dict[str, t.Any] | None:
    """The media share as the host has it, None where there is to be none. Nothing is written or mounted.

    source, path: what is to be mounted where. fstab: its lines for the path. users: who has what is mounted there in
    mounts of its own. containers: the id of each of these as C(docker ps) shows it, empty for what is none. apart: who
    has the directory under it instead, with the same ids in apart_containers. nodes: that run, as C(docker inspect) has
    them. unread: names of those whose mounts were not found; reader: as whom it was read.
    """
    share, _problems = inventory_share(raw)
    if share is None:
        return None
    root = os.geteuid() == 0
    user = (uid, uid) if root else None
    answer = media_share.look_if_reached(share.path, share.server, share.port, SHARE_SECONDS, always=True, user=user)
    # What this user may not see says nothing about the user of the containers.
    denied = not root and _is_denied(answer["error"])
    answer["error"], proof = None if denied else answer["error"], None
    if answer["mount"] and not answer["error"]:
        # A proof that could not be read is not one that was never made; rights are for site.yml to set.
        found = media_share.read_proof(share.path, SHARE_SECONDS, user)
        refused = _is_denied(found["error"])
        denied = denied or (refused and not root)
        proof, answer["error"] = found["proof"], None if refused else found["error"]
    fstab = [list(line) for line in read_fstab(machine.read_text("/etc/fstab")) if line.path == share.path]
    device = answer["mount"]["device"] if answer["mount"] else None
    spaces = containers_mounts.spaces() if device else []
    users = [one for one in spaces if device and has_mounted(device, one.mounts)]
    own = read_mounts(machine.read_text("/proc/self/mountinfo"))
    apart = [one for one in spaces if is_apart(share.source, share.path, own, one.mounts)]
    shown = {one.container for one in spaces}
    # Root sees all, and one that it does not see has just ended.
    hidden = [node["name"] for node in nodes if node["id"][:SHORT_ID] not in shown] if device and not root else []
    return {
        **answer,
        "apart": [one.name for one in apart],
        "apart_containers": [one.container for one in apart],
        "unread": hidden,
        "reader": os.geteuid(),
        "source": share.source,
        "path": share.path,
        "proof": proof,
        "denied": os.geteuid() if denied else None,
        "fstab": fstab,
        "users": [one.name for one in users],
        "containers": [one.container for one in users],
    }


def _is_denied(error: dict[str, t.Any] | None) -> bool:
    return error is not None and error["name"] in ("EACCES", "EPERM")


def read_python() -> dict[str, t.Any]:
    """The Python that runs modules here. distribution: it finds what the distribution's packages bring."""
    return {
        "executable": sys.executable,
        "requests": importlib.util.find_spec("requests") is not None,
        "apt": importlib.util.find_spec("apt") is not None,
        "distribution": PACKAGED in site.getsitepackages(),
    }


def runs_systemd() -> bool:
    """Whether systemd is the first process here; sd_booted(3) says so by this directory."""
    return os.path.isdir("/run/systemd/system")


def read_images(
    params: t.Mapping[str, t.Any], run: engines.Run, docker: str | None, engine: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """Each image of the desired state: its id here, else what its registry says."""
    references = sorted(set(params["images"].values()))
    local = engines.read_local_images(run, docker, references) if docker else {}
    images = []
    for reference in references:
        word, reason = None, None
        # Nobody knows yet what an engine that is stopped holds.
        if not local.get(reference) and not may_hold(engine):
            word, reason = _registry_word(reference, params["timeout"], engine)
        here = local.get(reference) or {"id": None, "created": None, "expires_on": None}
        images.append({"image": reference, **here, "registry": word, "reason": reason})
    return images


def _registry_word(reference: str, timeout: float, engine: t.Mapping[str, t.Any]) -> tuple[str, str | None]:
    """Whether the engine would find the image, by its own words; before there is one, as it will most likely ask."""
    if engine["answers"]:
        return distribution.ask_engine(reference, timeout=timeout, mirrors=bool(engine["mirrors"]))
    return registry.ask(reference, timeout=timeout, insecure=engine["insecure_registries"], proxy=engine["proxy"])


def read_reached(params: t.Mapping[str, t.Any], docker: str | None) -> list[dict[str, t.Any]]:
    """The services of the option C(reach); one without an address here, for lack of an engine, is left out."""
    reached = []
    for target in params["reach"]:
        address = target.get("address") or target["host"]
        if address == HOST_GATEWAY:
            address = machine.interface_address(DOCKER_BRIDGE) if docker else None
        if address:
            found = machine.reach(address, target["port"], params["timeout"])
            where = target["host"] if address == target["host"] else "{0} ({1})".format(target["host"], address)
            reached.append({**found, "host": where})
    return reached


def _read_certificates(
    params: t.Mapping[str, t.Any], containers: t.Sequence[t.Mapping[str, t.Any]], run: engines.Run, docker: str | None
) -> dict[str, t.Any] | None:
    """The volume with the files for TLS to the database. It counts as missing until it is filled."""
    name = (params["container_settings"] or {}).get("db_ssl")
    if not name:
        return None
    filling = any(container["name"] == name + FILLER for container in containers)
    there = docker is not None and not filling and engines.read_volume(run, docker, name) is not None
    return {"source": name, "volume": True, "exists": there}


def read_store(source: str | None, uid: int, run: engines.Run, docker: str | None) -> dict[str, t.Any] | None:
    """A media or data store, None where there is to be none."""
    if not source:
        return None
    volume = engines.read_volume(run, docker, source) if docker and not source.startswith("/") else None
    return node_stores.read_store(source, volume, uid)
