# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wa_message_cleanup through main() against a real HTTPS server."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.modules import wa_message_cleanup
from ansible_collections.waent.fleet.tests.support.scripted_api import META, run_module

CLEANUP = "/v1/services/message/gc"


def reply(gc):
    return {"services": {"message": {"gc": gc}}, "meta": META}


@pytest.fixture
def run(capfd, access, clock):
    return lambda **args: run_module(wa_message_cleanup, capfd, **access, **args)


def test_the_nodes_that_have_begun(api, run):
    begun = {"h:wa-coreapp-1": {"status": "ongoing"}, "h:wa-coreapp-2": {"errors": [{"code": 1000}]}}
    api.on("PUT", CLEANUP, reply(begun))
    assert run() == {"changed": True, "nodes": ["h:wa-coreapp-1"]}
    assert api.calls[0].authorization == "Bearer canary-token-9f"


def test_without_a_cluster_no_node_is_named(api, run):
    api.on("PUT", CLEANUP, reply({"status": "ongoing"}))
    assert run() == {"changed": True, "nodes": []}


def test_check_mode_begins_nothing(api, run):
    assert run(check=True) == {"changed": True, "nodes": []}
    assert api.calls == []


def test_a_refusal(api, run):
    api.on("PUT", CLEANUP, None, status=401)
    assert run()["failure"]["code"] == "API_AUTH"
