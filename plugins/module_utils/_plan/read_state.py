# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was read of hosts and API to the state that plans are made from. Internal to waent.fleet. Pure.

Nodes are what wa_placement returned as C(nodes), hosts what wa_host_info returned as C(host), health what
wa_cluster_health returned.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes, ours
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SCHEMA_UPGRADE, TARGET_LABEL, TOKEN_KEY
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import must_recreate
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import PRIMARY
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import BEGUN, DONE, ClusterState, NodeState

Entry = t.Mapping[str, t.Any]


def read_state(
    nodes: t.Sequence[Entry],
    hosts: t.Sequence[Entry],
    health: Entry,
    shards: int,
    version: Version | None = None,
    remount: t.Container[str] = (),
) -> ClusterState:
    """The placed nodes as they are. shards: for where the API does not show the number. version: the desired one.

    remount: names of hosts whose media share has to be mounted again.
    """
    cluster = health.get("cluster") or {}
    by_host = {host["name"]: host for host in hosts}
    reported = {node["name"]: node for node in cluster.get("nodes") or []}
    answers = {webapp["url"] for webapp in health.get("webapps") or [] if webapp["answers"]}
    found = [
        _node(node, by_host.get(node["host"]), reported.get(node["key"]), webapp_url(node) in answers, version)
        for node in nodes
    ]
    found = [replace(state, remount=node["host"] in remount) for node, state in zip(nodes, found)]
    schema = schema_state(hosts, version) if version else None
    return ClusterState(cluster.get("shards") or shards, tuple(found), schema)


def _node(node: Entry, host: Entry | None, shown: Entry | None, answers: bool, desired: Version | None) -> NodeState:
    container = next((c for c in cluster_nodes(host) if c["name"] == node["name"]), None) if host else None
    version = parse_version(container["version"]) if container else None
    running = container is not None and container["state"] == "running"
    reports = shown is not None and shown["alive"]
    alive = running and (answers if node["kind"] == "webapp" else reports)
    differs = bool(host and container and version == desired and must_recreate(host, node, container))
    return NodeState(
        node["key"],
        node["kind"],
        alive,
        primary=alive and shown is not None and shown["role"] == PRIMARY,
        shards=frozenset(s for s in (shown or {}).get("shards") or () if s >= 0) if alive else frozenset(),
        slot=Slot(node["host"], node["kind"], node["index"]),
        version=version,
        differs=differs,
        other_tokens=container is not None and TOKEN_KEY in container["environment_differs"],
    )


def one_shots(hosts: t.Iterable[Entry], version: Version) -> list[dict[str, t.Any]]:
    """The one-shot containers of the schema upgrade to this version, C({host, name, state, exit_code}).

    One for another version says nothing of this upgrade.
    """
    return [
        {"host": host["name"], **{key: container[key] for key in ("name", "state", "exit_code")}}
        for host in hosts
        for container in host["containers"]
        if container["kind"] == SCHEMA_UPGRADE
        and ours(container, host)
        and parse_version(((container["options"] or {}).get("labels") or {}).get(TARGET_LABEL)) == version
    ]


def schema_state(hosts: t.Iterable[Entry], version: Version) -> str | None:
    """How far the schema upgrade to this version is: None, BEGUN or DONE."""
    found = one_shots(hosts, version)
    if any(one["state"] == "exited" and one["exit_code"] == 0 for one in found):
        return DONE
    return BEGUN if found else None
