#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_placement
short_description: Decide which host runs which nodes of a WhatsApp Business API cluster
version_added: 0.1.0
description:
  - Answers with the nodes of every host, their names and their ports, from what must survive.
    How many containers that takes is found, not asked.
  - Refuses what cannot be meant, with all problems at once. Needs no host and changes nothing.
  - The number of coreapps is the smallest one with which the loss of any allowed set of hosts or racks leaves
    a coreapp for every shard, a master and a webapp.
  - Nodes that exist already stay where they are, and a cluster that grows never moves the nodes it has.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.shape
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  version:
    description:
      - Version of the client, with or without the leading v. Not checked when it is left out.
    type: raw
  check_variables:
    description:
      - Also check the public variables of the role C(cluster) as the play and its hosts have them, with the types that
        YAML gave them, the files of certificates and keys that they name, and the names of all variables that begin
        with C(wa_).
      - The play's variables are not options, so this works in playbooks only.
    type: bool
    default: false
  settings:
    description:
      - Variables of the cluster to check in the same go, named without C(wa_). With O(check_variables) they take the
        place of what the play has.
    type: dict
    suboptions:
      admin_password:
        description: Password of the API user C(admin).
        type: raw
      api_key:
        description: Static key for health, metrics and statistics.
        type: raw
      jwt_key:
        description: Common key of the webapps' tokens. Needed with more than one webapp.
        type: raw
      register:
        description:
          - Whether the number is to be registered.
          - That needs O(settings.cc), O(settings.phone_number) and O(settings.cert).
        type: bool
        default: false
      registration_method:
        description: How the code for the registration is sent.
        type: raw
      cc:
        description: Country code of the number.
        type: raw
      phone_number:
        description: The number without its country code.
        type: raw
      cert:
        description: The number's verified-name certificate.
        type: raw
      pin:
        description: Pin of the two-step verification, 6 digits.
        type: raw
      db_engine:
        description: Database engine, V(MYSQL) or V(PGSQL).
        type: raw
      db_host:
        description: Host name of the database as the nodes see it.
        type: raw
      db_port:
        description: Port of the database.
        type: raw
      db_username:
        description: Database user.
        type: raw
      db_password:
        description: Password of the database user.
        type: raw
      db_name_prefix:
        description: Prefix of all database names.
        type: raw
      image_registry:
        description: Registry of the images.
        type: raw
      network:
        description: Docker network of the nodes.
        type: raw
      media:
        description: Docker volume or absolute host path of the media share.
        type: raw
      data:
        description: Docker volume or absolute host path of the data directory.
        type: raw
  unhealthy_interval:
    description: The application setting of this name, in seconds, for the worst outage.
    type: int
    default: 30
    version_added: 0.2.0
  database_hosts:
    description: The hosts that run a database of our own, out of the group C(wa_database_hosts).
    type: list
    elements: str
    default: []
  problems:
    description: Problems that were found elsewhere, to be reported together with those found here.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Place four shards on three racks, one of which may fail
  waent.fleet.wa_placement:
    shards: 4
    version: v2.19.4
    survive:
      racks: 1
    hosts:
      - {name: rack-a-1, rack: a, kinds: [coreapp, master, webapp]}
      - {name: rack-b-1, rack: b, kinds: [coreapp, master, webapp]}
      - {name: rack-c-1, rack: c, kinds: [coreapp, master, webapp]}
  delegate_to: localhost
  run_once: true
  register: placement

- name: Show what each host would run
  ansible.builtin.debug:
    var: placement.hosts
"""

RETURN = r"""
nodes:
  description: All nodes of the cluster, in the order of hosts, then masters, webapps and coreapps.
  returned: always; empty when there are problems
  type: list
  elements: dict
  contains:
    name:
      description: Name and host name of the container, unique on its host.
      type: str
      returned: always
    host:
      description: Inventory name of the host.
      type: str
      returned: always
    rack:
      description: Rack of the host, empty where none is set.
      type: str
      returned: always
    kind:
      description: Kind of node, one of V(coreapp), V(master) and V(webapp).
      type: str
      returned: always
    index:
      description: Number of the node among those of its kind on the host, from 1.
      type: int
      returned: always
    address:
      description: Name or IP address that is advertised to other nodes.
      type: str
      returned: always
    api_address:
      description: Name or IP address by which a webapp's API is reached.
      type: str
      returned: always
    key:
      description: The node's key in the answers of the health and support endpoints.
      type: str
      returned: always
    ports:
      description: Host ports, four onto 6250 to 6253 of a coreapp or master, one onto 443 of a webapp.
      type: list
      elements: int
      returned: always
    external_ports:
      description: The same numbers as text, for C(COREAPP_EXTERNAL_PORTS) or C(WEBAPP_EXTERNAL_PORTS).
      type: str
      returned: always
    exists:
      description: Whether the node was among O(running).
      type: bool
      returned: always
    surplus:
      description: Whether the node exists, and the desired state can spare it.
      type: bool
      returned: always
  sample:
    - {name: wa-coreapp-1, host: rack-a-1, rack: a, kind: coreapp, index: 1, address: rack-a-1,
       api_address: rack-a-1, key: "rack-a-1:wa-coreapp-1",
       ports: [6250, 6251, 6252, 6253], external_ports: "6250,6251,6252,6253", exists: false, surplus: false}
