#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_host_info
short_description: Look at a host that runs, or shall run, nodes of a WhatsApp Business API cluster
version_added: 0.1.0
description:
  - Reads in one go whether an engine answers, which containers, images, networks and listening ports there are,
    how much disk and memory is free, whether the media store can be written, and what the host's clock says.
  - Works on a host without an engine, too. Needs Python, and the C(docker) command where there is an engine.
  - Changes nothing. Whether a directory can be written is tried with a file that has no name and vanishes.
  - Values of containers' environments are not returned, but for the few that are no secrets.
  - Values of O(environment) do not leave the machine that runs Ansible either. An action plugin sends keyed hashes in
    their place, with a key for this one look.
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
    description: The cluster whose nodes are looked for, by their label C(waent.fleet.cluster).
    type: str
    default: waent
  version:
    description: The wanted version, with or without the leading v.
    type: str
  images:
    description:
      - Full image references by kind of node, V(webapp), V(master), V(coreapp) or V(database).
      - The registry is asked for those that are not on the host.
    type: dict
    default: {}
  network:
    description: Docker network of the nodes.
    type: str
  network_subnet:
    description: Subnet the network shall have. Other networks of the engine must not overlap with it.
    type: str
  media:
    description: Media store of the nodes, name of a Docker volume or absolute path on the host.
    type: str
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
  stop_single_connect:
    description: Single-connect containers are going to be stopped, so they are no problem.
    type: bool
    default: false
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
  nodes:
    description:
      - The nodes that shall run on this host, as M(waent.fleet.wa_placement) returns them. When given, what is wrong
        with the host for these nodes is returned in RV(problems). Nodes of other hosts are ignored.
    type: list
    elements: dict
seealso:
  - module: waent.fleet.wa_placement
  - module: waent.fleet.wa_preflight
"""

EXAMPLES = r"""
- name: Look at every host
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
  register: look

- name: Show who listens on the ports of coreapps
  ansible.builtin.debug:
    msg: "{{ look.host.listeners | selectattr('port', 'in', range(6250, 6258)) }}"
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
      description: The options that say what the host is looked at for.
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
      description: The C(executable) that runs modules here, and whether it has the module C(requests).
      type: dict
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
          cluster with C(options), what the engine was asked for.
        - C(environment_differs) has the names of the variables that are not as O(environment) says.
      type: list
      elements: dict
      returned: always
    images:
      description:
        - For each wanted image its C(id) on the host, or the word of the C(registry), V(present), V(missing) or
          V(unknown), with the C(reason). No registry is asked where the engine is stopped, as the image may be there.
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
      description: The media store with C(source), C(exists), C(filesystem), C(writable), C(reason) and C(free_mb).
      type: dict
      returned: always
    data:
      description: The data store, in the same form.
      type: dict
      returned: always
    networks:
      description:
        - Docker networks with C(name), C(id), the C(cluster) of their label, C(subnets), and the C(endpoints) that are
          connected.
      type: list
      elements: dict
      returned: always
    volumes:
      description: Docker volumes with C(name), the C(cluster) of their label, and C(path).
      type: list
      elements: dict
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
  description: Why the host could not be read. The code is V(ENGINE_LOST).
  returned: failure
  type: dict
  sample:
    code: ENGINE_LOST
    message: "Docker Engine stopped answering while it was read (ps --all: EOF)."
    details: {}
problems:
  description: What is wrong with the host for O(nodes), with C(code), C(message), C(variable), C(value) and C(host).
  returned: success
  type: list
  elements: dict
