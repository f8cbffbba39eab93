#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_removal
short_description: Decide what goes when a WhatsApp Business API cluster is removed from its hosts
version_added: 0.1.0
description:
  - Takes what M(waent.fleet.wa_host_info) read on each host, and answers what goes, in which order, and what stays.
  - Only what has the cluster's label goes. A network or volume that containers of others use stays.
  - The volume of the database goes only where O(remove_database) has its name. A volume of which nobody knows what it
    holds counts as one.
  - A host that could not be read, or whose engine does not answer, is named in RV(unread). Only a host without any
    engine has nothing for sure.
  - Runs on the controller, changes nothing and reads nothing itself.
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
  expected:
    description:
      - All hosts that were to be read, each with C(message) of a failure, and its C(code) where there is one; both are
        empty where it was read.
    type: dict
    required: true
  cluster_name:
    description: The cluster that is removed.
    type: str
    required: true
  remove_data:
    description: Whether volumes go as well, with their data.
    type: bool
    default: false
  remove_database:
    description: Name of the volume with the database that goes as well; empty where it stays.
    type: str
    default: ""
    version_added: 0.2.0
  stores:
    description:
      - By inventory name what the inventory says of the volumes of a host, C({database, others, server}), the last one
        where the database is, if on no host of the cluster.
    type: dict
    default: {}
    version_added: 0.2.0
  pin:
    description: File on the controller in which the authority of the API is pinned; empty where there is none.
    type: str
    default: ""
  limited:
    description: Whether hosts of the cluster are left out of the run.
    type: bool
    default: false
  proves:
    description: O(hosts) were read again, after something was removed, and RV(left) says where it is still there.
    type: bool
    default: false
  before:
    description: With O(proves), the RV(hosts) of the call before anything was removed.
    type: dict
    default: {}
  unread:
    description: With O(proves), the RV(unread) of that call.
    type: dict
    default: {}
seealso:
  - module: waent.fleet.wa_host_info
"""

EXAMPLES = r"""
- name: Decide what goes
  waent.fleet.wa_removal:
    hosts: "{{ ansible_play_hosts_all | map('extract', hostvars, ['read', 'host']) }}"
    expected: {rack-a-1: {message: ""}, rack-b-1: {message: "Connection refused"}}
    cluster_name: waent
  delegate_to: localhost
  run_once: true
  register: removal
"""

RETURN = r"""
hosts:
  description: By inventory name what goes from a host; hosts that keep everything or have nothing are left out.
  returned: always
  type: dict
  sample:
    rack-a-1:
      containers: [wa-webapp-1, wa-coreapp-1]
      networks: []
      volumes: []
      files: []
      shares: []
      stages: [[wa-webapp-1], [wa-coreapp-1], [], []]
      stays: ["network waent, used by b-webapp-1"]
planned_changes:
  description: The same to be shown, with what stays and with the hosts that cannot be read.
  returned: always
  type: list
  elements: str
  sample:
    - "Of cluster waent this goes:"
    - "  rack-a-1: container wa-webapp-1"
    - "  rack-a-1: stays: network waent, used by b-webapp-1"
unread:
  description: By inventory name a sentence for each host of which nobody knows what the cluster has there.
  returned: always
  type: dict
  sample: {rack-b-1: "[ENGINE_STOPPED] rack-b-1: Docker Engine is stopped; start it."}
pin:
  description: The file with the pinned authority, where it goes; empty where it stays.
  returned: always
  type: str
  sample: ""
left:
  description: With O(proves), by inventory name a sentence for each host where something is still there.
  returned: always
  type: dict
  sample: {rack-b-1: "[REMOVAL_INCOMPLETE] rack-b-1: Still there: wa-db."}
lines:
  description: With O(proves), what to show at the end.
  returned: always
  type: list
  elements: str
  sample: ["Removed, and read again to see that it is gone: rack-a-1."]
refusals:
  description: By inventory name the text with which the removal ends for such a host.
  returned: always
  type: dict
  sample: {}
failure:
  description: What is wrong with O(remove_database). The code is V(WA_REMOVAL_FAILED).
  returned: failure
  type: dict
  sample:
    code: WA_REMOVAL_FAILED
    message: "1 problem was found, nothing was changed.\n[WA_REMOVE_DATABASE] ..."
    details: {codes: [WA_REMOVE_DATABASE]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, leave, summary
from ansible_collections.waent.fleet.plugins.module_utils._plan.removal import (
    NOTHING_KNOWN,
    Asked,
    Stores,
    database_problems,
    databases,
    left_over,
    pin_stays,
    plan_removal,
    planned_changes,
    refusal,
    result_lines,
    unread_hosts,
)

CODE = "WA_REMOVAL_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "expected": {"type": "dict", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "remove_data": {"type": "bool", "default": False},
    "remove_database": {"type": "str", "default": ""},
    "stores": {"type": "dict", "default": {}},
    "pin": {"type": "str", "default": ""},
    "limited": {"type": "bool", "default": False},
    "proves": {"type": "bool", "default": False},
    "before": {"type": "dict", "default": {}},
    "unread": {"type": "dict", "default": {}},
}


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """The result; a host that could not be read does not keep the others from being done, so it is no problem here."""
    if params["proves"]:
        return _proved(params), []
    cluster, asked, stores = params["cluster_name"], _asked(params), _stores(params)
    unread = unread_hosts(params["hosts"], params["expected"])
    read = [host for host in params["hosts"] if host["name"] not in unread]
    problems = database_problems(asked, read, cluster, stores)
    plans = {host["name"]: plan_removal(host, cluster, asked, stores.get(host["name"], NOTHING_KNOWN)) for host in read}
    kept = any(volume not in plans[host].volumes for volume, host in databases(read, cluster, stores))
    why = pin_stays(params["pin"], asked, params["limited"], unread, kept) if params["pin"] else ""
    pin = (params["pin"], why) if params["pin"] else ()
    result = {
        "hosts": {name: plan.as_dict() for name, plan in plans.items() if plan.anything},
        "planned_changes": planned_changes(cluster, plans, unread, pin),
        "pin": "" if why else params["pin"],
        "left": {},
        "lines": [],
        "unread": {name: summary([problem]) for name, problem in unread.items()},
        "refusals": {name: refusal(problem) for name, problem in unread.items()},
    }
    return result, problems


def _asked(params: t.Mapping[str, t.Any]) -> Asked:
    return Asked(params["remove_data"], params["remove_database"])


def _stores(params: t.Mapping[str, t.Any]) -> dict[str, Stores]:
    return {host: Stores.from_option(known) for host, known in params["stores"].items()}


def _proved(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    before, again, cluster = params["before"], params["hosts"], params["cluster_name"]
    left = left_over(before, again, params["expected"], cluster, _asked(params), _stores(params))
    return {
        "hosts": before,
        "planned_changes": [],
        "pin": "" if left or params["unread"] else params["pin"],
        "left": {name: summary([problem]) for name, problem in left.items()},
        "lines": result_lines(before, params["unread"], left),
        "unread": params["unread"],
        "refusals": {},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer(module.params)
    leave(module, CODE, problems, result)


if __name__ == "__main__":
    main()
