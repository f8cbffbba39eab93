# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as placement takes it."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import FilterModule, inventory_hosts

GROUPS = {
    "wa_cluster": ["web", "core", "idle"],
    "wa_webapp_hosts": ["web"],
    "wa_master_hosts": ["core", "web"],
    "wa_coreapp_hosts": ["core"],
    "wa_database_hosts": ["db"],
}


def hosts(**of_core: object) -> dict[str, dict[str, object]]:
    found = inventory_hosts({"web": {}, "core": of_core, "idle": {}, "db": {}}, GROUPS)
    return {host["name"]: host for host in found}


def test_only_hosts_that_may_run_nodes_come_in_inventory_order() -> None:
    assert list(hosts()) == ["web", "core"]


def test_kinds_come_from_the_groups() -> None:
    assert hosts()["web"]["kinds"] == ["master", "webapp"]
    assert hosts()["core"]["kinds"] == ["master", "coreapp"]


def test_the_address_is_the_name_unless_it_is_set() -> None:
    assert hosts()["core"]["address"] == "core"
    assert hosts(wa_address="10.0.0.7")["core"]["address"] == "10.0.0.7"


def test_the_api_address_goes_from_the_most_to_the_least_particular() -> None:
    assert hosts()["core"]["api_address"] == "core"
    assert hosts(wa_address="a")["core"]["api_address"] == "a"
    assert hosts(wa_address="a", ansible_host="b")["core"]["api_address"] == "b"
    assert hosts(wa_address="a", ansible_host="b", wa_api_address="c")["core"]["api_address"] == "c"


def test_pins_racks_and_ports_are_left_out_where_they_are_not_set() -> None:
    plain = hosts()["core"]
    assert plain["rack"] is None
    assert plain["pins"] == {}
    assert "coreapp_port" not in plain
    changed = hosts(rack="a", wa_coreapps=3, wa_masters=0, wa_coreapp_port=7250)["core"]
    assert changed["rack"] == "a"
    assert changed["pins"] == {"coreapp": 3, "master": 0}
    assert changed["coreapp_port"] == 7250


def test_a_drained_host_is_there_whatever_its_groups() -> None:
    variables: dict[str, dict[str, object]] = {"web": {}, "core": {"wa_drained": True}, "idle": {"wa_drained": "true"}}
    found = {host["name"]: host["drained"] for host in inventory_hosts(variables, GROUPS)}
    assert found == {"web": False, "core": True, "idle": "true"}
    asked = inventory_hosts({"web": {}, "core": {}, "idle": {}}, GROUPS, ["idle"])
    assert [(host["name"], host["drained"]) for host in asked] == [("web", False), ("core", False), ("idle", True)]


def test_an_inventory_without_a_cluster_has_no_hosts() -> None:
    assert inventory_hosts({}, {}) == []


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"inventory_hosts": inventory_hosts}
