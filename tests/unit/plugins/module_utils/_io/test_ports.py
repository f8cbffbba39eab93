# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening and trying with real sockets: each address of the loopback interface is a host of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.ports import (
    NO_NAME,
    NOT_TRIED,
    OTHER,
    REFUSED,
    SILENT,
    Target,
)
from ansible_collections.waent.fleet.plugins.module_utils._io import listener, ports
from ansible_collections.waent.fleet.plugins.module_utils._io.machine import read_listeners
from ansible_collections.waent.fleet.plugins.module_utils._io.ports import try_ports

B, C = "127.0.3.2", "127.0.3.3"
SECONDS = 20.0
ROOT = os.geteuid() == 0


@pytest.fixture
def cluster():
    """A cluster of its own for each test; whatever still listens for it afterwards is ended."""
    name = "unit-{0}".format(uuid.uuid4())
    yield name
    for host in ("b", "c"):
        listener.report(name, host)


def free_ports(count, address=B):
    """Ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(socket.socket()) for _number in range(count)]
        for link in links:
            link.bind((address, 0))
        return sorted(link.getsockname()[1] for link in links)


def target(port, host="b", address=B, listens=True):
    return Target(host, "wa-coreapp-1", address, port, listens)


def hows(found):
    return [(one["port"], one["how"]) for one in found]


def listens(port, address=B):
    """Whether anything answers there."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start(cluster, tried, *sources, host="b", address=B, seconds=SECONDS):
    return listener.start(cluster, host, address, dict.fromkeys(tried, sources), seconds)


def test_ports_are_reached_and_the_process_ends_when_all_have_come(cluster):
    tried = free_ports(4)
    assert sorted(start(cluster, tried, "a", "c").links) == tried
    targets = [target(port) for port in tried]
    assert try_ports(targets, "a", cluster, 5) == []
    assert all(listens(port) for port in tried), "c has not come yet"
    assert try_ports(targets, "c", cluster, 5) == []
    wait_until(lambda: not any(listens(port) for port in tried))
    assert listener.report(cluster, "b") == {"listened": False, "arrived": [], "answered": []}


def test_an_unknown_visitor_counts_for_nobody(cluster):
    (port,) = free_ports(1)
    start(cluster, [port], "a")
    with socket.create_connection((B, port), 2) as link:
        assert link.recv(100) == "waent.fleet ports {0} b\n".format(cluster).encode()
        link.sendall(b"somebody\n")
    assert try_ports([target(port)], "a", cluster, 5) == []


def test_a_port_that_nobody_listens_on_is_refused_at_once(cluster):
    (port,) = free_ports(1)
    before = time.monotonic()
    (found,) = try_ports([target(port)], "a", cluster, 5)
    assert time.monotonic() - before < 2
    assert (found["how"], found["host"], found["node"], found["listens"]) == (REFUSED, "b", "wa-coreapp-1", True)


