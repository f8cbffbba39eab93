# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows that an upgrade or a reshard did not end, and the command that goes on."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._common.product import SCHEMA_UPGRADE, TARGET_LABEL
from ansible_collections.waent.fleet.plugins.module_utils._plan.unfinished import Found, node_versions, unfinished
from ansible_collections.waent.fleet.tests.support.observed_host import node_container, observed, placed

OLD, NEW = "v2.19.4", "v2.19.7"
SHORT = {"heartbeat_interval": 2, "unhealthy_interval": 8}


def host(*versions, containers=()):
    """One of our hosts whose nodes have these versions, in the order of placed()."""
    made = [dict(node_container(node), version=version) for node, version in zip(placed(), versions)]
    return observed(containers=[*made, *containers])


def one_shot(target):
    made = node_container(placed()[0])
    options = {**(made["options"] or {}), "labels": {TARGET_LABEL: target}}
    return {**made, "name": "wa-schema-upgrade", "kind": SCHEMA_UPGRADE, "index": None, "options": options}


def found(*versions, **more):
    many = [versions[min(number, len(versions) - 1)] for number in range(len(placed()))]
    return Found(**{"nodes": placed(), "hosts": [host(*many)], **more})


def codes(one):
    return [problem.code for problem in unfinished(one)]


def test_one_version_is_no_upgrade():
    assert unfinished(found(OLD)) == []


def test_two_versions_are_an_upgrade_to_the_newer_one():
    (problem,) = unfinished(found(NEW, OLD))
    assert problem.code == "UPGRADE_UNFINISHED"
    assert "playbooks/upgrade.yml -e version=v2.19.7." in problem.message
    others = len(placed()) - 1
    assert "v2.19.4 on {0} nodes".format(others) in problem.message and "v2.19.7 on 1 node" in problem.message


def test_the_schema_upgrade_that_was_begun_says_where_it_leads():
    hosts = [host(*[OLD] * len(placed()), containers=[one_shot("v2.21.3")])]
    (problem,) = unfinished(found(OLD, hosts=hosts))
    assert "playbooks/upgrade.yml -e version=v2.21.3" in problem.message
    ended = [host(*["v2.21.3"] * len(placed()), containers=[one_shot("v2.21.3")])]
    assert unfinished(found("v2.21.3", hosts=ended)) == []


def test_nodes_on_a_host_that_was_not_read_have_the_version_that_they_report():
    core = next(node for node in placed() if node["kind"] == "coreapp")
    health = {"cluster": {"nodes": [{"name": core["key"], "version": NEW}]}}
    assert node_versions(Found(placed(), health=health)) == {core["key"]: (2, 19, 7)}
    assert codes(found(OLD, hosts=[], health=health)) == []


def test_an_unknown_node_of_another_version_is_no_upgrade():
    health = {"cluster": {"nodes": [{"name": "elsewhere:wa-coreapp-9", "version": NEW}]}}
    assert unfinished(found(OLD, health=health)) == []


def test_coreapps_beyond_those_that_are_needed_are_a_reshard():
    nodes = [dict(node, surplus=node["kind"] == "coreapp") for node in placed()]
    (problem,) = unfinished(found(OLD, nodes=nodes, health={"cluster": {"shards": 2}}))
    assert problem.code == "COREAPPS_SURPLUS"
    assert "-e shards=N goes on" in problem.message and "reshard.yml -e shards=2 removes" in problem.message
    assert codes(found(OLD, nodes=nodes)) == [], "how many shards are set is not known"


def test_shortened_timers_are_what_a_stopped_run_leaves():
    (problem,) = unfinished(found(OLD, settings=SHORT, shortened=SHORT))
    assert problem.code == "TIMERS_SHORTENED" and "upgrade.yml -e version=v2.19.4" in problem.message
    assert codes(found(OLD, settings=SHORT, shortened=SHORT, declared=SHORT)) == [], "somebody wants them so"
    assert codes(found(NEW, OLD, settings=SHORT, shortened=SHORT)) == ["UPGRADE_UNFINISHED"], "it restores them too"
