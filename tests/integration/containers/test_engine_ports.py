# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test's container gets a port of the engine's choice, however many in a row others have at all addresses."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

import docker
import docker.errors
import pytest
from ansible_collections.waent.fleet.tests.support.engine_ports import run_with_ports
from ansible_collections.waent.fleet.tests.support.live_cluster import GATEWAY_IMAGE

IN_A_ROW = 25
PORTS = {"8080/tcp": ("127.0.0.1", None)}
LABELS = {"waent.fleet.test": "engine-ports"}


@pytest.fixture
def last() -> t.Iterator[int]:
    """The port that the engine has just given, after which the next ones are in use."""
    container = run_with_ports(docker.from_env(), GATEWAY_IMAGE, ports=PORTS, labels=LABELS)
    given = int(container.ports["8080/tcp"][0]["HostPort"])
    container.remove(force=True, v=True)
    with contextlib.ExitStack() as taken:
        for port in range(given + 1, given + 1 + IN_A_ROW):
            listener = taken.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # One that somebody else has is in use as well.
            with contextlib.suppress(OSError):
                listener.bind(("0.0.0.0", port))
                listener.listen()
        yield given


def test_more_ports_in_use_than_the_engine_tries_at_once(last: int) -> None:
    container = run_with_ports(docker.from_env(), GATEWAY_IMAGE, ports=PORTS, labels=LABELS)
    try:
        assert int(container.ports["8080/tcp"][0]["HostPort"]) > last + IN_A_ROW
    finally:
        container.remove(force=True, v=True)


def test_another_reason_is_named_at_once_and_nothing_stays() -> None:
    name = "engine-ports-{0}".format(os.getpid())
    engine = docker.from_env()
    with pytest.raises(docker.errors.APIError, match="no-such-program"):
        run_with_ports(engine, GATEWAY_IMAGE, name=name, ports=PORTS, labels=LABELS, entrypoint=["/no-such-program"])
    with pytest.raises(docker.errors.NotFound):
        engine.containers.get(name)
