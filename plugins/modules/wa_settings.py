#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_settings
short_description: Set application settings of the WhatsApp Business API
version_added: 0.1.0
description:
  - Reads C(/v1/settings/application) and sends only the fields that differ.
  - Reads again afterwards, and fails when the server did not take a setting.
  - Some settings take effect only when the coreapps restart. The module names them and restarts nothing.
  - With O(state=reset) all settings go back to the defaults of the product, C(DELETE /v1/settings/application), and
    those in O(settings) are set right after that.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: partial
    details:
      - Complete with O(state=present).
      - With O(state=reset) it predicts the settings whose default is documented, and names the others in
        RV(unknown).
  diff_mode:
    support: full
    details:
      - Only the settings that change are shown. User and password inside of an address are hidden.
  idempotent:
    support: full
options:
  settings:
    description:
      - The settings as the API has them, nested in the same way. Those not named stay as they are.
      - Numbers may be written as text. The order inside of a list says nothing.
      - Needed with O(state=present). With O(state=reset), what is not to have its default afterwards.
    type: dict
  state:
    description:
      - V(present) sets what O(settings) has.
      - V(reset) first has all settings go back to their defaults. Between the two calls the defaults hold, for less
        than a second; a run that was killed in between is run again.
    type: str
    choices: [present, reset]
    default: present
    version_added: 0.2.0
seealso:
  - module: waent.fleet.wa_login
"""

EXAMPLES = r"""
- name: Fail over sooner, and send callbacks to our server
  waent.fleet.wa_settings:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    settings:
      heartbeat_interval: 5
      unhealthy_interval: 20
      webhooks:
        url: https://hooks.example.com/wa
        max_concurrent_requests: 12
  register: settings

- name: The defaults of the product, but for the webhook
  waent.fleet.wa_settings:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    state: reset
    settings: {webhooks: {url: https://hooks.example.com/wa}}

- name: Show what has to be restarted
  ansible.builtin.debug:
    msg: "Restart the coreapps one after the other for {{ settings.restart_required | join(', ') }}"
  when: settings.restart_required | length > 0
"""

RETURN = r"""
changes:
  description: Every setting that changed, or would.
  returned: always
  type: list
  elements: dict
  sample:
    - name: webhooks.max_concurrent_requests
      before: 6
      after: 12
restart_required:
  description: Those of the changed settings that take effect only when the coreapps restart.
  returned: always
  type: list
  elements: str
  sample: [webhooks.max_concurrent_requests]
unknown:
  description:
    - With O(state=reset), settings whose default is not documented, so that nobody can say before whether they change.
    - After a reset that was done, empty.
  returned: always
  type: list
  elements: str
  sample: []
settings:
  description: All settings as read last. User and password inside of an address are hidden.
  returned: always
  type: dict
  sample:
    heartbeat_interval: 5
    unhealthy_interval: 20
problems:
  description: Settings that cannot be meant.
  returned: always
  type: list
  elements: dict
  sample:
    - code: SETTING_INVALID
      message: Setting webhooks.max_concurrent_requests is 7; 6, 12, 18 or 24 is allowed.
      variable: settings.webhooks.max_concurrent_requests
      value: 7
      host: null
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: SETTINGS_INVALID
    message: ...
    details:
      codes: [SETTING_INVALID]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import (
    between,
    differences,
    hidden,
    patch_body,
    reset,
    restart_needed,
    setting_problems,
    shown,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import Client, ClientError, UnexpectedReply
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

PATH = "/v1/settings/application"


def read_settings(client: Client) -> dict[str, t.Any]:
    """The application settings as they are."""
    reply = client.get(PATH)
    settings = reply.member("settings", "application")
    if not isinstance(settings, dict):
        raise UnexpectedReply("{0} answered no application settings.".format(reply.url), url=reply.url)
    return settings


def described(changes: t.Iterable[tuple[str, t.Any, t.Any]], actual: dict[str, t.Any]) -> dict[str, t.Any]:
    """The module's result for C((name, before, after)) of what changes. actual: the settings as they were read last."""
    shows = [{"name": name, "before": shown(before), "after": shown(after)} for name, before, after in changes]
    return {
        "changed": bool(shows),
        "changes": shows,
        "restart_required": restart_needed(change["name"] for change in shows),
        "unknown": [],
        "settings": hidden(actual),
        "diff": {
            "before": {change["name"]: change["before"] for change in shows},
            "after": {change["name"]: change["after"] for change in shows},
        },
    }


def set_them(client: Client, desired: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    """The result of having the settings as desired. Raises a Refusal when the server did not take them."""
    actual = read_settings(client)
    planned = described(differences(desired, actual), actual)
    if planned["changed"] and not check:
        planned["settings"] = hidden(apply(client, desired, actual))
    return planned


def reset_them(client: Client, desired: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    """The result of having all others at their defaults. Only the server knows those, so what changed is read."""
    before = read_settings(client)
    if check:
        predicted = reset(desired, before)
        return {**described(predicted.changes, before), "unknown": predicted.unknown}
    client.call("DELETE", PATH)
    now = read_settings(client)
    if differences(desired, now):
        now = apply(client, desired, now)
    return described(between(before, now), now)


def apply(client: Client, desired: dict[str, t.Any], actual: dict[str, t.Any]) -> dict[str, t.Any]:
    """Sends what differs and reads it back. Raises a Refusal when the server did not take it."""
    client.call("PATCH", PATH, body=patch_body(desired, actual))
    now = read_settings(client)
    left = [name for name, _actual, _desired in differences(desired, now)]
    if left:
        text = "The server accepted the settings, and still has other values for {0}.".format(", ".join(left))
        raise Refusal("SETTINGS_NOT_TAKEN", text, {"names": left})
    return now


def main() -> None:
    states = {"type": "str", "choices": ["present", "reset"], "default": "present"}
    module = AnsibleModule(
        argument_spec=dict(api_options(), settings={"type": "dict"}, state=states),
        required_if=[("state", "present", ["settings"])],
        supports_check_mode=True,
    )
    desired = module.params["settings"] or {}
    problems = setting_problems(desired)
    result: dict[str, t.Any] = {"changed": False, "changes": [], "restart_required": [], "unknown": [], "settings": {}}
    result["problems"] = [problem.as_dict() for problem in problems]
    bring = reset_them if module.params["state"] == "reset" else set_them
    try:
        if problems:
            raise refusal_for("SETTINGS_INVALID", problems)
        result.update(bring(client_from(module.params), desired, module.check_mode))
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
