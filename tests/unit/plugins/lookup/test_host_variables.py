# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory entry for a node takes over from its host."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleLookupError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.waent.fleet.plugins.lookup.host_variables import LookupModule, host_variables
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import EveryHost
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import value_of


def test_connection_and_cluster_variables_are_taken_and_nothing_else():
    taken = {
        "ansible_host": "192.0.2.1", "ansible_port": 2222, "ansible_user": "fleet", "ansible_become": True,
        "ansible_become_password": "x", "ansible_ssh_common_args": "-o A=b", "ansible_connection": "ssh",
        "ansible_ssh_private_key_file": "key", "ansible_python_interpreter": "/usr/bin/python3", "rack": "a",
        "wa_version": "v2.19.4", "wa_address": "one",
    }  # fmt: skip
    left = {
        "ansible_play_hosts": [], "ansible_version": {}, "ansible_check_mode": False, "ansible_facts": {}, "groups": {},
        "ansible_search_path": [], "__wa_host": {}, "_wa_images": {}, "other": 1, "inventory_hostname": "one",
        "ansible_playbook_python": "python3",
    }  # fmt: skip
    assert host_variables("one", {**taken, **left}) == taken


def test_a_host_without_an_address_is_reached_and_dialled_by_its_name():
    assert host_variables("one", {}) == {"ansible_host": "one", "wa_address": "one"}


INVENTORY = """
all:
  vars:
    wa_db_host: "{{ hostvars[groups['wa_database_hosts'][0]].ansible_host }}"
    wa_db_port: "{{ base + 6 }}"
    base: 3300
  children:
    wa_cluster:
      hosts:
        one: {ansible_host: 192.0.2.1, wa_address: "{{ hostvars['two'].ansible_host }}"}
        two: {ansible_host: 192.0.2.2, wa_api_key: "{{ nobody_has_this }}"}
    wa_database_hosts:
      hosts:
        database: {ansible_host: 192.0.2.9}
"""


@pytest.fixture
def hostvars(tmp_path):
    """Variables of hosts as Ansible itself gives them."""
    path = tmp_path / "hosts.yml"
    path.write_text(INVENTORY)
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(path)])
    return HostVars(inventory, VariableManager(loader=loader, inventory=inventory), loader)


def lookup(hostvars, *hosts):
    return LookupModule().run(list(hosts), {"hostvars": hostvars})


def test_what_is_taken_from_another_host_is_filled_in(hostvars):
    (found,) = lookup(hostvars, "one")
    assert (found["wa_db_host"], found["wa_address"]) == ("192.0.2.9", "192.0.2.2")
    assert str(found["wa_db_port"]) == "3306"
    assert "base" not in found


def test_what_cannot_be_filled_in_is_named(hostvars):
    with pytest.raises(AnsibleLookupError, match="two: wa_api_key cannot be filled in"):
        lookup(hostvars, "two")


def test_who_only_reads_sees_the_same_and_the_rest_as_it_is_written(hostvars):
    hosts = EveryHost(hostvars)
    assert hosts["one"]["wa_db_host"] == "192.0.2.9"
    assert hosts["two"]["wa_api_key"] == "{{ nobody_has_this }}"
    assert hosts["two"].get("wa_address", "none") == "none"
    assert value_of(hosts["one"], "wa_address") == "192.0.2.2"
    assert set(hosts) >= {"one", "two", "database"} and len(hosts) == len(set(hosts))
