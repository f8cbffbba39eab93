#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_media_providers
short_description: Manage media providers of the WhatsApp Business API
version_added: 0.2.0
description:
  - A media provider is a name under which the API keeps the credentials with which it fetches media that a message
    names by its link.
  - Reads the providers, sends those that differ in one call, deletes those that have to go, and reads again.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows names and kinds, never credentials.
  idempotent:
    support: full
    details:
      - The API shows the credentials of its providers, and they are compared. One that does not show them is sent them
        in each run, which then reports C(changed).
options:
  providers:
    description:
      - Providers that there have to be. Others stay as they are, unless O(exclusive) says otherwise.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the provider, as messages name it.
        type: str
        required: true
      bearer:
        description: Token to fetch media with. Either this, or a username and a password.
        type: str
      username:
        description: User to fetch media as.
        type: str
      password:
        description: The user's password.
        type: str
  absent:
    description: Names of providers that must not be there.
    type: list
    elements: str
    default: []
  exclusive:
    description: Whether providers that O(providers) does not name are deleted.
    type: bool
    default: false
seealso:
  - module: waent.fleet.wa_settings
"""

EXAMPLES = r"""
- name: Two providers and no others
  waent.fleet.wa_media_providers:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    exclusive: true
    providers:
      - name: shop
        bearer: "{{ shop_media_token }}"
      - name: archive
        username: reader
        password: "{{ archive_password }}"

- name: One provider less
  waent.fleet.wa_media_providers:
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
    absent: [archive]
"""

RETURN = r"""
changes:
  description: Each provider that changed, or would, and how (V(added), V(replaced) or V(deleted)).
  returned: always
  type: list
  elements: dict
  sample:
    - name: shop
      action: added
providers:
  description: Names of all providers as read last.
  returned: always
  type: list
  elements: str
  sample: [shop]
problems:
  description: Providers that cannot be meant.
  returned: always
  type: list
  elements: dict
  sample:
    - code: MEDIA_PROVIDER_INVALID
      message: Provider 'shop' needs a bearer, or a username and a password.
      variable: providers
      value: shop
      host: null
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: MEDIA_PROVIDERS_INVALID
    message: ...
    details:
      codes: [MEDIA_PROVIDER_INVALID]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_providers import (
    Plan,
    both_sides,
    plan,
    provider_problems,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    ApiError,
    Client,
    ClientError,
    UnexpectedReply,
    path_segment,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from

PATH = "/v1/settings/application/media/providers"


def read_providers(client: Client) -> list[dict[str, t.Any]]:
    """The providers as the API shows them."""
    reply = client.get(PATH)
    found = reply.member("settings", "application", "media", "providers")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnexpectedReply("{0} answered no media providers.".format(reply.url), url=reply.url)
    return found


def names(providers: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Their names, in order."""
    return sorted(str(one.get("name")) for one in providers)


def apply(client: Client, planned: Plan) -> list[dict[str, t.Any]]:
    """Sends what differs and reads it back. Raises a Refusal when the server did not take it."""
    if planned.write:
        client.call("POST", PATH, body=planned.write, repeatable=True)
    for name in planned.delete:
        delete(client, name)
    now = read_providers(client)
    wrong = {one["name"] for one in planned.write} - set(names(now)) | set(planned.delete) & set(names(now))
    if wrong:
        text = "The server accepted the media providers, and {0} did not change.".format(", ".join(sorted(wrong)))
        raise Refusal("MEDIA_PROVIDERS_NOT_TAKEN", text, {"names": sorted(wrong)})
    return now


def delete(client: Client, name: str) -> None:
    """Deletes one; that it is gone already, as after an answer that was lost, is no error."""
    try:
        client.call("DELETE", PATH + "/" + path_segment(name))
    except ApiError as error:
        if error.status != 404:
            raise


def main() -> None:
    provider = {
        "name": {"type": "str", "required": True},
        "bearer": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
    }
    module = AnsibleModule(
        argument_spec=dict(
            api_options(),
            providers={"type": "list", "elements": "dict", "default": [], "options": provider},
            absent={"type": "list", "elements": "str", "default": []},
            exclusive={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
    )
    desired, absent = module.params["providers"], module.params["absent"]
    problems = provider_problems(desired, absent)
    result: dict[str, t.Any] = {"changed": False, "changes": [], "providers": []}
    result["problems"] = [problem.as_dict() for problem in problems]
    try:
        if problems:
            raise refusal_for("MEDIA_PROVIDERS_INVALID", problems)
        client = client_from(module.params)
        actual = read_providers(client)
        planned = plan(desired, absent, module.params["exclusive"], actual)
        result.update(providers=names(actual), diff=both_sides(planned, actual))
        result["changes"] = [change._asdict() for change in planned.changes]
        if planned.changes and not module.check_mode:
            result["providers"] = names(apply(client, planned))
        result["changed"] = bool(planned.changes)
    except (ClientError, Refusal) as error:
        fail(module, error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
