#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_preflight
short_description: Judge all hosts of a WhatsApp Business API cluster together, and foretell what a rollout does
version_added: 0.1.0
description:
  - Takes what M(waent.fleet.wa_host_info) read on each host and the nodes M(waent.fleet.wa_placement) gave them, and
    fails with everything that is wrong, at once, before anything is changed.
  - Compares the hosts' clocks with each other.
  - When nothing is wrong, tells what will happen to each host.
  - Runs on the controller and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  nodes:
    description:
      - What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes), told what runs.
      - A database to be placed on a host is a node of kind C(database) with C(host), C(name) and C(ports).
    type: list
    elements: dict
    required: true
  problems:
    description: Problems that were found elsewhere, such as those of the database, to be told in the same go.
    type: list
    elements: dict
    default: []
  health:
    description:
      - What M(waent.fleet.wa_cluster_health) returned, to know whether the cluster is in service. Nodes that have to be
        recreated make it needed, as RV(recreation) says.
    type: dict
  login:
    description:
      - What M(waent.fleet.wa_login) returned in check mode before that. A cluster whose first password would be
        replaced serves no number yet.
    type: dict
  recreate_at_once:
    description: Recreate running nodes kind by kind where O(health) does not tell whether the cluster is in service.
    type: bool
    default: false
  mend_engines:
    description:
      - Engines in these states are going to be installed or started, so they are no problem.
      - Where an engine that has run before is stopped, nobody knows what it holds. With V(stopped), problems that may
        be none then are not told, and RV(forecast) is for an engine that holds nothing. Look again when it runs.
    type: list
    elements: str
    choices: [absent, stopped]
    default: []
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_host_info
"""

EXAMPLES = r"""
- name: Stop if anything is wrong, else say what will happen
  waent.fleet.wa_preflight:
    hosts: "{{ ansible_play_hosts | map('extract', hostvars, ['look', 'host']) }}"
    nodes: "{{ placement.nodes }}"
  delegate_to: localhost
  run_once: true
  register: preflight

- name: Show what will happen
  ansible.builtin.debug:
    var: preflight.forecast
"""

RETURN = r"""
plan:
  description: What a rollout does, host by host, in its order there.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: Inventory name of the host.
      type: str
      returned: always
    action:
      description:
        - One of V(stop), V(install_engine), V(start_engine), V(create_network), V(pull), V(create_volume), V(create),
          V(start), V(recreate), V(update) (in place, without another container) and V(keep).
      type: str
      returned: always
    what:
      description: The container, image, network or volume.
      type: str
      returned: always
    why:
      description: What differs.
      type: list
      elements: str
      returned: always
    sentence:
      description: The same in words.
      type: str
      returned: always
  sample:
    - {host: rack-a-1, action: pull, what: "docker.whatsapp.biz/web:v2.19.4", why: [],
       sentence: "rack-a-1: pull image docker.whatsapp.biz/web:v2.19.4"}
forecast:
  description: The sentences of what is going to be changed; empty when all is as wanted.
  returned: always
  type: list
  elements: str
hosts:
  description: By inventory name what there is to do on a host.
  returned: always
  type: dict
  contains:
    engine_missing:
      description: Whether no engine runs, and nodes are placed here.
      type: bool
      returned: always
    images_missing:
      description: Images that the host lacks for its nodes.
      type: list
      elements: str
      returned: always
    network_missing:
      description: Whether the host lacks the nodes' network.
      type: bool
      returned: always
    volumes_missing:
      description: Docker volumes that the host lacks for its nodes.
      type: list
      elements: str
      returned: always
    single_connect:
      description: Names of running single-connect containers.
      type: list
      elements: str
      returned: always
    kinds:
      description: Kinds of node placed on the host.
      type: list
      elements: str
      returned: always
    changes:
      description: Number of things that are going to be changed.
      type: int
      returned: always
clocks:
  description: By inventory name how far each clock is ahead of the controller's, in seconds.
  returned: always
  type: dict
  sample: {rack-a-1: {at_least: -0.06, at_most: 0.02}}
stopped:
  description:
    - Hosts whose engine is stopped and may hold something.
    - Where O(mend_engines) has V(stopped), start those and look again.
  returned: always
  type: list
  elements: str
strangers:
  description:
    - Nodes whose C(WA_SECRET) is not the declared one. Old and new nodes would not understand each other, so they
      cannot be recreated one after the other.
  returned: always
  type: list
  elements: str
