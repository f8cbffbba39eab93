#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_two_step
short_description: Switch two-step verification of the WhatsApp Business API on or off
version_added: 0.2.0
description:
  - Sets the PIN that registration and set-shards ask for from then on, or removes it.
  - The API has no call that shows whether there is a PIN, or which. So the module cannot know whether anything differs.
    It sends what was asked for, every time, and C(changed) means that it was sent and taken.
  - The PIN in the inventory, C(wa_pin), has to be the same from then on.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
    details:
      - Says what would be sent. Whether the API would take it, it cannot know.
  diff_mode:
    support: full
    details:
      - Shows that the PIN is set or removed, never a PIN. What was before is not known.
  idempotent:
    support: none
    details:
      - The API does not let anybody read the PIN, so each run sends it and reports C(changed). Sending the same PIN
        again changes nothing in the product.
options:
  state:
    description:
      - V(present) sets the PIN, whether there was one or not.
      - V(absent) switches two-step verification off.
    type: str
    choices: [present, absent]
    default: present
  pin:
    description:
      - The PIN, exactly six digits. Write it in quotes, YAML drops leading zeros of a number.
      - Required with O(state=present). If not set, the environment variable E(WA_PIN) is used.
    type: str
seealso:
  - module: waent.fleet.wa_account
  - module: waent.fleet.wa_shards
"""

EXAMPLES = r"""
- name: Two-step verification with the PIN of the inventory
  waent.fleet.wa_two_step:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    pin: "{{ wa_pin }}"

- name: No two-step verification
  waent.fleet.wa_two_step:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    state: absent
"""

RETURN = r"""
action:
  description: What was sent, or would be.
  returned: always
  type: str
  sample: PIN set
known_before:
  description: Whether it was known what there was before. Always false, the API shows no PIN.
  returned: always
  type: bool
  sample: false
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: PIN_INVALID
    message: wa_pin has to be exactly 6 digits.
    details: {}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import check_pin
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment

PATH = "/v1/settings/account/two-step"
ACTIONS = {"present": "PIN set", "absent": "PIN removed"}
AFTER = {"present": "on, PIN not shown", "absent": "off"}


def act(client: Client, state: str, pin: str | None) -> None:
    """The one call. Doing it twice does no harm."""
    if state == "present":
        client.call("POST", PATH, body={"pin": pin}, repeatable=True)
    else:
        client.call("DELETE", PATH)


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
            pin=from_environment("WA_PIN", type="str", no_log=True),
        ),
        required_if=[("state", "present", ["pin"])],
        supports_check_mode=True,
    )
    state = module.params["state"]
    pin = module.params["pin"] if state == "present" else None
    result: dict[str, t.Any] = {"changed": False, "action": "none", "known_before": False}
    try:
        check_pin(pin)
        client = client_from(module.params)
        if not module.check_mode:
            act(client, state, pin)
        result.update(changed=True, action=ACTIONS[state])
        result["diff"] = {"before": {"two_step": "not known"}, "after": {"two_step": AFTER[state]}}
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
