# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: what must hold for every cluster (properties), and the cases people meet (table)."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import Slot, demand, place
from ansible_collections.waent.fleet.plugins.module_utils._plan.outage import worst_outage
from hypothesis import given
from hypothesis import strategies as st


def host(name, rack="a", kinds=KINDS, counts=None, ports=None):
    return HostSpec(name, rack, name, name, tuple(kinds), counts or {}, ports or DEFAULT_PORTS)


def racks(*sizes, **more):
    """One host list: C(racks(2, 1)) has hosts a1, a2 in rack a and b1 in rack b."""
    return tuple(
        host("{0}{1}".format(rack, number), rack, **more)
        for rack, size in zip("abcdefgh", sizes)
        for number in range(1, size + 1)
    )


def spec(hosts, shards=1, survive=None, allow_no_ha=False, prefix="wa"):
    return ClusterSpec(shards, None, survive or FaultTolerance(), allow_no_ha, tuple(hosts), prefix)


def count(placement, kind):
    return sum(1 for node in placement.nodes if node.slot.kind == kind)


def names(placement, host_name=None):
    return [node.name for node in placement.nodes if host_name in (None, node.slot.host)]


def worst_left(nodes, kind, hosts, survive):
    """By brute force: how many nodes of the kind are left after the worst loss."""
    unit_of = {h.name: h.rack if survive.unit == "racks" else h.name for h in hosts}
    mine = [unit_of[node.slot.host] for node in nodes if node.slot.kind == kind]
    units = sorted(set(unit_of.values()))
    lost_sets = itertools.combinations(units, min(survive.count, len(units)))
    return min(sum(1 for unit in mine if unit not in lost) for lost in lost_sets)


# Properties


@st.composite
def host_lists(draw, most=5, pins=False):
    hosts = []
    for number in range(draw(st.integers(1, most))):
        kinds = draw(st.sets(st.sampled_from(KINDS), min_size=1))
        counts = {}
        if pins:
            counts = {kind: draw(st.integers(0, 3)) for kind in sorted(kinds) if draw(st.booleans())}
        hosts.append(host("h{0}".format(number), draw(st.sampled_from("abc")), sorted(kinds), counts))
    return tuple(hosts)


survives = st.builds(FaultTolerance, st.sampled_from(["hosts", "racks"]), st.integers(0, 2))
shard_counts = st.sampled_from(SHARD_COUNTS[:4])


@given(host_lists(pins=True), shard_counts, survives, st.booleans())
def test_an_accepted_placement_survives_what_it_promises(hosts, shards, survive, allow_no_ha):
    placement = place(spec(hosts, shards, survive, allow_no_ha))
    if placement.problems:
        return
    for kind, left in (("coreapp", shards), ("master", 1), ("webapp", 1)):
        assert worst_left(placement.nodes, kind, hosts, survive) >= left
    if not allow_no_ha:
        assert count(placement, "master") >= 2
        assert count(placement, "coreapp") >= shards + 1


def best_total(hosts, kind, survive, need, limit):
    """By brute force over all ways to spread nodes: the smallest number that meets the desired state, or None."""
    able = [h for h in hosts if kind in h.kinds]
    for total in range(need.total, limit + 1):
        for spread in spreads(total, len(able)):
            units = Counter()
            for h, nodes in zip(able, spread):
                units[h.rack if survive.unit == "racks" else h.name] += nodes
            left = min(
                (total - sum(lost) for lost in itertools.combinations(units.values(), min(survive.count, len(units)))),
                default=0,
            )
            if left >= need.left:
                return total
    return None


def spreads(total, places):
    if places == 0:
        return
    if places == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in spreads(total - first, places - 1):
            yield (first, *rest)


def needed(hosts, kind, shards, survive):
    """The demand, with what is preferred where a node of the kind on every host, or what is fixed, grants it."""
    need = demand(kind, shards)
    able = {h.name: h.counts.get(kind, 1) for h in hosts if kind in h.kinds}
    units = Counter()
    for h in hosts:
        units[h.rack if survive.unit == "racks" else h.name] += able.get(h.name, 0)
    left = sum(sorted(units.values())[: max(0, len(units) - survive.count)])
    granted = survive.count and left >= need.preferred
    return replace(need, left=max(need.left, need.preferred if granted else 0))


