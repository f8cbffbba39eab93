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
  - waent.fleet.attributes
  - waent.fleet.attributes.info
options:
  shards:
    description:
      - Number of shards, one of 1, 2, 4, 8, 16 and 32. Text, as C(-e) gives on the command line, is accepted.
    type: raw
    required: true
  version:
    description:
      - Version of the client, with or without the leading v. Not checked when it is left out.
    type: raw
  survive:
    description:
      - "What may be lost at once without loss of service, either C({hosts: N}) or C({racks: N})."
      - Empty means one spare coreapp and two masters, wherever they are.
    type: raw
  allow_no_ha:
    description: Accept fewer than two masters, or no spare coreapp, where numbers fixed by hand lead to that.
    type: bool
    default: false
  name_prefix:
    description: First word of the containers' names, so that two clusters can share hosts. Default is C(wa).
    type: raw
  coreapp_port:
    description: First host port of the first coreapp on each host. Default is 6250.
    type: raw
  master_port:
    description: First host port of the first master on each host. Default is 6254.
    type: raw
  webapp_port:
    description: Host port of the first webapp on each host. Default is 9090.
    type: raw
  hosts:
    description: The hosts of the cluster, in the order of the inventory.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Inventory name.
        type: str
        required: true
      rack:
        description: Name of the rack. Needed where racks must survive.
        type: raw
      address:
        description: Name or IP address by which other nodes reach the host, O(hosts[].name) by default.
        type: raw
      api_address:
        description: Name or IP address for the API of the host's webapps, O(hosts[].address) by default.
        type: raw
      kinds:
        description: Kinds of node the host may run.
        type: list
        elements: str
        default: []
      pins:
        description: "Numbers of nodes fixed by hand, by kind, such as C({coreapp: 2}). Null is no number."
        type: dict
        default: {}
      coreapp_port:
        description: Overrides O(coreapp_port) on this host.
        type: raw
      master_port:
        description: Overrides O(master_port) on this host.
        type: raw
      webapp_port:
        description: Overrides O(webapp_port) on this host.
        type: raw
  running:
    description:
      - The nodes that exist already, in whatever state, as M(waent.fleet.wa_host_info) returns them
        in RV(waent.fleet.wa_host_info#module:host.nodes).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Inventory name of the host.
        type: str
        required: true
      kind:
        description: Kind of node.
        type: str
        choices: [coreapp, master, webapp]
        required: true
      index:
        description: Number of the node among those of its kind on the host, from 1.
        type: int
        required: true
      name:
        description: Name of the container. Not used.
        type: str
      state:
        description: State of the container. Not used, since a stopped node has its place, too.
        type: str
      version:
        description: Version of the node. Not used.
        type: str
  settings:
    description:
      - The other variables of the cluster, named without C(wa_). When given, they are checked in the same go.
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
  problems:
    description: Problems that were found elsewhere, to be told together with those found here.
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
      description: Whether the node exists, and the wish would be met without it.
      type: bool
      returned: always
  sample:
    - {name: wa-coreapp-1, host: rack-a-1, rack: a, kind: coreapp, index: 1, address: rack-a-1,
       api_address: rack-a-1, key: "rack-a-1:wa-coreapp-1",
       ports: [6250, 6251, 6252, 6253], external_ports: "6250,6251,6252,6253", exists: false, surplus: false}
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
version:
  description: The version with the leading v, as image tags have it.
  returned: when it was given and nothing is wrong with it
  type: str
  sample: v2.19.4
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
from ansible_collections.waent.fleet.plugins.module_utils.placement import Slot, place
from ansible_collections.waent.fleet.plugins.module_utils.problems import Problem
from ansible_collections.waent.fleet.plugins.module_utils.verdict import leave
from ansible_collections.waent.fleet.plugins.module_utils.wanted import (
    KINDS,
    parse_version,
    read_wanted,
    whole_number,
)
from ansible_collections.waent.fleet.plugins.module_utils.wanted_settings import (
    jwt_key_problems,
    settings_problems,
)

SECRETS = ("admin_password", "api_key", "jwt_key", "cert", "pin", "db_password")
PLAIN = (
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
PORTS = {kind + "_port": {"type": "raw"} for kind in KINDS}


def argument_spec() -> dict[str, t.Any]:
    """Types are raw where the refusal is ours: one place words it and gives it its code."""
    settings: dict[str, t.Any] = {name: {"type": "raw", "no_log": True} for name in SECRETS}
    settings.update({name: {"type": "raw", "no_log": False} for name in PLAIN})
    settings["register"] = {"type": "bool", "default": False}
    host = {
        "name": {"type": "str", "required": True},
        "rack": {"type": "raw"},
        "address": {"type": "raw"},
        "api_address": {"type": "raw"},
        "kinds": {"type": "list", "elements": "str", "default": []},
        "pins": {"type": "dict", "default": {}},
        **PORTS,
    }
    node = {
        "host": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": sorted(KINDS), "required": True},
        "index": {"type": "int", "required": True},
        # What wa_host_info tells besides, so that its answer can be handed on as it is.
        "name": {"type": "str"},
        "state": {"type": "str"},
        "version": {"type": "str"},
    }
    return {
        "shards": {"type": "raw", "required": True},
        "version": {"type": "raw"},
        "survive": {"type": "raw"},
        "allow_no_ha": {"type": "bool", "default": False},
        "name_prefix": {"type": "raw"},
        **PORTS,
        "hosts": {"type": "list", "elements": "dict", "required": True, "options": host},
        "running": {"type": "list", "elements": "dict", "default": [], "options": node},
        "settings": {"type": "dict", "options": settings},
        "problems": {"type": "list", "elements": "dict", "default": []},
    }


def answer(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The module's result for its options, and the problems; no nodes where there are any."""
    problems = [Problem(**entry) for entry in params["problems"]]
    wanted, found = read_wanted(params)
    problems += found
    nodes = []
    if wanted is not None:
        running = [Slot(entry["host"], entry["kind"], entry["index"]) for entry in params["running"]]
        placement = place(wanted, running)
        problems += placement.problems
        nodes = [node.as_dict() for node in placement.nodes]
    if params["settings"] is not None:
        webapps = sum(1 for node in nodes if node["kind"] == "webapp")
        problems += settings_problems(params["settings"])
        problems += jwt_key_problems(webapps, params["settings"]["jwt_key"])
    if problems:
        nodes = []
    version = parse_version(params["version"])
    result = {
        "nodes": nodes,
        "hosts": {host["name"]: [node for node in nodes if node["host"] == host["name"]] for host in params["hosts"]},
        "counts": {kind: sum(1 for node in nodes if node["kind"] == kind) for kind in sorted(KINDS)},
        "shards": whole_number(params["shards"]),
        "version": str(version) if version else None,
    }
    return result, problems


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, "WA_INPUT_REFUSED", problems, result)


if __name__ == "__main__":
    main()
