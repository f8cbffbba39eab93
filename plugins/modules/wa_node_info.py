#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_node_info
short_description: Gather state and last log lines of nodes that do not come up
version_added: 0.2.0
author:
  - waent.fleet contributors (@waent)
description:
  - Reads of containers how they are, how they ended, how often they were restarted, and what they logged since they
    were started last.
  - A log may hold secrets. Give the task C(no_log), and show its result with P(waent.fleet.node_reasons#filter) only.
  - Needs Python and the C(docker) command.
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
options:
  names:
    description: Names of containers of this host.
    type: list
    elements: str
    required: true
  lines:
    description: How many of the last lines of each log are read.
    type: int
    default: 200
seealso:
  - plugin: waent.fleet.node_reasons
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See how the first coreapp is
  waent.fleet.wa_node_info:
    names: [wa-coreapp-1]
  register: examined
  no_log: true
"""

RETURN = r"""
nodes:
  description: The containers, in the order they were named.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: As it was given.
      type: str
      returned: always
    exists:
      description: Whether there is such a container.
      type: bool
      returned: always
    state:
      description: The engine's word for its state, for example V(running), V(restarting) or V(exited).
      type: str
      returned: when it exists
    exit_code:
      description: Code with which it ended last; none where it runs and the engine remembers no end of it.
      type: int
      returned: when it exists
    oom_killed:
      description: Whether it, or a process in it, was killed for want of memory.
      type: bool
      returned: when it exists
    restarts:
      description: How often the engine has started it again by itself.
      type: int
      returned: when it exists
    error:
      description: Why the engine could not start it.
      type: str
      returned: when it exists
    log:
      description: What it logged, since its last start where that was no restart and it logged anything since.
      type: list
      elements: str
      returned: when it exists
    log_unread:
      description: Why that could not be read; empty where it could.
      type: str
      returned: when it exists
failure:
  description: Why nothing could be read. The code is V(ENGINE_LOST).
  returned: failure
  type: dict
  sample:
    code: ENGINE_LOST
    message: "Docker Engine does not answer (inspect: no docker command)."
    details: {}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, within
from ansible_collections.waent.fleet.plugins.module_utils._io.engine import read_nodes
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "lines": {"type": "int", "default": 200},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        nodes = read_nodes(within(), module.get_bin_path("docker"), params["names"], params["lines"])
    except NoAnswer as error:
        refuse(module, Refusal("ENGINE_LOST", "Docker Engine does not answer ({0}).".format(error)))
    module.exit_json(changed=False, nodes=nodes)


if __name__ == "__main__":
    main()
