# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout is going to do to each host, before it does it. Internal to waent.fleet: may change. Pure.

The planned changes, from what was read: existing containers are compared with their specification
(C(_desired/container.py)); of the environment the names of what differs, values only where they are no secrets.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    Observed,
    PlacedNode,
    cluster_nodes,
    missing_images,
    ours,
    single_connects,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, NODE_SECRET
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import Difference, compare, container_of
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import ABSENT, RUNNING, STOPPED, may_hold
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID

ROLL, AT_ONCE, ASK, NOTHING = "roll", "at_once", "ask", "nothing"
"""How nodes are recreated: one after the other with gates; kind by kind; as the API decides; not at all."""


@dataclass(frozen=True)
class Act:
    """One thing that is done to one host.

    action: C(install_engine), C(start_engine), C(stop), C(mount_share), C(remount_share), C(create_network),
    C(create_volume), C(pull), C(create), C(start), C(recreate), C(update) (without another container), C(remove) or
    C(keep); only the last changes nothing.
    what: the thing. why: what differs, empty where it is new.
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
            "start_engine": "start",
            "mount_share": "mount media share",
            "remount_share": "mount again, with its nodes stopped, media share",
            "create_network": "create network",
            "create_volume": "create volume",
            "pull": "pull image",
            "keep": "leave alone",
            "update": "update in place",
        }.get(self.action, self.action)
        reason = " ({0})".format("; ".join(self.why)) if self.why else ""
        return "{0}: {1} {2}{3}".format(self.host, verb, self.what, reason)

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({host, action, what, why, sentence})."""
        return dict(asdict(self), why=list(self.why), sentence=self.sentence)


RUNS = ("running", "restarting")
"""States in which nobody starts a container: what ends again and again, the engine starts."""

STARTING = frozenset(("create", "start", "recreate"))
"""What is done to a node that does not answer on its ports yet, or on other ones."""


def starting(
    plans: t.Mapping[str, t.Sequence[Act]], by_host: t.Mapping[str, t.Sequence[PlacedNode]]
) -> set[tuple[str, str]]:
    """Host and name of the nodes that are created, started or recreated. plans: what C(host_plan) says of each host."""
    return {
        (host, node["name"])
        for host, nodes in by_host.items()
        for node, act in _acts_of(nodes, plans[host])
        if act.action in STARTING
    }


def _acts_of(nodes: t.Sequence[PlacedNode], plan: t.Sequence[Act]) -> t.Iterator[tuple[PlacedNode, Act]]:
    """What happens to each node of a host. plan: what C(host_plan) says: nodes come last, one act for each."""
    return zip(reversed(nodes), reversed(plan))


def to_run(observed: Observed, nodes: t.Sequence[PlacedNode], plan: t.Sequence[Act]) -> list[PlacedNode]:
    """The nodes of a host whose containers have to be made as they should be, in the order in which they are placed.

    A container that was compared in full, and is as desired, is left out. plan: what C(host_plan) says of the host.
    """
    named = {node["name"] for node, act in _acts_of(nodes, plan) if act.action != "keep"}
    missing = set(missing_images(observed, nodes))
    asked = observed["asked"]
    # An image that is pulled now may have another content than the one the container was made from.
    unknown = missing if asked.get("container_settings") else set(asked["images"].values())
    return [node for node in nodes if node["name"] in named or asked["images"].get(node["kind"]) in (*unknown, None)]


def all_run(observed: t.Iterable[Observed], nodes: t.Iterable[PlacedNode]) -> bool:
    """Whether every node of these hosts runs now, whatever is going to be done to it.

    What runs on a host that was not read, the API knows: it is no reason not to ask.
    """
    by_name = {host["name"]: host for host in observed}
    containers = [_container(by_name[node["host"]], node) for node in nodes if node["host"] in by_name]
    return all(container is not None and container["state"] in RUNS for container in containers)


def host_plan(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Act]:
    """What happens to one host; nothing where no node is placed, but for an engine that is stopped.

    Nodes may be on it that nobody sees; what it holds is read when it runs, and the rest is then planned again.
    """
    name, asked, engine = observed["name"], observed["asked"], observed["engine"]
    plan = []
    if may_hold(engine):
        plan.append(Act(name, "start_engine", "Docker Engine", ("it is stopped; what follows is if it holds nothing",)))
    if not nodes:
        return plan
    if asked["stop_single_connect"]:
        why = ("it runs in single-connect mode",)
        plan += [Act(name, "stop", container["name"], why) for container in single_connects(observed)]
    if engine["state"] == ABSENT:
        plan.append(Act(name, "install_engine", "Docker Engine", _text(engine["reason"])))
    elif engine["state"] == STOPPED and engine["empty"]:
        plan.append(Act(name, "start_engine", "Docker Engine", ("it has never run",)))
    if asked["network"] and asked["network"] not in {network["name"] for network in observed["networks"]}:
        plan.append(Act(name, "create_network", asked["network"]))
    plan += [Act(name, "pull", image) for image in missing_images(observed, nodes)]
    stores = [observed.get(key) for key in ("media", "data", "db_ssl") if any(node["kind"] in KINDS for node in nodes)]
    plan += [
        Act(name, "create_volume", store["source"])
        for store in stores
        if store and store["volume"] and not store["exists"]
    ]
    return plan + [node_act(observed, node) for node in nodes]


