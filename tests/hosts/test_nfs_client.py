# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NFS client, from the packages of each release of Debian. What it mounts then: tests/integration/media."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK, Run, play

RELEASES = ("debian11", "debian12", "debian13")


def client(machines: ContainerHosts, name: str, *arguments: str) -> Run:
    """The role's tasks for one machine, by a user who becomes root."""
    machines.write_hosts({name: {"ansible_become": True}})
    return play("tests/hosts/playbooks/nfs_client.yml", "-i", str(machines.inventory), "--limit", name, *arguments)


@pytest.mark.parametrize("name", RELEASES)
def test_the_client_is_installed_once(machines: ContainerHosts, name: str) -> None:
    planned = client(machines, name, "--check")
    assert planned.code == OK, planned.output
    machines.run(name, "! test -e /sbin/mount.nfs4")
    first = client(machines, name)
    assert first.code == OK and first.recap[name]["changed"] == 1, first.output
    machines.run(name, "/sbin/mount.nfs4 -V")
    again = client(machines, name)
    assert again.code == OK and again.recap[name]["changed"] == 0, again.output
