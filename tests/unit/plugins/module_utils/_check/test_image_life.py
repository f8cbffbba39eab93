# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Until when images work; the sentences are those of the filter image_expiry, whose test compares them."""

from __future__ import annotations

import datetime

from ansible_collections.waent.fleet.plugins.module_utils._check.image_life import LIFE_DAYS, life_of, lives_of
from hypothesis import given
from hypothesis import strategies as st

IMAGES = ["r/web:v1", "r/core:v1", "mariadb:10"]
FOUND = st.fixed_dictionaries(
    {"image": st.sampled_from(IMAGES), "id": st.sampled_from([None, "sha256:1"])},
    optional={
        "created": st.one_of(st.none(), st.just("no day"), st.dates().map(lambda day: day.isoformat() + "T01:02:03Z")),
        "expires_on": st.one_of(st.none(), st.just("soon"), st.dates().map(str)),
    },
)


@given(st.lists(st.fixed_dictionaries({"images": st.lists(FOUND, max_size=3)}), max_size=4))
def test_each_image_of_the_client_that_is_there_is_reported_once(hosts):
    lives = lives_of(hosts, ["mariadb:10"])
    there = {one["image"] for host in hosts for one in host["images"] if one["id"]} - {"mariadb:10"}
    assert {life.image for life in lives} <= there
    assert len(set(lives)) == len(lives) and lives == sorted(lives)


@given(st.dates(max_value=datetime.date(9000, 1, 1)), st.dates(), st.integers(0, 99999))
def test_it_works_until_a_day_and_not_after_it(created, label, days):
    life = life_of("i", created.isoformat(), None)
    assert life is not None and (life.last - created).days == LIFE_DAYS
    assert life_of("i", created.isoformat(), label.isoformat()) == ("i", label)
    assert not life.expired(life.last)
    assert life.expired(life.last + datetime.timedelta(days=1))
    assert life.ends_within(days, life.last) and life_of("i", None, None) is None
