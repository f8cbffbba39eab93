# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as wa_host_info returns them, for tests: a healthy one, and parts to change."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import container_of, found_options
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, place

WEB, CORE = "docker.whatsapp.biz/web:v2.19.4", "docker.whatsapp.biz/coreapp:v2.19.4"
IMAGES = {"webapp": WEB, "master": CORE, "coreapp": CORE}
IDS = {WEB: "sha256:web", CORE: "sha256:core"}
SETTINGS = {
    "cluster": "waent", "version": "v2.19.4", "images": {**IMAGES, "database": "mariadb:10.11"}, "network": "waent",
    "publish_address": "0.0.0.0", "extra_hosts": {}, "media": "whatsappMedia", "data": "", "db_ssl": "",
    "db_engine": "MYSQL", "log_driver": "json-file", "log_options": {},
    "database": {
        "address": "0.0.0.0", "volume": "waentDatabase", "max_connections": 500, "arguments": [], "alias": "db",
    },
}  # fmt: skip
DATABASE = {"kind": "database", "host": "h1", "name": "wa-db", "ports": [3306]}


def inspected(spec):
    """A container made from a specification, as C(docker inspect) shows it: an independent model of the engine."""
    ports = [entry.rsplit(":", 2) for entry in spec.get("published_ports", [])]
    mode = spec["network_mode"]
    others = [
        {
            "Type": mount["type"], "Source": mount["source"], "Target": mount["target"],
            **({"VolumeOptions": {"Labels": mount["labels"]}} if "labels" in mount else {}),
        }
        for mount in spec.get("mounts", [])
    ]  # fmt: skip
    return {
        "Config": {
            "Image": spec["image"],
            "Hostname": spec.get("hostname", "0123456789ab"),
            "Cmd": spec["command"],
            "Env": ["PATH=/bin", "WA_DB_PASSWORD=canary"] + ["=".join(pair) for pair in spec.get("env", {}).items()],
            "Labels": {"maintainer": "of the image", **spec["labels"]},
        },
        "HostConfig": {
            "PortBindings": {
                inside + "/tcp": [{"HostIp": address.strip("[]"), "HostPort": port}] for address, port, inside in ports
            },
            "RestartPolicy": {"Name": spec["restart_policy"], "MaximumRetryCount": 0},
            "LogConfig": {"Type": spec["log_driver"], "Config": {"compress": "true", **spec["log_options"]}},
            "CapDrop": spec.get("cap_drop"),
            "ExtraHosts": ["{0}:{1}".format(*pair) for pair in spec.get("etc_hosts", {}).items()] or None,
            "NetworkMode": mode,
            "Mounts": others,
        },
        "NetworkSettings": {
            "Networks": {
                network["name"]: {"Aliases": ["0123456789ab", *network.get("aliases", [])]}
                for network in spec["networks"]
            }
        },
    }


def placed(name="h1", running=()):
    """The nodes of the smallest cluster, all on one host, as wa_placement returns them."""
    host = HostSpec(name, "a", name, name, KINDS, {}, DEFAULT_PORTS)
    desired = ClusterSpec(1, None, FaultTolerance(), False, (host,))
    return [node.as_dict() for node in place(desired, [Slot(*slot) for slot in running]).nodes]


def store(source="whatsappMedia", **changes):
    mount = {
        "source": source, "volume": not source.startswith("/"), "path": "/m", "exists": True, "directory": True,
        "filesystem": "ext4", "writable": True, "reason": None, "free_mb": 50000, "silent": None,
    }  # fmt: skip
    return {**mount, **changes}


def container(name="other", **changes):
    """A running container that has nothing to do with the client."""
    entry = {
        "name": name, "id": "0" * 64, "image": "nginx:1", "image_id": "sha256:nginx", "state": "running",
        "cluster": None, "kind": None, "version": None, "index": None, "product": None, "environment": {}, "ports": [],
        "networks": [], "mounts": {}, "environment_differs": [], "options": None,
    }  # fmt: skip
    return {**entry, **changes}


def node_container(node, made_from=SETTINGS, **changes):
    """The container of a placed node, just as the rollout makes it."""
    web = node["kind"] == "webapp"
    prefix, inside = ("WEBAPP", [443]) if web else ("COREAPP", [6250, 6251, 6252, 6253])
    image = made_from["images"][node["kind"]]
    spec = container_of(node, made_from)
    return container(
        node["name"],
        **{
            "image": image,
            "image_id": IDS.get(image, "sha256:" + image),
            "cluster": made_from["cluster"],
            "kind": node["kind"],
            "index": node["index"],
            "version": made_from["version"],
            "product": "web" if web else "coreapp",
            "environment": {
                "WA_APP_MULTICONNECT": "1",
                prefix + "_HOSTNAME": node["address"],
                prefix + "_EXTERNAL_PORTS": node["external_ports"],
            },
            "ports": [{"host": host, "container": port} for host, port in zip(node["ports"], inside)],
            "networks": [network["name"] for network in spec["networks"]],
            "mounts": {mount["target"]: mount["source"] for mount in spec["mounts"]},
            **changes,
            "options": {**found_options(inspected(spec)), **changes.get("options", {})},
        },
    )


def listeners_of(containers):
    return [
        {"port": port["host"], "container": entry["name"], "process": None, "pid": None}
        for entry in containers
        if entry["state"] == "running"
        for port in entry["ports"]
    ]


def network(name, subnets=(), cluster=None, endpoints=(), driver="bridge", addresses=()):
    """A Docker network."""
    return {
        "name": name, "id": name, "cluster": cluster, "driver": driver, "subnets": list(subnets),
        "endpoints": list(endpoints), "addresses": list(addresses),
    }  # fmt: skip


def engine(state="answers", **changes):
    """An engine in one of the states that module_utils/_state/engine.py knows."""
    found = {
        "state": state, "answers": state == "answers", "reason": None, "root": "/var/lib/docker", "daemon": None,
        "usable": True, "installable": True, "empty": state == "absent",
    }  # fmt: skip
    return {**found, **changes}


def observed(name="h1", containers=(), asked=None, **changes):
    """A host with an engine, both images, and room; nothing runs but C(containers)."""
    host = {
        "name": name,
        "asked": {
            "cluster_name": "waent", "images": IMAGES, "network": "waent", "container_uid": 0,
            "disk_free_mb": 2048, "stop_single_connect": False, "version": "v2.19.4", "container_settings": SETTINGS,
            **(asked or {}),
        },
        "time": 0.0,
        "engine": engine(),
        "python": {"executable": "/usr/bin/python3", "requests": True, "apt": True, "distribution": True},
        "systemd": True,
        "containers": list(containers),
        "images": [{"image": image, "id": IDS[image], "registry": None, "reason": None} for image in IDS],
        "listeners": listeners_of(containers),
        "disk": {"path": "/var/lib/docker", "free_mb": 50000},
        "memory": {"total_mb": 8000, "available_mb": 4000},
        "media": store(),
        "data": None,
        "networks": [network("waent", ["172.23.0.0/16"], "waent"), network("bridge", ["172.17.0.0/16"])],
        "volumes": [],
        "drill": None,
        "reached": [],
        "nodes": [],
        "single_connect": [],
    }  # fmt: skip
    return {**host, **changes}


def bare(name="h1", **changes):
    """A host on which nothing is installed."""
    absent = engine("absent", reason="the docker command is not installed")
    images = [{"image": image, "id": None, "registry": "present", "reason": None} for image in IDS]
    mount = store(exists=False, directory=None, writable=None, free_mb=None)
    return observed(name, engine=absent, images=images, networks=[], media=mount, **changes)
