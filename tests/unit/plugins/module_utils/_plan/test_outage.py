# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loss of one host or rack takes with it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.outage import (
    Outage,
    sentence,
    worst_outage,
    worst_outages,
)
from hypothesis import given
from hypothesis import strategies as st

KINDS = ("coreapp", "master", "webapp")


def nodes(**hosts: str) -> list[dict[str, t.Any]]:
    """C(a1="cmw") is a host with a node of each kind in rack C(a)."""
    kinds = {kind[0]: kind for kind in KINDS}
    return [{"host": name, "rack": name[0], "kind": kinds[letter]} for name, has in hosts.items() for letter in has]


@pytest.mark.parametrize(
    ("fleet", "shards", "worst"),
    [
        (nodes(a1="c", b1="c", c1="m", a2="m", b2="w", c2="w"), 1, Outage("a1", 1, 35, 2)),
        # Lost beside the primary it is away longer; with one master left the rows of the database count.
        (nodes(a1="cm", b1="c", c1="mw", d1="w"), 1, Outage("a1", 1, 135, 2)),
        (nodes(a1="cm", b1="cm", c1="mw", d1="w"), 1, Outage("a1", 1, 45, 2)),
        (nodes(a1="cc", b1="cc", c1="m", d1="m", e1="ww"), 2, Outage("e1", 0, 0, 0)),
        (nodes(a1="cc", b1="c", c1="mw", d1="mw"), 2, Outage("a1", 2, None, 2)),
        (nodes(a1="c", b1="c", c1="m", d1="w", e1="w"), 1, Outage("a1", 1, 135, 2)),
    ],
)
def test_the_worst_host(fleet: list[dict[str, t.Any]], shards: int, worst: Outage) -> None:
    assert worst_outage("host", fleet, shards, 30) == worst


def test_a_rack_takes_all_of_its_hosts() -> None:
    fleet = nodes(a1="cw", a2="c", b1="cmw", b2="c", c1="cm", c2="c")
    (host, rack) = worst_outages(fleet, 4, 30)
    assert (host["unit"], host["name"], host["shards"], host["seconds"]) == ("host", "b1", 1, 135)
    assert (rack["unit"], rack["name"], rack["shards"], rack["seconds"]) == ("rack", "b", 2, 135)
    assert len(worst_outages(nodes(a1="cmw", a2="cmw"), 1, 30)) == 1, "one rack"
    assert worst_outages([], 1, 30) == []


@pytest.mark.parametrize(
    ("outage", "shown"),
    [
        (Outage("a1", 1, 35, 2), "up to 1 of 4 shards is without service for about 35 s; 2 webapps left."),
        (Outage("a1", 2, 35, 1), "up to 2 of 4 shards are without service for about 35 s; 1 webapp left."),
        (Outage("a1", 0, 0, 1), "every shard stays in service, 1 webapp left."),
        (
            Outage("a1", 2, None, 1),
            "2 of 4 shards are without service until it is back, nothing takes over; 1 webapp left.",
        ),
        (Outage("a1", 2, 35, 0), "no webapp is left, the API is out of reach until it is back."),
    ],
)  # fmt: skip
def test_it_is_one_sentence(outage: Outage, shown: str) -> None:
    assert sentence("host", outage, 4) == "If one host is lost, at worst a1: " + shown


FLEETS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123"), st.sampled_from(KINDS)), max_size=14)


@given(FLEETS, st.sampled_from([1, 2, 4]), st.integers(5, 120))
def test_no_host_does_more_than_the_worst_one(placed: list[tuple[str, str, str]], shards: int, interval: int) -> None:
    fleet = [{"host": rack + number, "rack": rack, "kind": kind} for rack, number, kind in placed]
    worst = worst_outage("host", fleet, shards, interval)
    if worst is None:
        assert not fleet
        return
    assert 0 <= worst.shards <= shards
    if worst.webapps == 0 or worst.seconds is None:
        return
    for host in {node["host"] for node in fleet}:
        left = [node for node in fleet if node["host"] != host]
        gone = sum(node["kind"] == "coreapp" for node in fleet) - sum(node["kind"] == "coreapp" for node in left)
        assert any(node["kind"] == "webapp" for node in left)
        assert not gone or sum(node["kind"] == "coreapp" for node in left) >= shards
        assert not gone or worst.seconds >= interval


def test_what_a_move_would_gain_is_said_and_nothing_where_it_gains_nothing() -> None:
    doubled, apart = nodes(a1="cm", b1="cm", c1="mw", d1="w"), nodes(a1="c", b1="c", c1="m", d1="m", e1="w", f1="w")
    (found,) = [one for one in worst_outages(doubled, 1, 30, apart) if one["unit"] == "host"]
    assert found["sentence"].endswith(" Placed afresh, it would be about 35 s; existing nodes are not moved for that.")
    for afresh in (doubled, []):
        assert "afresh" not in worst_outages(doubled, 1, 30, afresh)[0]["sentence"]
    assert "afresh" not in worst_outages(apart, 1, 30, doubled)[0]["sentence"]
    no_webapp = worst_outages(nodes(a1="ccmm", b1="w"), 1, 30, nodes(a1="cm", b1="cmw", c1="w"))[0]["sentence"]
    assert no_webapp.endswith(" Placed afresh, 1 webapp would be left; existing nodes are not moved for that.")


@given(st.data(), st.integers(1, 4))
def test_a_gain_is_a_lesser_outage(data, shards) -> None:
    names, has = st.sampled_from(["a1", "a2", "b1", "c1"]), st.text("cmw", min_size=1, max_size=4)
    fleets = st.dictionaries(names, has, min_size=1)
    now, afresh = (nodes(**data.draw(fleets)) for _which in range(2))
    shown = worst_outages(now, shards, 30, afresh)[0]["sentence"]
    one, other = (worst_outage("host", fleet, shards, 30) for fleet in (now, afresh))
    if "afresh" in shown:
        assert other.webapps > one.webapps or (other.seconds is not None and other.seconds < (one.seconds or 10**6))