@given(host_lists(most=4), st.sampled_from([1, 2, 4]), survives)
def test_no_smaller_number_would_do_and_refusals_are_true(hosts, shards, survive):
    placement = place(spec(hosts, shards, survive))
    for kind in KINDS:
        # Beyond this number a possible desired state is met: every unit that may stay has all that is needed.
        limit = (survive.count + 1) * (shards + 1)
        best = best_total(hosts, kind, survive, needed(hosts, kind, shards, survive), limit)
        if best is None:
            assert placement.problems
        elif not placement.problems:
            assert count(placement, kind) == best
    possible = all(best_total(hosts, kind, survive, demand(kind, shards), limit) is not None for kind in KINDS)
    assert possible == (not placement.problems)


def where(placement):
    return {(node.slot, node.ports, node.name) for node in placement.nodes}


@given(host_lists(), survives, st.integers(0, 5), st.integers(0, 5))
def test_growing_moves_nothing(hosts, survive, one, other):
    small, big = sorted((SHARD_COUNTS[one], SHARD_COUNTS[other]))
    before, after = place(spec(hosts, small, survive)), place(spec(hosts, big, survive))
    if not before.problems and not after.problems:
        assert where(before) <= where(after)


@given(host_lists(pins=True), host_lists(pins=True), shard_counts, shard_counts, survives)
def test_what_runs_is_never_moved_and_the_desired_state_is_met(hosts, others, before_shards, shards, survive):
    """Whatever ran before, on whatever of the hosts: it stays, and what is added makes the promise true."""
    running = [node.slot for node in place(spec(others, before_shards, survive)).nodes]
    able = {(h.name, kind) for h in hosts for kind in h.kinds}
    placement = place(spec(hosts, shards, survive), running)
    kept = {node.slot for node in placement.nodes if node.exists}
    assert kept == {slot for slot in running if (slot.host, slot.kind) in able}
    if not placement.problems:
        assert worst_left(placement.nodes, "coreapp", hosts, survive) >= shards


@given(host_lists(pins=True), shard_counts, survives)
def test_placing_again_changes_nothing(hosts, shards, survive):
    first = place(spec(hosts, shards, survive))
    second = place(spec(hosts, shards, survive), [node.slot for node in first.nodes])
    assert where(first) == where(second)
    assert first.problems == second.problems
    if not first.problems:
        assert not any(node.surplus for node in second.nodes)


@given(host_lists(), shard_counts, shard_counts, survives)
def test_without_its_surplus_the_desired_state_is_still_met(hosts, before_shards, shards, survive):
    running = [node.slot for node in place(spec(hosts, before_shards, survive)).nodes]
    placement = place(spec(hosts, shards, survive), running)
    if placement.problems:
        return
    rest = [node for node in placement.nodes if not node.surplus]
    assert worst_left(rest, "coreapp", hosts, survive) >= shards
    assert sum(1 for node in rest if node.slot.kind == "master") >= 2
    fresh = place(spec(hosts, shards, survive))
    assert len(rest) == len(fresh.nodes)


@given(host_lists(pins=True), shard_counts, survives)
def test_ports_of_a_host_are_disjoint_and_named_once(hosts, shards, survive):
    placement = place(spec(hosts, shards, survive))
    for h in hosts:
        mine = [node for node in placement.nodes if node.slot.host == h.name]
        ports = [port for node in mine for port in node.ports]
        assert len(ports) == len(set(ports))
        assert len({node.name for node in mine}) == len(mine)
        for node in mine:
            assert node.as_dict()["external_ports"] == ",".join(map(str, node.ports))
            assert len(node.ports) == (1 if node.slot.kind == "webapp" else 4)
    assert len({node.key for node in placement.nodes}) == len(placement.nodes)


def pairs(nodes):
    """How many nodes each host has of the kinds that are to be kept apart."""
    return Counter(node.slot.host for node in nodes if node.slot.kind in ("master", "coreapp"))


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), shard_counts, st.integers(0, 1))
def test_no_host_has_two_nodes_while_another_one_has_neither(sizes, shards, lost):
    hosts = racks(*sizes)
    placement = place(spec(hosts, shards, FaultTolerance("hosts", lost)))
    if placement.problems:
        return
    on_host = pairs(placement.nodes)
    assert max(on_host.values()) == 1 or len(on_host) == len(hosts)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), shard_counts, st.integers(0, 1), st.data())
