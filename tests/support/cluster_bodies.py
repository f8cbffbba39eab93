# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of the API as a cluster answers them."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import CONNECTED, DISCONNECTED


def healthy_bodies(shards, coreapps, masters):
    """Health, support and account/shards of a healthy cluster, from the table of reference 3.5."""
    health, support = {}, {}

    def add(name, role, status, owned):
        health[name] = {"gateway_status": status, "role": role}
        support[name] = {"role": role, "shards": owned, "socket_conn": "UP" if status == CONNECTED else "DN"}

    for index in range(masters):
        primary = index == 0
        many = shards > 1
        add(
            "host-{0}:wa-master-1".format(index),
            "primary_master" if primary else "secondary_master",
            CONNECTED if primary and many else DISCONNECTED,
            [[-1, -1]] if primary and many else [],
        )
    for index in range(coreapps):
        owned = [[index, index]] if index < shards else []
        if index == 0 and shards == 1:
            owned.insert(0, [-1, -1])
        add("host-{0}:wa-coreapp-1".format(index), "coreapp", CONNECTED if owned else DISCONNECTED, owned)
    meta = {"version": "v2.19.4"}
    return {"health": health, "meta": meta}, {"support": support, "meta": meta}, {"account": {"shards": shards}}
