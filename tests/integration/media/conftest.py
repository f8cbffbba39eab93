# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clients with kernels of their own, and a server; each test begins with nothing mounted."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.media_plays import Play
from ansible_collections.waent.fleet.tests.support.nfs_rig import SERVERS, NfsRig

CLEAN = """
cat /tmp/*.pid 2>/dev/null | xargs --no-run-if-empty kill -9 2>/dev/null
rm -f /tmp/*.pid
umount --force --lazy --all --types nfs,nfs4
test ! -e /run/automount-srv-media || { kill -9 $(cat /run/automount-srv-media); rm /run/automount-srv-media; }
umount --lazy --all --types autofs
umount --quiet /srv/media
sed -i /nfs4/d /etc/fstab
rm -rf /srv/media
"""


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[NfsRig]:
    """The machines, for all tests."""
    made = NfsRig(tmp_path_factory.mktemp("nfs"))
    try:
        made.create()
        yield made
    finally:
        made.remove()


@pytest.fixture
def rig(machines: NfsRig) -> NfsRig:
    """The machines as they were made, whatever the test before has left."""
    for client in machines.clients:
        machines.run(client, CLEAN)
    for server in SERVERS:
        machines.on_server("cd /exports && for one in *; do find $one -mindepth 1 -delete; done", server)
    return machines


@pytest.fixture
def do(rig: NfsRig) -> Play:
    """The playbooks of these tests."""
    return Play(rig)
