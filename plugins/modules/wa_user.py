#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_user
short_description: Manage API users of the WhatsApp Business API
version_added: 0.1.0
description:
  - Creates users, sets their passwords, deletes them, and says whether there is one and which role it has.
  - A user that is created has the role V(ROLE_USER); V(ROLE_ADMIN) is only that of V(admin). The API has no call that
    changes a role, and none that lists users.
  - The API never returns a password. Whether it is the desired one is found out by logging in with it.
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
      - With O(update_password=always) it logs in as the user and out again to compare the password, in any mode.
  diff_mode:
    support: full
    details:
      - Shows that the password changes, never the password.
  idempotent:
    support: full
options:
  username:
    description:
      - Name of the user, 4 to 32 characters.
    type: str
    required: true
  state:
    description:
      - V(absent) deletes the user, and with it the user's tokens. The user V(admin) cannot be deleted.
      - V(query) only reads whether there is such a user, and its role.
    type: str
    choices: [present, absent, query]
    default: present
  password:
    description:
      - Password of the user, 8 to 64 characters with a digit, an upper-case and a lower-case letter and a special
        character.
      - Required with O(state=present). If not set, the environment variable E(WA_USER_PASSWORD) is used.
    type: str
  former_password:
    description:
      - Password that the user V(admin) has so far. The module then needs no O(api_token) - where logging in with
        O(password) fails, it logs in with this one, changes the password, proves it by a login, and logs out again.
      - Tokens that exist stay valid.
    type: str
    version_added: 0.2.0
  update_password:
    description:
      - V(always) sets the password where logging in with it fails.
      - V(on_create) leaves the password of an existing user alone.
    type: str
    choices: [always, on_create]
    default: always
seealso:
  - module: waent.fleet.wa_login
"""

EXAMPLES = r"""
- name: A user for sending messages
  waent.fleet.wa_user:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    username: sender
    password: "{{ wa_sender_password }}"

- name: Another password of admin, with the one that it has so far
  waent.fleet.wa_user:
    api_url: https://wa-1:9090
    username: admin
    password: "{{ wa_admin_password }}"
    former_password: "{{ wa_admin_former_password }}"

- name: Remove a user and its tokens
  waent.fleet.wa_user:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    username: former
    state: absent

- name: Whether there is a user, and its role
  waent.fleet.wa_user:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    username: sender
    state: query
  register: sender
"""

RETURN = r"""
exists:
  description: Whether there is such a user, after what was done or would be.
  returned: success
  type: bool
  sample: true
username:
  description: The user.
  returned: always
  type: str
  sample: sender
role:
  description: The user's role, null when there is no such user or the role is not known yet.
  returned: always
  type: str
  sample: ROLE_USER
