#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_containers
short_description: Have several containers on a host as they are described, several at once
version_added: 0.2.0
description:
  - Does what M(community.docker.docker_container) does, with its own code, for each of several containers. One Python
    is started for all of them in place of one for each, and containers start beside each other, as many at once as the
    host has cores.
  - Every container is tried, whatever comes of the others.
  - The order in which they are made and started is not defined.
  - Where community.docker keeps that code in a place that this collection does not know, an action plugin runs
    M(community.docker.docker_container) for one after the other, with the same results.
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
  containers:
    description:
      - Options of M(community.docker.docker_container), for each container.
      - They hold environments. As with that module, C(no_log) of the task keeps those out of any output.
    type: list
    elements: dict
    required: true
seealso:
  - module: community.docker.docker_container
"""

EXAMPLES = r"""
- name: Run the nodes of this host
  waent.fleet.wa_containers:
    containers:
      - {name: wa-master-1, image: "docker.whatsapp.biz/coreapp:v2.19.4", state: started}
      - {name: wa-coreapp-1, image: "docker.whatsapp.biz/coreapp:v2.19.4", state: started}
  no_log: true
"""

RETURN = r"""
results:
  description: What came of each container, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    item:
      description: The container, with its C(name).
      type: dict
      returned: always
    changed:
      description: Whether it was changed.
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
  sample:
    - {item: {name: wa-master-1}, changed: true, failed: false}
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.container_results import together
from ansible_collections.waent.fleet.plugins.module_utils._io.at_once import at_once

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

ARGUMENTS: dict[str, t.Any] = {"containers": {"type": "list", "elements": "dict", "required": True}}


def docker_container() -> None:
    """The work of M(community.docker.docker_container)."""
    run_module(DockerAPIEngineDriver())


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if run_module is None:
        module.fail_json(msg="community.docker keeps its code for containers in a place that is not known.")
    containers = module.params["containers"]
    answers = at_once(docker_container, containers, most=max(2, os.cpu_count() or 1))
    for answer in answers:
        for warning in answer.get("warnings") or ():
            module.warn(warning)
    result = together(containers, answers)
    diffs = [answer["diff"] for answer in answers if answer.get("diff")]
    if diffs:
        result["diff"] = diffs
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
