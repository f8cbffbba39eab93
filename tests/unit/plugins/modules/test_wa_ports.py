# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_ports as a process, as on hosts: each address of the loopback interface is one."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.ports import REFUSED
from ansible_collections.waent.fleet.tests.support.module_process import run_module_process

ADDRESSES = {"a": "127.0.4.1", "b": "127.0.4.2", "c": "127.0.4.3"}


def free_ports(address):
    """Four ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(socket.socket()) for _number in range(4)]
        for link in links:
            link.bind((address, 0))
        return sorted(link.getsockname()[1] for link in links)


@pytest.fixture
def plan():
    """A coreapp on each of three hosts. Whatever still listens afterwards is ended."""
    nodes = [
        {"name": "wa-coreapp-1", "host": host, "address": address, "ports": ports, "free": ports, "new": True}
        for host, address in ADDRESSES.items()
        for ports in [free_ports(address)]
    ]
    settings = {"new": True, "extra_hosts": {}}
    hosts = {host: {**settings, "publish_address": address} for host, address in ADDRESSES.items()}
    made = {"cluster": "unit-{0}".format(uuid.uuid4()), "seconds": 30, "hosts": hosts, "nodes": nodes}
    yield made
    for host in ADDRESSES:
        ports(made, host, "report")


def ports(plan, host, action, **options):
    result = run_module_process("wa_ports", name=host, action=action, plan=plan, **options)
    assert result["changed"] is False
    return result


@pytest.mark.parametrize("check_mode", [False, True])
def test_three_hosts_reach_each_other_and_nothing_is_left(plan, check_mode):
    for one in plan["nodes"]:
        listening = ports(plan, one["host"], "listen", check_mode=check_mode)
        assert (listening["listening"], listening["not_listening"]) == (one["ports"], [])
    for host in ADDRESSES:
        assert ports(plan, host, "try", check_mode=check_mode)["unreached"] == []
    deadline = time.monotonic() + 5
    while any(ports(plan, host, "report")["listened"] for host in ADDRESSES):
        assert time.monotonic() < deadline


def test_a_host_that_has_no_node_takes_no_part(plan):
    assert ports(plan, "d", "listen") == {**ports(plan, "d", "listen"), "listening": [], "not_listening": []}
    assert ports(plan, "d", "try")["unreached"] == []


def test_a_host_that_does_not_listen_is_not_reached_and_the_others_can_be_asked(plan):
    for host in "ab":
        ports(plan, host, "listen")
    unreached = ports(plan, "a", "try", timeout=2)["unreached"]
    assert {(one["host"], one["how"]) for one in unreached} == {("c", REFUSED)}
    assert [one["port"] for one in unreached] == plan["nodes"][2]["ports"]
    assert [ports(plan, host, "report")["listened"] for host in "abc"] == [True, True, False]
    assert ports(plan, "b", "report")["listened"] is False, "that has ended it"
