# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages bring an NFS client and an NFS server, and the unit of the server. Internal. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all


class NfsPackages(t.NamedTuple):
    """client, server: names of packages. service: of the unit that is the server."""

    client: str
    server: str
    service: str


DEBIAN = NfsPackages("nfs-common", "nfs-kernel-server", "nfs-kernel-server")
RED_HAT = NfsPackages("nfs-utils", "nfs-utils", "nfs-server")
BY_MANAGER = {"apt": DEBIAN, "dnf": RED_HAT, "dnf5": RED_HAT, "yum": RED_HAT}
"""By what Ansible calls the host's package manager (fact C(pkg_mgr))."""


def nfs_packages(manager: str) -> NfsPackages | None:
    """Those of a host; None where nobody knows them."""
    return BY_MANAGER.get(manager)


def unknown_manager(manager: str, host: str) -> Problem:
    """Nothing can be installed there."""
    message = (
        "Packages of the host come with {0}, and those of an NFS client or server are known for {1}: install it by"
        " hand; a client is there where /sbin/mount.nfs4 is, and a server cannot be set up by this collection then."
    ).format(manager or "nothing that Ansible knows", enumerate_all(list(BY_MANAGER)))
    return Problem("MEDIA_SHARE_NO_CLIENT", message, "wa_media_share", None, host)
