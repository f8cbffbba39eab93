# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports are tried from where, and what is said when one is not reached."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.ports import (
    NO_NAME,
    NO_ROUTE,
    NOT_TRIED,
    OTHER,
    REFUSED,
    SILENT,
    listening_seconds,
    outcome,
    part_of,
    port_plan,
    ranges,
    taking_part,
    targets,
    unclear,
    visitors,
)
from ansible_collections.waent.fleet.tests.support.observed_host import SETTINGS, listeners_of, node_container, observed
from hypothesis import given
from hypothesis import strategies as st

FIRST = {"webapp": 9090, "coreapp": 6250, "master": 6254}


def node(host, kind="coreapp", index=1):
    first = FIRST[kind] + 8 * (index - 1)
    ports = [first] if kind == "webapp" else list(range(first, first + 4))
    return {
        "name": "wa-{0}-{1}".format(kind, index), "host": host, "kind": kind, "index": index, "rack": host,
        "address": "addr-" + host, "ports": ports, "external_ports": ",".join(map(str, ports)),
    }  # fmt: skip


def plan(nodes, running=(), forks=5, **settings):
    """What follows for hosts on which some of the nodes run, as they are declared."""
    hosts = []
    for name in sorted({one["host"] for one in nodes}):
        containers = [node_container(one) for one in running if one["host"] == name]
        asked = {"container_settings": {**SETTINGS, **settings}}
        hosts.append(observed(name, containers=containers, asked=asked))
    new = {(one["host"], one["name"]) for one in nodes if one not in running}
    return port_plan(hosts, nodes, new, forks)


THREE = [node("a"), node("b"), node("b", "master"), node("c", "webapp")]


# --- which ports ------------------------------------------------------------------------------------------------------


def test_every_host_with_a_node_reaches_the_four_ports_of_every_coreapp_and_master_elsewhere():
    made = plan(THREE)
    assert taking_part(made) == ["a", "b", "c"]
    assert [(one.host, one.node, one.address, one.port) for one in targets(made, "a")] == [
        ("b", name, "addr-b", port)
        for name, first in (("wa-coreapp-1", 6250), ("wa-master-1", 6254))
        for port in range(first, first + 4)
    ]
    assert {one.host for one in targets(made, "c")} == {"a", "b"}
    assert visitors(made, "a") == {port: ["b", "c"] for port in range(6250, 6254)}
    assert visitors(made, "c") == {}, "nothing connects to a webapp"


def test_a_database_is_no_node_and_its_host_tries_nothing():
    made = plan([*THREE, {**node("d"), "kind": "database", "name": "wa-db", "ports": [3306]}])
    assert taking_part(made) == ["a", "b", "c"]
    assert targets(made, "d") == []


def test_nothing_is_tried_where_nothing_starts_or_there_is_no_other_host():
    assert plan(THREE, running=THREE) == {}
    assert plan([node("a"), node("a", "master")]) == {}
    assert taking_part({}) == []


def test_nodes_that_run_answer_themselves_and_hosts_where_nothing_starts_do_not_ask_each_other():
    made = plan([*THREE, node("d")], running=THREE)
    assert {one.host for one in targets(made, "a")} == {"d"}
    assert {one.listens for one in targets(made, "a")} == {True}
    assert {one.host for one in targets(made, "d")} == {"a", "b"}
    assert {one.listens for one in targets(made, "d")} == {False}
    assert visitors(made, "d") == {port: ["a", "b", "c"] for port in range(6250, 6254)}
    assert visitors(made, "a") == {}


def test_a_webapp_that_starts_only_tries():
    made = plan(THREE, running=THREE[:3])
    assert taking_part(made) == ["c"]
    assert {one.host for one in targets(made, "c")} == {"a", "b"}


def test_what_a_killed_run_has_left_holds_no_port():
    hosts = [observed("a", listeners=[{"port": 6250, "container": None, "process": "waent-ports", "pid": 9}]),
             observed("b", listeners=[{"port": 6250, "container": None, "process": "nginx", "pid": 9}])]  # fmt: skip
    nodes = [node("a"), node("b")]
    made = port_plan(hosts, nodes, {(one["host"], one["name"]) for one in nodes}, 5)
    assert [one["free"][0] for one in made["nodes"]] == [6250, 6251]


