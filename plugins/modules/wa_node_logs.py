#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_node_logs
short_description: Collect what the containers of a WhatsApp Business API cluster have logged on a host
version_added: 0.2.0
description:
  - Collects of every container of a cluster its log, its description, and the log and crash files inside of it, which
    need not run for that. Bounded in size and time; of what is longer the newest lines are kept.
  - On the host everything lies for a moment in a directory that only its owner can read, without the values that the
    containers have as secrets. An action plugin fetches it in parts and writes it to O(work) without those of
    O(secrets), which do not leave the machine that runs Ansible. Then it is removed from the host.
  - Changes nothing of the cluster. Needs Python and the C(docker) command.
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
      - Only names the containers.
  diff_mode:
    support: none
    details:
      - There is nothing to change.
  idempotent:
    support: full
    details:
      - Collects again, and changes nothing.
options:
  cluster_name:
    description: The cluster whose containers are meant, by their label C(waent.fleet.cluster).
    type: str
    required: true
  since:
    description:
      - A number with V(s), V(m), V(h) or V(d); what was logged earlier is left out. Files inside of containers know no
        such bound.
    type: str
    default: 3h
  seconds:
    description: Time for everything on the host. What is not read by then is named.
    type: float
    default: 120.0
  megabytes:
    description: The most that is kept of one log.
    type: int
    default: 20
  host_megabytes:
    description: The most that is kept of all logs of the host together.
    type: int
    default: 200
  work:
    description: Directory on the machine that runs Ansible in which the files of this host are written.
    type: path
  facts:
    description: What M(waent.fleet.wa_host_info) read of the host, for the archive.
    type: dict
    default: {}
  secrets:
    description: Values that must not be in them, as P(waent.fleet.failure_reason#filter) takes them.
    type: list
    elements: raw
    default: []
  state:
    description: Used by the action plugin, to fetch a part of what was collected and to remove it.
    type: str
    choices: [collected, read, absent]
    default: collected
  path:
    description: What the action plugin reads or removes.
    type: path
  offset:
    description: The first byte that it reads.
    type: int
    default: 0
seealso:
  - module: waent.fleet.wa_log_archive
"""

EXAMPLES = r"""
- name: Collect what the last hour's log has
  waent.fleet.wa_node_logs:
    cluster_name: waent
    since: 1h
    work: "{{ archive.work }}/hosts/{{ inventory_hostname }}"
    secrets: "{{ secrets }}"
  register: collected
  no_log: true
"""

RETURN = r"""
pieces:
  description:
    - What was asked for, each with C(container), C(kind), C(what), its C(path) below O(work), C(bytes), C(cut_bytes),
      C(state) (V(read), V(cut), V(absent) or V(failed)) and C(reason).
  returned: success
  type: list
  elements: dict
containers:
  description: Names of the containers.
  returned: success
  type: list
  elements: str
failure:
  description: Why nothing could be read. The code is V(ENGINE_LOST), or one of those that begin with V(LOGS_).
  returned: failure
  type: dict
  sample:
    code: ENGINE_LOST
    message: "Docker Engine does not answer (there is no docker command)."
    details: {}
"""

import base64
import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.log_request import (
    DEFAULT_SINCE,
    seconds_since,
    since_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._common.product import LABELS
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, within
from ansible_collections.waent.fleet.plugins.module_utils._io.engine import inspect_cluster
from ansible_collections.waent.fleet.plugins.module_utils._io.node_logs import Limits, collect, read_part, remove
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse

MEGABYTE = 1000000
PART = 2 * MEGABYTE
"""So much goes to the controller at once."""

ARGUMENTS: dict[str, t.Any] = {
    "cluster_name": {"type": "str", "required": True},
    "since": {"type": "str", "default": DEFAULT_SINCE},
    "seconds": {"type": "float", "default": 120.0},
    "megabytes": {"type": "int", "default": 20},
    "host_megabytes": {"type": "int", "default": 200},
    "work": {"type": "path"},
    "facts": {"type": "dict", "default": {}},
    "secrets": {"type": "list", "elements": "raw", "default": [], "no_log": True},
    "state": {"type": "str", "choices": ["collected", "read", "absent"], "default": "collected"},
    "path": {"type": "path"},
    "offset": {"type": "int", "default": 0},
}

PLACES = ("/var/tmp",)
"""On a disk: what lies in /tmp may take memory."""


def collected(module: AnsibleModule) -> dict[str, t.Any]:
    """Everything, or in check mode the names. Raises NoAnswer and OSError."""
    params = module.params
    docker = module.get_bin_path("docker")
    inspected = inspect_cluster(within(), docker, params["cluster_name"])
    kinds = {
        str(entry["Name"]).lstrip("/"): str(
            ((entry.get("Config") or {}).get("Labels") or {}).get(LABELS + "kind") or ""
        )
        for entry in inspected
    }
    if module.check_mode or not inspected:
        return {"pieces": [], "containers": sorted(kinds), "packed": ""}
    since = seconds_since(params["since"])
    if since is None:
        raise refusal_for("LOGS_NOT_COLLECTED", since_problems(params["since"]))
    limits = Limits(since, params["seconds"], params["megabytes"] * MEGABYTE, params["host_megabytes"] * MEGABYTE)
    parent = next((place for place in PLACES if os.access(place, os.W_OK)), tempfile.gettempdir())
    found = collect(str(docker), inspected, kinds, limits, parent)
    return {"pieces": found.pieces, "containers": sorted(kinds), "packed": found.path}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    result: dict[str, t.Any] = {}
    try:
        if params["state"] == "read":
            result = {"part": base64.b64encode(read_part(params["path"], params["offset"], PART)).decode("ascii")}
        elif params["state"] == "absent":
            remove(params["path"])
        else:
            result = collected(module)
    except NoAnswer as error:
        refuse(module, Refusal("ENGINE_LOST", "Docker Engine does not answer ({0}).".format(error)))
    except Refusal as error:
        refuse(module, error)
    except OSError as error:
        where = " ({0})".format(error.filename) if error.filename else ""
        text = "The logs could not be collected: {0}{1}.".format(error.strerror or error, where)
        refuse(module, Refusal("LOGS_NOT_COLLECTED", text))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
