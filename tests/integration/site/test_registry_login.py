# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry with accounts: the engine queries it with the login that the host's user has, as when it pulls."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run

REGISTRY = "127.0.0.1:5443"
USER, PASSWORD = "puller", "canary-registry-8Wd3"
HASHED = "$2y$05$QEPX4dPOtYH9a/AzTVq75e69TxScTvenbGIu34y75SHlJVwOj2Ooe"
"""The password as htpasswd -B writes it."""
SETTINGS = """version: 0.1
storage: {filesystem: {rootdirectory: /srv/registry/data}}
http: {addr: "127.0.0.1:5443", tls: {certificate: /srv/registry/cert.pem, key: /srv/registry/key.pem}}
auth: {htpasswd: {realm: test, path: /srv/registry/accounts}}
"""
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    " -keyout /srv/registry/key.pem -out /srv/registry/cert.pem"
)
DAEMON = "start-stop-daemon --{0} --pidfile /run/private-registry.pid --exec /usr/bin/docker-registry"


@pytest.fixture
def registry(fleet: ContainerHosts) -> t.Iterator[None]:
    """On host one, with one account and nothing in it; at the end nobody is logged in any more."""
    fleet.run("one", "install -d /srv/registry && " + CERTIFICATE)
    for name, text in (("registry.yml", SETTINGS), ("accounts", "{0}:{1}\n".format(USER, HASHED))):
        fleet.run("one", "printf %s %s > /srv/registry/" + name, "%s", text)
    fleet.run("one", DAEMON.format("start") + " --background --make-pidfile -- serve /srv/registry/registry.yml")
    yield
    fleet.run("one", DAEMON.format("stop"))
    fleet.run("one", "docker logout %s; rm -r /srv/registry /run/private-registry.pid", REGISTRY)


def log_in(fleet: ContainerHosts) -> None:
    """As an operator does; waits for the registry."""
    deadline = time.monotonic() + 20
    shell = fleet.shell("one")
    with shell.sudo():
        while shell.run("docker login --username %s --password %s %s", USER, PASSWORD, REGISTRY).rc:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def checked(fleet: ContainerHosts) -> Run:
    """site.yml in check mode, with the images of that registry; no database answers, so that it ends there."""
    fleet.write_hosts({"one": {"ansible_become": True, "wa_address": fleet.address("one")}})
    variables = valid_variables.but(
        wa_db_host=fleet.address("one"), wa_db_username="root", wa_db_port=3399, wa_image_registry=REGISTRY
    )
    run = fleet.site(variables, "--check")
    assert run.code == FAILED, run.output
    assert PASSWORD not in run.output
    return run


@pytest.mark.usefixtures("registry")
def test_the_login_of_the_host_opens_the_registry_for_the_check_too(fleet: ContainerHosts) -> None:
    run = checked(fleet)
    unknown = run.sentences("IMAGE_UNKNOWN")
    assert len(unknown) == 2, run.output
    assert all("wants a login, and root has none on this host: run docker login " + REGISTRY in one for one in unknown)
    assert run.sentences("IMAGE_MISSING") == []

    log_in(fleet)
    run = checked(fleet)
    missing = run.sentences("IMAGE_MISSING")
    assert len(missing) == 2, run.output
    assert all("{0} has no ".format(REGISTRY) in one for one in missing)

    for name in ("web", "coreapp"):
        image = "{0}/{1}:v2.19.4".format(REGISTRY, name)
        fleet.run("one", "printf 'FROM scratch\\nLABEL made=here\\n' | docker build --tag %s -", image)
        fleet.run("one", "docker push %s && docker rmi %s", image, image)
    run = checked(fleet)
    assert not {"IMAGE_UNKNOWN", "IMAGE_MISSING"} & set(run.codes), run.output