def test_what_is_added_leaves_no_host_empty_beside_a_doubled_one(sizes, shards, lost, data):
    hosts = racks(*sizes)
    slots = [Slot(h.name, kind, 1) for h in hosts for kind in ("master", "coreapp")]
    running = data.draw(st.lists(st.sampled_from(slots), unique=True, max_size=3))
    placement = place(spec(hosts, shards, FaultTolerance("hosts", lost)), running)
    if placement.problems:
        return
    on_host = pairs(placement.nodes)
    added = [node.slot for node in placement.nodes if not node.exists and node.slot.kind != "webapp"]
    doubled = {slot.host for slot in added if on_host[slot.host] > 1}
    assert not doubled or len(on_host) == len(hosts)


@given(host_lists(most=4), st.sampled_from([1, 2]))
def test_as_few_masters_as_possible_share_a_host_with_a_coreapp(hosts, shards):
    """By brute force over where the two masters and the coreapps could be: without a limit on what must survive."""
    hosts = tuple(replace(h, kinds=KINDS) for h in hosts)
    placement = place(spec(hosts, shards, FaultTolerance("hosts", 0)))
    of_kind = {kind: {n.slot.host for n in placement.nodes if n.slot.kind == kind} for kind in KINDS}
    free = len(hosts) - len(of_kind["master"])
    possible = max(0, min(shards + 1, len(hosts)) - free)
    assert len(of_kind["master"] & of_kind["coreapp"]) == possible


# Cases


def test_six_hosts_take_two_masters_and_three_coreapps_apart():
    placement = place(spec(racks(2, 2, 2), 2, FaultTolerance("hosts", 1)))
    assert max(pairs(placement.nodes).values()) == 1


def test_the_development_set_up_on_one_host():
    placement = place(spec([host("wa-local")]))
    assert placement.problems == ()
    assert [(node.name, node.ports) for node in placement.nodes] == [
        ("wa-master-1", (6254, 6255, 6256, 6257)),
        ("wa-master-2", (6262, 6263, 6264, 6265)),
        ("wa-webapp-1", (9090,)),
        ("wa-coreapp-1", (6250, 6251, 6252, 6253)),
        ("wa-coreapp-2", (6258, 6259, 6260, 6261)),
    ]
    assert placement.nodes[3].key == "wa-local:wa-coreapp-1"


@pytest.mark.parametrize(
    ("hosts", "shards", "survive", "coreapps"),
    [
        (racks(1), 4, FaultTolerance(), 5),
        (racks(1, 1), 4, FaultTolerance("racks", 1), 8),
        (racks(1, 1, 1), 4, FaultTolerance("racks", 1), 6),
        (racks(2, 2, 2), 4, FaultTolerance("racks", 1), 6),
        (racks(2, 2, 2), 4, FaultTolerance("hosts", 1), 5),
        (racks(2, 2, 2), 4, FaultTolerance("racks", 2), 12),
        (racks(1, 1, 1, 1, 1), 32, FaultTolerance("racks", 1), 40),
        # One rack has one host only: levelling racks would need 8 here, levelling hosts needs 6.
        (racks(1, 3), 4, FaultTolerance("hosts", 1), 6),
    ],
)
def test_number_of_coreapps(hosts, shards, survive, coreapps):
    placement = place(spec(hosts, shards, survive))
    assert placement.problems == ()
    assert count(placement, "coreapp") == coreapps


