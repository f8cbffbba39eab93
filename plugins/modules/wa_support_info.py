#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_support_info
short_description: Gather what the WhatsApp Business API reports for a support ticket
version_added: 0.2.0
description:
  - Reads C(/v1/support), C(/v1/health) and C(/v1/settings/application), each as far as it can be read.
  - Changes nothing, and waits for nothing.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.api_group
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Gather what belongs to every ticket
  waent.fleet.wa_support_info:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
  register: support

- name: Keep it
  ansible.builtin.copy:
    content: "{{ support.support | to_nice_json }}"
    dest: ./support.json
    mode: "0600"
"""

RETURN = r"""
support:
  description: What the API reports as C(support), of all nodes; empty where that could not be read.
  returned: always
  type: dict
  sample: {db_engine: MYSQL, multi_connect: true, os_version: "16.04"}
health:
  description: The same of C(health).
  returned: always
  type: dict
  sample: {"wa-1:wa-coreapp-1": {gateway_status: connected, role: coreapp}}
settings:
  description: The application settings. User and password inside of an address are hidden.
  returned: always
  type: dict
  sample: {heartbeat_interval: 5}
version:
  description: Version of the web application that answered last; empty where none did.
  returned: always
  type: str
  sample: v2.19.4
unread:
  description: By name, V(support), V(health) or V(settings), why it could not be read.
  returned: always
  type: dict
  sample: {}
failure:
  description: Why nothing at all could be read.
  returned: failure
  type: dict
  sample:
    code: API_UNREACHABLE
    message: "No webapp answers (https://wa-1:9090). Do they run, and does a firewall let this host through?"
    details: {url: "https://wa-1:9090"}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import hidden
from ansible_collections.waent.fleet.plugins.module_utils._io.client import NO_RETRY, Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail, failure
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

PATHS = {
    "support": ("/v1/support", ("support",)),
    "health": ("/v1/health", ("health",)),
    "settings": ("/v1/settings/application", ("settings", "application")),
}


def gather(client: Client) -> tuple[dict[str, t.Any], list[ClientError]]:
    """Everything that can be read, and the errors. One question failing says nothing of the next."""
    found: dict[str, t.Any] = {"version": "", "unread": {}}
    errors = []
    for name, (path, where) in PATHS.items():
        found[name] = {}
        try:
            reply = client.health() if name == "health" else client.get(path)
        except ClientError as error:
            errors.append(error)
            found["unread"][name] = failure(error)["message"]
            continue
        value = reply.member(*where)
        if isinstance(value, dict):
            found[name] = hidden(value) if name == "settings" else value
        else:
            found["unread"][name] = "{0} answered something else.".format(reply.url)
        found["version"] = reply.version or found["version"]
    return found, errors


def main() -> None:
    module = AnsibleModule(argument_spec=api_options(), supports_check_mode=True)
    result: dict[str, t.Any] = {"changed": False, "version": "", "unread": {}, **{name: {} for name in PATHS}}
    try:
        found, errors = gather(client_from(module.params, backoff=NO_RETRY))
    except ClientError as error:
        fail(module, error, **result)
    result.update(found)
    if len(errors) == len(PATHS):
        fail(module, errors[0], **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
