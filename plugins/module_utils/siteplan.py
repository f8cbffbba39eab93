# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout is going to do to each host, before it does it. Internal to waent.fleet: may change. Pure.

A forecast from what was read: it sees image, ports, environment, mounts, network and restart policy of existing
containers; of the environment the names of what differs, values only where they are no secrets.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.waent.fleet.plugins.module_utils.environment import NODE_SECRET
from ansible_collections.waent.fleet.plugins.module_utils.host import (
    NODE_KINDS,
    Observed,
    PlacedNode,
    cluster_nodes,
    missing_images,
    ours,
    single_connects,
)

CORE_PORTS = (6250, 6251, 6252, 6253)
WEBAPP_PORTS = (443,)
MEDIA_TARGET, DATA_TARGET = "/usr/local/wamedia", "/usr/local/waent/data"


@dataclass(frozen=True)
class Act:
    """One thing that is done to one host.

    action: C(install_engine), C(stop), C(create_network), C(create_volume), C(pull), C(create), C(start),
    C(recreate) or C(keep); only the last changes nothing. what: the thing. why: what differs, empty where it is new.
    """

    host: str
    action: str
    what: str
    why: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For the reader: C(rack-a-1: create wa-coreapp-1)."""
        verb = {
            "install_engine": "install and start",
            "create_network": "create network",
            "create_volume": "create volume",
            "pull": "pull image",
            "keep": "leave alone",
            "recreate": "make anew",
        }.get(self.action, self.action)
        reason = " ({0})".format("; ".join(self.why)) if self.why else ""
        return "{0}: {1} {2}{3}".format(self.host, verb, self.what, reason)

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({host, action, what, why, sentence})."""
        return dict(asdict(self), why=list(self.why), sentence=self.sentence)


def site_plan(observed: t.Iterable[Observed], nodes: t.Sequence[PlacedNode]) -> list[Act]:
    """What happens to each host, in the order in which it happens there."""
    plan: list[Act] = []
    for host in observed:
        plan += host_plan(host, [node for node in nodes if node["host"] == host["name"]])
    return plan


def host_plan(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Act]:
    """What happens to one host; nothing where no node is placed."""
    if not nodes:
        return []
    name, asked = observed["name"], observed["asked"]
    plan = []
    if asked["stop_single_connect"]:
        why = ("it runs in single-connect mode",)
        plan += [Act(name, "stop", container["name"], why) for container in single_connects(observed)]
    if not observed["engine"]["answers"]:
        plan.append(Act(name, "install_engine", "Docker Engine", _text(observed["engine"]["reason"])))
    if asked["network"] and asked["network"] not in {network["name"] for network in observed["networks"]}:
        plan.append(Act(name, "create_network", asked["network"]))
    plan += [Act(name, "pull", image) for image in missing_images(observed, nodes)]
    stores = [observed[key] for key in ("media", "data") if any(node["kind"] in NODE_KINDS for node in nodes)]
    plan += [
        Act(name, "create_volume", store["source"])
        for store in stores
        if store and store["volume"] and not store["exists"]
    ]
    return plan + [node_act(observed, node) for node in nodes]


def _text(reason: str | None) -> tuple[str, ...]:
    return (reason,) if reason else ()


def node_act(observed: Observed, node: PlacedNode) -> Act:
    """What happens to one node's container."""
    host, name = observed["name"], node["name"]
    container = next((c for c in observed["containers"] if c["name"] == name and ours(c, observed)), None)
    if container is None:
        return Act(host, "create", "{0} on {1}".format(name, _ports_text(node["ports"])))
    why = tuple(differences(observed, node, container))
    if why:
        return Act(host, "recreate", name, why)
    if container["state"] not in ("running", "restarting"):
        return Act(host, "start", name, ("it is {0}".format(container["state"]),))
    return Act(host, "keep", name)


def _ports_text(ports: t.Sequence[int]) -> str:
    return "port {0}".format(ports[0]) if len(ports) == 1 else "ports {0}-{1}".format(ports[0], ports[-1])


def differences(observed: Observed, node: PlacedNode, container: t.Mapping[str, t.Any]) -> list[str]:
    """What about a container is not as wanted, one short text for each. A database is compared by its image only."""
    found = _image_difference(observed, node, container)
    if node["kind"] not in NODE_KINDS:
        return found
    pairs: list[tuple[str, t.Any, t.Any]] = [
        ("ports", _published(node), [(port["host"], port["container"]) for port in container["ports"]]),
        ("restart policy", "unless-stopped", container["restart_policy"]),
    ]
    if container["environment_differs"]:
        found = found + ["environment: {0} not as declared".format(", ".join(container["environment_differs"]))]
    prefix = "WEBAPP" if node["kind"] == "webapp" else "COREAPP"
    environment = container["environment"]
    pairs.append(("advertised name", node["address"], environment.get(prefix + "_HOSTNAME")))
    pairs.append(("advertised ports", node["external_ports"], environment.get(prefix + "_EXTERNAL_PORTS")))
    for key, target in (("media", MEDIA_TARGET), ("data", DATA_TARGET)):
        store = observed[key]
        pairs.append((key, store["source"] if store else None, container["mounts"].get(target)))
    network = observed["asked"]["network"]
    if network and network not in container["networks"]:
        pairs.append(("network", network, ", ".join(container["networks"]) or None))
    return found + [
        "{0}: {1} instead of {2}".format(what, _short(wanted), _short(actual))
        for what, wanted, actual in pairs
        if wanted != actual
    ]


def strangers(observed: t.Iterable[Observed]) -> list[str]:
    """Nodes that would not understand those made anew, so that one after the other is no way to change them."""
    nodes = [container for host in observed for container in cluster_nodes(host)]
    return sorted(container["name"] for container in nodes if NODE_SECRET in container["environment_differs"])


def _image_difference(observed: Observed, node: PlacedNode, container: t.Mapping[str, t.Any]) -> list[str]:
    wanted = observed["asked"]["images"].get(node["kind"])
    if wanted is None:
        return []
    if container["image"] != wanted:
        return ["image: {0} instead of {1}".format(wanted, container["image"])]
    here = next((image["id"] for image in observed["images"] if image["image"] == wanted), None)
    return ["image: {0} was built anew".format(wanted)] if here and here != container["image_id"] else []


def _published(node: PlacedNode) -> list[tuple[int, int]]:
    inside = WEBAPP_PORTS if node["kind"] == "webapp" else CORE_PORTS
    return sorted(zip(node["ports"], inside))


def _short(value: t.Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join("{0}->{1}".format(*pair) for pair in value) or "none"
    return str(value)
