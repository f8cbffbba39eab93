#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_shards
short_description: Set the number of shards of a WhatsApp Business API cluster
version_added: 0.1.0
description:
  - Reads the number of shards, and makes no call when it is as desired already.
  - Setting it restarts all coreapps, which takes 45 to 60 seconds without service. So everything that speaks against it
    is checked before, and reported at once.
  - A call whose answer is lost is resolved by reading. It is never repeated blindly.
  - An expired certificate gets the account banned. One that can be read to be expired is never sent.
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
      - All refusals are found in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - The same number again makes no call. With O(wait) it still waits for a restart that goes on.
options:
  shards:
    description:
      - The number of shards, one of 1, 2, 4, 8, 16 and 32.
      - As many coreapps have to answer, and one more unless O(allow_no_spare).
    type: int
    required: true
  cc:
    description:
      - Country code of the registered number, digits without a plus sign.
    type: str
    required: true
  phone_number:
    description:
      - Registered number without its country code, digits only.
    type: str
    required: true
  pin:
    description:
      - The six digits of two-step verification, where that is on.
      - If not set, the environment variable E(WA_PIN) is used.
    type: str
  cert:
    description:
      - The number's verified-name certificate, base64 text from the business manager.
      - Needed from version 2.45 on, and from 2.39.1 on when the number was registered more than 7 days ago. Older
        versions do not know it, and it is not sent to them.
      - If not set, the environment variable E(WA_CERT) is used.
    type: str
  allow_no_spare:
    description:
      - Accept that no coreapp is left to stand by.
    type: bool
    default: false
  allow_disconnect:
    description:
      - Accept that a version older than 2.39.1, more than 7 days after the registration, is disconnected by the call
        and has to be registered again.
    type: bool
    default: false
  registered_at:
    description:
      - When the number was registered, like V(2024-01-31) or V(2024-01-31T12:00:00+00:00). Only needed where the API
        does not report it.
    type: str
  for_backup:
    description:
      - Set the shards of a cluster without a number, which is to get that of a backup. The client takes a backup only
        with as many shards as it was made with.
      - With O(wait) it is waited until the number reads back and every node answers; nobody is served.
    type: bool
    default: false
    version_added: 0.2.0
  retries:
    description:
      - How often the call is repeated, with a growing delay, after the answer that the service is temporarily
        unavailable (HTTP status 403).
    type: int
    default: 5
  wait:
    description:
      - Wait until the number reads back and every shard has one connected owner.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait at most.
    type: float
    default: 180.0
  delay:
    description:
      - Seconds between two reads. Downtimes are observed no finer than this.
    type: float
    default: 1.0
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Four shards
  waent.fleet.wa_shards:
    api_url: [https://wa-1:9090, https://wa-2:9090]
    api_token: "{{ wa_login.token }}"
    shards: 4
    cc: "1"
    phone_number: "5550100"
    pin: "{{ wa_pin }}"
    cert: "{{ wa_cert }}"
  register: shards

- name: Show how long each shard was without service
  ansible.builtin.debug:
    var: shards.downtime
"""

RETURN = r"""
before:
  description: Number of shards before, null when it could not be read.
  returned: always
  type: int
  sample: 2
after:
  description: Number of shards afterwards, in check mode the desired one; null when it is not known.
  returned: always
  type: int
  sample: 4
downtime:
  description:
    - Seconds without service of every shard, as observed. C(recovered) is false when it still had none at the end.
    - Empty without O(wait) and when nothing was changed.
  returned: always
  type: list
  elements: dict
  sample:
    - shard: 0
      seconds: 47.2
      recovered: true
answer_lost:
  description: Whether the answer to the call was lost, and what happened was found out by reading.
  returned: always
  type: bool
  sample: false
problems:
  description: Everything that speaks against the call.
  returned: always
  type: list
  elements: dict
  sample:
    - code: NO_SPARE
      message: shards is 4, and as many coreapps answer, so that none stands by when one fails ...
      variable: shards
      value: 4
      host: null
waited_seconds:
  description: How long the module waited after the call.
  returned: always
  type: float
  sample: 52.6
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: SHARDS_REFUSED
    message: "1 problem was found, nothing was changed. ..."
    details:
      codes: [NO_SPARE]
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.set_shards import request_from
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment
from ansible_collections.waent.fleet.plugins.module_utils._io.set_shards import Result, ShardSetter


def main(clock: t.Callable[[], float] = time.monotonic, sleep: t.Callable[[float], None] = time.sleep) -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            shards={"type": "int", "required": True},
            cc={"type": "str", "required": True},
            phone_number={"type": "str", "required": True},
            pin=from_environment("WA_PIN", type="str", no_log=True),
            cert=from_environment("WA_CERT", type="str", no_log=True),
            allow_no_spare={"type": "bool", "default": False},
            allow_disconnect={"type": "bool", "default": False},
            registered_at={"type": "str"},
            for_backup={"type": "bool", "default": False},
            retries={"type": "int", "default": 5},
            wait={"type": "bool", "default": True},
            timeout={"type": "float", "default": 180.0},
            delay={"type": "float", "default": 1.0},
        ),
        supports_check_mode=True,
    )
    result = Result()
    try:
        client = client_from(module.params)
        setter = ShardSetter(client, request_from(module.params), module.params, clock, sleep, result)
        setter.run(module.check_mode)
    except (ClientError, Refusal) as error:
        fail(module, error, **result.as_dict())
    diff = {"before": {"shards": result.before}, "after": {"shards": result.after}}
    module.exit_json(diff=diff, **result.as_dict())


if __name__ == "__main__":
    main()
