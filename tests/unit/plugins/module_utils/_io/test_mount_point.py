# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory under a mount, closed and opened, on the file system of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io import mount_point

SECONDS = 10.0


@pytest.fixture
def path(tmp_path):
    """A directory that can be closed; whatever a test does, it can be removed."""
    made = tmp_path / "media"
    made.mkdir()
    if mount_point.is_closed(str(made), SECONDS) is None:
        pytest.skip("needs root, and a file system with flags")
    try:
        yield made
    finally:
        mount_point.close(str(made), SECONDS, closed=False)


@pytest.mark.parametrize("mounts", [0, 1, 2])
def test_nobody_writes_under_the_mount_and_everybody_on_it(path, mounts):
    mount_points = []
    try:
        for _number in range(mounts):
            subprocess.run(["mount", "-t", "tmpfs", "share", str(path)], check=True)
            mount_points.append(path)
        assert mount_point.is_closed(str(path), SECONDS) is False
        assert mount_point.close(str(path), SECONDS)
        assert mount_point.is_closed(str(path), SECONDS) is True
        if mounts:
            (path / "photo").touch()
        assert Path("/proc/self/mountinfo").read_text().count(" {0} ".format(path)) == mounts
    finally:
        for one in mount_points:
            subprocess.run(["umount", str(one)], check=True)
    with pytest.raises(PermissionError):
        (path / "photo").touch()
    # Nothing keeps it from being mounted on.
    subprocess.run(["mount", "-t", "tmpfs", "share", str(path)], check=True)
    subprocess.run(["umount", str(path)], check=True)
    assert mount_point.close(str(path), SECONDS, closed=False)
    (path / "photo").touch()


def test_where_nobody_knows_nothing_is_said(path, monkeypatch):
    assert mount_point.is_closed(str(path / "none"), SECONDS) is None
    assert not mount_point.close(str(path / "none"), SECONDS)
    assert mount_point.is_closed("/proc/self", SECONDS) is None
    # A root that may not, as in a container.
    monkeypatch.setattr(mount_point, "read_text", lambda _path: "CapEff:\t00000000a80425fb\n")
    assert mount_point.is_closed(str(path), SECONDS) is None
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert mount_point.is_closed(str(path), SECONDS) is None