def test_addresses_are_those_that_containers_know():
    made = plan(THREE, extra_hosts={"addr-b": "192.0.2.7"}, publish_address="192.0.2.1")
    assert {one.address for one in targets(made, "a")} == {"192.0.2.7"}
    assert made["hosts"]["a"]["publish_address"] == "192.0.2.1"


def test_a_process_listens_until_the_last_host_was_asked():
    assert listening_seconds(3, 5) == listening_seconds(5, 5) < listening_seconds(6, 5)
    assert listening_seconds(200, 200) < 60
    assert listening_seconds(10**6, 0) == 900


SLOTS = st.tuples(st.sampled_from("abcdef"), st.sampled_from(sorted(FIRST)), st.integers(1, 2))


@given(st.dictionaries(SLOTS, st.booleans(), min_size=1, max_size=10))
def test_pairs(cluster):
    """By an independent model: every pair of hosts and port in question, checked by itself."""
    nodes = [node(*slot) for slot in cluster]
    running = [one for one, runs in zip(nodes, cluster.values()) if runs]
    made = plan(nodes, running)
    hosts = {one["host"] for one in nodes}
    starts = {one["host"] for one in nodes if one not in running}
    needed = {
        (source, one["host"], port)
        for source, one in itertools.product(hosts, nodes)
        if one["kind"] != "webapp" and one["host"] != source and (one not in running or source in starts)
        for port in one["ports"]
    }
    tried = {(source, one.host, one.port) for source in taking_part(made) for one in targets(made, source)}
    assert tried == needed
    # Whoever comes where we listen is expected there, and nobody else; where a node runs nobody listens.
    expected = {
        (name, host, port)
        for host in made.get("hosts", ())
        for port, names in visitors(made, host).items()
        for name in names
    }
    assert expected == {
        (source, one.host, one.port) for source in taking_part(made) for one in targets(made, source) if one.listens
    }
    busy = {(one["host"], entry["port"]) for one in running for entry in listeners_of([node_container(one)])}
    assert not {(host, port) for _name, host, port in expected} & busy
    assert set(taking_part(made)) == {one[0] for one in tried} | {one[1] for one in expected}


@given(st.dictionaries(SLOTS, st.booleans(), min_size=1, max_size=10))
def test_a_host_does_with_its_part_of_the_plan_what_it_does_with_all_of_it(cluster):
    nodes = [node(*slot) for slot in cluster]
    made = plan(nodes, [one for one, runs in zip(nodes, cluster.values()) if runs])
    for host in made.get("hosts", ()):
        to_listen, to_try = (part_of(made, host, action) for action in ("listen", "try"))
        assert visitors(to_listen, host) == visitors(made, host)
        assert targets(to_try, host) == targets(made, host)
        assert part_of(made, host, "report")["cluster"] == made["cluster"]
        assert list(to_try["hosts"]) == [host], "it does not grow with the number of hosts"
        assert to_listen["hosts"] == {} or visitors(made, host) or any(one["host"] == host for one in made["nodes"])


# --- what it means ----------------------------------------------------------------------------------------------------

PLAN = plan(THREE)
LISTENED = {host: {"listening": sorted(visitors(PLAN, host)), "not_listening": []} for host in "abc"}
REACHED = {host: {"unreached": []} for host in "abc"}
SEEN = {host: {"listened": True, "arrived": [], "answered": []} for host in "abc"}


def missed(source, host, how, *ports, by="", origin="192.0.2.1:4000", made=PLAN):
    """The results of trying when a host did not reach these ports."""
    needed = [one for one in targets(made, source) if one.host == host and (not ports or one.port in ports)]
    return {source: {"unreached": [{**one._asdict(), "how": how, "by": by, "from": origin} for one in needed]}}


