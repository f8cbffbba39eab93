#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_host_info
short_description: Gather what a host has that runs, or is to run, nodes of a WhatsApp Business API cluster
version_added: 0.1.0
description:
  - Reads in one go whether an engine answers, which containers, images, networks and listening ports there are,
    how much disk and memory is free, whether the media store can be written, and what the host's clock says.
  - Works on a host without an engine, too. Needs Python, and the C(docker) command where there is an engine.
  - Changes nothing. Whether a directory can be written is tried with a file that has no name and vanishes.
  - Values of containers' environments are not returned, but for the few that are no secrets.
  - Values of O(environment) do not leave the machine that runs Ansible either. An action plugin sends keyed hashes in
    their place, with a key for this one call.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.no_group
options:
  name:
    description: Inventory name of the host, by which the other modules know it.
    type: str
    required: true
  cluster_name:
    description: The cluster whose nodes are searched for, by their label C(waent.fleet.cluster).
    type: str
    default: waent
  version:
    description: The desired version, with or without the leading v.
    type: str
  images:
    description:
      - Full image references by kind of node, V(webapp), V(master), V(coreapp) or V(database).
      - The registry is queried for those that are not on the host.
    type: dict
    default: {}
  network:
    description: Docker network of the nodes.
    type: str
  media:
    description: Media store of the nodes, name of a Docker volume or absolute path on the host.
    type: str
  media_share:
    description: The media share as C(wa_media_share) has it; empty where there is to be none.
    type: dict
    default: {}
  data:
    description: Data store of the nodes, name of a Docker volume or absolute path on the host.
    type: str
  container_uid:
    description: User id of the containers, which must be able to write O(media) and O(data).
    type: int
    default: 0
  disk_free_mb:
    description: Free space in MB that the host must have, where images lie and in a media store that is a path.
    type: int
    default: 2048
  reach:
    description: Services the host must be able to connect to, such as the database.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name or IP address.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        required: true
      address:
        description:
          - Address to connect to where containers have another for O(reach[].host) than the host has; V(host-gateway)
            for the one by which containers reach the host.
        type: str
  stop_single_connect:
    description: Single-connect containers are going to be stopped, so they are no problem.
    type: bool
    default: false
  engine_timeout:
    description: Seconds to wait for an engine that was started a moment ago and does not answer yet.
    type: float
    default: 0.0
  timeout:
    description: Seconds for each question to a registry and each connection of O(reach).
    type: float
    default: 5.0
  environment:
    description:
      - For each kind of node the environment that the containers of O(cluster_name) shall have, without the names and
        ports they advertise.
      - Names of the variables that differ are returned as C(environment_differs) with each container.
    type: dict
  container_settings:
    description:
      - What the containers of O(cluster_name) are made from on this host, as P(waent.fleet.node_container#filter) takes
        it. It is returned as it is, for M(waent.fleet.wa_preflight) to compare the containers with.
      - Without it, image and environment are all that is compared.
    type: dict
  adopts:
    description:
      - Which nodes of compose files are of the cluster that is being adopted, by their database, C(db_host), C(db_port)
        and C(db_name_prefix). Without it none is. It is returned as it is.
    type: dict
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_preflight
"""

EXAMPLES = r"""
- name: Gather what every host has
  waent.fleet.wa_host_info:
    name: "{{ inventory_hostname }}"
    version: v2.19.4
    images:
      webapp: docker.whatsapp.biz/web:v2.19.4
      master: docker.whatsapp.biz/coreapp:v2.19.4
      coreapp: docker.whatsapp.biz/coreapp:v2.19.4
    network: waent
    media: /srv/whatsapp-media
    reach:
      - {host: db.example.com, port: 3306}
  register: gathered

- name: Show who listens on the ports of coreapps
  ansible.builtin.debug:
    msg: "{{ gathered.host.listeners | selectattr('port', 'in', range(6250, 6258)) }}"
"""

RETURN = r"""
host:
  description: The host as it is. M(waent.fleet.wa_preflight) takes it as it is returned.
  returned: success
  type: dict
  contains:
    name:
      description: The inventory name.
      type: str
      returned: always
    asked:
      description: The desired state of the host, from the options.
      type: dict
      returned: always
    engine:
      description:
        - C(state), one of V(answers), V(absent), V(stopped), V(denied), V(silent) (runs and does not answer),
          V(command_missing) (no C(docker) command for it), V(client_only) (a C(docker) command without an engine),
          V(podman), V(rootless) and V(remote). Whether it C(answers), its C(version), the C(root) of its images, and
          the C(reason) when it does not answer.
      type: dict
      returned: always
    python:
      description:
        - The C(executable) that runs modules here, whether it has the modules C(requests) and C(apt), and whether
          modules that packages of the C(distribution) bring reach it.
      type: dict
      returned: always
    systemd:
      description: Whether systemd starts the services of the host.
      type: bool
      returned: always
    nodes:
      description:
        - The cluster's nodes that exist here, in whatever state, with C(host), C(kind), C(index), C(name), C(state) and
          C(version). M(waent.fleet.wa_placement) takes them as O(waent.fleet.wa_placement#module:running).
      type: list
      elements: dict
      returned: always
    single_connect:
      description: Names of running containers of the client that are not in cluster mode.
      type: list
      elements: str
      returned: always
    containers:
      description:
        - All containers with image, state, labels, ports, networks, mounts, and harmless environment. Those of a
          cluster with C(options), what they were created with.
        - C(environment_differs) has the names of the variables that are not as O(environment) says.
      type: list
      elements: dict
      returned: always
    images:
      description:
        - For each image of O(images) its C(id) on the host, when it was C(created) and on which day it C(expires_on) by
          its label, or the word of the C(registry), V(present), V(missing) or V(unknown), with the C(reason).
        - No registry is queried where the engine is stopped, as the image may be there.
      type: list
      elements: dict
      returned: always
    listeners:
      description: Every listening TCP port with its C(container), or its C(process) and C(pid).
      type: list
      elements: dict
      returned: always
    disk:
      description: Free space where images lie, with C(path) and C(free_mb).
      type: dict
      returned: always
    memory:
      description: Memory in C(total_mb) and C(available_mb).
      type: dict
      returned: always
    media:
      description:
        - The media store with C(source), C(exists), C(filesystem), C(writable), C(reason) and C(free_mb), and what was
          asked of it without an answer (C(silent)), as where the server of a path is gone.
      type: dict
      returned: always
    media_share:
      description:
        - The media share, empty where there is to be none. What is mounted (C(mount)) and what lies C(hidden) under it,
          whether the path C(exists), is a C(directory) and C(empty), C(free_mb), C(free_inodes), the first C(error),
          the last C(proof) with C(age_seconds), C(run) and C(hosts), C(denied), the id of this user where it may not
          read that, lines of C(fstab), and C(users), who has it in mounts of its own, with the id of each that is one
          of the C(containers), who has the directory under it instead (C(apart), with ids in C(apart_containers)), and
          nodes of which this user, C(reader), cannot know it (C(unread)).
        - Where it is to be mounted is C(path), and what C(source).
      type: dict
      returned: always
    data:
      description: The data store, in the same form.
      type: dict
      returned: always
    networks:
      description:
        - Docker networks with C(name), C(id), the C(cluster) of their label, C(driver), C(subnets), and the
          C(endpoints) that are connected, with their C(addresses).
      type: list
      elements: dict
      returned: always
    volumes:
      description: Docker volumes with C(name), the C(cluster) of their label, and C(path).
      type: list
      elements: dict
      returned: always
    drill:
      description:
        - A drill that has not restored yet what it broke here, its kind C(drill), C(what) it is and the C(path) of its
          script.
      type: dict
      returned: always
    backup_timer:
      description: Name of the units that back up the registration on a schedule, null where there are none.
      type: str
      returned: always
    backup:
      description:
        - Of those units C(name), whether the timer C(waits) and the last run C(failed), how long ago it ran
          (C(last_run_seconds)), the age of the newest backup (C(last_backup_seconds)) and how many C(backups) there
          are.
        - Null where there are none, and where the user may not see it.
      type: dict
      returned: always
    reached:
      description: For each service of O(reach) whether it could be C(reached), and the C(reason) if not.
      type: list
      elements: dict
      returned: always
    clock:
      description:
        - By how many seconds the host's clock is ahead of the controller's, C(at_least) and C(at_most).
        - The difference is between the two for sure. How far they are apart depends on how quickly the host answers.
      type: dict
      returned: always
      sample: {at_least: -0.06, at_most: 0.02}
failure:
  description:
    - Why the host could not be read. The code is V(ENGINE_LOST), V(PYTHON_TOO_OLD) or V(PYTHON_MISSING).
    - The last two come from the controller, where the host gave no answer.
  returned: failure
  type: dict
  sample:
    code: ENGINE_LOST
    message: "Docker Engine stopped answering while it was read (ps --all: EOF)."
    details: {}
engine_refusal:
  description:
    - Why the engine of this host is left alone and no other is installed in its place, or why none can be installed,
      with its code; empty where there is one that can be used, or one can be installed.
  returned: success
  type: str
  sample: "[ENGINE_IS_PODMAN] rack-a-1: The docker command is Podman (package podman-docker), on which ..."
engine_unusable:
  description:
    - Why Ansible's Docker modules cannot work with an engine that was to be here by now, with its code; empty where
      they can.
  returned: success
  type: str
  sample: "[PYTHON_REQUESTS_MISSING] rack-a-1: /usr/bin/python3 has no module requests, which ..."
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    engine_refusals,
    install_refusals,
    unusable_engine_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, summary
from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, within
from ansible_collections.waent.fleet.plugins.module_utils._io.host import read_host
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "cluster_name": {"type": "str", "default": "waent"},
    "version": {"type": "str"},
    "images": {"type": "dict", "default": {}},
    "network": {"type": "str"},
    "media": {"type": "str"},
    "media_share": {"type": "dict", "default": {}},
    "data": {"type": "str"},
    "container_uid": {"type": "int", "default": 0},
    "disk_free_mb": {"type": "int", "default": 2048},
    "reach": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "address": {"type": "str"},
        },
    },
    "stop_single_connect": {"type": "bool", "default": False},
    "engine_timeout": {"type": "float", "default": 0.0},
    "timeout": {"type": "float", "default": 5.0},
    # As the action plugin has sealed it.
    "environment": {"type": "dict", "no_log": True},
    "container_settings": {"type": "dict"},
    "adopts": {"type": "dict"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        host = read_host(module.params, within(), module.get_bin_path("docker"))
    except NoAnswer as error:
        refuse(module, Refusal("ENGINE_LOST", "Docker Engine stopped answering while it was read ({0}).".format(error)))
    module.exit_json(
        changed=False,
        host=host,
        engine_refusal=summary(engine_refusals(host) + install_refusals(host)),
        engine_unusable=summary(unusable_engine_problems(host)),
    )


if __name__ == "__main__":
    main()
