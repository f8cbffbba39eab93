# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in the words of its result."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import Shown, described
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import ClusterState, NodeState


def placed(address: str, host: str, index: int) -> dict[str, object]:
    """A coreapp as placement has it."""
    name = "wa-coreapp-{0}".format(index)
    return {"key": address + ":" + name, "host": host, "name": name, "kind": "coreapp", "index": index,
            "address": address, "ports": []}  # fmt: skip


NODES = [placed("192.0.2.1", "a-1", 1), placed("192.0.2.1", "a-1", 11), placed("192.0.2.11", "b-1", 1)]
KEYS = [str(node["key"]) for node in NODES]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Replace {0}, which owns shard 0.", "Replace a-1:wa-coreapp-1, which owns shard 0."),
        ("Replace {1}.", "Replace a-1:wa-coreapp-11."),
        (
            "Replace 3 coreapps: {2}, {1}, {0}.",
            "Replace 3 coreapps: b-1:wa-coreapp-1, a-1:wa-coreapp-11, a-1:wa-coreapp-1.",
        ),
        ("Set the number of shards to 2.", "Set the number of shards to 2."),
    ],
)
def test_hosts_are_named_as_the_inventory_has_them(sentence: str, said: str) -> None:
    """Where addresses are numbers, nobody knows machines by them."""
    state = ClusterState(1, tuple(NodeState(key, "coreapp", True) for key in KEYS))
    step = Step("replace", (KEYS[0],), (), sentence=sentence.format(*KEYS))
    result = described(state, [step], NODES, Shown("Now:", "nothing"))
    assert result["sentences"] == ["Now:", "1. " + said]
    assert result["steps"][0]["sentence"] == result["batches"][0][0]["sentence"] == said
    assert result["steps"][0]["nodes"] == KEYS[:1], "by its key, as the API has it"


def test_a_step_without_nodes_is_as_it_is() -> None:
    step = Step("set_shards", (), (), sentence="Set the number of shards to 2.")
    result = described(ClusterState(1, ()), [step], [], Shown("Now:", "nothing"))
    assert result["sentences"] == ["Now:", "1. Set the number of shards to 2."]