@pytest.fixture
def silent():
    """Ports that answer nothing: their listener takes no connection more."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((B, 0))
        server.listen(0)
        for _number in range(2):
            link = stack.enter_context(socket.socket())
            link.setblocking(False)
            link.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_one_deadline_holds_for_all_that_do_not_answer(cluster, silent):
    before = time.monotonic()
    found = try_ports([target(silent)] * 40, "a", cluster, 0.5)
    assert time.monotonic() - before < 2
    assert hows(found) == [(silent, SILENT)] * 40


def test_where_few_files_may_be_open_all_have_their_turn(cluster, silent, monkeypatch):
    monkeypatch.setattr(ports, "_most_files", lambda: 2)
    tried = free_ports(3)
    start(cluster, tried, "a")
    found = try_ports([target(silent), target(silent), *map(target, tried)], "a", cluster, 0.9)
    assert hows(found) == [(silent, SILENT)] * 2


def test_who_answers_is_asked_for_its_name(cluster):
    here, there = free_ports(1, B), free_ports(1, C)
    start(cluster, here, "a")
    start(cluster, there, "a", host="c", address=C)
    (found,) = try_ports([target(there[0], address=C)], "a", cluster, 5)
    assert (found["how"], found["by"]) == (OTHER, "c")


def test_something_else_answers(cluster):
    with socket.create_server((B, 0)) as server:
        port = server.getsockname()[1]
        assert hows(try_ports([target(port)], "a", cluster, 0.5)) == [(port, OTHER)], "it says nothing"
        assert try_ports([target(port, listens=False)], "a", cluster, 0.5) == [], "that is a node, which need not"


def test_names_that_are_none(cluster):
    (port,) = free_ports(1)
    (found,) = try_ports([target(port, address="no-such-host.invalid")], "a", cluster, 5)
    assert found["how"] in (NO_NAME, NOT_TRIED), "the second where no resolver answers"
    assert found["by"]


def test_a_resolver_that_does_not_answer_does_not_hold_the_others_up(cluster, monkeypatch):
    def slow(name, *arguments, **options):
        if name == "slow":
            time.sleep(3)
        return real(name, *arguments, **options)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    (port,) = free_ports(1)
    before = time.monotonic()
    found = try_ports([target(port, address="slow"), target(port)], "a", cluster, 0.5)
    assert time.monotonic() - before < 2
    assert {one["address"]: one["how"] for one in found}["slow"] == NOT_TRIED


def test_only_free_ports_are_taken_and_the_others_named(cluster):
    tried = free_ports(2)
    with socket.create_server((B, tried[0])):
        opened = start(cluster, tried, "a")
    assert sorted(opened.links) == tried[1:]
    assert [(one["port"], one["reason"]) for one in opened.failed] == [(tried[0], "Address already in use")]


def test_an_address_that_is_none_of_the_host(cluster):
    opened = start(cluster, free_ports(1), "a", address="192.0.2.1")
    assert [one["reason"] for one in opened.failed] == ["Cannot assign requested address"]


def test_it_ends_by_itself_when_nobody_comes(cluster):
    (port,) = free_ports(1)
    start(cluster, [port], "a", seconds=0.3)
    assert listens(port)
    wait_until(lambda: not listens(port))


def test_it_ends_when_it_is_asked_and_the_ports_can_be_taken_at_once(cluster):
    tried = free_ports(3)
    start(cluster, tried, "a", "z")
    assert try_ports([target(port) for port in tried], "a", cluster, 5) == []
    assert listener.report(cluster, "b")["listened"]
    for port in tried:
        # As strict as an engine may be: without SO_REUSEADDR, what is left of a connection would hold the port.
        with socket.socket() as link:
            link.bind((B, port))
            link.listen()


def test_what_a_killed_run_has_left_makes_room_for_the_next_one(cluster):
    tried = free_ports(2)
    start(cluster, tried, "a")
    assert sorted(start(cluster, tried, "a").links) == tried
    assert try_ports([target(port) for port in tried], "a", cluster, 5) == []


def test_it_is_known_by_its_name(cluster):
    (port,) = free_ports(1)
    start(cluster, [port], "a")
    assert listens(port)
    assert [one["process"] for one in read_listeners([]) if one["port"] == port] == [listener.LISTENER]


def test_many_unknown_visitors_hold_nobody_up(cluster, monkeypatch):
    monkeypatch.setattr(listener, "MOST_VISITS", 3)
    (port,) = free_ports(1)
    start(cluster, [port], "a")
    with contextlib.ExitStack() as stack:
        for _number in range(10):
            stack.enter_context(socket.create_connection((B, port), 2))
        assert try_ports([target(port)], "a", cluster, 5) == []


@pytest.mark.skipif(not ROOT, reason="only root may see packets")
def test_connections_that_arrive_and_are_answered_are_seen(cluster):
    (port,) = free_ports(1)
    start(cluster, [port], "a", "z")
    with socket.create_connection((B, port), 2) as link:
        origin = "{0}:{1}".format(*link.getsockname())
        seen = listener.report(cluster, "b")
    assert [origin, port] in seen["arrived"]
    assert [origin, port] in seen["answered"]


@pytest.mark.skipif(not ROOT, reason="only root may see packets")
def test_the_kernel_hands_on_only_what_opens_a_connection(cluster):
    sniffer = listener._sniffer()
    with sniffer, socket.create_server((B, 0)) as server:
        with socket.create_connection(server.getsockname(), 2) as link:
            link.sendall(b"x" * 1000)
            mine = {server.getsockname()[1], link.getsockname()[1]}
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                read = listener.read_packet(sniffer.recv(128))
                found += [read[2]] if {read[0][1], read[1][1]} == mine else []
    assert sorted(set(found)) == [listener.SYN, listener.SYN | listener.ACK]


@pytest.mark.parametrize("packet", [b"", b"\x45", b"\x45" + b"\0" * 20, b"\x60" + b"\0" * 45, b"\x45" + b"\0" * 39])
def test_packets_that_are_cut_off(packet):
    assert listener.read_packet(packet) is None


def test_a_packet_of_ipv6():
    head = b"\x60" + b"\0" * 5 + b"\x06\x40" + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    packet = head + socket.inet_pton(socket.AF_INET6, "2001:db8::2") + b"\x18\x6a\x18\x6b" + b"\0" * 9 + b"\x02"
    assert listener.read_packet(packet) == (("2001:db8::1", 6250), ("2001:db8::2", 6251), listener.SYN)