recreation:
  description: The existing nodes that are recreated, and how.
  returned: always
  type: dict
  contains:
    nodes:
      description: Names of their containers.
      type: list
      elements: str
      returned: always
    way:
      description:
        - V(roll) is one after the other, each with a gate after it; V(at_once) is kind by kind; V(nothing) that there
          is none. V(ask) says that it takes O(health) to tell.
      type: str
      returned: always
    why:
      description: The reason in words, empty with V(nothing) and V(ask).
      type: str
      returned: always
  sample: {nodes: [wa-coreapp-1], way: ask, why: ""}
problems:
  description: Everything that is wrong, with C(code), C(message), C(variable), C(value) and C(host).
  returned: always
  type: list
  elements: dict
failure:
  description: What failed, for playbooks to branch on. The code is V(WA_PREFLIGHT_FAILED).
  returned: failure
  type: dict
  sample:
    code: WA_PREFLIGHT_FAILED
    message: |-
      1 problem was found, nothing was changed.
      [PORT_TAKEN] rack-a-1: Port 9090, wanted by wa-webapp-1, is taken by process prometheus (pid 312); free it or
      change wa_webapp_port.
    details: {codes: [PORT_TAKEN]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    NODE_KINDS,
    UNKNOWN_NODE,
    clock_problems,
    host_problems,
    missing_images,
    unmended_problems,
    unread_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import (
    host_plan,
    recreation,
    service_of,
    strangers,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import MENDABLE, STOPPED, UNSEEN_CODES, may_hold

CODE = "WA_PREFLIGHT_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "problems": {"type": "list", "elements": "dict", "default": []},
    "health": {"type": "dict"},
    "login": {"type": "dict"},
    "recreate_at_once": {"type": "bool", "default": False},
    "mend_engines": {"type": "list", "elements": "str", "choices": list(MENDABLE), "default": []},
}


def nodes_placed(nodes: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    """Whether there is any node of the client among them; a database needs no placement."""
    return any(node["kind"] in NODE_KINDS for node in nodes)


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result, and everything that is wrong."""
    hosts, nodes = params["hosts"], params["nodes"]
    by_host = {host["name"]: [node for node in nodes if node["host"] == host["name"]] for host in hosts}
    clocks = {host["name"]: host["clock"] for host in hosts if host.get("clock")}
    problems = [Problem(**problem) for problem in params["problems"]]
    mend = params["mend_engines"]
    stopped = [host["name"] for host in hosts if may_hold(host["engine"])]
    unseen = UNSEEN_CODES if stopped and STOPPED in mend else frozenset()
    # Where the desired state is refused, nothing is placed: that is no news of the nodes that exist.
    untold = unseen if nodes_placed(nodes) or not problems else unseen | {UNKNOWN_NODE}
    for host in hosts:
        problems += [one for one in host_problems(host, by_host[host["name"]]) if one.code not in untold]
        problems += unmended_problems(host, by_host[host["name"]], mend)
    problems += unread_problems(hosts, nodes)
    problems += clock_problems({name: (clock["at_least"], clock["at_most"]) for name, clock in clocks.items()})
    plans = {host["name"]: host_plan(host, by_host[host["name"]]) for host in hosts}
    acts = [act for host in hosts for act in plans[host["name"]]]
    service = service_of(params["login"], params["health"])
    recreated = recreation(hosts, [] if unseen else acts, service, params["recreate_at_once"])
    problems += [recreated.problem] if recreated.problem else []
    result = {
        "plan": [act.as_dict() for act in acts],
        "forecast": [act.sentence for act in acts if act.action != "keep"] + ([recreated.why] if recreated.why else []),
        "hosts": {
            host["name"]: {
                "engine_missing": host["engine"]["state"] in MENDABLE and bool(by_host[host["name"]]),
                "images_missing": missing_images(host, by_host[host["name"]]),
                "network_missing": any(act.action == "create_network" for act in plans[host["name"]]),
                "volumes_missing": [act.what for act in plans[host["name"]] if act.action == "create_volume"],
                "single_connect": host["single_connect"],
                "kinds": sorted({node["kind"] for node in by_host[host["name"]]}),
                "changes": sum(1 for act in plans[host["name"]] if act.action != "keep"),
            }
            for host in hosts
        },
        "clocks": clocks,
        "stopped": stopped,
        "strangers": strangers(hosts),
        "recreation": recreated.as_dict(),
    }
    return result, problems


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
