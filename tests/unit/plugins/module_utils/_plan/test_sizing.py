# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizing: the documented figures come out of it, and a database that is too small is named with what would do."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._plan.sizing import (
    CLASSES,
    class_of_now,
    classes_for,
    connections,
    headroom_problems,
    limit_of,
    needs,
    own_limit,
    storage,
    template_for,
    usual_rate,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("shards", "rate", "tls", "documented"), [(8, 100, False, 700), (8, 100, True, 1200), (32, 250, False, 1700)]
)
def test_the_estimate_meets_the_documented_measurements(shards, rate, tls, documented):
    assert usual_rate(shards) == rate
    assert documented <= connections(rate, tls) <= documented * 1.03


@pytest.mark.parametrize(
    ("rate", "shards", "coreapps", "webapps", "database"),
    [
        (10, 2, 3, 2, "r5.large"),
        (80, 8, 9, 2, "r5.2xlarge"),
        (121, 16, 17, 2, "r5.4xlarge"),
        (250, 32, 33, 3, "r5.8xlarge"),
    ],
)
def test_a_rate_alone_gives_the_vendor_s_template(rate, shards, coreapps, webapps, database):
    found = needs(rate=rate)
    assert (found["shards"], found["coreapps"], found["webapps"]) == (shards, coreapps, webapps)
    assert found["aurora_class"] == database
    assert found["supported"] is True


def test_needs_of_a_number_of_shards():
    found = needs(shards=8, tls=True)
    assert found == {
        "shards": 8, "messages_per_second": 100.0, "supported": False, "coreapps": 9, "masters": 2, "webapps": 2,
        "coreapp_hosts": 9, "coreapp_hosts_few": 5, "connections": 1200, "max_connections": 2400,
        "rds_classes": ["r4.xlarge", "m4.2xlarge", "t2.2xlarge"], "aurora_class": "r5.4xlarge", "memory_mb": 12288,
        "storage_gb": 410, "iops": 4000,
    }  # fmt: skip


def test_beyond_what_is_supported():
    assert needs(shards=32, rate=300)["supported"] is False
    assert needs(shards=4, rate=80)["supported"] is False
    assert needs(shards=32, rate=1000)["aurora_class"] is None
    with pytest.raises(ValueError, match="allowed is a number up to 350"):
        needs(rate=351)
    with pytest.raises(ValueError, match="None"):
        needs()


def test_storage_meets_the_documented_set_up_and_grows_with_the_rate():
    assert storage(250) == (1024, 10000)
    assert storage(1) == (100, 40)


def test_a_class_of_now_has_the_limit_of_the_family_with_its_memory():
    assert (limit_of("db.r5.large"), limit_of("r6i.xlarge"), limit_of("db.m4.large")) == (1212, 2424, 636)
    assert limit_of("db.x9.large") is limit_of("db.r5.3xlarge") is None
    assert (class_of_now(600), class_of_now(6000), class_of_now(50000)) == ("db.r5.large", "db.r5.4xlarge", None)


def test_classes():
    assert classes_for(1500) == ["m3.2xlarge", "r4.xlarge", "m4.2xlarge", "t2.2xlarge"]
    assert classes_for(1500, "db.t2.large")[0] == "t2.2xlarge"
    assert classes_for(40000) == []
    assert template_for(1).messages_per_second == 10


@given(st.integers(1, 40000))
def test_a_proposed_class_has_room_and_the_next_smaller_one_has_not(needed):
    for name in classes_for(needed):
        family = name.split(".")[0]
        assert CLASSES[name] >= needed
        assert not [c for c, most in CLASSES.items() if c.startswith(family) and needed <= most < CLASSES[name]]


def headroom(**changes):
    given_ = {"shards_now": 4, "shards": 16, "max_connections": 636, "in_use": 120, "database_class": "db.m4.large"}
    return headroom_problems(**{**given_, **changes})


def test_too_small_a_database_is_reported_with_figures_and_the_class_that_would_do():
    (problem,) = headroom()
    assert (problem.code, problem.value) == ("DB_CONNECTIONS_TOO_FEW", 636)
    assert "16 shards need about 1400 database connections at 200 messages a second" in problem.message
    assert "allows 636 (in use now: 120)" in problem.message
    assert "at least 2800, which class db.m4.4xlarge has" in problem.message


@pytest.mark.parametrize("name", [None, "db.x9.huge"])
def test_an_unknown_class_proposes_nothing(name):
    assert "which class" not in headroom(database_class=name)[0].message


def test_what_others_use_needs_room_too():
    assert headroom(max_connections=1400, in_use=350) == []
    (problem,) = headroom(max_connections=1400, in_use=351)
    assert "1401 with those in use by others" in problem.message


def test_tls_and_rate_count():
    assert headroom(max_connections=1400, in_use=0) == []
    assert "with TLS" in headroom(max_connections=1400, in_use=0, tls=True)[0].message
    assert headroom(max_connections=100, in_use=0, rate=10) == []
    assert "140 database connections at 20 messages" in headroom(max_connections=100, in_use=0, rate=20)[0].message


@pytest.mark.parametrize("shards", [4, 2, 1])
def test_a_cluster_that_does_not_grow_is_never_refused(shards):
    assert headroom(shards=shards, max_connections=1, in_use=1) == []


@pytest.mark.parametrize(
    ("shards", "rate", "tls", "limit"),
    [
        (1, 0, False, 500), (4, 0, False, 500), (4, 0, True, 1200), (8, 0, False, 1400), (8, 0, True, 2400),
        ("32", "", False, 3500), (32, 20, False, 500), (1, 250, False, 3500), (None, None, False, 500),
        ("many", 0, False, 500), (8, "x", False, 500),
    ],
)  # fmt: skip
def test_what_a_database_of_our_own_allows(shards, rate, tls, limit):
    assert own_limit(shards, rate, tls) == limit


@given(st.sampled_from(SHARD_COUNTS), st.booleans())
def test_a_new_cluster_has_headroom_in_a_database_of_our_own(shards, tls):
    """Whatever is declared, the default is not refused."""
    limit = own_limit(shards, 0, tls)
    assert headroom_problems(shards_now=0, shards=shards, max_connections=limit, in_use=0, tls=tls) == []
