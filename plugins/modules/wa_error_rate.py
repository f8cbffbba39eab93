#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_error_rate
short_description: Read how many requests to the WhatsApp Business API fail
version_added: 0.1.0
description:
  - Reads the request counters of every webapp twice, O(seconds) apart, and fails when more than O(max_error_percent) of
    the requests in between got an answer with an HTTP status of 500 or above.
  - Requests of monitoring and logins do not count.
  - A request counts when it ends. One that began while a shard was without service may end after that, with an error;
    so with O(timeout) the requests are counted again as long as too many fail.
  - Does not check a cluster with less than O(min_requests) requests in that time, nor webapps that have no metrics; the
    product has them since v2.21.3.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.info
  - waent.fleet.attributes.api_group
options:
  seconds:
    description: How long to count.
    type: float
    default: 3.0
  max_error_percent:
    description: The highest percentage of failed requests that is allowed.
    type: float
    default: 5.0
  min_requests:
    description: With fewer requests than that nothing is checked.
    type: int
    default: 20
  timeout:
    description: For how many seconds to count again, O(seconds) each time, as long as too many requests fail.
    type: float
    default: 0.0
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Stop when requests fail
  waent.fleet.wa_error_rate:
    api_url: ["https://wa-1:9090", "https://wa-2:9090"]
    api_key: "{{ wa_api_key }}"
  delegate_to: localhost
"""

RETURN = r"""
requests:
  description: Requests in that time, all webapps together. Of the last time where they were counted again.
  returned: always
  type: int
  sample: 61
errors:
  description: Those that got an HTTP status of 500 or above.
  returned: always
  type: int
  sample: 0
percent:
  description: Errors in a hundred requests.
  returned: always
  type: float
  sample: 0.0
counted:
  description: The webapps whose requests were counted.
  returned: always
  type: list
  elements: str
  sample: ["https://wa-1:9090"]
failure:
  description: Why the module failed. The code is V(ERROR_RATE_HIGH), or one of the API's.
  returned: failure
  type: dict
  sample:
    code: ERROR_RATE_HIGH
    message: 12 of 60 requests (20.0 %) failed within 3.0 s; at most 5.0 % is allowed.
    details: {}
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.error_rate import (
    ErrorRate,
    between,
    together,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.counters import read_counters
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

ARGUMENTS: dict[str, t.Any] = dict(
    api_options(),
    seconds={"type": "float", "default": 3.0},
    max_error_percent={"type": "float", "default": 5.0},
    min_requests={"type": "int", "default": 20},
    timeout={"type": "float", "default": 0.0},
)


def count(client: Client, params: t.Mapping[str, t.Any]) -> t.Iterator[tuple[ErrorRate, list[str]]]:
    """The rate and the webapps it was read from, time after time; none without metrics. Raises a ClientError."""
    before = read_counters(client)
    while before:
        time.sleep(params["seconds"])
        after = read_counters(client)
        yield together(between(before[url], after[url]) for url in before if url in after), sorted(before)
        before = after


def too_high(rate: ErrorRate, params: t.Mapping[str, t.Any]) -> bool:
    """Whether too many requests failed."""
    return rate.requests >= params["min_requests"] and rate.percent > params["max_error_percent"]


def refusal(rate: ErrorRate, params: t.Mapping[str, t.Any]) -> Refusal:
    """What is said then."""
    message = "{0} of {1} requests ({2} %) failed within {3} s; at most {4} % is allowed.".format(
        rate.errors, rate.requests, rate.percent, params["seconds"], params["max_error_percent"]
    )
    return Refusal("ERROR_RATE_HIGH", message)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result: dict[str, t.Any] = {"requests": 0, "errors": 0, "percent": 0.0, "counted": []}
    try:
        deadline = time.monotonic() + module.params["timeout"]
        for rate, counted in count(client_from(module.params), module.params):
            result.update(requests=rate.requests, errors=rate.errors, percent=rate.percent, counted=counted)
            if not too_high(rate, module.params):
                break
            if time.monotonic() >= deadline:
                raise refusal(rate, module.params)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
