#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_login
short_description: Log in to the WhatsApp Business API, and out again
version_added: 0.1.0
description:
  - Gets a token, once per run, for the other modules to share as O(api_token).
  - A new installation still has its first password. Then the login sets O(password), which is the change it
    reports.
  - The result holds the token. Put C(no_log) on the task.
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
      - Logs in, so that later tasks can read, but never sets a password. Where the first password would be replaced,
        the result is changed and has no token.
  diff_mode:
    support: none
    details:
      - A password must not be shown.
  idempotent:
    support: full
    details:
      - Every login makes a token of its own, which is not counted as a change.
options:
  state:
    description:
      - V(present) logs in.
      - V(absent) logs out, which revokes O(api_token).
    type: str
    choices: [present, absent]
    default: present
  username:
    description:
      - User to log in as.
    type: str
    default: admin
  password:
    description:
      - Password to log in with, and to set where the user still has O(initial_password).
      - 8 to 64 characters with a digit, an upper-case and a lower-case letter and a special character.
      - Required with O(state=present). If not set, the environment variable E(WA_ADMIN_PASSWORD) is used.
    type: str
  initial_password:
    description:
      - Password that a new installation has. Without it the documented one is tried, for the user V(admin) only.
    type: str
  wait_timeout:
    description:
      - Seconds to wait for a web application that does not answer yet or is not ready.
    type: float
    default: 0.0
  keep_session:
    description:
      - Return O(api_token) in place of logging in, where one is given. It is not tried.
    type: bool
    default: false
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_user
"""

EXAMPLES = r"""
- name: Log in, and replace the first password on a new installation
  waent.fleet.wa_login:
    api_url: https://wa-1:9090
    ca_path: /etc/ssl/certs/wa-ca.pem
    password: "{{ wa_admin_password }}"
    wait_timeout: 120
  register: wa_login
  no_log: true

- name: Share the token
  module_defaults:
    group/waent.fleet.api:
      api_url: https://wa-1:9090
      api_token: "{{ wa_login.token }}"
      ca_path: /etc/ssl/certs/wa-ca.pem
  block:
    - name: Set the intervals of the heartbeats
      waent.fleet.wa_settings:
        settings:
          heartbeat_interval: 5

    - name: Log out
      waent.fleet.wa_login:
        state: absent
"""

RETURN = r"""
token:
  description: Token for O(api_token). Null after logging out, and in check mode where the password would be set.
  returned: always
  type: str
  sample: eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9...
expires_after:
  description: When the token expires, as the API reports it.
  returned: always
  type: str
  sample: "2026-09-14 15:29:26+00:00"
username:
  description: The user.
  returned: always
  type: str
  sample: admin
password_changed:
  description: Whether the first password was replaced, or would be.
  returned: always
  type: bool
  sample: false
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: API_AUTH
    message: https://wa-1:9090/v1/users/login answered HTTP status 401 (no explanation). ...
    details:
      url: https://wa-1:9090/v1/users/login
      status: 401
      api_code: null
      title: ""
      details: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import (
    FIRST_PASSWORD,
    FIRST_USER,
    check_password,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    AuthError,
    Backoff,
    Client,
    ClientError,
    LostAnswer,
    PasswordChangeRequired,
    Reply,
    UnexpectedReply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment


def token_of(reply: Reply) -> dict[str, t.Any]:
    """C({token, expires_after}) of a login's answer. Raises UnexpectedReply without a token."""
    first = reply.first("users")
    if not isinstance(first.get("token"), str) or not first["token"]:
        raise UnexpectedReply("{0} accepted the login, and its answer has no token.".format(reply.url), url=reply.url)
    return {"token": first["token"], "expires_after": first.get("expires_after")}


def log_in(client: Client, username: str, password: str, first_password: str | None, check: bool) -> dict[str, t.Any]:
    """Logs in, replacing the first password where that is what the user has. Raises a ClientError."""
    try:
        return dict(token_of(client.login(username, password)), changed=False)
    except AuthError as error:
        if first_password is None:
            raise
        refused = error
    if check:
        return _would_replace(client, username, first_password, refused)
    try:
        reply = client.login(username, first_password, new_password=password)
    except AuthError:
        # Neither password is right: what the user gave is what the message is about.
        raise refused from None
    except LostAnswer:
        reply = client.login(username, password)
    return dict(token_of(reply), changed=True)


def _would_replace(client: Client, username: str, first_password: str, refused: AuthError) -> dict[str, t.Any]:
    """Without a new password the API refuses the first one with a code of its own, and changes nothing."""
    try:
        client.login(username, first_password)
    except PasswordChangeRequired:
        pass
    except AuthError:
        raise refused from None
    return {"token": None, "expires_after": None, "changed": True}


def log_out(client: Client, check: bool) -> dict[str, t.Any]:
    """Revokes the client's token; one that is not valid any more is no change."""
    outcome = {"token": None, "expires_after": None, "changed": True}
    try:
        if check:
            client.get("/v1/health")
        else:
            client.call("POST", "/v1/users/logout", repeatable=True)
    except AuthError:
        outcome["changed"] = False
    return outcome


def patience(seconds: float) -> Backoff:
    """A backoff that goes on for C(seconds); the usual one for 0."""
    return Backoff(for_seconds=seconds, first=0.1, cap=0.5) if seconds > 0 else Backoff()


def first_password_of(params: t.Mapping[str, t.Any]) -> str | None:
    """The first password to try, None where there is none to try."""
    if params["initial_password"]:
        return str(params["initial_password"])
    return FIRST_PASSWORD if params["username"] == FIRST_USER else None


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
            username={"type": "str", "default": FIRST_USER},
            password=from_environment("WA_ADMIN_PASSWORD", type="str", no_log=True),
            initial_password={"type": "str", "no_log": True},
            wait_timeout={"type": "float", "default": 0.0},
            # The action plugin does that: of a module's result Ansible hides what one of its options is.
            keep_session={"type": "bool", "default": False},
        ),
        required_if=[("state", "present", ["password"]), ("state", "absent", ["api_token"])],
        supports_check_mode=True,
    )
    params = module.params
    result = {"changed": False, "token": None, "expires_after": None, "password_changed": False}
    result["username"] = params["username"]
    try:
        client = client_from(params, backoff=patience(params["wait_timeout"]))
        if params["state"] == "absent":
            result.update(log_out(client, module.check_mode))
        else:
            check_password(params["password"])
            first = first_password_of(params)
            result.update(log_in(client, params["username"], params["password"], first, module.check_mode))
            result["password_changed"] = result["changed"]
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
