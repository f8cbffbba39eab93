# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a host has beside its engine: disk, memory, listening ports, reach. Internal to waent.fleet.

Nothing is decided and nothing is changed. Needs the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import left_drill, script_name
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import UNITS, unit_name
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import RUNNING

LISTEN = "0A"
"""State of a listening socket in C(/proc/net/tcp)."""

SIOCGIFADDR = 0x8915
"""The question for the address of an interface (netdevice(7))."""

_MB = 1024 * 1024


# Disk and memory


def free_mb(path: str) -> int | None:
    """Free space at C(path), or at its nearest parent that exists, for an ordinary user."""
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize // _MB


def read_memory(proc: str = "/proc") -> dict[str, int | None]:
    """C({total_mb, available_mb})."""
    found = dict(
        re.findall(r"^(MemTotal|MemAvailable):\s+([0-9]+) kB", read_text(os.path.join(proc, "meminfo")), re.MULTILINE)
    )
    return {
        "total_mb": int(found["MemTotal"]) // 1024 if "MemTotal" in found else None,
        "available_mb": int(found["MemAvailable"]) // 1024 if "MemAvailable" in found else None,
    }


def read_text(path: str) -> str:
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
        if container["state"] in RUNNING:
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
        for line in read_text(os.path.join(proc, table)).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == LISTEN:
                yield int(fields[1].rpartition(":")[2], 16), fields[9]


def _socket_owners(proc: str, inodes: set[str]) -> t.Iterator[tuple[int, str]]:
    """Processes that hold one of these sockets, lowest process id first for each socket."""
    links = {"socket:[{0}]".format(inode): inode for inode in inodes}
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        if not links:
            return
        for link in _open_files(os.path.join(proc, str(pid), "fd")):
            if link in links:
                yield pid, links.pop(link)


def _open_files(directory: str) -> t.Iterator[str]:
    """What a process has open. It may end, or close files, meanwhile; or be of another user."""
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
    return read_text(os.path.join(proc, str(pid), "comm")).strip() or None


def _container_of(pid: int, containers: t.Sequence[t.Mapping[str, t.Any]], proc: str) -> str | None:
    groups = read_text(os.path.join(proc, str(pid), "cgroup"))
    return next((container["name"] for container in containers if container["id"] in groups), None)


# The network


def interface_address(name: str) -> str | None:
    """The IPv4 address of a network interface of this host; None where it has none, or there is no such interface."""
    asked = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            answer = fcntl.ioctl(link.fileno(), SIOCGIFADDR, asked)
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def reach(host: str, port: int, timeout: float) -> dict[str, t.Any]:
    """C({host, port, reached, reason}): whether a TCP connection can be made from here."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        return {"host": host, "port": port, "reached": False, "reason": str(error)}
    return {"host": host, "port": port, "reached": True, "reason": None}


# Drills


def read_backup_timer(cluster_name: str, units: str = UNITS) -> str | None:
    """Name of the units that back up the registration on a schedule; None where there are none."""
    name = unit_name(cluster_name)
    there = any(os.path.lexists("{0}/{1}.{2}".format(units, name, kind)) for kind in ("service", "timer"))
    return name if there else None


def read_drill(cluster_name: str, home: str = "~") -> dict[str, str] | None:
    """A drill that has not restored yet what it broke here: C({path, drill, what}); None where there is none."""
    path = os.path.join(os.path.expanduser(home), script_name(cluster_name))
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return left_drill(path, file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        return {"path": path, "drill": "", "what": "its script cannot be read: {0}".format(error.strerror)}
