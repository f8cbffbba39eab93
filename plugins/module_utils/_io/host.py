# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one host as it is: engine, containers, images, ports, disk, mounts. Internal to waent.fleet: may change.

All I/O on hosts is here and nothing is judged here; C(host.py) does that. Nothing is changed: the test of a directory
opens a file that has no name and is gone when it is closed. Needs the standard library and, where an engine is
installed, its C(docker) command. Of containers' environments only the values in SHOWN_ENVIRONMENT leave this file.
"""

from __future__ import annotations

import errno
import grp
import json
import os
import re
import shutil
import socket
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.container import LABELS, found_options
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import ANSWERS, Traces, engine_state
from ansible_collections.waent.fleet.plugins.module_utils._state.secrets import differing

Run = t.Callable[[t.List[str]], t.Tuple[int, str, str]]
"""Runs a command without a shell: C(argv -> (exit code, stdout, stderr))."""

SHOWN_ENVIRONMENT = (
    "COREAPP_HOSTNAME",
    "COREAPP_EXTERNAL_PORTS",
    "WEBAPP_HOSTNAME",
    "WEBAPP_EXTERNAL_PORTS",
    "WA_APP_MULTICONNECT",
    "WA_MASTER_NODE",
    "WA_DB_UPGRADE",
)
PRODUCT_IMAGE = re.compile(r"/(web|coreapp):v[0-9]")
PRODUCT_SCRIPTS = "/opt/whatsapp/bin/"
"""Where the client's images keep their start scripts (reference 2.1)."""
WEB_ENVIRONMENT = ("WEBAPP_HOSTNAME", "WEBAPP_EXTERNAL_PORTS", "WA_WEB_SERVERNAME", "WA_WEB_JWT_CRYPTO_KEY")
NODE_NAME = re.compile(r"-(?:webapp|master|coreapp)-([0-9]+)\Z")
DOCKER_ROOT = "/var/lib/docker"
DAEMON_SETTINGS = "/etc/docker/daemon.json"
LISTEN = "0A"
"""State of a listening socket in C(/proc/net/tcp)."""
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
    """Where a host keeps what tells of an engine; tests have one of their own."""

    proc: str = "/proc"
    daemons: tuple[str, ...] = ("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd")
    find: t.Callable[[str], str | None] = shutil.which
    environ: t.Mapping[str, str] = os.environ


_MB = 1024 * 1024


# Engine


def read_engine(
    run: Run, command: str | None, settings: str = DAEMON_SETTINGS, place: Place | None = None
) -> dict[str, t.Any]:
    """C({state, answers, version, root, reason, insecure_registries, proxy, daemon, empty, usable, installable}).

    state: one of C(engine.STATES). root: where images lie. daemon: path of its program. empty: it has never run, so it
    holds nothing for sure. usable: this user may use an engine once it runs. installable: with apt.

    command: path of the docker command, None where it is not installed. settings: file with the engine's settings;
    of an engine that does not answer it tells which registries it will talk to without TLS.
    """
    place = place or Place()
    traces = _read_traces(run, command, place)
    state, reason = engine_state(traces)
    info = traces.info if traces.info.get("ServerVersion") else {}
    indexes = (info.get("RegistryConfig") or {}).get("IndexConfigs") or {}
    insecure = sorted(name for name, index in indexes.items() if not index.get("Secure", True))
    root = info.get("DockerRootDir") or _json_object(_read(settings)).get("data-root") or DOCKER_ROOT
    return {
        "state": state,
        "answers": state == ANSWERS,
        "version": info.get("ServerVersion"),
        "root": root,
        "reason": reason,
        "insecure_registries": insecure if info else _insecure_registries(settings),
        "proxy": info.get("HttpsProxy") or None,
        "daemon": traces.daemon,
        "empty": not traces.info.get("ServerVersion") and _never_used(root),
        "usable": os.geteuid() == 0 or _in_group("docker"),
        "installable": place.find("apt-get") is not None,
    }


