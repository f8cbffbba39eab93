# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the Docker Engine of a host: its state, containers, images, networks, volumes. Internal to waent.fleet.

Everything is read with the C(docker) command and from traces of an engine on the host; nothing is decided and nothing
is changed. Of containers' environments only what C(_state/container.py) shows leaves this file.
"""

from __future__ import annotations

import grp
import json
import os
import re
import shutil
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import LABELS
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import log_driver_of
from ansible_collections.waent.fleet.plugins.module_utils._desired.log_driver import unreadable
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, Run
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_text
from ansible_collections.waent.fleet.plugins.module_utils._io.stores import NOT_THERE
from ansible_collections.waent.fleet.plugins.module_utils._state.container import describe_container
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import ANSWERS, STARTING, Traces, engine_state
from ansible_collections.waent.fleet.plugins.module_utils._state.found import kind_of
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import differing

DOCKER_ROOT = "/var/lib/docker"
DAEMON_SETTINGS = "/etc/docker/daemon.json"
ANONYMOUS = re.compile("[0-9a-f]{64}")
"""What an engine calls a volume that nobody has named."""
UNIX_LISTEN = "00010000"
"""Flags of a listening socket in C(/proc/net/unix)."""
ENGINE_PACKAGES = (
    "docker.io",
    "docker-cli",
    "docker-ce",
    "docker-ce-cli",
    "moby-engine",
    "moby-cli",
    "podman-docker",
)


class Place(t.NamedTuple):
    """Where a host keeps traces of an engine; tests have one of their own."""

    proc: str = "/proc"
    daemons: tuple[str, ...] = ("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd")
    find: t.Callable[[str], str | None] = shutil.which
    environ: t.Mapping[str, str] = os.environ


# Engine


def read_engine(
    run: Run, command: str | None, settings: str = DAEMON_SETTINGS, place: Place | None = None
) -> dict[str, t.Any]:
    """C({state, answers, version, root, reason, insecure_registries, mirrors, proxy, daemon, empty, usable, ...}).

    state: one of C(engine.STATES). root: where images lie. daemon: path of its program. empty: it has never run, so it
    holds nothing for sure. usable: this user may use an engine once it runs. installable: with apt.

    command: path of the docker command, None where it is not installed. settings: file with the engine's settings;
    of an engine that does not answer it says which registries it will talk to without TLS.
    """
    place = place or Place()
    traces = _read_traces(run, command, place)
    state, reason = engine_state(traces)
    info = traces.info if traces.info.get("ServerVersion") else {}
    indexes = (info.get("RegistryConfig") or {}).get("IndexConfigs") or {}
    insecure = sorted(name for name, index in indexes.items() if not index.get("Secure", True))
    root = info.get("DockerRootDir") or _json_object(read_text(settings)).get("data-root") or DOCKER_ROOT
    return {
        "state": state,
        "answers": state == ANSWERS,
        "version": info.get("ServerVersion"),
        "root": root,
        "reason": reason,
        "insecure_registries": insecure if info else _insecure_registries(settings),
        "mirrors": list((info.get("RegistryConfig") or {}).get("Mirrors") or []),
        "proxy": info.get("HttpsProxy") or None,
        "daemon": traces.daemon,
        "empty": not traces.info.get("ServerVersion") and _never_used(root),
        "usable": os.geteuid() == 0 or _in_group("docker"),
        "installable": place.find("apt-get") is not None,
    }


def await_engine(
    run: Run,
    command: str | None,
    seconds: float,
    *,
    read: t.Callable[[Run, str | None], dict[str, t.Any]] = read_engine,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> dict[str, t.Any]:
    """The same, for an engine that was started a moment ago: it is given some seconds to answer."""
    deadline = clock() + seconds
    engine = read(run, command)
    while engine["state"] in STARTING and clock() < deadline:
        sleep(min(0.5, max(0.0, deadline - clock())))
        engine = read(run, command)
    return engine


def _read_traces(run: Run, command: str | None, place: Place) -> Traces:
    """What there is of an engine. Nothing is connected to but by C(docker info): that could start one."""
    info, said, endpoint, context = {}, "", place.environ.get("DOCKER_HOST") or None, "default"
    if command is not None:
        try:
            code, out, err = run([command, "info", "--format", "{{json .}}"])
        except NoAnswer as error:
            code, out, err = 1, "", str(error)
        info = _json_object(out)
        errors = "; ".join(info.get("ServerErrors") or []) or err.strip() or (out.strip() if not info else "")
        said = (errors or "no answer").splitlines()[-1]
        if code != 0:
            info.pop("ServerVersion", None)
        context = str((info.get("ClientInfo") or {}).get("Context") or "default")
        if context != "default":
            words = [command, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", context]
            endpoint = run(words)[1].strip() or endpoint
    if info.get("ServerVersion"):
        return Traces(command, info, "", endpoint, context)
    return Traces(
        command,
        info,
        said,
        endpoint,
        context,
        place.find("dockerd") or next((path for path in _daemons(command, place) if os.path.exists(path)), None),
        tuple(sorted(_daemon_owners(place.proc))),
        _socket_listens(place.proc),
        _engine_packages(run, place),
    )


def _daemons(command: str | None, place: Place) -> tuple[str, ...]:
    """Where the daemon's program may lie: an archive of the engine unpacks it beside the command."""
    return place.daemons + ((os.path.join(os.path.dirname(command), "dockerd"),) if command else ())


