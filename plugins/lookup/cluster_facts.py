# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_facts
short_description: What the variables and the results of a play say about its cluster
version_added: 0.2.0
author: waent.fleet contributors (@waent)
description:
  - Gives the roles what they hand on to modules, so that it is made by tested code and not in templates. Used by the
    playbooks of this collection; the names may change with any of its releases.
  - Reads variables of the play and of its hosts, contacts nobody and changes nothing.
  - What it gives may hold secrets, as C(environment) does.
extends_documentation_fragment:
  - waent.fleet.attributes.internal
options:
  _terms:
    description:
      - Which facts. C(version), C(images), C(container_settings), C(environment), and C(schema_environment) say what
        containers are made from, C(api_access), C(database_access), C(token) and C(secrets) how the cluster is
        reached and what no output may hold. C(node_containers) is what M(waent.fleet.wa_containers) takes for
        C(wa_nodes), C(stores_missing) what it takes where none of them runs yet. C(database_to_run) is a database of
        our own, with the nodes that start together with it.
      - C(host_info) is for M(waent.fleet.wa_host_info), on the host that the task is about.
      - C(shape) and C(placement) are for M(waent.fleet.wa_placement), C(identity) is for
        M(waent.fleet.wa_identity), C(first_sizing) for M(waent.fleet.wa_sizing), C(preflight) and C(login) are for
        M(waent.fleet.wa_preflight).
      - C(observed), C(running) and C(failures) are what M(waent.fleet.wa_host_info) read on the hosts of the play, the
        nodes on them, and why a host could not be read. C(has_api) says whether a webapp runs, C(database_readable)
        whether the database can be read. C(image_lives), C(image_warnings) and
        C(images_expired) say until when the images work.
      - C(ports_to_listen), C(ports_to_try) and C(ports_to_report) are for M(waent.fleet.wa_ports) on the host that the
        task is about, C(ports) and C(ports_unclear) are what came of it.
      - C(drill_left) and C(drill_not_prepared) are hosts on which a drill waits to be restored, and those on which none
        may begin. C(drill_outcome) is for M(waent.fleet.wa_drill_report).
      - C(session_manager) says why a host on AWS that is reached by Session Manager cannot be reached from here.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Place the nodes
  waent.fleet.wa_placement: "{{ lookup('waent.fleet.cluster_facts', 'placement') }}"
"""

RETURN = r"""
_value:
  description: One value for each term.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.waent.fleet.plugins.plugin_utils.cluster_facts import FACTS, Play


class LookupModule(LookupBase):
    """Facts of a cluster."""

    def run(self, terms: t.Sequence[str], variables: t.Mapping[str, t.Any] | None = None, **_options: t.Any) -> list:
        unknown = [term for term in terms if term not in FACTS]
        if unknown:
            raise AnsibleLookupError("There is no such fact: {0}.".format(", ".join(unknown)))
        play = Play(variables or {}, self._templar.template)
        return [FACTS[term](play) for term in terms]
