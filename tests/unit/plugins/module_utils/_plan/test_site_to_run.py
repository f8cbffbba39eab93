# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes are acted on: all but those that were compared in full, and are as desired."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import KEYS
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import host_plan, starting, to_run
from ansible_collections.waent.fleet.tests.support.observed_host import CORE, IDS, node_container, observed, placed
from hypothesis import given
from hypothesis import strategies as st

NODES = placed("h1")
NAMES = [node["name"] for node in NODES]
OTHER = {"labels": {"waent.fleet.version": "v9.9.9"}, "networks": {"elsewhere": ""}}
#: What may be found of a container, none of which is as desired.
FOUND = [
    {"state": "exited"},
    {"state": "paused"},
    {"environment_differs": ["WA_DB_PASSWORD"]},
    {"image": "docker.whatsapp.biz/coreapp:v2.19.3"},
    {"image_id": "sha256:before"},
    *({"options": {name: OTHER.get(name, {"x": "y"} if key.parts else "other")}} for name, key in KEYS.items()
      if name != "image"),
]  # fmt: skip


def names(host, nodes=NODES):
    return [node["name"] for node in to_run(host, nodes, host_plan(host, nodes))]


def host_with(found, **changes):
    """Every node as desired, but for what is found of some."""
    return observed(containers=[node_container(node, **found.get(node["name"], {})) for node in NODES], **changes)


def test_what_is_as_desired_is_left_alone():
    assert names(host_with({})) == []
    assert names(observed()) == NAMES


@pytest.mark.parametrize("state", ["running", "restarting"])
def test_what_the_engine_starts_is_left_to_it(state):
    assert names(host_with({name: {"state": state} for name in NAMES})) == []


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(FOUND)))
def test_what_differs_in_anything_is_acted_on_and_nothing_else(found):
    host = host_with(found)
    # An option that a node does not have is none of its.
    plan = host_plan(host, NODES)
    planned = [node["name"] for node, act in zip(NODES, plan[-len(NODES) :]) if act.action != "keep"]
    assert names(host) == planned
    assert set(planned) <= set(found)
    assert {name for _host, name in starting({"h1": plan}, {"h1": NODES})} <= set(planned)


@pytest.mark.parametrize("found", FOUND, ids=str)
def test_every_difference_is_one_of_a_coreapp(found):
    name = next(node["name"] for node in NODES if node["kind"] == "coreapp")
    assert names(host_with({name: found})) == [name]


def test_an_image_that_is_pulled_again_may_be_another_one():
    images = [{"image": image, "id": None if image == CORE else IDS[image], "registry": "present"} for image in IDS]
    of_it = [node["name"] for node in NODES if node["kind"] != "webapp"]
    assert names(host_with({}, images=images)) == of_it


def test_without_a_specification_nothing_is_known():
    assert names(host_with({}, asked={"container_settings": None})) == NAMES
    assert names(host_with({}, asked={"images": {}})) == NAMES