def _never_used(root: str) -> bool:
    """Whether no engine ever kept anything here; not where this user may not read."""
    try:
        return not os.listdir(root)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _daemon_owners(proc: str) -> set[int]:
    """User ids of the dockerd processes of this machine, not of those in containers on it."""
    owners = set()
    for pid in (name for name in os.listdir(proc) if name.isdigit()):
        if read_text(os.path.join(proc, pid, "comm")).strip() != "dockerd":
            continue
        status = dict(re.findall(r"^(NSpid|Uid):\s+(.*)$", read_text(os.path.join(proc, pid, "status")), re.MULTILINE))
        if len(status.get("NSpid", pid).split()) == 1:
            owners.add(int((status.get("Uid") or "0").split()[0]))
    return owners


def _socket_listens(proc: str) -> bool:
    """Whether anybody listens on the engine's socket, the daemon or systemd for it."""
    for line in read_text(os.path.join(proc, "net/unix")).splitlines():
        fields = line.split()
        if len(fields) > 7 and fields[3] == UNIX_LISTEN and fields[7] in ("/run/docker.sock", "/var/run/docker.sock"):
            return True
    return False


def _engine_packages(run: Run, place: Place) -> frozenset[str]:
    """Which of ENGINE_PACKAGES are installed, as far as dpkg or rpm knows."""
    if place.find("dpkg-query"):
        words = [str(place.find("dpkg-query")), "--show", "--showformat", "${db:Status-Status} ${Package}\\n"]
        lines = run(words + list(ENGINE_PACKAGES))[1].splitlines()
        return frozenset(line.split()[1] for line in lines if line.startswith("installed "))
    if place.find("rpm"):
        words = [str(place.find("rpm")), "--query", "--queryformat", "%{NAME}\\n"]
        return frozenset(run(words + list(ENGINE_PACKAGES))[1].split()) & frozenset(ENGINE_PACKAGES)
    return frozenset()


def _in_group(name: str) -> bool:
    try:
        return grp.getgrnam(name).gr_gid in os.getgroups()
    except KeyError:
        return False


def _insecure_registries(settings: str) -> list[str]:
    names = _json_object(read_text(settings)).get("insecure-registries")
    return sorted(name for name in names if isinstance(name, str)) if isinstance(names, list) else []