"""

import importlib.util
import os
import sys
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.host import (
    cluster_nodes,
    host_problems,
    single_connects,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import parse_version
from ansible_collections.waent.fleet.plugins.module_utils._io import host as hostread
from ansible_collections.waent.fleet.plugins.module_utils._io import registry
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold

ASKED = (
    "cluster_name",
    "images",
    "network",
    "network_subnet",
    "container_uid",
    "disk_free_mb",
    "stop_single_connect",
    "container_settings",
)
ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "cluster_name": {"type": "str", "default": "waent"},
    "version": {"type": "str"},
    "images": {"type": "dict", "default": {}},
    "network": {"type": "str"},
    "network_subnet": {"type": "str"},
    "media": {"type": "str"},
    "data": {"type": "str"},
    "container_uid": {"type": "int", "default": 0},
    "disk_free_mb": {"type": "int", "default": 2048},
    "reach": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"host": {"type": "str", "required": True}, "port": {"type": "int", "required": True}},
    },
    "stop_single_connect": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 5.0},
    # As the action plugin has sealed it.
    "environment": {"type": "dict", "no_log": True},
    "container_settings": {"type": "dict"},
    "nodes": {"type": "list", "elements": "dict"},
}


def read_host(params: t.Mapping[str, t.Any], run: hostread.Run, command: str | None) -> dict[str, t.Any]:
    """The whole host. C(command): path of the docker command, None where there is none."""
    version = parse_version(params["version"])
    engine = hostread.read_engine(run, command)
    docker = command if engine["answers"] else None
    wanted = params["environment"]
    containers = hostread.read_containers(run, docker, params["cluster_name"], wanted) if docker else []
    host: dict[str, t.Any] = {
        "name": params["name"],
        "asked": {**{key: params[key] for key in ASKED}, "version": str(version) if version else None},
        "time": time.time(),
        "engine": engine,
        "python": {"executable": sys.executable, "requests": importlib.util.find_spec("requests") is not None},
        "containers": containers,
        "images": read_images(params, run, docker, engine),
        "listeners": hostread.read_listeners(containers),
        "disk": {"path": engine["root"], "free_mb": hostread.free_mb(engine["root"])},
        "memory": hostread.read_memory(),
        "media": read_store(params["media"], params["container_uid"], run, docker),
        "data": read_store(params["data"], params["container_uid"], run, docker),
        "networks": hostread.read_networks(run, docker) if docker else [],
        "volumes": hostread.read_volumes(run, docker) if docker else [],
        "reached": [hostread.reach(target["host"], target["port"], params["timeout"]) for target in params["reach"]],
    }
    host["nodes"] = [
        {"host": params["name"], **{key: node[key] for key in ("kind", "index", "name", "state", "version")}}
        for node in cluster_nodes(host)
    ]
    host["single_connect"] = [container["name"] for container in single_connects(host)]
    return host


def read_images(
    params: t.Mapping[str, t.Any], run: hostread.Run, docker: str | None, engine: t.Mapping[str, t.Any]
) -> list[dict[str, t.Any]]:
    """Each wanted image: its id here, else what its registry says."""
    references = sorted(set(params["images"].values()))
    local = hostread.read_local_images(run, docker, references) if docker else {}
    if engine["proxy"]:
        # The engine would pull through its own proxy, so that is the way to ask.
        os.environ["https_proxy"] = engine["proxy"]
    images = []
    for reference in references:
        word, reason = None, None
        # Nobody knows yet what an engine that is stopped holds.
        if not local.get(reference) and not may_hold(engine):
            word, reason = registry.ask(reference, timeout=params["timeout"], insecure=engine["insecure_registries"])
        images.append({"image": reference, "id": local.get(reference), "registry": word, "reason": reason})
    return images


def read_store(source: str | None, uid: int, run: hostread.Run, docker: str | None) -> dict[str, t.Any] | None:
    """A media or data store, None where none is wanted."""
    if not source:
        return None
    volume = hostread.read_volume(run, docker, source) if docker and not source.startswith("/") else None
    return hostread.read_mount(source, volume, uid)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        host = read_host(module.params, module.run_command, module.get_bin_path("docker"))
    except hostread.EngineLost as error:
        fail(module, Refusal("ENGINE_LOST", "Docker Engine stopped answering while it was read ({0}).".format(error)))
    nodes = module.params["nodes"]
    problems = []
    if nodes is not None:
        problems = host_problems(host, [node for node in nodes if node["host"] == host["name"]])
    module.exit_json(changed=False, host=host, problems=[problem.as_dict() for problem in problems])


if __name__ == "__main__":
    main()
