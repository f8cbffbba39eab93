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
  - What a step does to the cluster can be counted from its beginning. O(begin) reads the counters and returns at once,
    and a later call takes them as O(since).
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
  begin:
    description:
      - Only read the counters, for a later call to count from there. What cannot be read now is not tried again.
    type: bool
    default: false
    version_added: 0.2.0
  since:
    description:
      - RV(counters) of a call with O(begin), to count the requests since then, and for O(seconds) at least. A webapp
        that was not read then is not counted.
      - Empty, or where too many of these requests failed and O(timeout) allows it, requests are counted from now on.
    type: dict
    default: {}
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
counters:
  description: What was read, C({clock, webapps}), for O(since). Empty without O(begin).
  returned: always
  type: dict
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
    counters_as_dict,
    counters_from,
    together,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._io.client import NO_RETRY, Client, ClientError
from ansible_collections.waent.fleet.plugins.module_utils._io.counters import read_counters
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

ARGUMENTS: dict[str, t.Any] = dict(
    api_options(),
    seconds={"type": "float", "default": 3.0},
    max_error_percent={"type": "float", "default": 5.0},
    min_requests={"type": "int", "default": 20},
    timeout={"type": "float", "default": 0.0},
    begin={"type": "bool", "default": False},
    since={"type": "dict", "default": {}},
)


class Counted(t.NamedTuple):
    """Requests of a while: their rate, how long it was, and which webapps had them."""

    rate: ErrorRate
    seconds: float
    webapps: list[str]


def count(client: Client, params: t.Mapping[str, t.Any]) -> t.Iterator[Counted]:
    """The requests of one while after the other; none without metrics. Raises a ClientError.

    A while that no webapp was read at both ends of shows nothing, so the next one is counted in its place.
    """
    seconds = params["seconds"]
    before, begun = counters_from(params["since"])
    passed = time.monotonic() - begun if before else 0.0
    before = before or read_counters(client)
    while before:
        time.sleep(max(0.0, seconds - passed))
        after = read_counters(client)
        webapps = sorted(set(before) & set(after))
        if webapps:
            rate = together(between(before[url], after[url]) for url in webapps)
            yield Counted(rate, max(seconds, passed), webapps)
        before, passed = after, 0.0


def too_high(rate: ErrorRate, params: t.Mapping[str, t.Any]) -> bool:
    """Whether too many requests failed."""
    return rate.requests >= params["min_requests"] and rate.percent > params["max_error_percent"]


def refusal(counted: Counted, params: t.Mapping[str, t.Any]) -> Refusal:
    """What is said then."""
    rate = counted.rate
    message = "{0} of {1} requests ({2} %) failed within {3} s; at most {4} % is allowed.".format(
        rate.errors, rate.requests, rate.percent, round(counted.seconds, 1), params["max_error_percent"]
    )
    return Refusal("ERROR_RATE_HIGH", message)


def begun(client: Client) -> dict[str, t.Any]:
    """The counters of now, as a later call takes them. Raises a ClientError."""
    found = read_counters(client.patient(NO_RETRY))
    return {"counters": counters_as_dict(found, time.monotonic()), "counted": sorted(found)}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    result: dict[str, t.Any] = {"requests": 0, "errors": 0, "percent": 0.0, "counted": [], "counters": {}}
    try:
        client = client_from(params)
        if params["begin"]:
            module.exit_json(changed=False, **{**result, **begun(client)})
        deadline = time.monotonic() + params["timeout"]
        for counted in count(client, params):
            result.update(requests=counted.rate.requests, errors=counted.rate.errors, percent=counted.rate.percent)
            result.update(counted=counted.webapps)
            if not too_high(counted.rate, params):
                break
            if time.monotonic() >= deadline:
                raise refusal(counted, params)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
