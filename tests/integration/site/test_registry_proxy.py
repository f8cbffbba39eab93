# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry that only the engine's proxy can reach: the check goes there as the pull does."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.host_registry import HOME, PORT, checked, push, registry

NAME = "pulls.example.com"
"""What no resolver knows: the proxy leads it to the registry."""
PROXY_PORT = 3128
PROXY = "start-stop-daemon --{0} --pidfile /run/pulls-proxy.pid"
AUTHORITIES = "/etc/docker/certs.d/" + NAME


@contextlib.contextmanager
def proxy(fleet: ContainerHosts) -> t.Iterator[None]:
    """It runs on host one, and writes down what it is asked for."""
    script = (ROOT / "tests" / "support" / "connect_proxy.py").read_text()
    fleet.run("one", "printf %s %s > {0}/proxy.py".format(HOME), "%s", script)
    command = "exec python3 {0}/proxy.py {1} {2}:443 {3} > {0}/proxy.log".format(HOME, PROXY_PORT, NAME, PORT)
    fleet.run("one", PROXY.format("start") + " --background --make-pidfile --exec /bin/sh -- -c %s", command)
    try:
        yield
    finally:
        fleet.run("one", PROXY.format("stop"))


def restart_engine_with_proxy(fleet: ContainerHosts) -> None:
    """As its service does with HTTPS_PROXY in the environment that it is given."""
    fleet.stop_engine("one")
    fleet.run(
        "one",
        "HTTPS_PROXY=http://127.0.0.1:{0} start-stop-daemon --start --background --no-close"
        " --output /var/log/docker.log --exec /usr/sbin/dockerd -- --pidfile /var/run/docker.pid".format(PROXY_PORT),
    )
    fleet.run("one", "timeout 60 sh -c 'until docker info >/dev/null 2>&1; do sleep 0.2; done'")


@pytest.fixture
def elsewhere(fleet: ContainerHosts) -> t.Iterator[None]:
    """A registry and a proxy on host one. Its engine trusts the registry, and does not know of the proxy yet."""
    with registry(fleet, "one", "DNS:" + NAME), proxy(fleet):
        fleet.run("one", "install -D --mode=0644 {0}/cert.pem {1}/ca.crt".format(HOME, AUTHORITIES))
        try:
            yield
        finally:
            fleet.run("one", "rm -r " + AUTHORITIES)
            fleet.stop_engine("one")
            fleet.start_engine("one")


def asked(fleet: ContainerHosts) -> int:
    """How many connections to the registry the proxy was to make."""
    return int(
        fleet.run("one", "grep --count --fixed-strings 'CONNECT {0}:443' {1}/proxy.log || true".format(NAME, HOME))
    )


@pytest.mark.thorough
@pytest.mark.usefixtures("elsewhere")
def test_the_proxy_of_the_engine_leads_the_check_to_the_registry_as_it_does_the_pull(fleet: ContainerHosts) -> None:
    alone = checked(fleet, "one", NAME)
    assert len(alone.sentences("IMAGE_UNKNOWN")) == 2 and asked(fleet) == 0, alone.output

    restart_engine_with_proxy(fleet)
    empty = checked(fleet, "one", NAME)
    assert len(empty.sentences("IMAGE_MISSING")) == 2 and asked(fleet) > 0, empty.output

    images = push(fleet, "one", NAME)
    before = asked(fleet)
    there = checked(fleet, "one", NAME)
    assert not {"IMAGE_UNKNOWN", "IMAGE_MISSING"} & set(there.codes), there.output
    assert asked(fleet) > before
    for image in images:
        fleet.run("one", "docker pull %s && docker rmi %s", image, image)