def _read_traces(run: Run, command: str | None, place: Place) -> Traces:
    """What there is of an engine. Nothing is connected to but by C(docker info): that could start one."""
    info, said, endpoint, context = {}, "", place.environ.get("DOCKER_HOST") or None, "default"
    if command is not None:
        code, out, err = run([command, "info", "--format", "{{json .}}"])
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
    """Whether no engine ever kept anything here; not where we may not look."""
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
        if _read(os.path.join(proc, pid, "comm")).strip() != "dockerd":
            continue
        status = dict(re.findall(r"^(NSpid|Uid):\s+(.*)$", _read(os.path.join(proc, pid, "status")), re.MULTILINE))
        if len(status.get("NSpid", pid).split()) == 1:
            owners.add(int((status.get("Uid") or "0").split()[0]))
    return owners


def _socket_listens(proc: str) -> bool:
    """Whether anybody listens on the engine's socket, the daemon or systemd for it."""
    for line in _read(os.path.join(proc, "net/unix")).splitlines():
        fields = line.split()
        if len(fields) > 7 and fields[3] == UNIX_LISTEN and fields[7] in ("/run/docker.sock", "/var/run/docker.sock"):
            return True
    return False


def _engine_packages(run: Run, place: Place) -> frozenset[str]:
    """Which of ENGINE_PACKAGES are installed, as far as dpkg or rpm tells."""
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
    names = _json_object(_read(settings)).get("insecure-registries")
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
    run: Run, command: str, cluster: str | None = None, wanted: t.Mapping[str, t.Any] | None = None
) -> list[dict[str, t.Any]]:
    """All containers in whatever state, sorted by name. One that vanishes meanwhile is left out.

    wanted: sealed environments of the cluster's nodes, to be compared with what those containers have.
    """
    ids = _listed(run, [command, "ps", "--all", "--quiet", "--no-trunc"])
    if not ids:
        return []
    # The exit code tells of vanished containers too, the answer still holds all others.
    _code, out, _err = run([command, "inspect", "--type", "container"] + ids)
    inspected = _json_list(out)
    described = {entry["Id"]: describe_container(entry) for entry in inspected}
    nodes = [entry for entry in inspected if wanted and described[entry["Id"]]["cluster"] == cluster]
    of_images = _image_environments(run, command, {entry.get("Image") for entry in nodes})
    for entry in nodes:
        container = described[entry["Id"]]
        own = (entry.get("Config") or {}).get("Env") or []
        image = of_images.get(entry.get("Image"))
        container["environment_differs"] = differing(wanted or {}, container["kind"], own, image)
    return sorted(described.values(), key=lambda entry: entry["name"])


def _image_environments(run: Run, command: str, ids: t.Iterable[t.Any]) -> dict[t.Any, list[str]]:
    """What images bring along, by id; one that was removed since is left out."""
    known = sorted(identity for identity in ids if identity)
    if not known:
        return {}
    _code, out, _err = run([command, "image", "inspect"] + known)
    return {entry.get("Id"): (entry.get("Config") or {}).get("Env") or [] for entry in _json_list(out)}


