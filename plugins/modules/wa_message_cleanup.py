#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_message_cleanup
short_description: Have the nodes of a WhatsApp Business API cluster remove old messages
version_added: 0.2.0
description:
  - Begins the cleanup and returns. Its end is reported to the webhook only.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
    details:
      - Begins nothing.
  diff_mode:
    support: none
    details:
      - Which messages go is decided by the nodes.
  idempotent:
    support: none
    details:
      - Each call begins a cleanup.
"""

EXAMPLES = r"""
- name: Begin
  waent.fleet.wa_message_cleanup:
    api_url: https://wa-1:9090
    api_token: "{{ login.token }}"
    ca_path: /etc/waent/api_ca.pem
  register: cleanup
"""

RETURN = r"""
nodes:
  description: The nodes that have begun.
  returned: always
  type: list
  elements: str
  sample: ["wa-1:wa-coreapp-1"]
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: API_AUTH
    message: https://wa-1:9090/v1/services/message/gc answered HTTP status 401 (no explanation). ...
    details:
      url: https://wa-1:9090/v1/services/message/gc
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

CLEANUP = "/v1/services/message/gc"


def begin(client: Client) -> list[str]:
    """Begins, and says which nodes have. Raises a ClientError."""
    answers: t.Any = client.call("PUT", CLEANUP).member("services", "message", "gc")
    if not isinstance(answers, dict):
        return []
    return [node for node, answer in answers.items() if isinstance(answer, dict) and "errors" not in answer]


def main() -> None:
    module = AnsibleModule(argument_spec=api_options(), supports_check_mode=True)
    try:
        client = client_from(module.params)
        nodes = [] if module.check_mode else begin(client)
    except ClientError as error:
        fail(module, error, changed=False, nodes=[])
    module.exit_json(changed=True, nodes=nodes)


if __name__ == "__main__":
    main()
