# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment on AWS is made of: documented counts, addresses, hosts that placement accepts, refusals."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import (
    ENVIRONMENTS,
    MOST_HOSTS,
    hosts_of,
    layout,
    most_hosts,
    network_of,
    overlapping,
    read_environment,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from hypothesis import given
from hypothesis import strategies as st

RAW = {
    "environment": "production",
    "shards": 2,
    "name": "waent",
    "region": "eu-central-1",
    "cidr": "10.60.0.0/20",
    "db_version": "8.0",
    "disk_gb": 40,
}
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


def read(**changes):
    return read_environment({**RAW, **changes})


def codes(**changes):
    return [problem.code for problem in read(**changes)[1]]


@pytest.mark.parametrize(("shards", "hosts"), [(2, 3), (4, 4), (8, 5), (16, 8), (32, 15)])
def test_hosts_are_as_many_as_documented_by_active_coreapps(shards, hosts):
    environment, problems = read(shards=shards)
    assert (environment.hosts, environment.coreapps, problems) == (hosts, shards + 1, [])


def test_environments_have_the_documented_counts():
    production, staging = read()[0], read(environment="staging", shards=1)[0]
    assert (production.hosts, production.duties, production.coreapps) == (3, 3, 3)
    assert (staging.hosts, staging.duties, staging.coreapps) == (2, 2, 2)


environments = st.builds(
    lambda name, shards, fewer: (name, shards, max(ENVIRONMENTS[name], most_hosts(name, shards) - fewer)),
    st.sampled_from(sorted(ENVIRONMENTS)),
    st.sampled_from(SHARD_COUNTS),
    st.integers(0, 15),
)


@given(environments, st.integers(2, 3), st.booleans())
def test_placement_accepts_the_hosts_and_gives_the_counts_on_open_ports(drawn, zones, lost):
    name, shards, hosts = drawn
    environment, problems = read(environment=name, shards=shards, hosts=hosts)
    assert problems == []
    made = hosts_of(environment, ZONES[:zones])
    raw = {
        "shards": shards,
        "survive": {},
        "without": [made[-1].name] if lost and len(made) > environment.duties else [],
        "hosts": [
            {
                "name": host.name,
                "rack": host.zone,
                "address": "10.60.0.{0}".format(host.number),
                "kinds": host.kinds,
                "pins": {kind: int(kind in host.kinds) for kind in ("webapp", "master")},
            }
            for host in made
        ],
    }
    spec, wrong = read_cluster_spec(raw)
    assert wrong == []
    placed = place(spec)
    assert placed.problems == ()
    counts = {kind: sum(node.slot.kind == kind for node in placed.nodes) for kind in ("webapp", "master", "coreapp")}
    assert counts == {"webapp": environment.duties, "master": environment.duties, "coreapp": shards + 1}
    opened = {port for first, last in environment.ports for port in range(first, last + 1)}
    assert {port for node in placed.nodes if node.slot.kind != "webapp" for port in node.ports} <= opened


@given(environments, environments, st.integers(2, 3))
def test_a_host_keeps_its_name_zone_and_duties_whatever_the_number(one, other, zones):
    first = {host.name: host for host in hosts_of(read(environment="production", shards=one[1])[0], ZONES[:zones])}
    second = {host.name: host for host in hosts_of(read(environment="production", shards=other[1])[0], ZONES[:zones])}
    common = first.keys() & second.keys()
    assert {name: first[name] for name in common} == {name: second[name] for name in common}
    assert len(common) == min(len(first), len(second))


@given(st.integers(16, 24), st.integers(0, 255), st.integers(2, 3))
def test_subnets_lie_in_the_network_apart_and_are_none_too_small_for_aws(length, third, zones):
    cidr = str(ipaddress.IPv4Network((f"10.60.{third}.0", length), strict=False))
    subnets = [network for one in layout(cidr, zones) for network in (one.private, one.public)]
    assert len(subnets) == 2 * zones
    for number, subnet in enumerate(subnets):
        assert ipaddress.IPv4Network(subnet).subnet_of(ipaddress.IPv4Network(cidr))
        assert 16 <= ipaddress.IPv4Network(subnet).prefixlen <= 28
        assert overlapping(subnet, subnets[:number]) == []


@given(st.one_of(st.none(), st.integers(), st.booleans(), st.text(), st.lists(st.integers())))
def test_whatever_is_no_network_is_refused(value):
    if network_of(value) is None:
        assert codes(cidr=value) == ["AWS_CIDR_INVALID"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"environment": "test"}, "AWS_ENVIRONMENT_UNKNOWN", "'test'; allowed are production and staging"),
        ({"environment": None}, "AWS_ENVIRONMENT_UNKNOWN", "not set"),
        ({"shards": 3}, "AWS_SHARDS_INVALID", "1, 2, 4, 8, 16 and 32"),
        ({"shards": None}, "AWS_SHARDS_INVALID", "not set"),
        ({"region": ""}, "AWS_REGION_INVALID", "not set"),
        ({"region": "Frankfurt"}, "AWS_REGION_INVALID", "eu-central-1"),
        ({"name": "Waent_1"}, "AWS_NAME_INVALID", "Waent_1"),
        ({"name": "a" * 17}, "AWS_NAME_INVALID", "up to 15 more"),
        ({"cidr": "10.60.0.0/25"}, "AWS_CIDR_TOO_SMALL", "from /16 to /24"),
        ({"cidr": "10.0.0.0/8"}, "AWS_CIDR_TOO_LARGE", "from /16 to /24"),
        ({"cidr": "10.60.0.1/20"}, "AWS_CIDR_INVALID", "no bit set"),
        ({"cidr": "172.17.0.0/20"}, "AWS_CIDR_OVERLAPS", "bridge that Docker makes"),
        ({"clients": ["0.0.0.0/0"]}, "AWS_RANGE_INVALID", "not the whole internet"),
        ({"admins": ["office"]}, "AWS_RANGE_INVALID", "wa_aws_admins has 'office'"),
        ({"zones": ["eu-central-1a"]}, "AWS_ZONES_INVALID", "1 zone;"),
        ({"vpc": "vpc-1", "subnets": ["subnet-1"]}, "AWS_SUBNETS_INVALID", "names 1 subnet"),
        (
            {"shards": 8, "hosts": 6},
            "AWS_HOSTS_INVALID",
            "5 hosts at most, and the first row with so many has 8 with 16",
        ),
        ({"shards": 32, "hosts": 16}, "AWS_HOSTS_INVALID", "the last row has 15, with 32 shards"),
        ({"hosts": 2}, "AWS_HOSTS_INVALID", "production has 3 at least"),
        ({"log_days": 8}, "AWS_LOG_DAYS_INVALID", "for 1, 3, 5, 7, 14"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(changes, code, words):
    environment, problems = read(**changes)
    assert environment is None
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message
    assert problems[0].message.endswith(".")


def test_everything_that_is_wrong_is_said_at_once():
    assert codes(environment="x", shards=3, region="", cidr="y") == [
        "AWS_ENVIRONMENT_UNKNOWN",
        "AWS_SHARDS_INVALID",
        "AWS_REGION_INVALID",
        "AWS_CIDR_INVALID",
    ]


def test_the_table_grows_with_the_shards():
    for name in ENVIRONMENTS:
        most = [most_hosts(name, shards) for shards in SHARD_COUNTS]
        assert most == sorted(most)
        assert most[-1] == MOST_HOSTS[32]
