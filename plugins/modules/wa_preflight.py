#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_preflight
short_description: Check all hosts of a WhatsApp Business API cluster together, and say what a rollout changes
version_added: 0.1.0
description:
  - Takes what M(waent.fleet.wa_host_info) read on each host and the nodes M(waent.fleet.wa_placement) gave them, and
    fails with everything that is wrong, at once, before anything is changed.
  - Compares the hosts' clocks with each other.
  - Says what will be changed on each host, and in which groups of playbooks/site.yml it belongs for that.
  - Runs on the controller and reads nothing itself.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
requirements:
  - netaddr
options:
  hosts:
    description: What M(waent.fleet.wa_host_info) returned as RV(waent.fleet.wa_host_info#module:host), for each host.
    type: list
    elements: dict
    required: true
  unread:
    description: By inventory name RV(waent.fleet.wa_host_info#module:failure) of hosts that could not be read.
    type: dict
    default: {}
  unreachable:
    description: Why hosts do not answer at all, by inventory name.
    type: dict
    default: {}
  spared_hosts:
    description: The hosts to name in C(wa_without_hosts) for a run that goes on.
    type: list
    elements: str
    default: []
  sought_on:
    description: Hosts that have to be read whatever is placed there, since nodes are sought on them.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  nodes:
    description:
      - What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:nodes), given what runs.
      - A database to be placed on a host is a node of kind C(database) with C(host), C(name) and C(ports).
    type: list
    elements: dict
    required: true
  leaving:
    description: What M(waent.fleet.wa_placement) returned as RV(waent.fleet.wa_placement#module:leaving).
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
  drains:
    description: Whether O(leaving) is going to be removed, so that it is no problem.
    type: bool
    default: false
    version_added: 0.2.0
  reports:
    description:
      - Results of other checks, such as M(waent.fleet.wa_database_info) and M(waent.fleet.wa_identity). Their
        C(problems) are reported together with those found here, their C(notes) shown with what is changed.
      - C(LIVENESS_STALE) is left out; such a coreapp is what a rollout starts.
    type: list
    elements: dict
    default: []
  outages:
    description: Sentences of RV(waent.fleet.wa_placement#module:worst_outages), shown where anything is changed.
    type: list
    elements: str
    default: []
  warnings:
    description: Sentences about what is asked for and may not be meant, shown where anything is changed.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
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
    description: Recreate running nodes kind by kind where O(health) does not show whether the cluster is in service.
    type: bool
    default: false
  fix_engines:
    description:
      - Engines in these states are going to be installed or started, so they are no problem.
      - Where an engine that has run before is stopped, nobody knows what it holds. With V(stopped), problems that may
        be none then are not reported, and RV(changes) is for an engine that holds nothing. Gather again when it runs.
    type: list
    elements: str
    choices: [absent, stopped]
    default: []
  started_engines:
    description: Hosts whose engine this run has started already, for RV(refusal) to say so.
    type: list
    elements: str
    default: []
  check_ports:
    description: Say in RV(ports) which ports hosts have to try.
    type: bool
    default: false
  forks:
    description: How many hosts Ansible works on at a time; a process listens the longer, the fewer these are.
    type: int
    default: 5
  media_share:
    description:
      - By inventory name the media share of a host that has to prove it, empty where there is none. C(what) is mounted
        where, and C(why) has what differs, none where it is as desired. C(remount) is true where nodes of the host
        have it, so that they have to stop for that.
    type: dict
    default: {}
  api:
    description:
      - What is done through the API of a cluster that does not run yet, for RV(planned_changes). Left out, nothing is
        said about it.
    type: dict
    suboptions:
      register:
        description: Whether the number is registered.
        type: bool
        default: true
      cc:
        description: Country code of the number.
        type: str
      phone_number:
        description: The number without its country code.
        type: str
      registration_method:
        description: How the code is sent.
        type: str
      settings:
        description: The application settings that are set, by their names.
        type: dict
      health_timeout_seconds:
        description: How long the rollout waits for a healthy cluster.
        type: int
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_host_info
"""

EXAMPLES = r"""
- name: Stop if anything is wrong, else say what will be changed
  waent.fleet.wa_preflight:
    hosts: "{{ ansible_play_hosts | map('extract', hostvars, ['read', 'host']) }}"
    nodes: "{{ placement.nodes }}"
  delegate_to: localhost
  run_once: true
  register: preflight

- name: Show what will be changed
  ansible.builtin.debug:
    var: preflight.planned_changes
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
        - One of V(stop), V(install_engine), V(start_engine), V(mount_share), V(create_network), V(pull),
          V(create_volume), V(create), V(start), V(recreate), V(update) (in place, without another container), V(remove)
          and V(keep).
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
changes:
  description: The sentences of what is going to be changed on the hosts; empty when all is as desired.
  returned: always
  type: list
  elements: str
planned_changes:
  description: The same to be shown, with what is done through the API and what stays unknown; never empty.
  returned: always
  type: list
  elements: str
refusal:
  description: What is wrong, as text; empty when nothing is.
  returned: always
  type: str
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
      description: Docker volumes that the host lacks for its nodes, but for that of C(db_ssl_missing).
      type: list
      elements: str
      returned: always
    db_ssl_missing:
      description: Whether the host lacks the volume with the files for TLS to the database, or it is not complete.
      type: bool
      returned: always
    single_connect:
      description: Names of running single-connect containers.
      type: list
      elements: str
      returned: always
    kinds:
      description: Kinds of node of which there is something to do on the host.
      type: list
      elements: str
      returned: always
    nodes:
      description: Names of the nodes whose containers are not as desired, or could not be compared in full.
      type: list
      elements: str
      returned: always
    tries_ports:
      description: Whether the host takes part in trying RV(ports).
      type: bool
      returned: always
    changes:
      description: Number of things that are going to be changed.
      type: int
      returned: always
    groups:
      description: The groups of playbooks/site.yml that the host belongs in. In check mode they are those with work.
      type: list
      elements: str
      returned: always
ports:
  description:
    - What M(waent.fleet.wa_ports) needs on the hosts, O(waent.fleet.wa_ports#module:plan); empty where no node is
      created, started or recreated, or there is no other host.
  returned: always
  type: dict
has_api:
  description: Whether a webapp runs that can be asked.
  returned: always
  type: bool
clocks:
  description: By inventory name how far each clock is ahead of the controller's, in seconds.
  returned: always
  type: dict
  sample: {rack-a-1: {at_least: -0.06, at_most: 0.02}}
stopped:
  description:
    - Hosts whose engine is stopped and may hold something.
    - Where O(fix_engines) has V(stopped), start those and gather again.
  returned: always
  type: list
  elements: str
remounts:
  description: Hosts whose media share is mounted again with their nodes stopped, one host at a time.
  returned: always
  type: list
  elements: str
  sample: []
secret_mismatches:
  description:
    - Nodes whose C(WA_SECRET) is not the desired one. Old and new nodes would not understand each other, so they
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
          is none. V(ask) means that it takes O(health) to know.
      type: str
      returned: always
    why:
      description: The reason in words, empty with V(nothing) and V(ask).
      type: str
      returned: always
  sample: {nodes: [wa-coreapp-1], way: ask, why: ""}
ask_service:
  description:
    - Whether it takes O(health) to know how nodes are recreated. Not where a host could not be read, as the run ends
      there, and the API takes its time with the nodes on it.
  returned: always
  type: bool
steps_come_next:
  description:
    - Whether running nodes are recreated before anything else is done.
    - Those steps then go on with the session of the API with which the cluster was queried.
  returned: always
  type: bool
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
      [PORT_TAKEN] rack-a-1: Port 9090, needed by wa-webapp-1, is taken by process prometheus (pid 312); free it or
      change wa_webapp_port.
    details: {codes: [PORT_TAKEN]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    UNKNOWN_NODE,
    Observed,
    PlacedNode,
    clock_problems,
    host_problems,
    missing_images,
    unfixed_engine_problems,
    unread_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.ports import port_plan, taking_part
from ansible_collections.waent.fleet.plugins.module_utils._check.subnets import subnet_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._plan.preflight import (
    drain_unfinished,
    groups_of,
    notes_of,
    planned_changes,
    refusal,
    removals,
    reported,
    run_of,
    share_changes,
)
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import (
    ASK,
    Act,
    all_run,
    host_plan,
    recreation,
    secret_mismatches,
    service_of,
    starting,
    to_run,
)
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import FIXABLE, STOPPED, UNSEEN_CODES, may_hold

CODE = "WA_PREFLIGHT_FAILED"
API: dict[str, t.Any] = {
    "register": {"type": "bool", "default": True},
    "cc": {"type": "str"},
    "phone_number": {"type": "str"},
    "registration_method": {"type": "str"},
    "settings": {"type": "dict"},
    "health_timeout_seconds": {"type": "int"},
}
ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "unread": {"type": "dict", "default": {}},
    "unreachable": {"type": "dict", "default": {}},
    "spared_hosts": {"type": "list", "elements": "str", "default": []},
    "sought_on": {"type": "list", "elements": "str", "default": []},
    "nodes": {"type": "list", "elements": "dict", "required": True},
    "leaving": {"type": "list", "elements": "dict", "default": []},
    "drains": {"type": "bool", "default": False},
    "reports": {"type": "list", "elements": "dict", "default": []},
    "outages": {"type": "list", "elements": "str", "default": []},
    "warnings": {"type": "list", "elements": "str", "default": []},
    "health": {"type": "dict"},
    "login": {"type": "dict"},
    "recreate_at_once": {"type": "bool", "default": False},
    "fix_engines": {"type": "list", "elements": "str", "choices": list(FIXABLE), "default": []},
    "started_engines": {"type": "list", "elements": "str", "default": []},
    "check_ports": {"type": "bool", "default": False},
    "forks": {"type": "int", "default": 5},
    "media_share": {"type": "dict", "default": {}},
    "api": {"type": "dict", "options": API},
}


def nodes_placed(nodes: t.Iterable[PlacedNode]) -> bool:
    """Whether there is any node of the client among them; a database needs no placement."""
    return any(node["kind"] in KINDS for node in nodes)


def facts_of(
    host: Observed, nodes: t.Sequence[PlacedNode], acts: t.Sequence[Act], tries_ports: bool
) -> dict[str, t.Any]:
    """What there is to do on a host. acts: its plan. tries_ports: whether it takes part in that."""
    run = to_run(host, nodes, acts)
    volumes = [act.what for act in acts if act.action == "create_volume"]
    of_tls = (host.get("db_ssl") or {}).get("source")
    return {
        "engine_missing": host["engine"]["state"] in FIXABLE and bool(nodes),
        "images_missing": missing_images(host, nodes),
        "network_missing": any(act.action == "create_network" for act in acts),
        "volumes_missing": [name for name in volumes if name != of_tls],
        "db_ssl_missing": of_tls in volumes,
        "single_connect": host["single_connect"],
        "kinds": sorted({node["kind"] for node in run}),
        "nodes": [node["name"] for node in run],
        "tries_ports": tries_ports,
        "changes": sum(1 for act in acts if act.action != "keep"),
    }


def all_problems(
    params: t.Mapping[str, t.Any],
    by_host: t.Mapping[str, t.Sequence[PlacedNode]],
    clocks: t.Mapping[str, t.Mapping[str, float]],
    unseen: frozenset[str],
) -> list[Problem]:
    """What other checks reported, and what is wrong with the hosts. unseen: codes that are left out."""
    hosts, nodes, fixed, leaving = params["hosts"], params["nodes"], params["fix_engines"], params["leaving"]
    problems = reported(params["reports"])
    # Where the desired state is refused, nothing is placed: that is no news of the nodes that exist.
    unknown = unseen if nodes_placed(nodes) or not problems else unseen | {UNKNOWN_NODE}
    for host in hosts:
        going = [node for node in leaving if node["host"] == host["name"]]
        problems += [one for one in host_problems(host, by_host[host["name"]], going) if one.code not in unknown]
        problems += unfixed_engine_problems(host, by_host[host["name"]], fixed)
    problems += subnet_problems(hosts, nodes)
    problems += [] if params["drains"] else drain_unfinished(hosts, leaving)
    return problems + clock_problems({name: (one["at_least"], one["at_most"]) for name, one in clocks.items()})


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result, and everything that is wrong."""
    hosts, nodes, fixed, leaving = params["hosts"], params["nodes"], params["fix_engines"], params["leaving"]
    by_host = {host["name"]: [node for node in nodes if node["host"] == host["name"]] for host in hosts}
    clocks = {host["name"]: host["clock"] for host in hosts if host.get("clock")}
    stopped = [host["name"] for host in hosts if may_hold(host["engine"])]
    unseen = UNSEEN_CODES if stopped and STOPPED in fixed else frozenset()
    plans = {
        name: share_changes(params["media_share"], name) + host_plan(host, by_host[name]) + removals(leaving, name)
        for name, host in ((host["name"], host) for host in hosts)
    }
    acts = [act for plan in plans.values() for act in plan]
    service = service_of(params["login"], params["health"])
    recreated = recreation(hosts, [] if unseen else acts, service, params["recreate_at_once"])
    why = (params["unread"], params["unreachable"], params["spared_hosts"])
    unread = unread_problems(hosts, nodes, *why, params["sought_on"])
    problems = all_problems(params, by_host, clocks, unseen) + unread
    problems += [recreated.problem] if recreated.problem else []
    run = run_of(
        hosts,
        stopped,
        fixed,
        recreated.way,
        bool(params.get("check_mode")),
        bool(leaving),
        all_run(hosts, nodes),
    )
    changes = [act.sentence for act in acts if act.action != "keep"] + ([recreated.why] if recreated.why else [])
    # Before stopped engines run, nobody knows which nodes there are.
    tried = params["check_ports"] and not run.gathers_again
    ports = port_plan(hosts, nodes, starting(plans, by_host), params["forks"]) if tried else {}
    trying = frozenset(taking_part(ports))
    facts = {
        name: facts_of(host, by_host[name], plans[name], name in trying)
        for name, host in ((host["name"], host) for host in hosts)
    }
    result = {
        "plan": [act.as_dict() for act in acts],
        "changes": changes,
        "planned_changes": planned_changes(changes, params["api"], run)
        + ([*params["warnings"], *params["outages"]] if changes else [])
        + notes_of(params["reports"], hosts, nodes),
        "refusal": refusal(refusal_for(CODE, problems).message if problems else "", params["started_engines"]),
        "hosts": {name: {**one, "groups": groups_of(name, one, plans[name], run)} for name, one in facts.items()},
        "ports": ports,
        "has_api": run.has_api,
        "clocks": clocks,
        "stopped": stopped,
        "secret_mismatches": secret_mismatches(hosts),
        "remounts": list(recreated.remounts),
        "recreation": recreated.as_dict(),
        "ask_service": recreated.way == ASK and not unread,
        # The share is proved before them, and that may fail.
        "steps_come_next": run.steps_come_next(facts.values()) and not params["media_share"],
    }
    return result, problems


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer({**module.params, "check_mode": module.check_mode})
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