def describe_container(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What there is to know of a container, from C(docker inspect), without secrets.

    C({name, id, image, image_id, state, exit_code, cluster, kind, index, version, product, environment,
    environment_differs, ports, networks, mounts, options}). product: as product_of tells it, whoever started it. ports:
    C([{host, container}]), published now or, when it is stopped, at its next start. networks: names. mounts: volume's
    name or path on the host, by path inside. options: of a container of ours what the engine was asked for, as
    C(container.py) compares it; those of others may hold secrets.
    """
    config = entry.get("Config") or {}
    labels = config.get("Labels") or {}
    name = entry["Name"].lstrip("/")
    state = (entry.get("State") or {}).get("Status") or "unknown"
    number = NODE_NAME.search(name)
    return {
        "name": name,
        "id": entry["Id"],
        "image": config.get("Image"),
        "image_id": entry.get("Image"),
        "state": state,
        "exit_code": (entry.get("State") or {}).get("ExitCode"),
        "cluster": labels.get(LABELS + "cluster"),
        "kind": labels.get(LABELS + "kind"),
        "version": labels.get(LABELS + "version"),
        "index": int(number.group(1)) if number else None,
        "product": product_of(config),
        "environment": shown_environment(config.get("Env") or []),
        "environment_differs": [],
        "ports": _published(entry, state),
        "networks": sorted((entry.get("NetworkSettings") or {}).get("Networks") or {}),
        "mounts": {m["Destination"]: m.get("Name") or m.get("Source") for m in entry.get("Mounts") or []},
        "options": found_options(entry) if labels.get(LABELS + "cluster") else None,
    }


def product_of(config: t.Mapping[str, t.Any]) -> str | None:
    """C(web) or C(coreapp) where a container is one of the client's, else None. config: C(Config) of docker inspect.

    The name of the image tells; of one that was tagged anew, or is known by its digest only, what it runs.
    """
    named = PRODUCT_IMAGE.search(config.get("Image") or "")
    if named:
        return named.group(1)
    if not any(word.startswith(PRODUCT_SCRIPTS) for word in _words(config.get("Entrypoint"), config.get("Cmd"))):
        return None
    names = {entry.partition("=")[0] for entry in config.get("Env") or []}
    return "web" if names & set(WEB_ENVIRONMENT) else "coreapp"


def _words(*parts: t.Any) -> list[str]:
    """All words of a command; also of one that is handed to a shell as one text."""
    return [word for part in parts for text in part or [] for word in str(text).split()]


def shown_environment(entries: t.Iterable[str]) -> dict[str, str]:
    """The few variables whose value is no secret."""
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, _equals, value in pairs if name in SHOWN_ENVIRONMENT}


def _published(entry: t.Mapping[str, t.Any], state: str) -> list[dict[str, int]]:
    running = state in ("running", "paused", "restarting")
    source = (entry.get("NetworkSettings") or {}).get("Ports") if running else None
    source = source or (entry.get("HostConfig") or {}).get("PortBindings") or {}
    pairs = {
        (int(binding["HostPort"]), int(port.split("/")[0]))
        for port, bindings in source.items()
        for binding in bindings or []
        if port.endswith("/tcp") and binding.get("HostPort")
    }
    return [{"host": host, "container": container} for host, container in sorted(pairs)]


# Images, networks, volumes


def read_local_images(run: Run, command: str, references: t.Iterable[str]) -> dict[str, str | None]:
    """The id of each image on this host, None where it is not there."""
    found: dict[str, str | None] = {}
    for reference in sorted(set(references)):
        code, out, _err = run([command, "image", "inspect", "--format", "{{.Id}}", reference])
        found[reference] = out.strip() if code == 0 else None
    return found


def read_networks(run: Run, command: str) -> list[dict[str, t.Any]]:
    """C([{name, id, cluster, subnets, endpoints}]) of the engine; endpoints are the names of who is connected now."""
    ids = _listed(run, [command, "network", "ls", "--quiet", "--no-trunc"])
    if not ids:
        return []
    _code, out, _err = run([command, "network", "inspect"] + ids)
    return [
        {
            "name": entry["Name"],
            "id": entry.get("Id"),
            "cluster": (entry.get("Labels") or {}).get(LABELS + "cluster"),
            "subnets": [c["Subnet"] for c in (entry.get("IPAM") or {}).get("Config") or [] if c.get("Subnet")],
            "endpoints": sorted(str(end.get("Name")) for end in (entry.get("Containers") or {}).values()),
        }
        for entry in _json_list(out)
    ]


def read_volumes(run: Run, command: str) -> list[dict[str, t.Any]]:
    """C([{name, cluster, path}]) of the engine."""
    names = _listed(run, [command, "volume", "ls", "--quiet"])
    if not names:
        return []
    _code, out, _err = run([command, "volume", "inspect"] + names)
    return [
        {
            "name": entry["Name"],
            "cluster": (entry.get("Labels") or {}).get(LABELS + "cluster"),
            "path": entry.get("Mountpoint"),
        }
        for entry in _json_list(out)
    ]


class EngineLost(Exception):
    """The engine answered at first, and then did not list what it has: that is not the same as having nothing."""


def _listed(run: Run, argv: list[str]) -> list[str]:
    code, out, err = run(argv)
    if code != 0:
        raise EngineLost("{0}: {1}".format(" ".join(argv[1:3]), err.strip() or "exit code {0}".format(code)))
    return out.split()


def read_volume(run: Run, command: str, name: str) -> dict[str, t.Any] | None:
    """C({path, remote}) of a volume, None where there is none. remote: Docker mounts it only when it is used."""
    code, out, _err = run([command, "volume", "inspect", name])
    entries = _json_list(out)
    if code != 0 or not entries:
        return None
    options = entries[0].get("Options") or {}
    return {
        "path": entries[0].get("Mountpoint"),
        "remote": bool(options.get("device")) or not entries[0].get("Mountpoint"),
    }


# Mounts and disk


def read_mount(source: str, volume: dict[str, t.Any] | None, uid: int, proc: str = "/proc") -> dict[str, t.Any]:
    """The media or data store: C({source, volume, path, exists, directory, filesystem, writable, reason, free_mb}).

    source: absolute path, or the name of a Docker volume, which is then described by C(volume) or does not exist yet.
    writable: for the user id C(uid); None where that cannot be known before it is used.
    """
    is_volume = not source.startswith("/")
    path = str((volume or {}).get("path") or "") if is_volume else source
    mount: dict[str, t.Any] = {
        "source": source,
        "volume": is_volume,
        "path": path or None,
        "exists": volume is not None if is_volume else os.path.exists(source),
        "directory": None,
        "filesystem": None,
        "writable": None,
        "reason": None,
        "free_mb": None,
    }
    if not mount["exists"]:
        return mount
    if is_volume and (volume or {}).get("remote"):
        mount["reason"] = "Docker mounts it when a container starts"
        return mount
    mount["directory"] = os.path.isdir(path)
    mount["filesystem"] = _filesystem(path, proc)
    mount["free_mb"] = free_mb(path)
    mount["writable"], mount["reason"] = writable_by(path, uid)
    return mount


def free_mb(path: str) -> int | None:
    """Free space at C(path), or at its nearest parent that exists, for an ordinary user."""
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize // _MB


def _filesystem(path: str, proc: str) -> str | None:
    """Type of the file system that holds C(path), from the mount with the longest matching mount point."""
    best, kind = "", None
    path = os.path.realpath(path)
    for line in _read(os.path.join(proc, "self/mountinfo")).splitlines():
        left, _separator, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        point = fields[4].replace("\\040", " ")
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def writable_by(path: str, uid: int) -> tuple[bool | None, str | None]:
    """Whether user C(uid) can make files in the directory C(path), and the reason if not. Leaves no trace.

    A child process becomes that user and opens a file without a name (O_TMPFILE), which asks the file system itself,
    an NFS server too: read-only mounts, squashed root and full disks answer truly. None: we may not become that user.
    """
    if uid != os.geteuid() and os.geteuid() != 0:
        return None, "only root can test for user id {0}".format(uid)
    child = os.fork()
    if child == 0:
        os._exit(_open_nameless(path, uid))
    _pid, status = os.waitpid(child, 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else errno.EIO
    return code == 0, os.strerror(code) if code else None


def _open_nameless(path: str, uid: int) -> int:
    """0 or the error number, from the child's side."""
    try:
        if uid != os.geteuid():
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        os.close(os.open(path, os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError as error:
        # The kernel has checked permission and read-only mounts before it finds that files always have names here.
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            return error.errno or errno.EIO
        return 0 if os.access(path, os.W_OK | os.X_OK) else errno.EACCES
    return 0


def read_memory(proc: str = "/proc") -> dict[str, int | None]:
    """C({total_mb, available_mb})."""
    found = dict(
        re.findall(r"^(MemTotal|MemAvailable):\s+([0-9]+) kB", _read(os.path.join(proc, "meminfo")), re.MULTILINE)
    )
    return {
        "total_mb": int(found["MemTotal"]) // 1024 if "MemTotal" in found else None,
        "available_mb": int(found["MemAvailable"]) // 1024 if "MemAvailable" in found else None,
    }


def _read(path: str) -> str:
    """A file of C(/proc) as text, empty where it is not there or not ours to read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


# Ports


def read_listeners(containers: t.Sequence[t.Mapping[str, t.Any]], proc: str = "/proc") -> list[dict[str, t.Any]]:
    """Who holds which TCP port: C([{port, container, process, pid}]), one entry per port.

    A published port belongs to its container, not to the proxy that listens for it, and is held even where Docker
    needs no proxy. A process inside a container that shares the host's network is given by the container's name.
    container and process are both None where the holder is not ours to see.
    """
    holders: dict[int, dict[str, t.Any]] = {}
    for container in containers:
        if container["state"] in ("running", "paused", "restarting"):
            for port in container["ports"]:
                holders[port["host"]] = _holder(port["host"], container=container["name"])
    sockets = {inode: port for port, inode in _listening(proc) if port not in holders}
    for pid, inode in _socket_owners(proc, set(sockets)):
        port = sockets[inode]
        container_name = _container_of(pid, containers, proc)
        holders[port] = _holder(port, container=container_name, process=_process_name(pid, proc), pid=pid)
    for port in sockets.values():
        holders.setdefault(port, _holder(port))
    return [holders[port] for port in sorted(holders)]


def _holder(
    port: int, *, container: str | None = None, process: str | None = None, pid: int | None = None
) -> dict[str, t.Any]:
    return {"port": port, "container": container, "process": process, "pid": pid}


def _listening(proc: str) -> t.Iterator[tuple[int, str]]:
    """Ports and socket inodes in state listen, of IPv4 and IPv6."""
    for table in ("net/tcp", "net/tcp6"):
        for line in _read(os.path.join(proc, table)).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == LISTEN:
                yield int(fields[1].rpartition(":")[2], 16), fields[9]


def _socket_owners(proc: str, inodes: set[str]) -> t.Iterator[tuple[int, str]]:
    """Processes that hold one of these sockets, lowest process id first for each socket."""
    wanted = {"socket:[{0}]".format(inode): inode for inode in inodes}
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        if not wanted:
            return
        for link in _open_files(os.path.join(proc, str(pid), "fd")):
            if link in wanted:
                yield pid, wanted.pop(link)


def _open_files(directory: str) -> t.Iterator[str]:
    """What a process has open. It may end, or close files, while we look; or be of another user."""
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            yield os.readlink(os.path.join(directory, name))
        except OSError:
            continue


def _process_name(pid: int, proc: str) -> str | None:
    return _read(os.path.join(proc, str(pid), "comm")).strip() or None


def _container_of(pid: int, containers: t.Sequence[t.Mapping[str, t.Any]], proc: str) -> str | None:
    groups = _read(os.path.join(proc, str(pid), "cgroup"))
    return next((container["name"] for container in containers if container["id"] in groups), None)


# The network


def reach(host: str, port: int, timeout: float) -> dict[str, t.Any]:
    """C({host, port, reached, reason}): whether a TCP connection can be made from here."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        return {"host": host, "port": port, "reached": False, "reason": str(error)}
    return {"host": host, "port": port, "reached": True, "reason": None}