def found(tried, listened=None, seen=None, made=PLAN):
    """Problems and notes, as text."""
    results = (
        {**LISTENED, **(listened or {})},
        {**REACHED, **tried},
        {**SEEN, **(seen or {})},
    )
    problems, notes = outcome(made, *results)
    assert unclear(made, *results[:2])
    return [(one.code, one.message) for one in problems], notes


def test_all_is_reached():
    assert outcome(PLAN, LISTENED, REACHED, SEEN) == ([], [])
    assert not unclear(PLAN, LISTENED, REACHED)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (SILENT, "no answer within 5 s; open it between the hosts, or correct wa_address of b."),
        (REFUSED, "refused; open it between the hosts, or correct wa_address of b."),
        (NO_ROUTE, "no route, or rejected on the way; open it between the hosts, or correct wa_address of b."),
    ],
)
def test_a_port_that_is_closed(how, words):
    problems, notes = found(missed("a", "b", how, 6252))
    assert problems == [("PORT_CLOSED", "a cannot reach addr-b:6252 (wa-coreapp-1 on b): " + words)]
    assert notes == []


def test_a_name_that_is_not_known():
    problems, _notes = found(missed("a", "b", NO_NAME, by="Name or service not known"))
    assert problems == [
        ("PORT_CLOSED",
         "a cannot reach addr-b:6250-6257 (wa-coreapp-1 and wa-master-1 on b): the name is not known (Name or service"
         " not known); correct wa_address of b, or make the name known there.")
    ]  # fmt: skip


def test_hosts_that_miss_the_same_are_named_together_and_not_all_of_many():
    nodes = [node("h{0:02}".format(number)) for number in range(12)]
    made = plan(nodes)
    tried = {host: missed(host, "h00", SILENT, made=made)[host] for host in made["hosts"] if host != "h00"}
    listened = {one: {"listening": sorted(visitors(made, one)), "not_listening": []} for one in made["hosts"]}
    problems, notes = found({**{one: {"unreached": []} for one in made["hosts"]}, **tried}, listened, made=made)
    assert [message.partition(":")[0] for _code, message in problems] == [
        "h01, h02, h03, h04, h05 and 6 more cannot reach addr-h00"
    ]
    assert notes == []


def test_ports_of_a_node_that_runs():
    made = plan([*THREE, node("d")], running=THREE)
    known = {"listened": {"d": {"listening": sorted(visitors(made, "d")), "not_listening": []}}, "made": made}
    base = {"d": {"unreached": []}}
    problems, notes = found({**base, **missed("d", "a", SILENT, 6250, made=made)}, **known)
    assert [code for code, _message in problems] == ["PORT_CLOSED"]
    problems, notes = found({**base, **missed("d", "a", REFUSED, 6250, made=made)}, **known)
    assert problems == []
    assert notes == [
        "addr-a:6250 (wa-coreapp-1 on a) refuses d, though the node runs: it may be starting, or a firewall rejects it"
    ]


def test_a_firewall_on_the_host_itself_is_not_the_network():
    arrived = {"b": {**SEEN["b"], "arrived": [["192.0.2.1:4000", 6252]]}}
    for how in (SILENT, REFUSED, NO_ROUTE):
        problems, notes = found(missed("a", "b", how, 6252), seen=arrived)
        assert problems == []
        assert notes == [
            "b drops what a sends to addr-b:6252 (wa-coreapp-1 on b) itself (a firewall on it). Docker publishes ports"
            " past that, unless its own rules are switched off: open it if the nodes do not reach each other"
        ]
    elsewhere = {"b": {**SEEN["b"], "arrived": [["192.0.2.1:4000", 6251], ["192.0.2.1:4001", 6252]]}}
    assert [code for code, _message in found(missed("a", "b", SILENT, 6252), seen=elsewhere)[0]] == ["PORT_CLOSED"]


