# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever answers first is used, and the silent ones cost one wait however many they are."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, Unreachable
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import HealthReader
from ansible_collections.waent.fleet.plugins.module_utils._io.options import client_from
from ansible_collections.waent.fleet.plugins.module_utils._io.race import ANSWERS, OTHER, SILENT, first_to_answer

LIMIT = 1.0


class Frozen:
    """Addresses that take a connection and never say a word, as those of a machine that is frozen."""

    def __init__(self, count):
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=16) for _number in range(count)]
        self.urls = ["https://127.0.0.1:{0}".format(one.getsockname()[1]) for one in self._sockets]

    def close(self):
        for one in self._sockets:
            one.close()


@pytest.fixture
def silence():
    made = Frozen(8)
    yield made
    made.close()


def test_all_are_asked_before_anybody_is_waited_for():
    together = threading.Barrier(5, timeout=10)

    def ask(url, timeout):
        del timeout
        together.wait()
        return ANSWERS if url == "https://d" else SILENT

    assert first_to_answer(["https://" + name for name in "abcde"], LIMIT, ask) == ["https://d"]


def test_nobody_is_waited_for_once_one_has_answered():
    held = threading.Event()

    def ask(url, timeout):
        del timeout
        if url == "https://good":
            return ANSWERS
        held.wait(30)
        return SILENT

    assert first_to_answer(["https://held", "https://good"], LIMIT, ask) == ["https://good"]
    held.set()


def test_who_does_not_speak_tls_is_asked_again_to_say_so():
    ends = {"https://a": SILENT, "https://b": OTHER}
    assert first_to_answer(list(ends), LIMIT, lambda url, timeout: ends[url]) == ["https://b"]
    assert first_to_answer(["https://a"], LIMIT, lambda url, timeout: SILENT) == []


def params(urls, api, **more):
    return {
        "api_url": urls, "api_token": "t", "api_key": None, "validate_certs": True, "ca_path": api.ca_path,
        "trusted_certificates": [], "api_timeout": LIMIT, "api_once": True, **more,
    }  # fmt: skip


def rounds(since):
    """How many time limits have passed."""
    return (time.monotonic() - since) / LIMIT


def test_one_that_answers_is_found_among_silent_ones_at_once(api, silence):
    api.on("GET", "/v1/health", {"health": {}})
    since = time.monotonic()
    client = client_from(params([*silence.urls, api.url], api))
    client.get("/v1/health")
    assert client.urls == [api.url]
    assert rounds(since) < len(silence.urls) / 2


def test_where_all_are_silent_it_takes_one_round(api, silence):
    since = time.monotonic()
    with pytest.raises(Unreachable, match="No webapp answers"):
        client_from(params(silence.urls, api))
    assert rounds(since) < len(silence.urls) / 2


def test_health_is_asked_of_all_at_once_and_the_rest_of_one_that_answered(api, silence):
    api.on("GET", "/v1/health", {"health": {}})
    api.on("GET", "/v1/support", {"support": {}})
    api.on("GET", "/v1/account/shards", {"account": {"shards": 1}})
    since = time.monotonic()
    client = client_from(params([*silence.urls, api.url], api), asks_every_url=True)
    seen = HealthReader(client, Expected(), waits=False).read()
    assert rounds(since) < len(silence.urls) / 2
    assert [webapp["error"] for webapp in seen.webapps] == ["API_UNREACHABLE"] * len(silence.urls) + [None]
    assert "shards" in seen.checked and [code for _method, code in api.whats].count("/v1/health") == 1


def test_a_single_address_is_not_raced_for(api):
    client = Client([api.url], token="t", ca_path=api.ca_path)
    assert client.of_the_first_to_answer() is client