def test_dealing_goes_rack_by_rack_and_avoids_busy_hosts():
    placement = place(spec(racks(2, 2, 2), 4, FaultTolerance("racks", 1)))
    assert {h.name: names(placement, h.name) for h in racks(2, 2, 2)} == {
        "a1": ["wa-master-1", "wa-coreapp-1"],
        "a2": ["wa-webapp-1", "wa-coreapp-1"],
        "b1": ["wa-master-1", "wa-coreapp-1"],
        "b2": ["wa-webapp-1", "wa-coreapp-1"],
        "c1": ["wa-master-1", "wa-coreapp-1"],
        "c2": ["wa-coreapp-1"],
    }


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), shard_counts, survives)
def test_two_masters_are_left_where_hosts_allow_it_and_no_host_is_doubled_for_it(sizes, shards, survive):
    """With one master left a lost owner would be noticed after two minutes only."""
    hosts = racks(*sizes)
    placement = place(spec(hosts, shards, survive))
    if placement.problems or not survive.count:
        return
    each = Counter(node.slot.host for node in placement.nodes if node.slot.kind == "master")
    left = worst_left(placement.nodes, "master", hosts, survive)
    lost = sorted(sizes, reverse=True)[: survive.count] if survive.unit == "racks" else [1] * survive.count
    if sum(sizes) - sum(lost) >= 2:
        assert left >= 2 and max(each.values()) == 1
        unit = survive.unit[:-1]
        worst = worst_outage(unit, [node.as_dict() for node in placement.nodes], shards, 30)
        assert survive.count > 1 or worst.webapps == 0 or worst.seconds <= 45


@pytest.mark.parametrize(
    ("hosts", "survive", "masters"),
    [
        (racks(1, 1), FaultTolerance("racks", 1), 2),  # two on each host would gain nothing but work
        (racks(2, 2), FaultTolerance("racks", 1), 4),
        (racks(1, 1, 1), FaultTolerance("hosts", 1), 3),
        (racks(2, 2, 2), FaultTolerance("racks", 1), 3),
        (racks(2, 2, 2), FaultTolerance(), 2),
        ((*racks(1, 1, counts={"master": 1}), host("c1", "c", counts={"master": 0})), FaultTolerance("racks", 1), 2),
    ],
)  # fmt: skip
def test_number_of_masters(hosts, survive, masters):
    placement = place(spec(hosts, 1, survive))
    assert placement.problems == ()
    assert count(placement, "master") == masters


def test_numbers_fixed_by_hand():
    hosts = [host("a1", counts={"coreapp": 3, "master": 0}), host("b1", "b", counts={"coreapp": 0})]
    placement = place(spec(hosts, 2))
    assert placement.problems == ()
    assert [n for n in names(placement, "a1") if "coreapp" in n] == ["wa-coreapp-1", "wa-coreapp-2", "wa-coreapp-3"]
    assert [n for n in names(placement, "b1") if "core" in n or "master" in n] == ["wa-master-1", "wa-master-2"]


