#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_node_environment
short_description: Gather what compose files have given to the nodes of a host
version_added: 0.3.0
author:
  - waent.fleet contributors (@waent)
description:
  - Reads the environment of every container of the client that no label gives to a cluster, without what its image
    brings along.
  - Its result holds secrets. Give the task C(no_log), and hand it to M(waent.fleet.wa_found_inventory) only.
  - Needs Python and the C(docker) command.
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options: {}
seealso:
  - module: waent.fleet.wa_found_inventory
"""

EXAMPLES = r"""
- name: Gather what the nodes were given
  waent.fleet.wa_node_environment:
  register: given
  no_log: true
"""

RETURN = r"""
environments:
  description: By name of the container its variables and their values, secrets among them.
  returned: success
  type: dict
  sample: {production_wacore_1: {COREAPP_HOSTNAME: 192.0.2.11, WA_APP_MULTICONNECT: "1"}}
failure:
  description: Why nothing could be read. The code is V(ENGINE_LOST).
  returned: failure
  type: dict
  sample:
    code: ENGINE_LOST
    message: "Docker Engine does not answer (there is no docker command)."
    details: {}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.engine import EngineLost, read_environments
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    docker = module.get_bin_path("docker")
    try:
        if docker is None:
            raise EngineLost("there is no docker command")
        environments = read_environments(module.run_command, docker)
    except EngineLost as error:
        refuse(module, Refusal("ENGINE_LOST", "Docker Engine does not answer ({0}).".format(error)))
    module.exit_json(changed=False, environments=environments)


if __name__ == "__main__":
    main()
