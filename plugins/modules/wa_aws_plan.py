#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_aws_plan
short_description: Plan the stacks of a WhatsApp Business API cluster on AWS
version_added: 0.2.0
description:
  - Reads the account, and answers which stacks are made, changed or removed, in which order, what they hold, and which
    hosts go. Counts and classes are the product's own, where it documents any.
  - Fails before anything is changed where it cannot be done as asked, with everything that is wrong.
  - Credentials come from where boto3 looks for them.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
requirements:
  - boto3
options:
  stage:
    description:
      - What the plan is for. V(make) makes an environment or has it as desired, V(before) and V(after) are the two
        sides of a reshard, V(remove) is the end of it.
    type: str
    choices: [make, before, after, remove]
    default: make
  environment:
    description: The environment, V(production) or V(staging).
    type: raw
  shards:
    description: Number of shards. With O(stage=remove) that of the stacks counts.
    type: raw
  name:
    description: What the names of all stacks begin with.
    type: raw
  region:
    description: The region.
    type: raw
  zones:
    description: Zones to be used; the first ones of the region where it is empty.
    type: list
    elements: str
    default: []
  cidr:
    description: Addresses of the VPC that is made.
    type: raw
  vpc:
    description: A VPC that is there already, instead of one that is made.
    type: str
    default: ""
  subnets:
    description: Subnets of O(vpc), each in another zone, with a way out.
    type: list
    elements: str
    default: []
  clients:
    description: Networks that may reach the balancer.
    type: list
    elements: str
    default: []
  admins:
    description: Networks of the machines that run Ansible. They may reach hosts by SSH, webapps and the database.
    type: list
    elements: str
    default: []
  hosts:
    description: Number of hosts; that of the product's table where it is 0.
    type: raw
  instance_type:
    description: Type of new hosts; chosen by the memory of the nodes where it is empty.
    type: str
    default: ""
  image:
    description: Image of new hosts, or the public parameter that names it.
    type: str
    required: true
  disk_gb:
    description: Disk of a new host.
    type: int
    default: 40
  key_name:
    description: Key pair of new hosts. Session Manager needs none.
    type: str
    default: ""
  db_class:
    description: Class of the database; chosen by the connections where it is empty.
    type: str
    default: ""
  db_version:
    description: Version of MySQL, major and minor.
    type: str
    default: "8.0"
  log_days:
    description: Days for which CloudWatch keeps the logs of the nodes; 0 leaves them on the hosts.
    type: int
    default: 0
  messages_per_second:
    description: Rate to plan for. The most that is documented for the number of shards when it is left out.
    type: float
  wait_seconds:
    description: How long AWS may go on working on a stack before that is a problem.
    type: int
    default: 1800
  hosts_read:
    description:
      - What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host) of the hosts that go. With
        O(stage=after), one that is missing here, or has a node, is not removed.
    type: list
    elements: dict
    default: []
  remove_data:
    description: With O(stage=remove), whether media and logs go as well.
    type: bool
    default: false
  remove_database:
    description:
      - With O(stage=remove) and O(remove_data), the name of the database, which goes as well, with its backups. Where
        it is empty, these and a last snapshot stay. A name that is not that of the environment's database is refused.
    type: str
    default: ""
seealso:
  - module: waent.fleet.wa_sizing
"""

EXAMPLES = r"""
- name: Plan 8 shards in production
  waent.fleet.wa_aws_plan:
    environment: production
    shards: 8
    name: waent
    region: eu-central-1
    cidr: 10.60.0.0/20
    image: /aws/service/debian/release/12/latest/amd64
  delegate_to: localhost
  register: plan
"""

RETURN = r"""
stacks:
  description: Kinds of the stacks that are updated or removed, in their order.
  returned: always
  type: list
  elements: str
  sample: [network, db, enterprise]
hosts:
  description: Names of all hosts.
  returned: always
  type: list
  elements: str
new_hosts:
  description: Names of the hosts that are added.
  returned: always
  type: list
  elements: str
