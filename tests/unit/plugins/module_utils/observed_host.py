# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as wa_host_info returns them, for tests: a healthy one, and parts to change."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils.placement import Slot, place
from ansible_collections.waent.fleet.plugins.module_utils.wanted import DEFAULT_PORTS, KINDS, HostWish, Survive, Wanted

WEB, CORE = "docker.whatsapp.biz/web:v2.19.4", "docker.whatsapp.biz/coreapp:v2.19.4"
IMAGES = {"webapp": WEB, "master": CORE, "coreapp": CORE}
IDS = {WEB: "sha256:web", CORE: "sha256:core"}


def placed(name="h1", running=()):
    """The nodes of the smallest cluster, all on one host, as wa_placement returns them."""
    host = HostWish(name, "a", name, name, KINDS, {}, DEFAULT_PORTS)
    wanted = Wanted(1, None, Survive(), False, (host,))
    return [node.as_dict() for node in place(wanted, [Slot(*slot) for slot in running]).nodes]


def store(source="whatsappMedia", **changes):
    mount = {
        "source": source, "volume": not source.startswith("/"), "path": "/m", "exists": True, "directory": True,
        "filesystem": "ext4", "writable": True, "reason": None, "free_mb": 50000,
    }  # fmt: skip
    return {**mount, **changes}


def container(name="other", **changes):
    """A running container that has nothing to do with the client."""
    entry = {
        "name": name, "id": "0" * 64, "image": "nginx:1", "image_id": "sha256:nginx", "state": "running",
        "cluster": None, "kind": None, "version": None, "index": None, "product": None, "environment": {}, "ports": [],
        "environment_differs": [],
        "mounts": {}, "networks": ["bridge"], "restart_policy": "no",
    }  # fmt: skip
    return {**entry, **changes}


def node_container(node, **changes):
    """The container of a placed node, just as the rollout makes it."""
    web = node["kind"] == "webapp"
    prefix, inside = ("WEBAPP", [443]) if web else ("COREAPP", [6250, 6251, 6252, 6253])
    image = IMAGES[node["kind"]]
    return container(
        node["name"],
        **{
            "image": image,
            "image_id": IDS[image],
            "cluster": "waent",
            "kind": node["kind"],
            "index": node["index"],
            "version": "v2.19.4",
            "product": "web" if web else "coreapp",
            "environment": {
                "WA_APP_MULTICONNECT": "1",
                prefix + "_HOSTNAME": node["address"],
                prefix + "_EXTERNAL_PORTS": node["external_ports"],
            },
            "ports": [{"host": host, "container": port} for host, port in zip(node["ports"], inside)],
            "mounts": {"/usr/local/wamedia": "whatsappMedia"},
            "networks": ["waent"],
            "restart_policy": "unless-stopped",
            **changes,
        },
    )


def listeners_of(containers):
    return [
        {"port": port["host"], "container": entry["name"], "process": None, "pid": None}
        for entry in containers
        if entry["state"] == "running"
        for port in entry["ports"]
    ]


def observed(name="h1", containers=(), asked=None, **changes):
    """A host with an engine, both images, and room; nothing runs but C(containers)."""
    host = {
        "name": name,
        "asked": {
            "cluster_name": "waent", "images": IMAGES, "network": "waent", "network_subnet": None, "container_uid": 0,
            "disk_free_mb": 2048, "stop_single_connect": False, "version": "v2.19.4", **(asked or {}),
        },
        "time": 0.0,
        "engine": {"installed": True, "answers": True, "denied": False, "reason": None, "root": "/var/lib/docker"},
        "containers": list(containers),
        "images": [{"image": image, "id": IDS[image], "registry": None, "reason": None} for image in IDS],
        "listeners": listeners_of(containers),
        "disk": {"path": "/var/lib/docker", "free_mb": 50000},
        "memory": {"total_mb": 8000, "available_mb": 4000},
        "media": store(),
        "data": None,
        "networks": [{"name": "waent", "subnets": ["172.23.0.0/16"]}, {"name": "bridge", "subnets": ["172.17.0.0/16"]}],
        "reached": [],
        "nodes": [],
        "single_connect": [],
    }  # fmt: skip
    return {**host, **changes}


def bare(name="h1", **changes):
    """A host on which nothing is installed."""
    engine = {"installed": False, "answers": False, "denied": False, "root": "/var/lib/docker",
              "reason": "the docker command is not installed"}  # fmt: skip
    images = [{"image": image, "id": None, "registry": "present", "reason": None} for image in IDS]
    mount = store(exists=False, directory=None, writable=None, free_mb=None)
    return observed(name, engine=engine, images=images, networks=[], media=mount, **changes)
