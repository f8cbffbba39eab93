#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_sizing
short_description: Report what a WhatsApp Business API cluster needs, and whether its database has room
version_added: 0.1.0
description:
  - Answers how many nodes and hosts, how many database connections and which database class a cluster needs for
    a number of shards, a rate of messages, or both. The figures are the product's own, where it documents any.
  - Given the limit of the database and the connections in use, fails when a larger number of shards would not fit.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
options:
  shards:
    description:
      - Number of shards. What the rate needs when it is left out.
      - One of O(shards) and O(messages_per_second) is required.
    type: int
    choices: [1, 2, 4, 8, 16, 32]
  messages_per_second:
    description: Rate to plan for. The most that is documented for the number of shards when it is left out.
    type: float
  tls:
    description: Whether connections to the database use TLS, which takes more of them.
    type: bool
    default: false
  shards_now:
    description: Number of shards the cluster has. Together with O(max_connections), its headroom is checked.
    type: int
  max_connections:
    description: The limit of the database. Required together with O(shards_now).
    type: int
  connections:
    description: Connections to the database that are in use now.
    type: int
    default: 0
  database_class:
    description: Class of the database, such as V(db.m4.large), to have another one of its family proposed.
    type: str
"""

EXAMPLES = r"""
- name: Ask what 8 shards need
  waent.fleet.wa_sizing:
    shards: 8
    tls: true
  delegate_to: localhost
  register: sizing

- name: Stop if the database has no room for 16 shards
  waent.fleet.wa_sizing:
    shards: 16
    shards_now: 4
    max_connections: "{{ database.database.max_connections }}"
    connections: "{{ database.database.connections }}"
    database_class: db.m4.large
  delegate_to: localhost
"""

RETURN = r"""
needs:
  description: What the cluster needs.
  returned: always
  type: dict
  contains:
    shards:
      description: Number of shards.
      type: int
      returned: always
    messages_per_second:
      description: Rate this is for.
      type: float
      returned: always
    supported:
      description: Whether the product is documented and supported at this rate with this number of shards.
      type: bool
      returned: always
    coreapps:
      description: Number of coreapps with one spare. M(waent.fleet.wa_placement) computes it for lost hosts or racks.
      type: int
      returned: always
    masters:
      description: Number of masters.
      type: int
      returned: always
    webapps:
      description: Number of webapps.
      type: int
      returned: always
    coreapp_hosts:
      description: Number of hosts with a coreapp each.
      type: int
      returned: always
    coreapp_hosts_few:
      description: Number of hosts in the vendor's cost-effective form.
      type: int
      returned: always
    connections:
      description: Estimated number of database connections.
      type: int
      returned: always
    max_connections:
      description: What the database's limit is to be, twice the estimate.
      type: int
      returned: always
    rds_classes:
      description: The smallest class of each known RDS family with that many connections.
      type: list
      elements: str
      returned: always
    aurora_class:
      description: Class of the vendor's template for this rate, null beyond its rates.
      type: str
      returned: always
    storage_gb:
      description: Disk of the database in gigabytes, from the one set-up that is documented, by the rate.
      type: int
      returned: always
    iops:
      description: I/O operations a second of that disk.
      type: int
      returned: always
    memory_mb:
      description: Memory the vendor's template reserves for all containers together.
      type: int
      returned: always
  sample: {shards: 8, messages_per_second: 100.0, supported: false, coreapps: 9, masters: 2, webapps: 2,
    coreapp_hosts: 9, coreapp_hosts_few: 5, connections: 1200, max_connections: 2400,
    rds_classes: [r4.xlarge, m4.2xlarge, t2.2xlarge], aurora_class: r5.4xlarge, storage_gb: 410, iops: 4000,
    memory_mb: 12288}
problems:
  description: Why the database has no room, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_SIZING_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_SIZING_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [DB_CONNECTIONS_TOO_FEW] 16 shards need about 1400 database connections at 200 messages a second, 1400 with those
      in use by others, but the database allows 636 (in use now: 120); raise max_connections (...) to at least 2800,
      which class db.m4.4xlarge has, or set wa_messages_per_second if fewer messages are to be sent.
    details: {codes: [DB_CONNECTIONS_TOO_FEW]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._plan.sizing import headroom_problems, needs

CODE = "WA_SIZING_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "shards": {"type": "int", "choices": list(SHARD_COUNTS)},
    "messages_per_second": {"type": "float"},
    "tls": {"type": "bool", "default": False},
    "shards_now": {"type": "int"},
    "max_connections": {"type": "int"},
    "connections": {"type": "int", "default": 0},
    "database_class": {"type": "str"},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result, and what speaks against it. Raises ValueError where shards and messages do not go together."""
    rate = params["messages_per_second"]
    found = needs(shards=params["shards"], rate=rate, tls=params["tls"])
    if params["max_connections"] is None:
        return {"needs": found}, []
    problems = headroom_problems(
        shards_now=params["shards_now"],
        shards=found["shards"],
        max_connections=params["max_connections"],
        in_use=params["connections"],
        tls=params["tls"],
        rate=rate,
        database_class=params["database_class"],
    )
    return {"needs": found}, problems


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_one_of=[("shards", "messages_per_second")],
        required_together=[("shards_now", "max_connections")],
        supports_check_mode=True,
    )
    try:
        result, problems = answer(module.params)
    except ValueError as error:
        module.fail_json(msg=str(error), failure={"code": CODE, "message": str(error), "details": {}})
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
