#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_database_info
short_description: Read what a WhatsApp Business API cluster needs to know about its database
version_added: 0.1.0
description:
  - Reports whether the database can be reached and takes the password, its version, the privileges that lack, the
    connections in use and their limit, and, where the client's tables exist, shard map and liveness rows.
  - Does not fail because of the database. Check RV(usable) and RV(problems), so that all problems of a preflight can
    be reported together.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.database
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.database_group
requirements:
  - PyMySQL for MySQL and MariaDB
  - psycopg2 for PostgreSQL
options:
  db_host:
    required: true
  connections_needed:
    description:
      - Number of connections that have to be free. Without it, 85 per cent in use is a problem.
    type: int
  expect_schema:
    description:
      - The client's seven databases have to exist, as they do once a cluster has started.
    type: bool
    default: false
  await_sign_of:
    description:
      - Nodes by the name they have in RV(database.liveness). The database is read again until one of them has renewed
        its row, or none of them can be alive, for little more than a minute.
    type: list
    elements: str
    default: []
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Read the database before anything is installed
  waent.fleet.wa_database_info:
    db_host: db.example.com
    db_username: waent
    db_password: "{{ wa_db_password }}"
    connections_needed: 352
  register: database

- name: Stop with all that is wrong
  ansible.builtin.assert:
    that: database.usable
    fail_msg: "{{ database.problems | map(attribute='message') | join('\n') }}"
"""

RETURN = r"""
usable:
  description: Whether no problem was found.
  returned: always
  type: bool
  sample: true
problems:
  description: Everything that was found.
  returned: always
  type: list
  elements: dict
  sample:
    - code: DB_GRANTS_MISSING
      message: wa_db_username waent lacks DROP on clusterStore; it needs SELECT, INSERT, ...
      variable: wa_db_username
      value: waent
      host: null
database:
  description: What was read. A value that could not be read is null.
  returned: always
  type: dict
  contains:
    engine:
      description: As in O(db_engine).
      type: str
      sample: MYSQL
    reachable:
      description: Whether a session could be opened.
      type: bool
      sample: true
    product:
      description: MySQL, MariaDB or PostgreSQL.
      type: str
      sample: MariaDB
    version:
      description: Version as the server reports it.
      type: str
      sample: 10.11.6-MariaDB-0+deb12u1
    missing_grants:
      description: Databases on which privileges lack.
      type: list
      elements: dict
      sample: []
    max_connections:
      description: Limit of the server.
      type: int
      sample: 500
    connections:
      description: Connections in use.
      type: int
      sample: 31
    max_used_connections:
      description: Most connections in use at once since the server started, null for PostgreSQL.
      type: int
      sample: 57
    databases:
      description: Those of the client's seven databases that exist.
      type: list
      elements: str
      sample: [axolotlStore, callbackStore, clusterStore, configStore, contactStore, jobqueueStore, messageStore]
    configured_shards:
      description: Number of shards in the database, null where it is not kept in the way this collection knows.
      type: int
      sample: 1
    registered:
      description: Whether a number is registered, null where that is not kept in the way this collection knows.
      type: bool
      sample: true
    registered_number:
      description: The registered number, digits with country code; null where none is registered or it is not known.
      type: str
      sample: "15550100"
    shard_map:
      description: Owner of every shard, null where there is no such table.
      type: list
      elements: dict
      sample:
        - shard: 0
          owner: wa-1:wa-coreapp-1
    liveness:
      description: When each node wrote its liveness row, by the database's clock; null where there is no such table.
      type: list
      elements: dict
      sample:
        - node: wa-1:wa-coreapp-1
          role: coreapp
          version: v2.19.4
          age_seconds: 12.5
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.database import database_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import ALIVE_SECONDS
from ansible_collections.waent.fleet.plugins.module_utils._io.database import read_database, read_signs_of_life
from ansible_collections.waent.fleet.plugins.module_utils._io.options import database_from, database_options


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            database_options(required=True),
            connections_needed={"type": "int"},
            expect_schema={"type": "bool", "default": False},
            await_sign_of={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
    )
    access = database_from(module.params)
    if access is None:
        module.fail_json(msg="db_host is empty; it needs the name or address of the database server.")
        raise AssertionError("fail_json ends the module")

    report = read_signs_of_life(lambda: read_database(access), module.params["await_sign_of"], ALIVE_SECONDS)
    problems = database_problems(
        report,
        connections_needed=module.params["connections_needed"],
        expect_schema=module.params["expect_schema"],
    )
    module.exit_json(
        changed=False,
        usable=not problems,
        problems=[problem.as_dict() for problem in problems],
        database=report.as_dict(),
    )


if __name__ == "__main__":
    main()