def _text(reason: str | None) -> tuple[str, ...]:
    return (reason,) if reason else ()


def _container(observed: Observed, node: PlacedNode) -> t.Mapping[str, t.Any] | None:
    return next((c for c in observed["containers"] if c["name"] == node["name"] and ours(c, observed)), None)


def node_act(observed: Observed, node: PlacedNode) -> Act:
    """What happens to one node's container."""
    host, name = observed["name"], node["name"]
    container = _container(observed, node)
    if container is None:
        return Act(host, "create", "{0} on {1}".format(name, _ports_text(node["ports"])))
    found = differences(observed, node, container)
    why = tuple(difference.text for difference in found)
    if any(not difference.in_place for difference in found):
        return Act(host, "recreate", name, why)
    if container["state"] not in RUNS:
        return Act(host, "start", name, ("it is {0}".format(container["state"]), *why))
    return Act(host, "update", name, why) if found else Act(host, "keep", name)


def _ports_text(ports: t.Sequence[int]) -> str:
    return "port {0}".format(ports[0]) if len(ports) == 1 else "ports {0}-{1}".format(ports[0], ports[-1])


def differences(observed: Observed, node: PlacedNode, container: t.Mapping[str, t.Any]) -> list[Difference]:
    """What about a container of the cluster is not as desired, one for each option, in the order of C(KEYS)."""
    found = _image_differences(observed, node, container)
    if container["environment_differs"]:
        names = ", ".join(container["environment_differs"])
        found.append(Difference("env", "environment: {0} differs from the inventory".format(names)))
    if is_apart(observed, container):
        found.append(Difference("mounts", "mounts: the media share instead of the directory under it"))
    settings = observed["asked"].get("container_settings")
    if settings and container["options"] is not None:
        spec = container_of(node, settings)
        found += [one for one in compare(spec, container["options"]) if one.option != "image"]
    return found


def is_apart(observed: Observed, container: t.Mapping[str, t.Any]) -> bool:
    """Whether a container has the directory under the media share, as it was started before that was mounted.

    It is made as it should be, and what is wrong with it goes with another start.
    """
    share = observed.get("media_share") or {}
    return container["id"][:SHORT_ID] in (share.get("apart_containers") or ())


def must_recreate(observed: Observed, node: PlacedNode, container: t.Mapping[str, t.Any]) -> bool:
    """Whether the engine needs another container to have it as desired."""
    return any(not difference.in_place for difference in differences(observed, node, container))


def secret_mismatches(observed: t.Iterable[Observed]) -> list[str]:
    """Nodes that would not understand recreated ones, so that one after the other is no way to change them."""
    nodes = [container for host in observed for container in cluster_nodes(host)]
    return sorted(container["name"] for container in nodes if NODE_SECRET in container["environment_differs"])


def _image_differences(observed: Observed, node: PlacedNode, container: t.Mapping[str, t.Any]) -> list[Difference]:
    """By name, and by content: a tag that was built or pulled again is another image."""
    desired = observed["asked"]["images"].get(node["kind"])
    if desired is None:
        return []
    if container["image"] != desired:
        return [Difference("image", "image: {0} instead of {1}".format(desired, container["image"]))]
    here = next((image["id"] for image in observed["images"] if image["image"] == desired), None)
    rebuilt = here and here != container["image_id"]
    return [Difference("image", "image: {0} was rebuilt".format(desired))] if rebuilt else []


# How nodes are recreated


class Service(t.NamedTuple):
    """What the API reported. registered: whether the cluster serves a number, None where it did not say; then why."""

    registered: bool | None
    reason: str = "the API does not answer"


def service_of(login: t.Mapping[str, t.Any] | None, health: t.Mapping[str, t.Any] | None) -> Service | None:
    """From the results of wa_login in check mode and wa_cluster_health; None as long as the API was not read.

    Nobody has ever logged in to a cluster whose first password would be replaced, so it serves no number.
    """
    if health is None:
        return None
    login = login or {}
    if login.get("password_changed") and not login.get("failed"):
        return Service(False)
    registered = (health.get("cluster") or {}).get("registered")
    refused = [result for result in (login, health) if result.get("failed") or result.get("failure")]
    reasons = [(result.get("failure") or {}).get("message") or result.get("msg") for result in refused]
    # The first sentence is the reason; what could be done about it follows.
    firsts = [str(reason).splitlines()[0].split(". ")[0].rstrip(".") for reason in reasons if reason]
    reason = firsts[0] if firsts else Service(None).reason
    return Service(registered if isinstance(registered, bool) else None, reason)


@dataclass(frozen=True)
class Recreation:
    """Which nodes are recreated, in which way, why that way, and what forbids it.

    nodes: names of their containers. way: C(roll), C(at_once), C(ask) or C(nothing). remounts: hosts whose nodes stop
    and start because their media share is mounted again.
    """

    nodes: tuple[str, ...]
    way: str
    why: str = ""
    problem: Problem | None = None
    remounts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """The shape modules return: C({nodes, way, why})."""
        return {"nodes": list(self.nodes), "way": self.way, "why": self.why}


