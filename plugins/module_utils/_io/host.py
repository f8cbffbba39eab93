# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one host as it is, in one go. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import importlib.util
import sys
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes, single_connects
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._io import engine as engines
from ansible_collections.waent.fleet.plugins.module_utils._io import machine, registry
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold

ASKED = (
    "cluster_name",
    "images",
    "network",
    "container_uid",
    "disk_free_mb",
    "stop_single_connect",
    "container_settings",
)
"""Options that say how the host is to be: they are returned beside what was read."""


def read_host(params: t.Mapping[str, t.Any], run: engines.Run, command: str | None) -> dict[str, t.Any]:
    """What wa_host_info returns as C(host), from its options. command: path of docker, None where there is none.

    Raises EngineLost.
    """
    version = parse_version(params["version"])
    engine = engines.read_engine(run, command)
    docker = command if engine["answers"] else None
    environment = params["environment"]
    containers = engines.read_containers(run, docker, params["cluster_name"], environment) if docker else []
    host: dict[str, t.Any] = {
        "name": params["name"],
        "asked": {**{key: params[key] for key in ASKED}, "version": str(version) if version else None},
        "time": time.time(),
        "engine": engine,
        "python": {"executable": sys.executable, "requests": importlib.util.find_spec("requests") is not None},
        "containers": containers,
        "images": read_images(params, run, docker, engine),
        "listeners": machine.read_listeners(containers),
        "disk": {"path": engine["root"], "free_mb": machine.free_mb(engine["root"])},
        "memory": machine.read_memory(),
        "media": read_store(params["media"], params["container_uid"], run, docker),
        "data": read_store(params["data"], params["container_uid"], run, docker),
        "networks": engines.read_networks(run, docker) if docker else [],
        "volumes": engines.read_volumes(run, docker) if docker else [],
        "drill": machine.read_drill(params["cluster_name"]),
        "reached": [machine.reach(target["host"], target["port"], params["timeout"]) for target in params["reach"]],
    }
    host["nodes"] = [
        {"host": params["name"], **{key: node[key] for key in ("kind", "index", "name", "state", "version")}}
        for node in cluster_nodes(host)
    ]
    host["single_connect"] = [container["name"] for container in single_connects(host)]
    return host


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
            word, reason = registry.ask(
                reference,
                timeout=params["timeout"],
                insecure=engine["insecure_registries"],
                # The engine would pull through its own proxy, so that is the way to ask.
                proxy=engine["proxy"],
            )
        images.append({"image": reference, "id": local.get(reference), "registry": word, "reason": reason})
    return images


def read_store(source: str | None, uid: int, run: engines.Run, docker: str | None) -> dict[str, t.Any] | None:
    """A media or data store, None where there is to be none."""
    if not source:
        return None
    volume = engines.read_volume(run, docker, source) if docker and not source.startswith("/") else None
    return machine.read_mount(source, volume, uid)
