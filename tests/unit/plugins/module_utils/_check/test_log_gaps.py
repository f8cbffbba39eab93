# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing in an archive, as sentences."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.log_gaps import (
    amount,
    gaps,
    nothing_useful,
    planned,
    sentences,
)


def piece(**changes):
    return {
        "container": "a", "kind": "webapp", "what": "log", "path": "a/container.log", "bytes": 5, "cut_bytes": 0,
        "state": "read", "reason": "", **changes,
    }  # fmt: skip


def test_everything_that_is_not_whole_has_a_sentence_with_its_host():
    hosts = {
        "h1": {"pieces": [piece(), piece(what="web", state="failed", reason="it took longer than 3 s")]},
        "h2": {"pieces": [piece(state="cut", cut_bytes=3_400_000, reason="only the newest lines were kept")]},
        "h3": {"reason": "Connection refused"},
        "h4": {"pieces": []},
        "h5": {"pieces": [piece(what="crash", state="absent")]},
    }
    assert sentences(gaps(hosts, {"cluster/health.json": "No webapp answers.", "cluster/x.json": ""})) == [
        "[LOGS_NOT_READ] h1: web.log of a could not be read (it took longer than 3 s).",
        "[LOGS_CUT] h2: the log of a is not whole, 3.4 MB is left out (only the newest lines were kept).",
        "[LOGS_HOST_NOT_READ] h3: Nothing was collected: Connection refused.",
        "[LOGS_NOTHING_THERE] h4 has no container of this cluster, so there is nothing of it.",
        "[LOGS_DOCUMENT_MISSING] cluster/health.json is missing: No webapp answers.",
    ]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (9999, "9999 bytes"), (10_000, "10 kB"), (2_550_000, "2.5 MB")]
)
def test_amounts(size, text):
    assert amount(size) in (text, "2.6 MB" if size == 2_550_000 else text)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ({}, True),
        ({"h": {"reason": "away"}}, True),
        ({"h": {"pieces": [piece(what="inspect")]}}, True),
        ({"h": {"pieces": [piece(state="failed")]}}, True),
        ({"h": {"pieces": [piece(state="failed")]}, "i": {"pieces": [piece(state="cut")]}}, False),
    ],
)
def test_when_there_is_nothing_of_use(hosts, expected):
    assert nothing_useful(hosts) is expected


def test_what_is_going_to_be_collected():
    assert planned({"h1": ["a", "b"], "h2": []}, {"h3": "Connection refused"}, "3h", "/srv")[:4] == [
        "Of the last 3h this is collected, into /srv:",
        "  h1: a, b",
        "  h2: no container of this cluster",
        "  h3: nothing, Connection refused.",
    ]