def recreation(
    hosts: t.Sequence[Observed], acts: t.Iterable[Act], service: Service | None, allow_at_once: bool
) -> Recreation:
    """How the nodes that C(acts) recreates are recreated. A cluster in service is not taken down for it.

    service: what C(service_of) returned. Without an answer of the API running nodes are then left alone
    unless C(allow_at_once).
    """
    acts = list(acts)
    recreated = {(act.host, act.what) for act in acts if act.action == "recreate"}
    remounts = tuple(dict.fromkeys(act.host for act in acts if act.action == "remount_share"))
    nodes = [(host["name"], node) for host in hosts for node in cluster_nodes(host)]
    ours_of = [node for host, node in nodes if (host, node["name"]) in recreated or host in remounts]
    names = tuple(sorted(node["name"] for node in ours_of))
    found = _way(hosts, names, ours_of, nodes, service, allow_at_once)
    if not remounts:
        return found
    if found.way == AT_ONCE:
        return replace(found, problem=_not_remounted(acts, found.why))
    why = _REMOUNTED if found.way == ROLL and not recreated else found.why
    return replace(found, why=why, remounts=remounts)


_REMOUNTED = (
    "The cluster is in service: the media share is mounted again on one host at a time, with its nodes stopped"
    " meanwhile, and with a gate after it."
)


def _not_remounted(acts: t.Iterable[Act], why: str) -> Problem:
    """Nodes that are recreated at once are not stopped before the share is mounted."""
    acts = [act for act in acts if act.action == "remount_share"]
    message = (
        "{0} has to be unmounted for its options ({1}), and nodes of {2} use it. They are not stopped one host at a"
        " time now: {3} Stop them (docker stop), and run {4}; or leave the options as they are."
    ).format(
        acts[0].what,
        "; ".join(acts[0].why),
        ", ".join(act.host for act in acts),
        why,
        instruction("media_share_in_use"),
    )
    return Problem("MEDIA_SHARE_IN_USE", message, "wa_media_share")


def _way(
    hosts: t.Sequence[Observed],
    names: tuple[str, ...],
    ours_of: t.Sequence[t.Mapping[str, t.Any]],
    nodes: t.Sequence[tuple[str, t.Mapping[str, t.Any]]],
    service: Service | None,
    allow_at_once: bool,
) -> Recreation:
    """The way for these nodes, whatever is the reason. nodes: all of the cluster, each with its host."""
    running = [node["name"] for node in ours_of if node["state"] in RUNNING]
    if not names:
        return Recreation((), NOTHING)
    if not any(node["state"] in RUNNING for _host, node in nodes):
        return Recreation(names, AT_ONCE, "Nothing of the cluster runs: {0}".format(_AT_ONCE_TEXT))
    if secret_mismatches(hosts):
        why = "{0} of running nodes is another one, so that old and new nodes would not understand each other: {1}"
        return Recreation(names, AT_ONCE, why.format(NODE_SECRET, _AT_ONCE_TEXT))
    return _by_service(names, running, nodes, service, allow_at_once)


_AT_ONCE_TEXT = "the nodes are recreated kind by kind, without service until the coreapps are back."


def _by_service(
    names: tuple[str, ...],
    running: t.Sequence[str],
    nodes: t.Iterable[tuple[str, t.Mapping[str, t.Any]]],
    service: Service | None,
    allow_at_once: bool,
) -> Recreation:
    """For a cluster of which something runs, and whose nodes understand each other."""
    if service is None:
        return Recreation(names, ASK)
    if service.registered:
        why = "The cluster is in service: its nodes are recreated one after the other, each with a gate after it."
        return Recreation(names, ROLL, why)
    if service.registered is False:
        return Recreation(names, AT_ONCE, "The cluster serves no number yet: {0}".format(_AT_ONCE_TEXT))
    if not running:
        return Recreation(names, AT_ONCE, "None of the nodes that are recreated runs, so this interrupts nothing.")
    if allow_at_once:
        return Recreation(names, AT_ONCE, "wa_recreate_at_once is true: {0}".format(_AT_ONCE_TEXT))
    webapps = [(host, node) for host, node in nodes if node["kind"] == "webapp"]
    answerable = any(node["state"] == "running" for _host, node in webapps)
    start = "Have a webapp answer"
    if webapps and not answerable:
        start = "Start a webapp (docker start {0} on {1})".format(webapps[0][1]["name"], webapps[0][0])
    message = (
        "{0} would be recreated, but whether the cluster is in service cannot be asked ({1}). {4}, and"
        " run {2}; or, where it may be without service for some minutes, add {3} to the command to have the nodes"
        " recreated kind by kind.".format(
            ", ".join(running),
            service.reason if answerable else "no webapp of it runs",
            instruction("service_unknown"),
            instruction("service_unknown_at_once"),
            start,
        )
    )
    return Recreation(names, ASK, problem=Problem("SERVICE_UNKNOWN", message, "wa_recreate_at_once", False))
