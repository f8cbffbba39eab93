# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry with accounts: the engine queries it with the login that the host's user has, as when it pulls."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.host_registry import checked, push, registry
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run

REGISTRY = "127.0.0.1:5443"
USER, PASSWORD = "puller", "canary-registry-8Wd3"
HASHED = "$2y$05$QEPX4dPOtYH9a/AzTVq75e69TxScTvenbGIu34y75SHlJVwOj2Ooe"
"""The password as htpasswd -B writes it."""


@pytest.fixture
def accounts(fleet: ContainerHosts) -> t.Iterator[None]:
    """A registry on host one, with one account; at the end nobody is logged in any more."""
    with registry(fleet, "one", "IP:127.0.0.1", "{0}:{1}\n".format(USER, HASHED)):
        yield
        fleet.run("one", "docker logout %s", REGISTRY)


def log_in(fleet: ContainerHosts) -> None:
    """As an operator does; waits for the registry."""
    deadline = time.monotonic() + 20
    shell = fleet.shell("one")
    with shell.sudo():
        while shell.run("docker login --username %s --password %s %s", USER, PASSWORD, REGISTRY).rc:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def asked(fleet: ContainerHosts) -> Run:
    """What site.yml says of it, and nobody's password."""
    run = checked(fleet, "one", REGISTRY)
    assert PASSWORD not in run.output
    return run


@pytest.mark.usefixtures("accounts")
def test_the_login_of_the_host_opens_the_registry_for_the_check_too(fleet: ContainerHosts) -> None:
    run = asked(fleet)
    unknown = run.sentences("IMAGE_UNKNOWN")
    assert len(unknown) == 2, run.output
    assert all("wants a login, and root has none on this host: run docker login " + REGISTRY in one for one in unknown)
    assert run.sentences("IMAGE_MISSING") == []

    log_in(fleet)
    run = asked(fleet)
    missing = run.sentences("IMAGE_MISSING")
    assert len(missing) == 2, run.output
    assert all("{0} has no ".format(REGISTRY) in one for one in missing)

    push(fleet, "one", REGISTRY)
    run = asked(fleet)
    assert not {"IMAGE_UNKNOWN", "IMAGE_MISSING"} & set(run.codes), run.output
