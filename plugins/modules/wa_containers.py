#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_containers
short_description: Have containers on a host as they are described, several at once, with networks and volumes for them
version_added: 0.2.0
description:
  - Does what M(community.docker.docker_container) does, with its own code, for each of several containers. One Python
    is started for all of them in place of one for each, and containers start beside each other, as many at once as the
    host has cores.
  - Makes networks and volumes where they are missing, then the containers of O(first), then those of O(containers).
    Of each of these everything is tried; where anything failed, nothing of the next one is begun.
  - The order in which the containers of one list are made and started is not defined.
  - Where community.docker keeps that code in a place that this collection does not know, an action plugin runs
    M(community.docker.docker_container), and the modules for networks and volumes, for one after the other, with the
    same results.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
    details:
      - As M(community.docker.docker_container).
  diff_mode:
    support: full
    details:
      - As M(community.docker.docker_container).
  idempotent:
    support: full
    details:
      - As M(community.docker.docker_container), for the options that are given.
options:
  networks:
    description: Networks to make where there are none of that name. Those that exist stay as they are.
    type: list
    elements: dict
    default: []
    suboptions: &store
      name:
        description: Its name.
        type: str
        required: true
      labels:
        description: Labels of one that is made.
        type: dict
        default: {}
  volumes:
    description: The same for volumes.
    type: list
    elements: dict
    default: []
    suboptions: *store
  first:
    description: As O(containers), for those that come before them, such as a database that they wait for.
    type: list
    elements: dict
    default: []
  containers:
    description:
      - Options of M(community.docker.docker_container), for each container.
      - They hold environments. As with that module, C(no_log) of the task keeps those out of any output.
    type: list
    elements: dict
    default: []
seealso:
  - module: community.docker.docker_container
  - module: community.docker.docker_network
  - module: community.docker.docker_volume
"""

EXAMPLES = r"""
- name: Run the nodes of this host
  waent.fleet.wa_containers:
    networks:
      - {name: waent, labels: {waent.fleet.cluster: waent}}
    containers:
      - {name: wa-master-1, image: "docker.whatsapp.biz/coreapp:v2.19.4", state: started}
      - {name: wa-coreapp-1, image: "docker.whatsapp.biz/coreapp:v2.19.4", state: started}
  no_log: true
"""

RETURN = r"""
results:
  description: What came of each network, volume and container that was tried, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    item:
      description: The network, volume or container, with its C(name).
      type: dict
      returned: always
    changed:
      description: Whether it was made or changed.
      type: bool
      returned: always
    failed:
      description: Whether that failed.
      type: bool
      returned: always
    msg:
      description: Why.
      type: str
      returned: failure
    failure:
      description: The same with a code of its own, C({code, message}), for the container of a database.
      type: dict
      returned: failure of a database
  sample:
    - {item: {name: wa-master-1}, changed: true, failed: false}
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.container_results import (
    STAGES,
    Thing,
    in_stages,
    together,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.at_once import Answer, at_once
from ansible_collections.waent.fleet.plugins.module_utils._io.command import within
from ansible_collections.waent.fleet.plugins.module_utils._io.stores import NETWORK, VOLUME, make

try:  # since 5.0.0
    from ansible_collections.community.docker.plugins.module_utils._module_container.docker_api import (
        DockerAPIEngineDriver,
    )
    from ansible_collections.community.docker.plugins.module_utils._module_container.module import run_module
except ImportError:
    try:
        from ansible_collections.community.docker.plugins.module_utils.module_container.docker_api import (
            DockerAPIEngineDriver,
        )
        from ansible_collections.community.docker.plugins.module_utils.module_container.module import run_module
    except ImportError:
        run_module = None

STORE: dict[str, t.Any] = {"name": {"type": "str", "required": True}, "labels": {"type": "dict", "default": {}}}
ARGUMENTS: dict[str, t.Any] = {
    **{name: {"type": "list", "elements": "dict", "default": [], "options": STORE} for name in ("networks", "volumes")},
    **{name: {"type": "list", "elements": "dict", "default": []} for name in ("first", "containers")},
}
KINDS = {"networks": NETWORK, "volumes": VOLUME}


def docker_container() -> None:
    """The work of M(community.docker.docker_container)."""
    run_module(DockerAPIEngineDriver())


def act(module: AnsibleModule, stage: str, desired: t.Sequence[Thing]) -> list[Answer]:
    """Does one stage, and answers for each thing in it."""
    if stage not in KINDS:
        return at_once(docker_container, desired, most=max(2, os.cpu_count() or 1))
    docker = module.get_bin_path("docker", required=True)
    return [make(within(), docker, KINDS[stage], one, module.check_mode) for one in desired]


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if run_module is None:
        module.fail_json(msg="community.docker keeps its code for containers in a place that is not known.")
    stages = [(name, module.params[name]) for name in STAGES]
    things, answers = in_stages(stages, lambda stage, desired: act(module, stage, desired))
    for answer in answers:
        for warning in answer.get("warnings") or ():
            module.warn(warning)
    result = together(things, answers)
    diffs = [answer["diff"] for answer in answers if answer.get("diff")]
    if diffs:
        result["diff"] = diffs
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