leaving:
  description:
    - Nodes that exist on hosts that are drained and have to go, in the form of RV(nodes), of which they are no part.
  returned: always; empty when there are problems
  type: list
  elements: dict
hosts:
  description: The same nodes by inventory name of the host. Every host given is in it.
  returned: always
  type: dict
counts:
  description: Number of nodes by kind.
  returned: always
  type: dict
  sample: {coreapp: 3, master: 2, webapp: 1}
shards:
  description: The number of shards as a number.
  returned: when nothing is wrong with it
  type: int
  sample: 16
worst_outages:
  description:
    - What the worst loss of one host does, and of one rack where there are several, with every coreapp there an owner
      and a master there the primary. Which it will be, nobody knows before.
  returned: always; empty when there are problems
  type: list
  elements: dict
  contains:
    unit:
      description: C(host) or C(rack).
      type: str
      returned: always
    name:
      description: Which one.
      type: str
      returned: always
    shards:
      description: How many shards can be without service at most.
      type: int
      returned: always
    seconds:
      description: For how long, until others serve them. None where nothing takes them over.
      type: int
      returned: always
    webapps:
      description: How many webapps are left.
      type: int
      returned: always
    sentence:
      description: The same, to be shown.
      type: str
      returned: always
problems:
  description: All problems found.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: Stable name of the problem.
      type: str
      returned: always
    message:
      description: One sentence that names the variable, its value and what is allowed.
      type: str
      returned: always
    variable:
      description: The variable to change.
      type: str
      returned: always
    value:
      description: Its value, unless it is a secret.
      type: raw
      returned: always
    host:
      description: The host concerned.
      type: str
      returned: always
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_INPUT_REFUSED).
  returned: failure
  type: dict
  sample:
    code: WA_INPUT_REFUSED
    message: |-
      1 problem was found, nothing was changed.
      [WA_SHARDS_INVALID] wa_shards is 3; allowed are the whole numbers 1, 2, 4, 8, 16 and 32.
    details: {codes: [WA_SHARDS_INVALID]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import read_cluster_spec
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._desired.settings import (
    jwt_key_problems,
    settings_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.shape import running_slots, shape_options
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME
from ansible_collections.waent.fleet.plugins.module_utils._plan.outage import worst_outages
from ansible_collections.waent.fleet.plugins.module_utils._plan.timers import PRODUCT

CODE = "WA_INPUT_REFUSED"
SETTINGS = (
    "admin_password",
    "api_key",
    "jwt_key",
    "cert",
    "pin",
    "db_password",
    "registration_method",
    "cc",
    "phone_number",
    "db_engine",
    "db_host",
    "db_port",
    "db_username",
    "db_name_prefix",
    "image_registry",
    "network",
    "media",
    "data",
)


def argument_spec() -> dict[str, t.Any]:
    """Types are raw where the refusal is ours: one place words it and gives it its code."""
    settings: dict[str, t.Any] = {name: {"type": "raw", "no_log": BY_NAME["wa_" + name].secret} for name in SETTINGS}
    settings["register"] = {"type": "bool", "default": False}
    return {
        **shape_options(),
        "version": {"type": "raw"},
        "check_variables": {"type": "bool", "default": False},
        "settings": {"type": "dict", "options": settings},
        "unhealthy_interval": {"type": "int", "default": PRODUCT["unhealthy_interval"]},
        "database_hosts": {"type": "list", "elements": "str", "default": []},
        "problems": {"type": "list", "elements": "dict", "default": []},
    }


def answer(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and the problems; no nodes where there are any."""
    problems = [Problem(**entry) for entry in params["problems"]]
    spec, found = read_cluster_spec(params)
    problems += found
    nodes, leaving, afresh = [], [], []
    if spec is not None:
        running = running_slots(params)
        placement = place(spec, running)
        afresh = [node.as_dict() for node in place(spec).nodes] if running else []
        problems += placement.problems
        nodes = [node.as_dict() for node in placement.nodes if not node.leaving]
        leaving = [node.as_dict() for node in placement.nodes if node.leaving]
    if params["settings"] is not None:
        webapps = sum(1 for node in nodes if node["kind"] == "webapp")
        reported = {problem.variable for problem in problems if problem.host is None}
        names = [host["name"] for host in params["hosts"]]
        of_variables = settings_problems(params["settings"], names, params["database_hosts"])
        of_variables += jwt_key_problems(webapps, params["settings"].get("jwt_key"))
        problems += [problem for problem in of_variables if problem.variable not in reported]
    if problems:
        nodes, leaving = [], []
    result = {
        "nodes": nodes,
        "leaving": leaving,
        "hosts": {host["name"]: [node for node in nodes if node["host"] == host["name"]] for host in params["hosts"]},
        "counts": {kind: sum(1 for node in nodes if node["kind"] == kind) for kind in sorted(KINDS)},
        "shards": whole_number(params["shards"]),
        "worst_outages": worst_outages(nodes, spec.shards, params["unhealthy_interval"], afresh)
        if spec and nodes
        else [],
    }
    return result, problems


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
