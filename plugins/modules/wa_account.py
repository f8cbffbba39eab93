#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_account
short_description: Register a phone number with the WhatsApp Business API
version_added: 0.1.0
description:
  - Reads the health first. A number that is registered already is left alone.
  - Without O(code) it asks for a code, which comes by SMS or as a call. With O(code) it verifies it, which ends the
    registration. So it takes two calls, and RV(status) says which one is next.
  - A registration ends when every web application that answers shows it. Those that lag behind are named after
    O(timeout).
  - The vendor has blocked new registrations since 2024-07-01. The module says so when that is the answer.
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
      - Neither asks for a code nor verifies one.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A registered number is left alone. Before that, each call without O(code) asks for another code, unless
        O(request_code=false).
options:
  state:
    description:
      - V(registered) registers the number. There is no call to undo it.
    type: str
    choices: [registered]
    default: registered
  cc:
    description:
      - Country code, digits without a plus sign.
    type: str
    required: true
  phone_number:
    description:
      - Number without its country code, digits only.
    type: str
    required: true
  method:
    description:
      - How the code is sent.
    type: str
    choices: [sms, voice]
    default: sms
  cert:
    description:
      - The number's verified-name certificate, base64 text from the business manager. Needed to ask for a code.
      - If not set, the environment variable E(WA_CERT) is used.
    type: str
  pin:
    description:
      - The six digits of two-step verification, where that is on.
      - If not set, the environment variable E(WA_PIN) is used.
    type: str
  code:
    description:
      - The code that was received, with or without a dash.
    type: str
  fixed_code:
    description:
      - O(code) is known before it is asked for, as with test numbers. Where it is refused, because no code was asked
        for yet or an old one has expired, ask for one and try it once more, all in one go.
    type: bool
    default: false
  request_code:
    description:
      - Ask for a code when the number is not registered and there is no O(code).
      - V(false) only reports that one is needed.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait at most until every web application that answers shows what was registered.
    type: float
    default: 60.0
    version_added: 0.2.0
  delay:
    description:
      - Seconds between two reads at most.
    type: float
    default: 1.0
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_cluster_health
"""

EXAMPLES = r"""
- name: Ask for a code
  waent.fleet.wa_account: &account
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    cc: "1"
    phone_number: "5550100"
    cert: "{{ wa_cert }}"
  register: account

- name: Wait for somebody to type it
  ansible.builtin.pause:
    prompt: Code that was received
  register: typed
  when: account.status == 'code_requested'

- name: Verify it
  waent.fleet.wa_account:
    <<: *account
    code: "{{ typed.user_input }}"
  when: account.status == 'code_requested'
"""

RETURN = r"""
status:
  description:
    - V(registered), V(code_requested) (call again with O(code)), or V(needs_code) (nothing was asked for yet).
    - In check mode the status that a real run would lead to, except that V(needs_code) stands for V(code_requested).
    - V(unknown) on failure before it was found out.
  returned: always
  type: str
  sample: code_requested
