# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long something was away, from readings of it."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, Node
from ansible_collections.waent.fleet.plugins.module_utils._state.stopwatch import Stopwatch, has_primary, served
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_an_outage_lasts_until_the_first_good_reading_after_the_last_bad_one(readings):
    watch = Stopwatch()
    for second, good in enumerate(readings, 1):
        watch.read(good, float(second))
    bad = [second for second, good in enumerate(readings, 1) if not good]
    assert watch.seconds == (min(bad[-1] + 1, len(readings)) if bad else 0)
    assert watch.good == readings[-1]


def owner(name, shard, status="connected"):
    return Node(name, role="coreapp", gateway_status=status, shards=(shard,))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([owner("a", 0), owner("b", 1)], True),
        ([owner("a", 0)], False),
        ([owner("a", 0), owner("b", 1, "connecting")], False),
        ([owner("a", 0), owner("b", 1), owner("c", 1)], False),
        ([owner("broken", 0), owner("b", 1)], False),
    ],
)
def test_every_shard_has_one_owner_that_was_not_broken(nodes, expected):
    assert served(Cluster("cluster", nodes=tuple(nodes)), 2, ["broken"]) is expected


@pytest.mark.parametrize(("names", "expected"), [(["a"], True), (["broken"], False), ([], False), (["a", "b"], False)])
def test_there_is_one_primary_that_was_not_broken(names, expected):
    masters = tuple(Node(name, role="primary_master", gateway_status="connected") for name in names)
    assert has_primary(Cluster("cluster", nodes=masters), ["broken"]) is expected