action:
  description: What was done, or would be.
  returned: always
  type: str
  sample: created
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: PASSWORD_POLICY
    message: The password lacks a digit.
    details:
      lacks: [a digit]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import (
    FIRST_USER,
    check_password,
    check_username,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    AuthError,
    Client,
    ClientError,
    LostAnswer,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from, from_environment
from ansible_collections.waent.fleet.plugins.module_utils._io.user import read_role
from ansible_collections.waent.fleet.plugins.module_utils._state.user import user_path


def read_user(client: Client, username: str) -> dict[str, t.Any] | None:
    """C({username, role}), None when there is no such user."""
    role = read_role(client, username)
    return None if role is None else {"username": username, "role": role or None}


def password_is(client: Client, username: str, password: str) -> bool:
    """Whether the user can log in with this password. Logs out again at once."""
    try:
        reply = client.login(username, password)
    except AuthError:
        return False
    token = reply.first("users").get("token")
    if token:
        client.with_token(token).call("POST", "/v1/users/logout", repeatable=True)
    return True


def own_password(client: Client, params: t.Mapping[str, t.Any], check_mode: bool) -> bool:
    """Changes the password of admin with the one that it has so far; whether it had to. Raises a Refusal."""
    name, password = params["username"], params["password"]
    if password_is(client, name, password):
        return False
    try:
        token = str(client.login(name, params["former_password"]).first("users").get("token") or "")
    except AuthError as error:
        text = (
            "Neither wa_admin_password nor wa_admin_former_password is the password of the user {0!r}; both were tried."
        )
        raise Refusal("FORMER_PASSWORD_REFUSED", text.format(name)) from error
    session = client.with_token(token)
    try:
        if not check_mode:
            session.call("PUT", user_path(name), body={"password": password})
            if not password_is(client, name, password):
                text = "The server accepted the new password of {0!r}, and refuses a login with it."
                raise Refusal("PASSWORD_NOT_TAKEN", text.format(name))
    finally:
        session.call("POST", "/v1/users/logout", repeatable=True)
    return True


def needed_action(client: Client, params: t.Mapping[str, t.Any], user: dict[str, t.Any] | None) -> str:
    """C(created), C(password changed), C(deleted) or C(none)."""
    if params["state"] == "query":
        return "none"
    if params["state"] == "absent":
        return "deleted" if user else "none"
    if user is None:
        return "created"
    if params["update_password"] == "on_create" or password_is(client, params["username"], params["password"]):
        return "none"
    return "password changed"


def act(client: Client, action: str, username: str, password: str | None) -> None:
    """Makes the one call that the action needs."""
    if action == "created":
        create(client, username, password)
    elif action == "password changed":
        client.call("PUT", user_path(username), body={"password": password})
    elif action == "deleted":
        client.call("DELETE", user_path(username))


def create(client: Client, username: str, password: str | None) -> None:
    """Creates the user. A lost answer is resolved by reading."""
    try:
        client.call("POST", "/v1/users", body={"username": username, "password": password})
    except LostAnswer:
        if read_user(client, username) is None:
            raise


def predicted(params: t.Mapping[str, t.Any], user: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    """The user as it will be; None where there will be none."""
    if params["state"] == "query":
        return user
    return None if params["state"] == "absent" else user or {"username": params["username"], "role": None}


def shown(user: dict[str, t.Any] | None, password: str) -> dict[str, t.Any]:
    """One side of the diff."""
    return dict(user, password=password) if user else {}


def check(params: t.Mapping[str, t.Any]) -> None:
    """Raises a Refusal for what the API would not take."""
    check_username(params["username"])
    if params["state"] == "present":
        check_password(params["password"])
        if params["former_password"] and params["username"] != FIRST_USER:
            text = "Only 'admin' can change its own password; that of {0!r} is changed by a login of 'admin'."
            raise Refusal("FORMER_PASSWORD_OF_OTHERS", text.format(params["username"]))
    elif params["state"] == "absent" and params["username"] == FIRST_USER:
        raise Refusal("ADMIN_CANNOT_BE_DELETED", "username is 'admin'; that user cannot be deleted.")


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            username={"type": "str", "required": True},
            state={"type": "str", "choices": ["present", "absent", "query"], "default": "present"},
            password=from_environment("WA_USER_PASSWORD", type="str", no_log=True),
            former_password={"type": "str", "no_log": True},
            update_password={"type": "str", "choices": ["always", "on_create"], "default": "always", "no_log": False},
        ),
        required_if=[("state", "present", ["password"])],
        supports_check_mode=True,
    )
    params = module.params
    name = params["username"]
    result: dict[str, t.Any] = {"changed": False, "username": name, "role": None, "action": "none"}
    try:
        check(params)
        client = client_from(params)
        if params["state"] == "present" and params["former_password"]:
            changed = own_password(client, params, module.check_mode)
            result.update(changed=changed, action="password changed" if changed else "none", exists=True)
            shown_as = "new (not shown)" if changed else "as it is"
            result["diff"] = {"before": {"password": "as it is"}, "after": {"password": shown_as}}
            module.exit_json(**result)
        before = read_user(client, name)
        action = needed_action(client, params, before)
        after = predicted(params, before)
        if action != "none" and not module.check_mode:
            act(client, action, name, params["password"])
            after = read_user(client, name)
        result.update(changed=action != "none", action=action, exists=after is not None)
        result["role"] = after["role"] if after else None
        new_password = "new (not shown)" if action in ("created", "password changed") else "as it is"
        result["diff"] = {"before": shown(before, "as it is"), "after": shown(after, new_password)}
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