vname:
  description: Verified name that the API returned when the code was requested.
  returned: always
  type: str
  sample: Example Business
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: REGISTRATION_BLOCKED
    message: https://wa-1:9090/v1/account answered error 1005 (Access denied ...). The vendor has blocked ...
    details:
      api_code: 1005
      details: "Unknown error: biz_link_on_prem_reg_blocked"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import number_problem
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import (
    ACCESS_DENIED,
    BAD_PARAMETER,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import (
    check_number,
    check_pin,
    plain_code,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    AuthError,
    Client,
    ClientError,
    LostAnswer,
    Reply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail, registration_blocked
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import (
    HealthReader,
    not_healthy,
    polling,
    wait_for,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import Cluster, observe, state_line

REFUSED = "The registration code was not accepted: it is wrong or has expired. "
RETRY = "Run {0}, CODE being the one that was received, or with {1} to have another one sent.".format(
    instruction("code_refused"), instruction("code_refused_another")
)
LATER = (
    "Another one cannot be sent yet (error 1015, too many requests): run {0}, CODE being the last one that was"
    " received, or try again later."
).format(instruction("code_refused_too_often"))
AGAIN = "Another code was sent just now: run {0}, CODE being that one; those before are void.".format(
    instruction("code_refused_resent")
)


def read_registered(client: Client, number: str) -> bool:
    """Whether the number is registered. Raises a Refusal when no node reports it, or when it is another number."""
    cluster = observe(client.health().body, read_support(client))
    if cluster.registered is None and not single_waits(cluster):
        text = "No node reports whether a number is registered ({0}): wait until the masters are up."
        raise Refusal("CLUSTER_NOT_READY", text.format(state_line(cluster)))
    other = number_problem(cluster.registered_number, number) if cluster.registered else None
    if other:
        raise Refusal(other.code, other.message)
    return bool(cluster.registered)


def single_waits(cluster: Cluster) -> bool:
    """A single instance that is not registered shows 1011 in place of a status (reference 3.5)."""
    return cluster.form == "single" and bool(cluster.nodes) and bool(cluster.nodes[0].errors)


def read_support(client: Client) -> t.Any:
    """The support report, None where this user or version does not have it."""
    try:
        return client.get("/v1/support").body
    except AuthError:
        raise
    except ApiError as error:
        if error.code in (ACCESS_DENIED, NOT_FOUND) or error.status == 404:
            return None
        raise


def request_code(client: Client, params: t.Mapping[str, t.Any]) -> Reply:
    """POST /v1/account: 202 a code is on its way, 201 there is nothing more to do (reference 4.3)."""
    if not params["cert"]:
        raise Refusal("CERT_MISSING", "wa_cert is not set; asking for a code needs the verified-name certificate.")
    body = {name: params[name] for name in ("cc", "phone_number", "method", "cert", "pin") if params[name]}
    return client.call("POST", "/v1/account", body=body)


def refuses_code(error: ApiError) -> bool:
    """Whether it is the code: 1005, which has other reasons as well, or 1009 for what is none (reference 4.3, 4.10)."""
    if error.code == ACCESS_DENIED:
        expired_build = "app expired" in (error.title + error.api_details).lower()
        return not (expired_build or registration_blocked(error))
    return error.code == BAD_PARAMETER or (error.code is None and error.status in (400, 403))


def verify(client: Client, code: str, number: str) -> None:
    """POST /v1/account/verify. A lost answer is resolved by reading."""
    try:
        client.call("POST", "/v1/account/verify", body={"code": code})
    except LostAnswer:
        if not read_registered(client, number):
            raise
    except AuthError:
        raise
    except ApiError as error:
        if refuses_code(error):
            raise Refusal("CODE_REFUSED", REFUSED + RETRY, error.details) from error
        raise


def redeem(client: Client, params: t.Mapping[str, t.Any], number: str) -> None:
    """Verify with the given code; one that is the same each time is worth asking for when it is refused."""
    code = plain_code(params["code"])
    try:
        verify(client, code, number)
        return
    except Refusal as error:
        if not params["fixed_code"] or error.code != "CODE_REFUSED":
            raise
    try:
        # 201 means that the number is registered already: nothing is left to verify (reference 4.3).
        if request_code(client, params).status == 201:
            return
    except ApiError as error:
        if error.code != TOO_MANY_REQUESTS:
            raise
        raise Refusal("CODE_REFUSED", REFUSED + LATER, error.details) from error
    try:
        verify(client, code, number)
    except Refusal as error:
        if error.code != "CODE_REFUSED":
            raise
        raise Refusal(error.code, REFUSED + AGAIN, error.details) from error


def step(client: Client, params: t.Mapping[str, t.Any], check: bool) -> dict[str, t.Any]:
    """The one step that is next. Raises a ClientError or a Refusal."""
    number = params["cc"] + params["phone_number"]
    if read_registered(client, number):
        return {"changed": False, "status": "registered"}
    if params["code"]:
        if not check:
            redeem(client, params, number)
        return {"changed": True, "status": "registered"}
    if not params["request_code"]:
        return {"changed": False, "status": "needs_code"}
    if check:
        return {"changed": True, "status": "needs_code"}
    reply = request_code(client, params)
    status = "registered" if reply.status == 201 else "code_requested"
    return {"changed": True, "status": status, "vname": reply.first("account").get("vname")}


def await_webapps(client: Client, params: t.Mapping[str, t.Any]) -> None:
    """Until the webapps know what one of them has confirmed. Raises a ClientError, or a Refusal that names the others.

    The next call may go to any of them, and would be refused as that of a number that nobody has registered.
    """
    read = HealthReader(polling(client), Expected()).registration
    waited = wait_for(read, lambda seen: not seen.found, timeout=params["timeout"], delay=params["delay"])
    if waited.last.found:
        raise not_healthy(waited)


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            state={"type": "str", "choices": ["registered"], "default": "registered"},
            cc={"type": "str", "required": True},
            phone_number={"type": "str", "required": True},
            method={"type": "str", "choices": ["sms", "voice"], "default": "sms"},
            cert=from_environment("WA_CERT", type="str", no_log=True),
            pin=from_environment("WA_PIN", type="str", no_log=True),
            code={"type": "str", "no_log": True},
            fixed_code={"type": "bool", "default": False},
            request_code={"type": "bool", "default": True},
            timeout={"type": "float", "default": 60.0},
            delay={"type": "float", "default": 1.0},
        ),
        supports_check_mode=True,
    )
    params = module.params
    result: dict[str, t.Any] = {"changed": False, "status": "unknown", "vname": None}
    try:
        check_number(params["cc"], params["phone_number"])
        check_pin(params["pin"] or None)
        result.update(step(client_from(params), params, module.check_mode))
        if result["changed"] and result["status"] == "registered" and not module.check_mode:
            await_webapps(client_from(params, asks_every_url=True), params)
        before = {"status": "not registered" if result["changed"] else result["status"]}
        result["diff"] = {"before": before, "after": {"status": result["status"]}}
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
