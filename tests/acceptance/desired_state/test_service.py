# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster does its work, as a client of its API sees it."""

from __future__ import annotations

from collections import Counter


def test_every_webapp_answers_without_credentials(cluster):
    webapps = [machine for machine in cluster.machines("wa_webapp_hosts") if machine.expected_nodes["webapp"]]
    assert webapps
    for machine in webapps:
        assert cluster.api(machine).send("GET", "/", authorization="").status == 200, machine.name


def test_every_webapp_accepts_the_token_of_another(cluster, api):
    for machine in cluster.machines("wa_webapp_hosts"):
        if machine.expected_nodes["webapp"]:
            answer = cluster.api(machine).send("GET", "/v1/health", authorization=api.bearer)
            assert answer.status == 200, machine.name


def test_the_first_password_is_gone(api):
    """admin/secret is what every new installation has."""
    assert api.send("POST", "/v1/users/login", authorization="Basic YWRtaW46c2VjcmV0").status == 401


def test_the_api_key_opens_health_and_nothing_more(cluster, api):
    key = "Apikey " + cluster.machines()[0].variables["wa_api_key"]
    assert api.send("GET", "/v1/health", authorization=key).status == 200
    assert api.send("GET", "/v1/settings/application", authorization=key).status == 401


def test_every_node_is_there_in_its_role(cluster, api):
    desired = cluster.expected_nodes()
    roles = Counter(node.get("role") for node in api.health().values())
    assert roles == Counter(primary_master=1, secondary_master=desired["master"] - 1, coreapp=desired["coreapp"])


def test_health_names_the_containers_of_the_hosts(cluster, api):
    containers = {
        "{0}:{1}".format(machine.address, container.name)
        for machine in cluster.machines()
        for container in machine.containers()
        if container.kind in ("master", "coreapp")
    }
    assert set(api.health()) == containers


def test_as_many_coreapps_are_connected_as_there_are_shards(cluster, api):
    assert len(api.connected_coreapps()) == cluster.shards


def test_the_primary_master_is_connected_only_in_multiconnect(cluster, api):
    (primary,) = [node for node in api.health().values() if node.get("role") == "primary_master"]
    assert primary["gateway_status"] == ("connected" if cluster.shards > 1 else "disconnected")


def test_every_shard_has_one_owner_and_no_coreapp_has_two(cluster, api):
    owners = {shard: keys for shard, keys in api.owners().items() if shard >= 0}
    assert sorted(owners) == list(range(cluster.shards))
    assert all(len(keys) == 1 for keys in owners.values()), owners
    assert max(Counter(keys[0] for keys in owners.values()).values()) == 1


def test_the_shard_count_is_the_desired_one(cluster, api):
    answer = api.send("GET", "/v1/account/shards")
    assert (answer.status, answer.body["account"]["shards"]) == (200, cluster.shards)


def test_the_settings_are_the_declared_ones(cluster, api):
    answer = api.send("GET", "/v1/settings/application")
    assert answer.status == 200
    actual = answer.body["settings"]["application"]
    declared = cluster.machines()[0].variables.get("wa_settings", {})
    assert declared, "the inventory declares no settings, so this test shows nothing"
    assert {name: actual.get(name) for name in declared} == declared


def test_messages_are_accepted_whatever_their_shard(cluster, api):
    for number in range(4 * cluster.shards):
        answer = api.send_text("1555020{0:04d}".format(number), "acceptance test")
        assert answer.status == 201, answer.body
        assert answer.body["messages"][0]["id"]
