# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media of several hosts that are not provably one store, where no media share is declared. Internal. Pure.

Nothing of it can be refused: whoever sends no media, or mounts by other means, is right. But it is said, since nodes do
not say it: media that came in through one host are just not there on the others.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import Observed, cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_some
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import VARIABLE

LOCAL = frozenset(
    (
        "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs",
        "tmpfs", "vfat", "xfs", "zfs",
    )
)  # fmt: skip
"""File systems that no other host has."""


def unshared_notes(hosts: t.Sequence[Observed], nodes: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """One sentence where nodes of several hosts have media each for itself, or nobody knows.

    nodes: those that are placed. With a media share there is no other store, and nothing to say.
    """
    named = {node["host"] for node in nodes if node["kind"] in KINDS}
    stores = [(host["name"], host["media"]) for host in hosts if host["name"] in named or cluster_nodes(host)]
    stores = [(host, store) for host, store in stores if store]
    if len(stores) < 2:
        return []
    own = [(host, store) for host, store in stores if _is_local(store)]
    if own:
        source = own[0][1]["source"]
        systems = sorted({store["filesystem"] for _host, store in own if store["filesystem"]})
        what = "the volume {0}" if own[0][1]["volume"] else "{0}, a directory" + _of(systems)
        message = (
            "Media are in {0} on {1}, which no other host has: what comes in through one host, nodes of the others do"
            " not have, and messages with it fail. One share for all hosts is mounted and proved with {2}."
        )
        return [message.format(what.format(source), enumerate_some([host for host, _store in own]), VARIABLE)]
    message = (
        "Media are in {0} on {1}, and that this is one store for all of them is not proved. With {2} it is mounted and"
        " proved."
    )
    return [message.format(stores[0][1]["source"], enumerate_some([host for host, _store in stores]), VARIABLE)]


def _is_local(store: t.Mapping[str, t.Any]) -> bool:
    """Whether no other host can have it. A volume that does not exist yet is made as a directory of the host."""
    return store["filesystem"] in LOCAL or (store["volume"] and not store["exists"])


def _of(systems: t.Sequence[str]) -> str:
    return " of a local file system ({0})".format(", ".join(systems)) if systems else ""
