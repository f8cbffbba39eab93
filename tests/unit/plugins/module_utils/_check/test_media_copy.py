# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a volume that was copied onto the share."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.media_copy import (
    copied_lines,
    copy_problems,
    left_behind,
    not_there,
    nowhere,
    unreadable,
)

TARGET = "nas-1:/media"
SOUND = {
    "files": 3, "bytes": 3_000_000, "copied": 2, "same": 1, "conflicts": [], "changing": [], "others": [],
    "needed_bytes": 2_000_000, "free_bytes": 9_000_000,
}  # fmt: skip


def problems(**changes):
    return copy_problems("whatsappMedia", TARGET, "rack-a-1", {**SOUND, **changes})


def test_all_of_it_is_there():
    assert problems() == []


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"conflicts": ["a"]}, "CONFLICT", "1 file with another content on nas-1:/media (a)"),
        ({"changing": ["a", "b"]}, "CHANGING", "2 files written to meanwhile"),
        ({"others": ["a", "b", "c", "d", "e"]}, "NO_FILE", "(a, b, c and 2 more)"),
        ({"free_bytes": 1_999_999}, "NO_ROOM", "has 1 MB free, and the files of whatsappMedia need 2 MB"),
    ],
)
def test_what_is_wrong(changes, code, part):
    (found,) = problems(**changes)
    assert (found.code, found.host) == ("MEDIA_COPY_" + code, "rack-a-1")
    assert part in found.message and found.message.endswith(".")


def test_all_that_is_wrong_is_named_at_once():
    assert len(problems(conflicts=["a"], changing=["b"], others=["c"])) == 3


def test_what_keeps_it_from_being_begun():
    assert not_there("/srv/none", "h").code == nowhere("none").code == "MEDIA_COPY_NO_SOURCE"
    assert "Permission denied" in unreadable("v", "h", {"message": "Permission denied"}).message


def test_the_table():
    assert copied_lines("whatsappMedia", TARGET, {"rack-a-1": SOUND, "rack-b-1": {}}) == [
        "host      files  MB  copied now  there already",
        "rack-a-1  3      3   2           1",
        "rack-b-1  none   -   -           -",
        "On nas-1:/media, compared by content with whatsappMedia: 3 files.",
    ]


def test_what_would_be_left_behind_is_said_for_each_store():
    stores = {"a": ["v", "v"], "b": ["/srv/media"], "c": ["w", "v"], "d": ["/srv/old"], "e": []}
    other, volume, own = left_behind("nas:/media", "/srv/media", stores)
    assert "Media are in v on a and c until now, and nodes are going to use nas:/media at /srv/media: files" in volume
    assert volume.endswith("add -e wa_media_from=v.")
    assert "in w on c" in own and "in /srv/old on d" in other and "may be the same files" in other
    assert left_behind("nas:/media", "/srv/media", {"a": ["/srv/media"], "b": []}) == []
