# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found before as one refusal, and what was read as the state that plans are made from."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version
from ansible_collections.waent.fleet.plugins.module_utils._plan.batches import batches
from ansible_collections.waent.fleet.plugins.module_utils._plan.read_state import one_shots, read_state, schema_state
from ansible_collections.waent.fleet.plugins.module_utils._plan.result import read_checks, refusal
from ansible_collections.waent.fleet.plugins.module_utils._plan.simulate import simulate
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import Step
from ansible_collections.waent.fleet.plugins.module_utils._plan.upgrade_checks import nobody_to_ask, table_of_versions
from ansible_collections.waent.fleet.plugins.module_utils._state.nodes import BEGUN, DONE, ClusterState, NodeState
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

VERSION = Version(2, 19, 7)


def one_shot(version="v2.19.7", **changes):
    """The one-shot container of a schema upgrade that ended well."""
    made = {**node_container(placed()[0], state="exited"), "exit_code": 0}
    labels = {"waent_fleet_target": version}
    return {
        **made,
        "kind": "schema-upgrade",
        "name": "wa-schema-upgrade",
        "index": None,
        "options": {"labels": labels},
        **changes,
    }


@pytest.mark.parametrize(
    ("containers", "state"),
    [
        ([], None),
        ([one_shot()], DONE),
        ([one_shot(exit_code=3)], BEGUN),
        ([one_shot(state="running")], BEGUN),
        ([one_shot("v2.21.1")], None),
    ],
)
def test_how_far_the_schema_upgrade_is(containers, state):
    hosts = [observed(containers=containers)]
    assert schema_state(hosts, VERSION) == state
    assert [one["name"] for one in one_shots(hosts, VERSION)] == (["wa-schema-upgrade"] if state else [])


def test_without_the_api_nothing_is_alive():
    nodes = placed()
    state = read_state(nodes, [observed(containers=[node_container(node) for node in nodes])], {}, 2)
    assert state.shards == 2
    assert not any(node.alive for node in state.nodes)
    assert nobody_to_ask(state.nodes, {})
    assert table_of_versions(state.nodes) == "v2.19.4: 5 nodes"


def test_results_of_modules_become_one_refusal():
    results = [
        {"problems": [{"code": "A", "message": "first.", "host": "h", "kind": "act"}]},
        {"problems": []},
        {"skipped": True},
        {"failed": False, "msg": "crashed", "exception": "..."},
        {"problems": [{"code": "A", "message": "first.", "host": "h"}]},
    ]
    checks = read_checks(results)
    assert refusal(checks.problems, checks.failures).splitlines() == [
        "Nothing was changed.",
        "[A] h: first.",
        "crashed",
    ]
    assert refusal(checks.without({"A"}).problems, ()) == ""
    assert not refusal([Problem("A", "x.")], [], first=3).startswith("Nothing was changed")


def cluster(*webapps):
    """A master, an owner, and webapps, of which those given as False have the old key for tokens."""
    return ClusterState(
        1,
        (
            NodeState("h1:wa-coreapp-1", "coreapp", True, shards=frozenset([0])),
            NodeState("h1:wa-master-1", "master", True, primary=True),
            *(
                NodeState("h1:wa-webapp-{0}".format(number), "webapp", True, other_tokens=not new)
                for number, new in enumerate(webapps, 1)
            ),
        ),
    )


@pytest.mark.parametrize(
    ("webapps", "shared", "log_in"),
    [
        ([True, True], True, [False, False]),
        ([False, False], True, [True, False]),
        ([True], False, [True]),
        ([False, True], True, [False, False]),
    ],
)
def test_a_new_login_only_where_tokens_change(webapps, shared, log_in):
    state = cluster(*webapps)
    keys = [node.key for node in state.of("webapp")]
    nodes = [
        {
            "key": node.key,
            "name": node.key[3:],
            "host": "h1",
            "kind": node.kind,
            "index": 1,
            "api_address": "h1",
            "ports": [9],
        }
        for node in state.nodes
    ]
    steps = [Step("replace", ("h1:wa-master-1",), ()), *(Step("replace", (key,), ()) for key in keys)]
    entries = [batch[0] for batch in batches(state, steps, nodes, VERSION, shared_tokens=shared)]
    assert [entry["log_in"] for entry in entries] == [False, *log_in]


def test_set_shards_is_simulated_with_owners_that_keep_what_remains():
    state = ClusterState(
        2,
        tuple(
            NodeState("c{0}".format(number), "coreapp", True, shards=frozenset(shards))
            for number, shards in ((1, [1]), (2, [0]), (3, []))
        ),
    )
    after = simulate(state, Step("set_shards", (), (("shards", 1),)))
    assert [sorted(node.shards) for node in after.of("coreapp")] == [[], [0], []]
