# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: node_container
short_description: The full specification of a node's container
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Gives for a placed node the options of M(community.docker.docker_container), so that a container is made from the
    same facts as M(waent.fleet.wa_preflight) compares it with.
  - Of the environment it holds what the node advertises. The rest is the same for all nodes of a kind, has secrets in
    it, and is combined with it where the container is made.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _input:
    description:
      - A node as M(waent.fleet.wa_placement) returns it; or one of kind C(database) with C(name) and C(ports), or of
        kind C(schema-upgrade) with C(name) and C(address).
    type: dict
    required: true
  settings:
    description:
      - What the containers of a host are made from. C(cluster) is the name of the cluster, C(version) that of the
        nodes, C(images) an image for each kind of node, C(network) the Docker network, C(publish_address) the address
        of the host on which ports are published, C(extra_hosts) names and addresses that containers know beyond DNS.
      - C(media) and C(data) are paths of the host or names of volumes, C(data) may be empty. C(db_ssl) is
        the volume with the files for TLS to the database, if any. C(db_engine) is C(MYSQL)
        or C(PGSQL). C(log_driver) and C(log_options) are where nodes log to.
      - C(database) is for a database in a container, with C(address), C(volume), C(max_connections), C(arguments) and
        the name by which nodes reach it, C(alias).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Run the nodes of this host
  community.docker.docker_container: >-
    {{ item | waent.fleet.node_container(settings) | combine({'env': environment[item.kind]}, recursive=true) }}
  loop: "{{ placement.hosts[inventory_hostname] }}"
"""

RETURN = r"""
_value:
  description: Options of M(community.docker.docker_container), with how it has to compare them.
  type: dict
"""

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._desired.container import docker_options


class FilterModule:
    """Filters that describe containers."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"node_container": docker_options}
