# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of the releases of Debian that are supported, as an administrator gets them: Python, and nothing else."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.container_hosts import ContainerHosts

RELEASES = {"debian11": "bullseye", "debian12": "bookworm", "debian13": "trixie"}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ContainerHosts]:
    """One machine for each release; a module gets its own ones, as it changes them."""
    made = ContainerHosts(tmp_path_factory.mktemp("hosts"), tuple(RELEASES), scenario="hosts", bare=RELEASES)
    try:
        made.create()
        yield made
    finally:
        made.destroy()
