# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts seen from outside, by who has the power switch and the cable: frozen, cut off, without power, booted."""

from __future__ import annotations

import contextlib
import socket
import time
import typing as t

import docker
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from docker.models.containers import Container

SSH_PORT = 22


def machine(scenario: str, name: str) -> Container:
    """The container that a host of a scenario is; the names are those of molecule/resources/names.yml."""
    return docker.from_env(timeout=PATIENCE).containers.get("waent-mol-{0}-{1}".format(scenario, name))


@contextlib.contextmanager
def frozen(machines: t.Sequence[Container]) -> t.Iterator[None]:
    """They take connections, as their kernel does, and answer nothing: all on them has stopped."""
    with contextlib.ExitStack() as thawing:
        for one in machines:
            one.pause()
            thawing.callback(one.unpause)
        yield


@contextlib.contextmanager
def cut_off(machines: t.Sequence[Container]) -> t.Iterator[None]:
    """All on them goes on, and no way leads to them or from them.

    Connected to the network again, a machine would have another address. So its own side of the cable is pulled.
    """
    with contextlib.ExitStack() as joining:
        for one in machines:
            # It goes with the interface, and does not come with it.
            route = _on(one, "ip route show default").strip()
            _on(one, "ip link set eth0 down")
            joining.callback(_on, one, "ip link set eth0 up && ip route replace {0}".format(route))
        yield


def _on(one: Container, command: str) -> str:
    code, said = one.exec_run(["sh", "-ec", command])
    if code != 0:
        raise RuntimeError("{0}: {1}: {2}".format(one.name, command, said.decode(errors="replace")))
    return said.decode()


def cut_power(one: Container) -> None:
    """Nothing on it gets the time to end."""
    one.kill()


def boot(one: Container, address: str) -> None:
    """Have it back as it was, at its address, with an SSH server; its Docker Engine does not start by itself."""
    one.start()
    deadline = time.monotonic() + PATIENCE
    while not _answers(address):
        assert time.monotonic() < deadline, "{0} is not back at {1}: {2}".format(one.name, address, one.logs(tail=20))
        time.sleep(0.2)


def _answers(host: str) -> bool:
    try:
        with socket.create_connection((host, SSH_PORT), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
