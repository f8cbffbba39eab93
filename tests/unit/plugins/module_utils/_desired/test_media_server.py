# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NFS server of a media share: what it exports, to whom, and what is refused."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_server import (
    client_allowed,
    in_grace,
    is_exported,
    media_server,
    not_answering,
    not_exported,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import MediaShare
from hypothesis import given
from hypothesis import strategies as st

SHARE = MediaShare("nas-1", "/srv/media", "/mnt/media")
HOSTS = ["192.0.2.11", "rack-b-1.example"]
ADDED = "wdelay,hide,nocrossmnt,secure,no_all_squash,secure_locks,acl,no_pnfs,anonuid=65534,anongid=65534"
"""What exportfs adds by itself."""


def server_of(uid=0, clients=(), share=SHARE, hosts=HOSTS):
    server, problems = media_server(share, list(clients), hosts, uid, "waent")
    assert problems == []
    return server


def table(server, **options):
    """As exportfs writes it."""
    mine = options.get("options") or server.options
    return "".join(
        "{0}\t{1}({2})\n".format(server.directory, client, ",".join([*mine, ADDED])) for client in server.clients
    )


def test_it_is_exported_to_the_hosts_of_the_cluster_alone():
    server = server_of()
    lines = server.exports.splitlines()
    assert server.exports_file == "/etc/exports.d/waent-waent.exports"
    assert lines[1].startswith("/srv/media 192.0.2.11(rw,sync,no_subtree_check,sec=sys,no_root_squash,fsid=")
    assert " rack-b-1.example(rw," in lines[1] and len(lines) == 2


@given(st.integers(0, 70000))
def test_user_0_of_a_client_is_user_0_of_the_server_only_where_the_containers_are(uid):
    server = server_of(uid)
    assert ("no_root_squash" in server.options) == (uid == 0)
    assert (server.owner, server.group, server.mode) == (uid, uid, 0o770)


def test_what_the_share_says_of_its_directory():
    server = server_of(7, share=MediaShare("nas-1", "/srv/media", "/mnt", owner=8, group=9, mode=0o750))
    assert (server.owner, server.group, server.mode) == (8, 9, 0o750)


def test_the_id_of_the_file_system_is_that_of_the_directory():
    assert server_of(0).options[-1] == server_of(5, clients=["192.0.2.0/28"]).options[-1]
    assert server_of().options[-1] != server_of(share=MediaShare("nas-1", "/srv/other", "/mnt")).options[-1]


@pytest.mark.parametrize(
    ("share", "clients", "hosts", "codes"),
    [
        (None, [], HOSTS, ["MEDIA_SERVER_NO_SHARE"]),
        (MediaShare("nas-1", "/", "/mnt"), [], HOSTS, ["MEDIA_SERVER_EXPORT_INVALID"]),
        (SHARE, [], [], ["MEDIA_SERVER_NO_CLIENTS"]),
        (SHARE, ["*"], HOSTS, ["MEDIA_SERVER_CLIENT_INVALID"]),
        (SHARE, ["0.0.0.0/0", 7], HOSTS, ["MEDIA_SERVER_CLIENT_INVALID"] * 2),
        (SHARE, [], ["a b"], ["MEDIA_SERVER_CLIENT_INVALID"]),
    ],
)
def test_what_is_refused(share, clients, hosts, codes):
    server, problems = media_server(share, clients, hosts, 0, "waent")
    assert server is None
    assert [problem.code for problem in problems] == codes
    assert all(problem.message.endswith(".") for problem in problems)


@given(st.text() | st.ip_addresses().map(str) | st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9})?", fullmatch=True))
def test_what_may_be_a_client_is_one_word_of_the_file(client):
    if client_allowed(client):
        assert not set(client) & set(" \t\n()*?,\"'\\#@")


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_networks(address, length):
    network = ipaddress.ip_network("{0}/{1}".format(address, length), strict=False)
    assert client_allowed(str(network)) == (length > 0)


@given(st.sets(st.sampled_from(["192.0.2.11", "198.51.100.0/24", "a.example", "2001:db8::1"]), min_size=1))
def test_what_is_in_force(clients):
    server = server_of(clients=sorted(clients))
    whole = table(server)
    assert is_exported(server, whole + "/other\t*(rw)\n")
    for line in whole.splitlines():
        assert not is_exported(server, whole.replace(line, ""))
        assert not is_exported(server, whole.replace(line, line.replace("no_root_squash", "root_squash")))
    assert not is_exported(server, whole + "/srv/media\t203.0.113.9(rw)\n")
    assert not is_exported(server, "")


@pytest.mark.parametrize("problem", [not_exported, not_answering, in_grace])
def test_what_is_said_where_it_is_not_in_force(problem):
    assert " /srv/media " in problem(server_of()).message
