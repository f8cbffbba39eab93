# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory entry for a node takes over from its host."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.host_variables import FilterModule, host_variables


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
    assert host_variables({**taken, **left}) == taken


def test_a_host_without_an_address_is_reached_and_dialled_by_its_name():
    assert FilterModule().filters()["host_variables"]({"inventory_hostname": "one"}) == {
        "ansible_host": "one",
        "wa_address": "one",
    }