def test_the_way_back_may_be_closed():
    came = [["192.0.2.1:4000", 6252]]
    problems, notes = found(
        missed("a", "b", SILENT, 6252), seen={"b": {**SEEN["b"], "arrived": came, "answered": came}}
    )
    assert problems == [
        ("PORT_CLOSED",
         "a cannot reach addr-b:6252 (wa-coreapp-1 on b): what it sends arrives, and the answer does not come back;"
         " open the way back for connections that are open, or correct the routes of b.")
    ]  # fmt: skip
    assert notes == []


def test_another_host_answers():
    problems, _notes = found(missed("a", "b", OTHER, 6250, by="c"))
    assert problems == [
        ("WA_ADDRESS_OF_OTHER", "wa_address is addr-b, but c answers there (tried from a); correct it.")
    ]


@pytest.mark.parametrize(
    ("how", "by", "reason"),
    [
        (OTHER, "", "something else answered there"),
        (NOT_TRIED, "", "it was not tried in time"),
        (NOT_TRIED, "Too many open files", "Too many open files"),
    ],
)
def test_what_is_not_known_is_said_and_refuses_nothing(how, by, reason):
    problems, notes = found(missed("a", "b", how, 6250, by=by))
    assert problems == []
    assert notes == ["whether a can reach addr-b:6250 (wa-coreapp-1 on b) is not known: " + reason]


def test_a_listener_that_was_gone_makes_no_closed_port_of_a_refusal():
    gone = {"b": {"listened": False, "arrived": [], "answered": []}}
    assert found(missed("a", "b", REFUSED, 6250), seen=gone) == (
        [], ["whether a can reach addr-b:6250 (wa-coreapp-1 on b) is not known: nothing listened there"]
    )  # fmt: skip
    assert [code for code, _message in found(missed("a", "b", SILENT, 6250), seen=gone)[0]] == ["PORT_CLOSED"]


def test_a_host_that_could_not_be_asked_is_named():
    problems, notes = found(
        {"a": {"msg": "SSH said\nno."}, **missed("c", "b", REFUSED, 6250)}, {"b": {"msg": "No disk"}}
    )
    assert problems == []
    assert notes == [
        "b could not listen for the other hosts: No disk",
        "whether a can reach the nodes of the other hosts is not known: SSH said no",
        "whether c can reach addr-b:6250 (wa-coreapp-1 on b) is not known: nothing listened there",
    ]


def test_an_address_to_publish_on_that_the_host_does_not_have():
    failed = [{"port": port, "reason": "?", "absent": True} for port in visitors(PLAN, "a")]
    problems, notes = found(missed("b", "a", REFUSED), {"a": {"listening": [], "not_listening": failed}})
    assert problems == [
        ("WA_PUBLISH_ADDRESS_ABSENT",
         "wa_publish_address is 0.0.0.0, which is no address of this host; set it to one, or to 0.0.0.0.")
    ]  # fmt: skip
    assert notes == []


def test_a_port_that_was_taken_meanwhile():
    rest = sorted(visitors(PLAN, "a"))[1:]
    failed = [{"port": 6250, "reason": "Address already in use", "absent": False}]
    assert found({}, {"a": {"listening": rest, "not_listening": failed}}) == (
        [], ["whether a can be reached at port 6250 is not known: Address already in use"]
    )  # fmt: skip


@given(st.lists(st.sampled_from([SILENT, REFUSED, NO_ROUTE, NO_NAME, OTHER, NOT_TRIED]), min_size=8, max_size=8))
def test_whatever_was_not_reached_is_said(kinds):
    """No failure is lost between problems and notes."""
    needed = [one for one in targets(PLAN, "a") if one.host == "b"]
    unreached = [{**one._asdict(), "how": how, "by": "", "from": None} for one, how in zip(needed, kinds)]
    problems, notes = found({"a": {"unreached": unreached}})
    said = " ".join([*(message for _code, message in problems), *notes])
    for how in kinds:
        assert "addr-b:{0} (".format(ranges(one["port"] for one in unreached if one["how"] == how)) in said


def test_ranges_of_ports():
    assert ranges([6253, 6250, 6251, 6252, 6260, 6262, 6263]) == "6250-6253,6260,6262-6263"
    assert ranges([]) == ""
