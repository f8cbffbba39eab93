# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of media that several hosts have without a share."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_unshared import LOCAL, unshared_notes
from hypothesis import given
from hypothesis import strategies as st


def host(name, **store):
    media = {"source": "/mnt/wamedia", "volume": False, "exists": True, "filesystem": "nfs4", **store}
    return {"name": name, "asked": {"cluster_name": "waent"}, "containers": [], "media": media}


def placed(*names):
    return [{"host": name, "kind": "coreapp"} for name in names]


VOLUME = {"source": "whatsappMedia", "volume": True}


@pytest.mark.parametrize(
    ("hosts", "beginning"),
    [
        ([host("a"), host("b")], "Media are in /mnt/wamedia on a and b, and that this is one store"),
        (
            [host("a", filesystem="ext4"), host("b", filesystem="xfs")],
            "Media are in /mnt/wamedia, a directory of a local file system (ext4, xfs) on a and b, which no other",
        ),
        # One of them lost its mount.
        (
            [host("a"), host("b", filesystem="ext4"), host("c")],
            "Media are in /mnt/wamedia, a directory of a local file system (ext4) on b, which no other host",
        ),
        (
            [host("a", **VOLUME, filesystem="ext4"), host("b", **VOLUME, exists=False, filesystem=None)],
            "Media are in the volume whatsappMedia on a and b, which no other host",
        ),
        # Hosts have it in different places: it is said of those that are named.
        (
            [host("a"), host("b", source="/srv/own", filesystem="ext4")],
            "Media are in /srv/own, a directory of a local file system (ext4) on b, which no other host",
        ),
        # Docker mounts it from somewhere.
        (
            [host("a", **VOLUME, filesystem=None), host("b", **VOLUME, filesystem=None)],
            "Media are in whatsappMedia on a and b, and that this is one store",
        ),
    ],
)
def test_what_is_said(hosts, beginning):
    (note,) = unshared_notes(hosts, placed("a", "b", "c"))
    assert note.startswith(beginning)
    assert "wa_media_share" in note


@pytest.mark.parametrize("system", ["nfs", "nfs4", "cifs", "ceph", "fuse.glusterfs", "lustre", "gfs2", "ocfs2", "9p"])
def test_what_others_may_have_is_not_called_local(system):
    assert system not in LOCAL
    (note,) = unshared_notes([host("a", filesystem=system), host("b", filesystem=system)], placed("a", "b"))
    assert "is not proved" in note


@given(st.sampled_from(sorted(LOCAL)), st.booleans())
def test_one_host_shares_with_nobody(system, volume):
    one, other = host("a", filesystem=system, volume=volume), host("b", filesystem=system, volume=volume)
    assert unshared_notes([one], placed("a")) == []
    assert unshared_notes([one, other], placed("a")) == [], "no node is on the other"
    assert unshared_notes([{**one, "media": None}, {**other, "media": None}], placed("a", "b")) == []
    running = {**other, "containers": [{"cluster": "waent", "kind": "coreapp", "index": 1}]}
    assert len(unshared_notes([one, running], placed("a"))) == 1