leaving:
  description: Names of the hosts that go, once they have no node.
  returned: always
  type: list
  elements: str
added:
  description: Names of the hosts that are to be prepared before a reshard that grows, new or not.
  returned: always
  type: list
  elements: str
updates:
  description: Kinds of the stacks that are updated before they are removed, so that their data stays, or may go.
  returned: always
  type: list
  elements: str
aws:
  description: What the templates are made of.
  returned: always
  type: dict
lines:
  description: The plan, for people.
  returned: always
  type: list
  elements: str
problems:
  description: What is wrong, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_AWS_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_AWS_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [AWS_ENVIRONMENT_UNKNOWN] wa_aws_environment is 'test'; allowed are production and staging.
    details: {codes: [AWS_ENVIRONMENT_UNKNOWN]}
"""

import typing as t
from dataclasses import asdict, replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import leave
from ansible_collections.waent.fleet.plugins.module_utils._desired.aws import ENTERPRISE, read_environment
from ansible_collections.waent.fleet.plugins.module_utils._io.aws import Reader, Unreadable, check_collection
from ansible_collections.waent.fleet.plugins.module_utils._plan.aws import (
    REMOVE,
    AwsPlan,
    asked_problems,
    instance_type,
    plan_aws,
    size_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import Asked

ARGUMENTS: dict[str, t.Any] = {
    "stage": {"type": "str", "choices": ["make", "before", "after", "remove"], "default": "make"},
    "environment": {"type": "raw"},
    "shards": {"type": "raw"},
    "name": {"type": "raw"},
    "region": {"type": "raw"},
    "zones": {"type": "list", "elements": "str", "default": []},
    "cidr": {"type": "raw"},
    "vpc": {"type": "str", "default": ""},
    "subnets": {"type": "list", "elements": "str", "default": []},
    "clients": {"type": "list", "elements": "str", "default": []},
    "admins": {"type": "list", "elements": "str", "default": []},
    "hosts": {"type": "raw"},
    "instance_type": {"type": "str", "default": ""},
    "image": {"type": "str", "required": True},
    "disk_gb": {"type": "int", "default": 40},
    "key_name": {"type": "str", "default": "", "no_log": False},
    "db_class": {"type": "str", "default": ""},
    "db_version": {"type": "str", "default": "8.0"},
    "log_days": {"type": "int", "default": 0},
    "messages_per_second": {"type": "float"},
    "wait_seconds": {"type": "int", "default": 1800},
    "hosts_read": {"type": "list", "elements": "dict", "default": []},
    "remove_data": {"type": "bool", "default": False},
    "remove_database": {"type": "str", "default": ""},
}


def answer(params: t.Mapping[str, t.Any]) -> AwsPlan:
    """The plan. What needs no call is found out before the first one."""
    removing = params["stage"] == REMOVE
    raw = {**params, "rate": params["messages_per_second"]}
    if removing:
        raw.update(shards=1, hosts=0)
    environment, problems = read_environment(raw)
    asked = Asked(params["remove_data"], params["remove_database"])
    if environment is not None:
        problems += asked_problems(environment, asked) if removing else size_problems(environment)
    if environment is None or problems:
        return AwsPlan(problems=tuple(problems))
    try:
        check_collection()
        reader = Reader(environment.region)
        account = reader.account(environment, instance_type(environment), params["wait_seconds"])
    except Unreadable as error:
        return AwsPlan(problems=(error.problem,))
    enterprise = account.stacks[ENTERPRISE]
    if removing and enterprise is not None:
        environment = replace(
            environment,
            shards=enterprise.number("Shards") or 1,
            hosts=enterprise.number("Hosts") or environment.hosts,
        )
    return plan_aws(environment, account, params["stage"], params["hosts_read"], asked)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    plan = answer(module.params)
    result = {key: value for key, value in asdict(plan).items() if key != "problems"}
    leave(module, "WA_AWS_REFUSED", list(plan.problems), result)


if __name__ == "__main__":
    main()
