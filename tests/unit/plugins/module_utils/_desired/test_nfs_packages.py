# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages with an NFS client, by the host's package manager. Those of Debian are installed in tests/hosts."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.nfs_packages import nfs_packages, unknown_manager


@pytest.mark.parametrize(
    ("manager", "client", "server", "service"),
    [
        ("apt", "nfs-common", "nfs-kernel-server", "nfs-kernel-server"),
        ("dnf", "nfs-utils", "nfs-utils", "nfs-server"),
        ("dnf5", "nfs-utils", "nfs-utils", "nfs-server"),
        ("yum", "nfs-utils", "nfs-utils", "nfs-server"),
    ],
)
def test_of_each_family(manager, client, server, service):
    assert nfs_packages(manager) == (client, server, service)


@pytest.mark.parametrize(("manager", "said"), [("zypper", "come with zypper"), ("", "come with nothing that Ansible")])
def test_what_nobody_knows_is_said(manager, said):
    assert nfs_packages(manager) is None
    problem = unknown_manager(manager, "h1")
    assert (
        problem.code == "MEDIA_SHARE_NO_CLIENT"
        and said in problem.message
        and "apt, dnf, dnf5 and yum" in problem.message
    )