@pytest.mark.parametrize(
    ("hosts", "shards", "survive", "code", "says"),
    [
        (racks(1, 1), 1, FaultTolerance("racks", 2), "WA_SURVIVE_IMPOSSIBLE", "are in 2 racks (a, b), need 3"),
        (racks(1), 1, FaultTolerance("hosts", 1), "WA_SURVIVE_IMPOSSIBLE", "are in 1 host (a1), need 2"),
        ([host("h", kinds=["webapp", "coreapp"])], 1, FaultTolerance(), "WA_KIND_NOWHERE", "wa_master_hosts is empty"),
        (
            [host("h", counts={"coreapp": 1})], 1, FaultTolerance(),
            "WA_NO_HA", "wa_coreapps fixes 1 coreapp, fewer than the 2",
        ),
        ([host("h", counts={"master": 1})], 1, FaultTolerance(), "WA_NO_HA", "wa_allow_no_ha=true"),
        ([host("h", counts={"coreapp": 3})], 4, FaultTolerance(), "WA_NODES_TOO_FEW", "4 shards need at least 4"),
        ([host("h", counts={"webapp": 0})], 1, FaultTolerance(), "WA_NODES_TOO_FEW", "a cluster needs at least 1"),
        (
            [host("a1", counts={"coreapp": 4}), host("b1", "b", counts={"coreapp": 1})], 4, FaultTolerance("racks", 1),
            "WA_SURVIVE_IMPOSSIBLE", "1 coreapp would be left in the worst case, need 4",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_met_is_refused(hosts, shards, survive, code, says):
    found = place(spec(hosts, shards, survive)).problems
    assert code in {problem.code for problem in found}
    assert says in "\n".join(problem.message for problem in found)


def test_a_cluster_without_high_availability_must_be_asked_for():
    hosts = [host("h", counts={"coreapp": 1, "master": 1})]
    assert {problem.code for problem in place(spec(hosts)).problems} == {"WA_NO_HA"}
    placement = place(spec(hosts, allow_no_ha=True))
    assert placement.problems == ()
    assert names(placement) == ["wa-master-1", "wa-webapp-1", "wa-coreapp-1"]


def test_fewer_coreapps_than_shards_are_never_allowed():
    placement = place(spec([host("h", counts={"coreapp": 3})], 4, allow_no_ha=True))
    assert [problem.code for problem in placement.problems] == ["WA_NODES_TOO_FEW"]


@pytest.mark.parametrize(
    ("ports", "kinds"),
    [
        ({"coreapp": 6250, "master": 6252, "webapp": 9090}, "wa_coreapp_port or wa_master_port"),
        ({"coreapp": 6250, "master": 6254, "webapp": 6259}, "wa_coreapp_port or wa_webapp_port"),
        # Met only by the second node of a kind.
        ({"coreapp": 6250, "master": 6262, "webapp": 9090}, None),
        ({"coreapp": 6250, "master": 6261, "webapp": 9090}, "wa_coreapp_port or wa_master_port"),
    ],
)
def test_overlapping_ports_are_found(ports, kinds):
    found = place(spec([host("h", ports=ports)])).problems
    if kinds is None:
        assert found == ()
        return
    (problem,) = found
    assert (problem.code, problem.host) == ("WA_PORTS_OVERLAP", "h")
    assert kinds in problem.message


def test_ports_end_at_65535():
    at_the_edge = {"coreapp": 65524, "master": 6254, "webapp": 9090}
    assert place(spec([host("h", ports=at_the_edge)])).problems == ()
    beyond = place(spec([host("h", ports={**at_the_edge, "coreapp": 65525})])).problems
    assert [problem.code for problem in beyond] == ["WA_PORT_RANGE"]
    assert "65536" in beyond[0].message


def test_running_nodes_keep_their_numbers_and_gaps_are_filled():
    running = [Slot("h", "coreapp", 2), Slot("h", "master", 1), Slot("h", "master", 2)]
    placement = place(spec([host("h")], 2), running)
    coreapps = [(node.name, node.exists) for node in placement.nodes if node.slot.kind == "coreapp"]
    assert coreapps == [("wa-coreapp-1", False), ("wa-coreapp-2", True), ("wa-coreapp-3", False)]


def test_new_hosts_take_new_nodes_only():
    small = racks(1)
    running = [node.slot for node in place(spec(small, 2)).nodes]
    placement = place(spec(racks(1, 1), 4), running)
    assert {node.slot for node in placement.nodes if node.exists} == set(running)
    assert [n for n in names(placement, "b1") if "coreapp" in n] == ["wa-coreapp-1", "wa-coreapp-2"]


def test_nodes_beyond_the_desired_state_stay_and_are_marked():
    running = [Slot("h", "coreapp", number) for number in range(1, 6)]
    placement = place(spec([host("h")], 1), running)
    assert [node.name for node in placement.nodes if node.surplus] == ["wa-coreapp-3", "wa-coreapp-4", "wa-coreapp-5"]
    pinned = place(spec([host("h", counts={"coreapp": 4})], 1), running)
    assert [node.name for node in pinned.nodes if node.surplus] == ["wa-coreapp-5"]


def test_nodes_on_a_host_that_lost_the_kind_are_no_part_of_it():
    running = [Slot("a1", "webapp", 1), Slot("gone", "webapp", 1)]
    hosts = (host("a1", kinds=["coreapp", "master"]), *racks(0, 1))
    placement = place(spec(hosts), running)
    assert [(node.slot.host, node.exists) for node in placement.nodes if node.slot.kind == "webapp"] == [("b1", False)]


def test_the_largest_cluster_is_placed():
    placement = place(spec(racks(10, 10, 10, 10), 32, FaultTolerance("racks", 2)))
    assert placement.problems == ()
    assert count(placement, "coreapp") == 64


def test_the_prefix_is_the_first_word():
    assert names(place(replace(spec([host("h")]), name_prefix="acme")))[0] == "acme-master-1"


# Hosts that are left out


def without(whole, names):
    there = tuple(one for one in whole.hosts if one.name not in names)
    return replace(whole, hosts=there, without=tuple(names))


@given(host_lists(pins=True), shard_counts, survives, st.data())
def test_leaving_a_host_out_is_placing_without_it(hosts, shards, survive, data):
    """The same rule for what is left; what is missing is said to be missing without those hosts."""
    whole = spec(hosts, shards, survive)
    away = data.draw(st.lists(st.sampled_from([one.name for one in hosts]), min_size=1, unique=True))
    running = [node.slot for node in place(whole).nodes]
    left, removed = without(whole, away), replace(without(whole, away), without=())
    placement, plain = place(left, running), place(removed, running)
    assert placement.nodes == plain.nodes
    assert not {node.slot.host for node in placement.nodes} & set(away)
    assert [problem.code for problem in placement.problems] == [problem.code for problem in plain.problems]
    for problem in placement.problems:
        assert all(name in problem.message for name in away) and "wa_without_hosts" in problem.message


@given(host_lists(pins=True), shard_counts, survives, st.data())
def test_the_lesser_rule_that_is_offered_can_be_met(hosts, shards, survive, data):
    whole = spec(hosts, shards, survive)
    away = data.draw(st.lists(st.sampled_from([one.name for one in hosts]), min_size=1, unique=True))
    left = without(whole, away)
    for problem in place(left).problems:
        offered = re.search(r"-e '(\{.*\})' to the command", problem.message)
        if offered:
            value = json.loads(offered.group(1))["wa_survive"] or {"hosts": 0}
            ((unit, number),) = value.items()
            lesser = FaultTolerance(unit, number)
            assert number < survive.count or unit != survive.unit
            assert place(replace(left, survive=lesser)).problems == ()


def test_a_rack_that_is_away_of_two():
    left = without(spec(racks(2, 2), 2, FaultTolerance("racks", 1)), ["b1", "b2"])
    assert {problem.message.partition(": ")[2] for problem in place(left).problems} == {
        "hosts for {0}s are in 1 rack (a), need 2. That is without b1 and b2 (wa_without_hosts): have one of them back,"
        ' or, where a further loss may cost the service until then, add -e \'{{"wa_survive": {{"hosts": 1}}}}\' to the'
        " command.".format(kind)
        for kind in KINDS
    }


def test_one_host_of_three_is_replaced_on_the_others():
    whole = spec(racks(1, 1, 1), 2, FaultTolerance("hosts", 1))
    running = [node.slot for node in place(whole).nodes]
    placement = place(without(whole, ["c1"]), running)
    assert placement.problems == () and count(placement, "coreapp") == 4


# Drained hosts


def drained(one):
    return replace(one, kinds=KINDS, drained=True, counts=dict.fromkeys(KINDS, 0))


@given(host_lists(), shard_counts, st.integers(0, 4))
def test_a_drained_host_gets_nothing_and_what_it_has_leaves(hosts, shards, which):
    before = place(spec(hosts, shards)).nodes
    one = hosts[which % len(hosts)]
    after = place(spec([drained(h) if h is one else h for h in hosts], shards), [node.slot for node in before])
    on_it = [node for node in after.nodes if node.slot.host == one.name]
    assert all(node.exists and node.surplus and node.leaving for node in on_it)
    assert {node.slot for node in on_it} == {node.slot for node in before if node.slot.host == one.name}
    assert not [node for node in after.nodes if node.leaving and node.slot.host != one.name]


def test_a_refusal_names_the_hosts_that_are_drained():
    left = [host("a1", "a"), host("a2", "a"), drained(host("b1", "b"))]
    problems = place(spec(left, survive=FaultTolerance("racks", 1))).problems
    assert {problem.code for problem in problems} == {"WA_SURVIVE_IMPOSSIBLE"}
    assert all(problem.message.endswith("need 2; b1 is drained.") for problem in problems)
    (problem, *_others) = place(spec([drained(host("a1"))])).problems
    assert (problem.code, problem.variable) == ("WA_KIND_NOWHERE", "wa_drained")
    assert "a1 is drained" in problem.message