def _json_object(text: str) -> dict[str, t.Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _json_list(text: str) -> list[dict[str, t.Any]]:
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return value if isinstance(value, list) else []


# Containers


def read_containers(
    run: Run,
    command: str,
    cluster: str | None = None,
    desired: t.Mapping[str, t.Any] | None = None,
    adopts: bool = False,
) -> list[dict[str, t.Any]]:
    """All containers in whatever state, sorted by name. One that vanishes meanwhile is left out.

    desired: sealed environments of the cluster's nodes, to be compared with what those containers have. adopts: and
    with what nodes have that no label gives to a cluster.
    """
    ids = _listed(run, [command, "ps", "--all", "--quiet", "--no-trunc"])
    if not ids:
        return []
    inspected = _json_list(_inspected(run, [command, "inspect", "--type", "container"] + ids))
    described = {entry["Id"]: describe_container(entry) for entry in inspected}
    compared = (cluster, None) if adopts else (cluster,)
    nodes = [entry for entry in inspected if desired and described[entry["Id"]]["cluster"] in compared]
    of_images = _image_environments(run, command, {entry.get("Image") for entry in nodes})
    for entry in nodes:
        container = described[entry["Id"]]
        own = (entry.get("Config") or {}).get("Env") or []
        image = of_images.get(entry.get("Image"))
        kind = container["kind"] or (kind_of(container) if container["product"] else None)
        container["environment_differs"] = differing(desired or {}, kind, own, image)
    return sorted(described.values(), key=lambda entry: entry["name"])


def inspect_cluster(run: Run, command: str | None, cluster: str) -> list[dict[str, t.Any]]:
    """All that C(docker inspect) says of the containers of a cluster, secrets and all. Raises EngineLost."""
    if command is None:
        raise EngineLost("there is no docker command")
    label = "label={0}cluster={1}".format(LABELS, cluster)
    ids = _listed(run, [command, "ps", "--all", "--quiet", "--no-trunc", "--filter", label])
    return _json_list(run([command, "inspect", "--type", "container"] + ids)[1]) if ids else []


def _image_environments(run: Run, command: str, ids: t.Iterable[t.Any]) -> dict[t.Any, list[str]]:
    """What images bring along, by id; one that was removed since is left out."""
    known = sorted(identity for identity in ids if identity)
    if not known:
        return {}
    entries = _json_list(_inspected(run, [command, "image", "inspect"] + known))
    return {entry.get("Id"): (entry.get("Config") or {}).get("Env") or [] for entry in entries}


def read_environments(run: Run, command: str) -> dict[str, dict[str, str]]:
    """The environments of the client's containers that no label gives to a cluster, by name, secrets and all.

    What an image brings along is left out. Raises EngineLost.
    """
    ids = _listed(run, [command, "ps", "--all", "--quiet", "--no-trunc"])
    _code, out, _err = run([command, "inspect", "--type", "container"] + ids) if ids else (0, "", "")
    found = {entry["Id"]: (entry, describe_container(entry)) for entry in _json_list(out)}
    mine = [pair for pair in found.values() if pair[1]["product"] and pair[1]["cluster"] is None]
    of_images = _image_environments(run, command, {entry.get("Image") for entry, _described in mine})
    return {
        described["name"]: {
            name: value
            for name, equals, value in (
                one.partition("=")
                for one in (entry.get("Config") or {}).get("Env") or []
                if one not in of_images.get(entry.get("Image"), [])
            )
            if equals
        }
        for entry, described in mine
    }


# Images, networks, volumes


def read_local_images(run: Run, command: str, references: t.Iterable[str]) -> dict[str, dict[str, t.Any] | None]:
    """C({id, created, expires_on}) of each image on this host, None where it is not there.

    created: when it was made, in ISO 8601. expires_on: what its label EXPIRES_ON says, None without one.
    """
    named = sorted(set(references))
    asked = [command, "image", "inspect"]
    # One question for all, in their order; each costs the start of a program. Where one lacks, who is who is not said.
    together = _json_list(_inspected(run, asked + named)) if named else []
    if len(together) == len(named):
        return {name: _described(entry) for name, entry in zip(named, together)}
    each = {name: _json_list(_inspected(run, [*asked, name])) for name in named}
    return {name: _described(entries[0]) if entries else None for name, entries in each.items()}


def _described(image: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    labels = (image.get("Config") or {}).get("Labels") or {}
    return {"id": image.get("Id"), "created": image.get("Created"), "expires_on": labels.get("EXPIRES_ON")}


def read_networks(run: Run, command: str) -> list[dict[str, t.Any]]:
    """C([{name, id, cluster, driver, subnets, endpoints, addresses}]) of the engine.

    endpoints are the names of who is connected now, addresses what those have.
    """
    ids = _listed(run, [command, "network", "ls", "--quiet", "--no-trunc"])
    if not ids:
        return []
    entries = _json_list(_inspected(run, [command, "network", "inspect"] + ids))
    return [
        {
            "name": entry["Name"],
            "id": entry.get("Id"),
            "cluster": (entry.get("Labels") or {}).get(LABELS + "cluster"),
            "driver": entry.get("Driver"),
            "subnets": [c["Subnet"] for c in (entry.get("IPAM") or {}).get("Config") or [] if c.get("Subnet")],
            "endpoints": sorted(str(end.get("Name")) for end in (entry.get("Containers") or {}).values()),
            "addresses": sorted(
                end[key].partition("/")[0]
                for end in (entry.get("Containers") or {}).values()
                for key in ("IPv4Address", "IPv6Address")
                if end.get(key)
            ),
        }
        for entry in entries
    ]


def read_volumes(run: Run, command: str) -> list[dict[str, t.Any]]:
    """C([{name, cluster, path}]) of the engine's volumes that somebody has named.

    What is read of a host goes through the controller's memory, and containers of others leave volumes without a
    name by the hundred: none of them is of a cluster.
    """
    listed = _listed(run, [command, "volume", "ls", "--quiet"])
    names = [name for name in listed if not ANONYMOUS.fullmatch(name)]
    if not names:
        return []
    entries = _json_list(_inspected(run, [command, "volume", "inspect"] + names))
    return [
        {
            "name": entry["Name"],
            "cluster": (entry.get("Labels") or {}).get(LABELS + "cluster"),
            "path": entry.get("Mountpoint"),
        }
        for entry in entries
    ]


class EngineLost(NoAnswer):
    """The engine answered at first, and then did not list what it has: that is not the same as having nothing."""


def _listed(run: Run, argv: list[str]) -> list[str]:
    code, out, err = run(argv)
    if code != 0:
        raise EngineLost("{0}: {1}".format(" ".join(argv[1:3]), err.strip() or "exit code {0}".format(code)))
    return out.split()


def _inspected(run: Run, argv: list[str]) -> str:
    """What is said of things by name or id; one that is not there is left out. Raises EngineLost.

    The exit code is the same for one that has vanished and for an engine that has gone: only the words differ.
    """
    code, out, err = run(argv)
    said = [line.strip() for line in err.splitlines() if line.strip()]
    other = [line for line in said if not NOT_THERE.search(line)]
    if code != 0 and (other or not said):
        raise EngineLost("{0}: {1}".format(" ".join(argv[1:3]), other[-1] if other else "exit code {0}".format(code)))
    return out


def read_volume(run: Run, command: str, name: str) -> dict[str, t.Any] | None:
    """C({path, remote}) of a volume, None where there is none. remote: Docker mounts it only when it is used."""
    entries = _json_list(_inspected(run, [command, "volume", "inspect", name]))
    if not entries:
        return None
    options = entries[0].get("Options") or {}
    return {
        "path": entries[0].get("Mountpoint"),
        "remote": bool(options.get("device")) or not entries[0].get("Mountpoint"),
    }


# Nodes that do not come up


def read_nodes(run: Run, command: str | None, names: t.Sequence[str], lines: int) -> list[dict[str, t.Any]]:
    """What wa_node_info returns as C(nodes): state, end and log of each container. Raises EngineLost."""
    if command is None:
        raise EngineLost("there is no docker command")
    there = set(_listed(run, [command, "ps", "--all", "--format", "{{.Names}}"]))
    found = []
    for name in names:
        asked = [command, "inspect", "--type", "container", name]
        entries = _json_list(_inspected(run, asked)) if name in there else []
        node: dict[str, t.Any] = {"name": name, "exists": bool(entries)}
        if entries:
            state = entries[0].get("State") or {}
            restarts = entries[0].get("RestartCount") or 0
            # Why a node ends again and again stands in the log of an earlier run where this one has only just begun.
            since = "" if restarts else str(state.get("StartedAt") or "")
            node.update(
                state=state.get("Status"),
                exit_code=_exit_code(run, command, entries[0]),
                oom_killed=bool(state.get("OOMKilled")),
                restarts=restarts,
                error=state.get("Error") or "",
            )
            said = _log(run, command, name, since, lines)
            driver = log_driver_of(entries[0])
            node.update(
                log=said or [], log_unread="" if said is not None else unreadable(driver) or "docker logs failed"
            )
        found.append(node)
    return found


def _exit_code(run: Run, command: str, entry: t.Mapping[str, t.Any]) -> int | None:
    """The code with which a container has ended last, None where nobody knows.

    Each start sets the code that an inspection shows to 0; the engine's last events still hold what it was. They are
    asked up to this moment with its fraction: C(0s) would be cut to the whole second, and an end just now be missed.
    """
    state = entry.get("State") or {}
    if state.get("Status") != "running":
        code: int | None = state.get("ExitCode")
        return code
    ends = ["--filter", "container=" + str(entry.get("Id")), "--filter", "event=die"]
    until = "{0:.9f}".format(time.time())
    words = [command, "events", "--since", "24h", "--until", until, "--format", "{{.Actor.Attributes.exitCode}}"]
    _code, out, _err = run(words + ends)
    codes = out.split()
    return int(codes[-1]) if codes and codes[-1].isdigit() else None


def _log(run: Run, command: str, name: str, since: str, lines: int) -> list[str] | None:
    """The last lines, since then where anything was said since; None where they cannot be read.

    Standard output and error come apart, so they are put together again by the time of each line.
    """
    words = [command, "logs", "--timestamps", "--tail", str(lines)]
    for window in (["--since", since], []) if since else ([],):
        code, out, err = run(words + window + [name])
        if code != 0:
            return None
        said = sorted(out.splitlines() + err.splitlines(), key=lambda line: line.partition(" ")[0])
        if said:
            return [line.partition(" ")[2] for line in said]
    return []
