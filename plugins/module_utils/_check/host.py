# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a host before nodes are put on it. Internal to waent.fleet: may change in any release. Pure.

C(observed) is everywhere the structure that wa_host_info returns as C(host); C(nodes) are the host's entries of what
wa_placement returns as C(nodes), and may have one of kind C(database) besides.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import left_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.without_argument import argument
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import (
    DATA_TARGET,
    DATABASE_TARGET,
    KINDS,
    LISTENER,
    MEDIA_TARGET,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import container_of
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import (
    ABSENT,
    FIXABLE,
    REFUSALS,
    RUNNING,
    STOPPED,
    may_hold_unseen,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.found import adopted_nodes

CLOCK_LIMIT_SECONDS = 5.0
"""Tokens and the replay window of 10 s between web and core need clocks that agree (reference 6.1, 2.4)."""

UNKNOWN_NODE = "NODE_UNKNOWN"

Observed = t.Mapping[str, t.Any]
PlacedNode = t.Mapping[str, t.Any]


def host_problems(
    observed: Observed, nodes: t.Sequence[PlacedNode], leaving: t.Sequence[PlacedNode] = ()
) -> list[Problem]:
    """Everything that keeps these nodes from running on this host. leaving: nodes that are there and have to go."""
    problems = engine_problems(observed) + left_problems(observed)
    for check in (
        single_connect_problems,
        unmanaged_problems,
        version_problems,
        lambda observed, nodes: unknown_node_problems(observed, [*nodes, *leaving]),
        name_problems,
        port_problems,
        image_problems,
        mount_problems,
        emptied_problems,
        disk_problems,
    ):
        problems += check(observed, nodes)
    # A host that only has to be emptied needs no way to the database.
    return problems if leaving and not nodes else problems + reach_problems(observed)


def ours(container: t.Mapping[str, t.Any], observed: Observed) -> bool:
    """Whether a container belongs to the cluster that is asked about."""
    return container["cluster"] == observed["asked"]["cluster_name"]


def cluster_nodes(observed: Observed) -> list[t.Mapping[str, t.Any]]:
    """The containers on this host that are nodes of the cluster, in whatever state; databases are none."""
    return [c for c in observed["containers"] if ours(c, observed) and c["kind"] in KINDS and c["index"]]


def single_connects(observed: Observed) -> list[t.Mapping[str, t.Any]]:
    """Running containers of the client that are not in cluster mode; a one-shot schema upgrade connects to nothing."""
    adopted = {node.name for node in adopted_nodes(observed)}
    return [
        container
        for container in observed["containers"]
        if container["product"]
        and container["name"] not in adopted
        and container["state"] in RUNNING
        and container["environment"].get("WA_APP_MULTICONNECT") != "1"
        and container["environment"].get("WA_DB_UPGRADE") != "1"
    ]


def unmanaged_nodes(observed: Observed) -> list[t.Mapping[str, t.Any]]:
    """Running nodes in cluster mode that no label gives to a cluster, as a compose file starts them."""
    adopted = {node.name for node in adopted_nodes(observed)}
    return [
        container
        for container in observed["containers"]
        if container["product"]
        and container["name"] not in adopted
        and container["cluster"] is None
        and container["state"] in RUNNING
        and container["environment"].get("WA_APP_MULTICONNECT") == "1"
        and container["environment"].get("WA_DB_UPGRADE") != "1"
    ]


def engine_problems(observed: Observed) -> list[Problem]:
    """An engine in whose place nobody may install another, or what Ansible's modules need to talk to one."""
    return engine_refusals(observed) or python_problems(observed)


def engine_refusals(observed: Observed) -> list[Problem]:
    """An engine that is left alone, and in whose place nobody may install another."""
    engine = observed["engine"]
    if engine["state"] not in REFUSALS:
        return []
    code, sentence, variable = REFUSALS[engine["state"]]
    return [Problem(code, sentence.format(engine["reason"]), variable, None, observed["name"])]


def python_problems(observed: Observed) -> list[Problem]:
    """Ansible's Docker modules need a Python module on the host."""
    # Where there is no engine, python3-requests is installed with it.
    return [] if observed["engine"]["state"] == ABSENT else _requests_problems(observed)


def _requests_problems(observed: Observed) -> list[Problem]:
    python = observed.get("python") or {}
    if python.get("requests") is not False:
        return []
    advice = "install python3-requests"
    if not python.get("distribution", True):
        advice = (
            "packages of the distribution do not reach it: run {0} -m pip install requests, or set"
            " ansible_python_interpreter to the distribution's own Python, /usr/bin/python3"
        ).format(python["executable"])
    message = "{0} has no module requests, which Ansible's Docker modules need; {1}.".format(
        python["executable"], advice
    )
    return [Problem("PYTHON_REQUESTS_MISSING", message, "ansible_python_interpreter", None, observed["name"])]


def unusable_engine_problems(observed: Observed) -> list[Problem]:
    """Why the Docker modules cannot work with the engine that was to be there by now."""
    engine = observed["engine"]
    if engine["state"] not in FIXABLE:
        return engine_problems(observed)
    what = "was not installed" if engine["state"] == ABSENT else "was started and ended again"
    message = (
        "Docker Engine {0} ({1}); look into its log (journalctl --unit docker, /var/log/docker.log), start it, and run"
        " {2}."
    ).format(what, engine["reason"], instruction("engine_not_started"))
    return [Problem("ENGINE_NOT_STARTED", message, None, None, observed["name"])]


def unfixed_engine_problems(
    observed: Observed, nodes: t.Sequence[PlacedNode], fixed: t.Container[str]
) -> list[Problem]:
    """An engine that is absent or stopped: what only site.yml fixes, and what even that could not.

    On a stopped engine there may be nodes, seen or not; where none was ever installed only placed nodes miss it.
    """
    engine = observed["engine"]
    name, state = observed["name"], engine["state"]
    if state not in FIXABLE or (state == ABSENT and not nodes):
        return []
    if state not in fixed:
        what, verb = ("is installed, but stopped", "starts") if state == STOPPED else ("is not installed", "installs")
        # Beside nodes of compose files site.yml does nothing.
        adopts = observed["asked"].get("adopts")
        run = instruction("engine_absent_adopting") if adopts else instruction("engine_absent")
        message = "Docker Engine {0}; {1} {2} it.".format(what, run, verb)
        return [Problem("ENGINE_" + state.upper(), message, None, None, name)]
    if not engine["usable"]:
        message = (
            "Docker Engine {0}, and this user could not use it then, as only root and the group docker may; set"
            " ansible_become to true for the host.".format("is stopped" if state == STOPPED else "is to be installed")
        )
        return [Problem("ENGINE_DENIED", message, "ansible_become", None, name)]
    lacks_for_good = state == ABSENT and not (observed.get("python") or {}).get("distribution", True)
    return install_refusals(observed) or (_requests_problems(observed) if lacks_for_good else [])


def install_refusals(observed: Observed) -> list[Problem]:
    """An engine that is absent and that the role C(docker_engine) cannot install."""
    engine = observed["engine"]
    if engine["state"] != ABSENT or engine["installable"]:
        return []
    message = "Docker Engine is not installed, and only on Debian and its relatives it can be: install it."
    return [Problem("ENGINE_NOT_INSTALLABLE", message, None, None, observed["name"])]


def single_connect_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """Two installations of one number evict each other and get it banned (reference 1)."""
    found = single_connects(observed)
    if not found or not nodes or observed["asked"]["stop_single_connect"]:
        return []
    names = [container["name"] for container in found]
    return [
        Problem(
            "SINGLE_CONNECT_RUNNING",
            "{0} run{1} the client in single-connect mode; next to a cluster of the same number both would evict each"
            " other and the number be banned. Stop what runs, or add {2} to the command to have it stopped"
            " first.".format(", ".join(names), "s" if len(names) == 1 else "", instruction("single_connect_running")),
            "wa_stop_single_connect",
            False,
            observed["name"],
        )
    ]


def unmanaged_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """A cluster that was started by other means: with the same number both get it banned, on whatever ports."""
    found = unmanaged_nodes(observed)
    if not found or not nodes:
        return []
    names = [container["name"] for container in found]
    return [
        Problem(
            "UNMANAGED_NODES_RUNNING",
            "{0} run{1} the client in cluster mode, and no label says of which cluster; next to a cluster of the same"
            " number both would evict each other and the number be banned. If it serves this number, run {3}, which"
            " takes it over in service; to end it, stop it (docker stop {2}); if it serves another number, recreate it"
            " with the label waent.fleet.cluster and a name of its own.".format(
                ", ".join(names), "s" if len(names) == 1 else "", " ".join(names), instruction("unmanaged_nodes")
            ),
            None,
            None,
            observed["name"],
        )
    ]


def version_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """The version of what exists is changed by an upgrade, in its order, not by a rollout."""
    desired = observed["asked"]["version"]
    names = {node["name"] for node in nodes}
    other = [c for c in cluster_nodes(observed) if c["name"] in names and c["version"] not in (None, desired)]
    if desired is None or not other:
        return []
    return [
        Problem(
            "VERSION_DIFFERS",
            "wa_version is {0}, but {1} here; a running cluster changes its version with {2} only, or set wa_version to"
            " what runs.".format(
                desired,
                ", ".join("{0} is {1}".format(c["name"], c["version"]) for c in other),
                instruction("version_differs", version=desired),
            ),
            "wa_version",
            desired,
            observed["name"],
        )
    ]


def unknown_node_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """A node that the inventory has no place for would go on taking part in the cluster unseen."""
    names = {node["name"] for node in nodes}
    return [
        Problem(
            UNKNOWN_NODE,
            "{0} ({1}) is a node of cluster {2}, but the inventory places no such node here; add the host to"
            " wa_{3}_hosts, or remove the container.".format(c["name"], c["state"], c["cluster"], c["kind"]),
            "wa_{0}_hosts".format(c["kind"]),
            None,
            observed["name"],
        )
        for c in cluster_nodes(observed)
        if c["name"] not in names
    ]


def name_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """A container of somebody else that has the name of a node."""
    names = {node["name"] for node in nodes}
    return [
        Problem(
            "NAME_TAKEN",
            "A container named {0} exists and {1}; remove or rename it, or choose another wa_name_prefix.".format(
                c["name"], "belongs to cluster {0}".format(c["cluster"]) if c["cluster"] else "belongs to no cluster"
            ),
            "wa_name_prefix",
            None,
            observed["name"],
        )
        for c in observed["containers"]
        if c["name"] in names and not ours(c, observed)
    ]


PUBLISHER = "docker-proxy"
"""Process of the engine that listens for a container."""


def port_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """A port may be taken by the very container that shall have it, and by what will be stopped first."""
    allowed = {c["name"] for c in observed["containers"] if ours(c, observed)}
    stopped = {c["name"] for c in single_connects(observed)} if observed["asked"]["stop_single_connect"] else set()
    stopped |= {node.name for node in adopted_nodes(observed)}
    holders = {entry["port"]: entry for entry in observed["listeners"]}
    problems = []
    for node in nodes:
        variable = "wa_{0}_port".format(node["kind"])
        for port in node["ports"]:
            holder = holders.get(port)
            # A listener of ours that a killed run has left ends by itself, or when the next one begins to listen.
            if holder is None or holder["container"] in stopped or holder["process"] == LISTENER:
                continue
            if holder["container"] == node["name"] and node["name"] in allowed:
                continue
            # What an engine publishes that does not say what it runs may well be the node's own port.
            if holder["process"] == PUBLISHER and may_hold_unseen(observed["engine"]):
                continue
            message = "Port {0}, needed by {1}, is taken by {2}; free it or change {3}.".format(
                port, node["name"], holder_text(holder), variable
            )
            problems.append(Problem("PORT_TAKEN", message, variable, port, observed["name"]))
    return problems


def holder_text(holder: t.Mapping[str, t.Any]) -> str:
    """Who holds a port, in words."""
    if holder["container"]:
        return "container {0}".format(holder["container"])
    if holder["process"]:
        return "process {0} (pid {1})".format(holder["process"], holder["pid"])
    return "a process this user may not see"


def needed_images(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[str]:
    """References of the images for these nodes, each once."""
    images = observed["asked"]["images"]
    return sorted({images[node["kind"]] for node in nodes if node["kind"] in images})


def missing_images(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[str]:
    """Images for these nodes that are not on the host."""
    there = {image["image"] for image in observed["images"] if image["id"]}
    return [reference for reference in needed_images(observed, nodes) if reference not in there]


def image_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """Images that are neither here nor, by the registry's word, anywhere to be had."""
    missing = set(missing_images(observed, nodes))
    problems = []
    for image in observed["images"]:
        # None: nobody was asked, since the image may lie on an engine that is stopped.
        if image["image"] not in missing or image["registry"] in ("present", None):
            continue
        gone = image["registry"] == "missing"
        message = "Image {0} is not on the host, and {1}; {2}.".format(
            image["image"],
            image["reason"] if gone else "whether it can be pulled is not known ({0})".format(image["reason"]),
            "check wa_version and wa_image_registry" if gone else "check wa_image_registry, or load the image by hand",
        )
        code = "IMAGE_MISSING" if gone else "IMAGE_UNKNOWN"
        problems.append(Problem(code, message, "wa_version", image["image"], observed["name"]))
    return problems


def mount_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """Media and data store of the nodes. A volume that does not exist is made; a path must be there (reference 6.3)."""
    problems: list[Problem] = []
    if not any(node["kind"] in KINDS for node in nodes):
        return problems
    for key in ("media", "data"):
        mount = observed[key]
        if mount is None or (mount["volume"] and not mount["exists"]):
            continue
        variable = "wa_" + key
        uid = observed["asked"]["container_uid"]
        if mount["silent"]:
            message = "{0} is {1}, which does not answer (step {2}: {3}); bring its server or the way to it back."
            message = message.format(variable, mount["source"], mount["silent"], mount["reason"])
            problems.append(Problem(key.upper() + "_NO_ANSWER", message, variable, mount["source"], observed["name"]))
        elif not mount["exists"]:
            message = "{0} is {1}, which does not exist; mount the share there first.".format(variable, mount["source"])
            problems.append(Problem(key.upper() + "_MISSING", message, variable, mount["source"], observed["name"]))
        elif mount["writable"] is False:
            message = "{0} is {1}, which user id {2} of the containers cannot write ({3}); make it writable.".format(
                variable, mount["source"], uid, mount["reason"]
            )
            problems.append(
                Problem(key.upper() + "_NOT_WRITABLE", message, variable, mount["source"], observed["name"])
            )
    return problems


VOLUME_VARIABLES = {MEDIA_TARGET: "wa_media", DATA_TARGET: "wa_data", DATABASE_TARGET: "wa_database_volume"}


class Replacement(t.NamedTuple):
    """A volume or network that does not exist yet and would take the place of one. what: C(volume) or C(network)."""

    variable: str
    what: str
    now: str
    then: str


def emptied_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """Containers that would be recreated on a volume or in a network that does not exist yet, and have another now.

    That is how a database comes up empty, or a node loses sight of its database, because a variable, or the name of
    the cluster that its default is made of, has another value than at the installation.
    """
    names: dict[Replacement, list[str]] = {}
    for node in nodes:
        for replacement in _replacements(observed, node):
            names.setdefault(replacement, []).append(node["name"])
    return [_emptied(replacement, names[replacement], observed["name"]) for replacement in sorted(names)]


def _replacements(observed: Observed, node: PlacedNode) -> t.Iterator[Replacement]:
    settings = observed["asked"].get("container_settings")
    container = next((c for c in observed["containers"] if c["name"] == node["name"] and ours(c, observed)), None)
    if not settings or container is None:
        return
    spec = container_of(node, settings)
    volumes = {volume["name"] for volume in observed["volumes"]}
    networks = {network["name"] for network in observed["networks"]}
    for mount in spec["mounts"]:
        now, then = container["mounts"].get(mount["target"]), mount["source"]
        if (
            mount["target"] in VOLUME_VARIABLES
            and mount["type"] == "volume"
            and then not in volumes
            and now not in (None, then)
        ):
            yield Replacement(VOLUME_VARIABLES[mount["target"]], "volume", now, then)
    for network in spec["networks"]:
        # One that was removed under a stopped container is created again, under the same name.
        if network["name"] not in networks and container["networks"] and network["name"] not in container["networks"]:
            yield Replacement("wa_network", "network", container["networks"][0], network["name"])


def _emptied(replacement: Replacement, names: t.Sequence[str], host: str) -> Problem:
    volume = replacement.what == "volume"
    message = (
        "{variable} is {then}, a {what} that does not exist, but {names} {have} the {what} {now}. Set {variable} to"
        " {now} to keep it; if another one is meant, make it first (docker {what} create {then}){how}."
    ).format(
        names=", ".join(names),
        have="has" if len(names) == 1 else "have",
        how=" with the data in it" if volume else " and connect the running containers to it",
        **replacement._asdict(),
    )
    code = "VOLUME_WOULD_BE_EMPTY" if volume else "NETWORK_WOULD_CHANGE"
    return Problem(code, message, replacement.variable, replacement.then, host)


def disk_problems(observed: Observed, nodes: t.Sequence[PlacedNode]) -> list[Problem]:
    """Room for images and logs, and for media where the media store is on this host."""
    least = observed["asked"]["disk_free_mb"]
    places = [(observed["disk"]["path"], observed["disk"]["free_mb"])]
    media = observed["media"]
    if media and media["free_mb"] is not None and not media["volume"]:
        places.append((media["source"], media["free_mb"]))
    return [
        Problem(
            "DISK_LOW",
            "{0} MB are free at {1}; wa_disk_free_mb asks for {2} MB.".format(free, path, least),
            "wa_disk_free_mb",
            least,
            observed["name"],
        )
        for path, free in places
        if nodes and free is not None and free < least
    ]


def reach_problems(observed: Observed) -> list[Problem]:
    """Services the nodes need and the host cannot connect to."""
    return [
        Problem(
            "NOT_REACHABLE",
            "The host cannot connect to {0} port {1} ({2}), which the nodes need.".format(
                target["host"], target["port"], target["reason"]
            ),
            None,
            "{0}:{1}".format(target["host"], target["port"]),
            observed["name"],
        )
        for target in observed["reached"]
        if not target["reached"]
    ]


def unread_problems(
    observed: t.Iterable[Observed],
    nodes: t.Iterable[PlacedNode],
    failures: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
    unreachable: t.Mapping[str, str] | None = None,
    spared: t.Sequence[str] = (),
    sought_on: t.Iterable[str] = (),
) -> list[Problem]:
    """Hosts that nodes are placed on and that could not be read. failures: by host C(failure) of wa_host_info.

    unreachable: by host why it does not answer at all. spared: the hosts to name for a run that goes on without them.
    sought_on: hosts on which nodes are sought that nobody has placed, so that each of them has to be read.
    """
    known, away = failures or {}, unreachable or {}
    read = {host["name"] for host in observed}
    used = {node["host"] for node in nodes}
    return [
        unread_problem(name, known[name])
        if name in known
        else _not_read(name, away.get(name), spared, used=name in used)
        for name in sorted((used | set(sought_on)) - read)
    ]


def _not_read(host: str, why: str | None, spared: t.Sequence[str], *, used: bool) -> Problem:
    """A host of which no module says why. used: nodes are placed on it."""
    message = "The host could not be read{0}, {1}.".format(
        " ({0})".format(why) if why else "",
        "but nodes are placed on it"
        if used
        else "so nobody knows which nodes run there; have it answer, or take it out of the inventory where it has none",
    )
    if host in spared:
        message += (
            " Have it back, or add {0} to the command: it then goes on without, where wa_survive holds for the hosts"
            " that are left.".format(argument(spared))
        )
    return Problem("HOST_NOT_READ", message, None, None, host)


def unread_problem(host: str, failure: t.Mapping[str, t.Any]) -> Problem:
    """Why a host could not be read, as the module that tried it says."""
    return Problem(failure["code"], failure["message"], None, None, host)


# Clocks


class ClockSample(t.NamedTuple):
    """One reading of a host's clock, in seconds.

    before, after: the controller's clock around the reading. host_time: what the host's clock showed, rounded down to
    C(resolution).
    """

    before: float
    host_time: float
    after: float
    resolution: float = 0.0


def clock_window(samples: t.Sequence[ClockSample]) -> tuple[float, float]:
    """By how many seconds the host's clock is ahead of the controller's: at least, at most (negative: behind).

    The clock was read at some moment between before and after, so each sample gives bounds; all of them hold, and the
    narrowest are taken. A slow connection makes the window wider, never wrong.
    """
    least = max(sample.host_time - sample.after for sample in samples)
    most = min(sample.host_time + sample.resolution - sample.before for sample in samples)
    return (least, most) if least <= most else (most, least)


def clock_problems(windows: t.Mapping[str, tuple[float, float]], limit: float = CLOCK_LIMIT_SECONDS) -> list[Problem]:
    """Hosts whose clocks differ by more than C(limit) for sure, whatever happened inside the windows.

    Each is reported against the host in the middle, since most clocks are right; two that only differ from each other
    are reported as a pair.
    """
    names = sorted(windows, key=lambda name: (sum(windows[name]), name))
    if len(names) < 2:
        return []
    middle = names[len(names) // 2]
    found = [(name, middle) for name in names if _apart(windows[name], windows[middle]) > limit]
    if not found:
        latest = max(names, key=lambda name: windows[name][0])
        earliest = min(names, key=lambda name: windows[name][1])
        found = [(latest, earliest)] if _apart(windows[latest], windows[earliest]) > limit else []
    return [
        Problem(
            "CLOCK_DIFFERS",
            "The clock is at least {0:.1f} s {1} that of {2}; at most {3:g} s are allowed, set up time"
            " synchronisation.".format(
                _apart(windows[name], windows[other]),
                "ahead of" if sum(windows[name]) > sum(windows[other]) else "behind",
                other,
                limit,
            ),
            None,
            round(_apart(windows[name], windows[other]), 1),
            name,
        )
        for name, other in found
    ]


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The least by which two clocks differ."""
    return max(one[0] - other[1], other[0] - one[1], 0.0)
